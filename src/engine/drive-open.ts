/**
 * Carries messages one at a time, each when its moment has come: an open loop, in which the load does
 * not wait for the system.
 *
 * Generator and system under test share a thread. A message that is due while another is carried
 * waits, as it would at a busy server, and its response time says so; none is dropped, and the
 * schedule does not wait for the system. Between a message's start and its end there is what the
 * product does and nothing else. After its end the harness checks the plaintext on the same thread, for
 * about a microsecond; in that time the clock of schedule and readings stands still, because otherwise
 * a queue would form behind the harness and pass for one behind the system.
 *
 * @module
 */

import { EMPTY, equalBytes } from '../core/bytes.ts';
import { EngineOutbox } from './batch.ts';
import { isAsynchronous } from './async-client-loops.ts';
import type { Commands } from './open-commands.ts';
import type { Conversation, Parties } from './conversation.ts';
import type { FactsDigest } from './digest.ts';
import type { OpenReadings } from './open-readings.ts';
import type { Payload } from './payload.ts';
import { nowNs } from '../measure/clock.ts';
import { readThreadCpuNs } from '../measure/cpu.ts';
import type { LiveWriter } from '../measure/live.ts';
import { waitUntil } from '../measure/waiting.ts';
import { indexOf, messagesOf, type Script } from '../workload/script.ts';

/** What a provider may add to a frame when it stores or delivers it. */
const RELAY_ROOM_BYTES = 256;
const FIRST_ROOM_BYTES = 4096;
/** How often is said how far it is. */
const TELL_EVERY_NS = 100e6;

/** The clock, and a way to wait for it. */
export interface Clock {
  nowNs(): number;
  waitUntil(momentNs: number): void;
}

export class OpenDrive {
  readonly #parties: Parties;
  readonly #script: Script;
  readonly #payload: Payload;
  readonly #talk: Pick<Conversation, 'tally' | 'expectations'>;
  readonly #clock: Clock;
  readonly #live: LiveWriter | undefined;
  readonly #outbox = new EngineOutbox();
  /** One for each frame of a message. */
  readonly #stored: Uint8Array[] = [];
  readonly #storedLengths: number[] = [];
  #fetched = new Uint8Array(FIRST_ROOM_BYTES);
  #received = new Uint8Array(FIRST_ROOM_BYTES);

  /**
   * @param talk Opened its sessions, and is told what becomes of the messages.
   * @param live Is told how far it is, while the clock stands still.
   */
  constructor(
    parties: Parties,
    script: Script,
    payload: Payload,
    talk: Pick<Conversation, 'tally' | 'expectations'>,
    clock: Clock = { nowNs, waitUntil },
    live?: LiveWriter,
  ) {
    this.#parties = parties;
    this.#script = script;
    this.#payload = payload;
    this.#talk = talk;
    this.#clock = clock;
    this.#live = live;
  }

  /**
   * @param offsetsNs The moment of each command after the start, ascending; left out: one after the
   *   other, and nothing is read.
   * @param digest Is told what was carried; left out where that depends on how fast the system is.
   */
  async carry(
    commands: Commands,
    digest?: FactsDigest,
    offsetsNs?: Float64Array,
    readings?: OpenReadings,
  ): Promise<void> {
    const { sessions, messages } = commands;
    const { clients, relay, members, senders } = this.#parties;
    const script = this.#script;
    const { speakers, lengths, stepMs } = script;
    const acknowledging = !isAsynchronous(clients) && clients.acknowledge !== undefined;
    const outbox = this.#outbox;
    const clock = this.#clock;
    const stored = this.#stored;
    const storedLengths = this.#storedLengths;
    const startNs = clock.nowNs();
    let freeNs = startNs;
    let stoodStillNs = 0;
    let told = 0;
    let toldNs = startNs;
    for (let i = 0; i < sessions.length; i++) {
      const session = sessions[i]!;
      const message = messages[i]!;
      const at = indexOf(script, session, message % messagesOf(script, session));
      const member = speakers[at]!;
      const plaintext = this.#payload.plaintext(session, message, lengths[at]!);
      const user = members.user(session, member);
      const from = senders === undefined ? user : senders[user]!;
      const to = members.user(session, 1 - member);
      const atMs = message * stepMs;
      outbox.clear();
      outbox.message = i;
      let fetched: Uint8Array = EMPTY;
      let length = NOTHING_CAME;
      const dueNs = offsetsNs === undefined ? freeNs : startNs + offsetsNs[i]!;
      stoodStillNs = clock.nowNs() - freeNs;
      if (dueNs > freeNs) clock.waitUntil(dueNs + stoodStillNs);

      const beganNs = clock.nowNs() - stoodStillNs;
      const sent = clients.send(session, member, plaintext, atMs, outbox);
      if (sent !== undefined) await sent;
      const { frames, kinds, toUsers, count } = outbox;
      for (let frame = 0; frame < count; frame++) {
        const out = this.#roomFor(frame, frames[frame]!.length);
        storedLengths[frame] = relay.accept(from, toUsers[frame]!, frames[frame]!, atMs, out);
      }
      if (acknowledging && count > 0) clients.acknowledge!(session, member);
      for (let frame = 0; frame < count; frame++) {
        if (kinds[frame] !== 'message' || storedLengths[frame]! < 0) continue;
        const held = stored[frame]!.subarray(0, storedLengths[frame]);
        const fetchedLength = relay.deliver(to, held, atMs, this.#fetched);
        if (fetchedLength < 0) continue;
        fetched = this.#fetched.subarray(0, fetchedLength);
        const opened = clients.receive(session, 1 - member, fetched, atMs, this.#received);
        length = typeof opened === 'number' ? opened : await opened;
      }
      const endedNs = clock.nowNs() - stoodStillNs;

      readings?.add(dueNs, freeNs, beganNs, endedNs);
      freeNs = endedNs;
      this.#judge(session, message, member, plaintext, length, digest);
      if (offsetsNs !== undefined) this.#live?.response(endedNs - dueNs);
      if (endedNs - toldNs >= TELL_EVERY_NS) {
        this.#live?.batch('traffic', i + 1 - told, readThreadCpuNs());
        told = i + 1;
        toldNs = endedNs;
      }
    }
    this.#live?.batch('traffic', sessions.length - told, readThreadCpuNs());
    if (readings === undefined || offsetsNs === undefined) return;
    readings.scheduledNs += offsetsNs.at(-1) ?? 0;
    readings.elapsedNs += freeNs - startNs;
    readings.stoodStillNs += stoodStillNs;
  }

  #roomFor(frame: number, bytes: number): Uint8Array {
    const room = bytes + RELAY_ROOM_BYTES;
    const buffer = this.#stored[frame];
    if (buffer !== undefined && buffer.length >= room) return buffer;
    const larger = new Uint8Array(Math.max(FIRST_ROOM_BYTES, room * 2));
    this.#stored[frame] = larger;
    if (this.#fetched.length < larger.length + RELAY_ROOM_BYTES) {
      this.#fetched = new Uint8Array(larger.length + RELAY_ROOM_BYTES);
      this.#received = new Uint8Array(larger.length + RELAY_ROOM_BYTES);
    }
    return larger;
  }

  /** Counts and checks what became of a message, as the batches of a closed loop do. */
  #judge(
    session: number,
    message: number,
    member: number,
    plaintext: Uint8Array,
    length: number,
    digest: FactsDigest | undefined,
  ): void {
    const { tally, expectations } = this.#talk;
    const { frames, kinds, count } = this.#outbox;
    tally.sent += 1;
    tally.plaintextBytes += plaintext.length;
    for (let frame = 0; frame < count; frame++) {
      const bytes = frames[frame]!.length;
      const wire = (tally.wire[kinds[frame]!] ??= { frames: 0, bytes: 0 });
      wire.frames += 1;
      wire.bytes += bytes;
      if (message === 0) {
        tally.handshake.frames += 1;
        tally.handshake.bytes += bytes;
      }
      digest?.add(1, session, message, member, plaintext.length, bytes);
      const storedLength = this.#storedLengths[frame]!;
      if (storedLength >= 0) tally.storedBytes += storedLength;
      else expectations.fault(session, message, 'the relay refused to store the frame');
    }
    digest?.add(2, session, message, 1 - member, Math.min(length, 0), 0);
    if (length < 0) {
      expectations.fault(session, message, 'expected the plaintext, the receiver did not get it');
    } else if (!equalBytes(this.#received.subarray(0, length), plaintext)) {
      expectations.fault(session, message, 'the receiver got a plaintext that was not sent');
    } else tally.delivered += 1;
  }
}

const NOTHING_CAME = -1;
