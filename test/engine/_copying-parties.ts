/** Ends and a relay that copy what they get, on a clock that only a test moves. */

import type { Parties } from '../../src/engine/conversation.ts';
import type { OpenDrive } from '../../src/engine/drive-open.ts';
import { PackedMembers } from '../../src/pipelines/_members.ts';
import type { Outbox } from '../../src/pipelines/_pipeline.ts';
import type { Script } from '../../src/workload/script.ts';

const SESSIONS = 3;
export const MESSAGES = 4;

export const script: Script = {
  sessions: SESSIONS,
  messages: MESSAGES,
  users: 6,
  members: new Uint32Array([0, 1, 2, 3, 4, 5]),
  speakers: new Uint8Array([0, 1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0]),
  lengths: new Uint32Array(SESSIONS * MESSAGES).map((_, at) => 5 + at),
  fates: new Uint8Array(SESSIONS * MESSAGES),
  lossAt: 'downlink',
  delays: new Uint16Array(SESSIONS * MESSAGES),
  stepMs: 1,
};

/** A clock that only the parts of a test move. */
export class TestClock {
  now = 1_000_000;
  /** Added to every wait. */
  oversleepNs = 0;
  waits = 0;

  nowNs(): number {
    return this.now;
  }

  waitUntil(momentNs: number): void {
    this.waits += 1;
    this.now = Math.max(this.now, momentNs) + this.oversleepNs;
  }
}

interface Faults {
  /** What the receiver does to the n-th plaintext, from 0. */
  readonly receive?: (n: number, length: number, out: Uint8Array) => number;
  readonly accept?: (n: number) => boolean;
}

function copy(frame: Uint8Array, out: Uint8Array): number {
  out.set(frame);
  return frame.length;
}

/** Ends and a relay that copy, and take as long as `serviceNs` says of the n-th message. */
export function copying(
  clock: TestClock,
  serviceNs: (n: number) => number,
  { receive, accept }: Faults = {},
): { parties: Parties; seen: [session: number, member: number][] } {
  const seen: [session: number, member: number][] = [];
  let stored = 0;
  const clients = {
    send(session: number, member: number, plaintext: Uint8Array, _: number, outbox: Outbox): void {
      seen.push([session, member]);
      outbox.reserve(plaintext.length).set(plaintext);
      outbox.emit(session * 2 + 1 - member, 'message', plaintext.length);
    },
    receive(_session: number, _member: number, frame: Uint8Array, _: number, out: Uint8Array) {
      out.set(frame);
      clock.now += serviceNs(seen.length - 1);
      return receive?.(seen.length - 1, frame.length, out) ?? frame.length;
    },
  };
  const relay = {
    accept: (_from: number, _to: number, frame: Uint8Array, _at: number, out: Uint8Array) =>
      accept?.(stored++) === false ? -4 : copy(frame, out),
    deliver: (_to: number, frame: Uint8Array, _at: number, out: Uint8Array) => copy(frame, out),
  };
  const parties = {
    clients,
    relay,
    authority: undefined,
    members: new PackedMembers(script.members),
  };
  return { parties: parties as unknown as Parties, seen };
}

type Talk = ConstructorParameters<typeof OpenDrive>[3];

/** @param checkNs What the harness's own work on a message takes. */
export function listener(clock: TestClock, checkNs = 0): { talk: Talk; faults: string[] } {
  const faults: string[] = [];
  let sent = 0;
  const tally = {
    get sent() {
      return sent;
    },
    set sent(count: number) {
      sent = count;
      clock.now += checkNs;
    },
    delivered: 0,
    lost: 0,
    refused: {},
    plaintextBytes: 0,
    wire: {},
    storedBytes: 0,
    handshake: { frames: 0, bytes: 0 },
  };
  const expectations = {
    fault: (...[, , reason]: [number, number, string]) => faults.push(reason),
  };
  return { talk: { tally, expectations } as unknown as Talk, faults };
}
