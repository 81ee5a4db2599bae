/**
 * A few sessions of a pipeline, moved by hand: one frame at a time, wherever a test wants it.
 *
 * @module
 */

import assert from 'node:assert/strict';
import { EMPTY, equalBytes } from '../../src/core/bytes.ts';
import type { Provider } from '../../src/crypto/provider.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import { PackedMembers } from '../../src/pipelines/_members.ts';
import {
  synchronousClients,
  type Authority,
  type Clients,
  type FrameKind,
  type Options,
  type Outbox,
  type Pipeline,
  type Relay,
  type World,
} from '../../src/pipelines/_pipeline.ts';

/** More than any frame or plaintext of these tests is long. */
export const ROOM_BYTES = 16_384;

/** One call of the relay or the authority, with what it was given and what it answered. */
export interface RoleCall {
  readonly call: 'connect' | 'accept' | 'deliver' | 'handOver' | 'recover';
  /** Its numbers, in the order of the contract. */
  readonly numbers: readonly number[];
  readonly input: Uint8Array;
  /** The length, or a negative outcome. */
  readonly length: number;
  readonly output: Uint8Array;
}

export class SmallWorld {
  readonly pipeline: Pipeline;
  readonly provider: Provider;
  readonly options: Options;
  readonly world: World;
  readonly clients: Clients;
  readonly relay: Relay;
  readonly authority: Authority | undefined;
  readonly members: PackedMembers;
  /** All that relay and authority were asked, in order. */
  readonly calls: RoleCall[] = [];
  /** What the last message sent to a mailbox of the authority, then what the relay keeps of it. */
  #escrowed: { readonly to: number; bytes: Uint8Array } | undefined;

  private constructor(
    pipeline: Pipeline,
    provider: Provider,
    options: Options,
    world: World,
    members: PackedMembers,
  ) {
    this.pipeline = pipeline;
    this.provider = provider;
    this.options = options;
    this.world = world;
    this.clients = synchronousClients(world.clients);
    this.members = members;
    this.relay = pipeline.openRelay(relayOpening(provider, options, world.relay));
    const { directory, authority: secrets } = world;
    this.authority =
      secrets && pipeline.openAuthority?.({ provider, secrets, directory, members, options });
  }

  /** Every session is between user 0 (member 0) and user 1; all are opened at member 0. */
  static async open(
    pipeline: Pipeline,
    provider: Provider,
    options: Options,
    sessions = 1,
  ): Promise<SmallWorld> {
    const members = new PackedMembers(Uint32Array.from({ length: sessions * 2 }, (_, i) => i % 2));
    const randomness = seededRandomness(1);
    const setup = { provider, randomness, users: 2, members, options, seed: 1 };
    const world = await pipeline.open(setup);
    const small = new SmallWorld(pipeline, provider, options, world, members);
    for (const connection of [0, 1, ...(world.senders ?? [])]) small.#connect(connection);
    for (let session = 0; session < sessions; session++) {
      const bundles: Uint8Array[] = [];
      small.clients.publish(1, 0, outboxInto(bundles));
      assert.equal(small.clients.initiate(session, 0, bundles[0] ?? EMPTY, 0), 0);
    }
    return small;
  }

  /** @returns The one frame that carries `plaintext` to the receiver, through the relay. */
  send(session: number, member: number, plaintext: Uint8Array): Uint8Array {
    const frames: Uint8Array[] = [];
    const sent: { kind: FrameKind; to: number }[] = [];
    this.clients.send(session, member, plaintext.slice(), 0, outboxInto(frames, sent));
    const escrowed = sent.findIndex(({ kind }) => kind === 'escrow');
    this.#escrowed =
      escrowed < 0 ? undefined : { to: sent[escrowed]!.to, bytes: frames[escrowed]! };
    const messages = frames.filter((_, frame) => sent[frame]!.kind === 'message');
    assert.equal(messages.length, 1, 'frames of one message');
    return messages[0]!;
  }

  /** What the relay keeps of a frame that `member` sent. */
  store(session: number, member: number, frame: Uint8Array): Uint8Array {
    const user = this.members.user(session, member);
    const from = this.world.senders?.[user] ?? user;
    const to = this.members.user(session, 1 - member);
    const stored = this.#accept(from, to, frame);
    if (this.#escrowed !== undefined) {
      this.#escrowed.bytes = this.#accept(from, this.#escrowed.to, this.#escrowed.bytes);
    }
    return stored;
  }

  #accept(from: number, to: number, frame: Uint8Array): Uint8Array {
    return this.#ask('accept', [from, to], frame, (out) =>
      this.relay.accept(from, to, frame, 0, out),
    );
  }

  /** What goes to `member` when it fetches something stored. */
  fetch(session: number, member: number, stored: Uint8Array): Uint8Array {
    const to = this.members.user(session, member);
    return this.#ask('deliver', [to], stored, (out) => this.relay.deliver(to, stored, 0, out));
  }

  handOver(session: number, member: number, stored: Uint8Array): Uint8Array {
    const to = this.members.user(session, member);
    return this.#ask('handOver', [to], stored, (out) => this.relay.handOver(to, stored, out));
  }

  /**
   * What the authority gets of the message that was stored last.
   *
   * @param member Who sent it.
   */
  evidence(session: number, member: number, stored: Uint8Array): Uint8Array {
    const escrowed = this.#escrowed;
    if (escrowed === undefined) return this.handOver(session, 1 - member, stored);
    return this.#ask('handOver', [escrowed.to], escrowed.bytes, (out) =>
      this.relay.handOver(escrowed.to, escrowed.bytes, out),
    );
  }

  /** @returns The plaintext, or a negative outcome. */
  receive(session: number, member: number, frame: Uint8Array): Uint8Array | number {
    const out = new Uint8Array(ROOM_BYTES);
    const length = this.clients.receive(session, member, frame.slice(), 0, out);
    return length < 0 ? length : out.slice(0, length);
  }

  /** @param member Who sent it. */
  recover(session: number, member: number, evidence: Uint8Array): Uint8Array | number {
    const out = new Uint8Array(ROOM_BYTES);
    const length = this.authority!.recover(session, member, evidence.slice(), out);
    const output = out.slice(0, Math.max(0, length));
    this.calls.push({
      call: 'recover',
      numbers: [session, member],
      input: evidence.slice(),
      length,
      output,
    });
    return length < 0 ? length : output;
  }

  /** From one end through the relay to the door of the other. */
  carry(session: number, member: number, plaintext: Uint8Array): Uint8Array {
    const frame = this.send(session, member, plaintext);
    return this.fetch(session, 1 - member, this.store(session, member, frame));
  }

  /** One message that must arrive. */
  exchange(session: number, member: number, plaintext: Uint8Array): void {
    const received = this.receive(session, 1 - member, this.carry(session, member, plaintext));
    assert.ok(typeof received !== 'number' && equalBytes(received, plaintext), String(received));
  }

  #connect(connection: number): void {
    let reply = EMPTY;
    do {
      const flight = new Uint8Array(ROOM_BYTES);
      const length = this.clients.connect(connection, reply, 0, flight);
      assert.ok(length >= 0);
      if (length === 0) return;
      const input = flight.slice(0, length);
      reply = this.#ask('connect', [connection], input, (out) =>
        this.relay.connect(connection, input, 0, out),
      );
    } while (reply.length > 0);
  }

  #ask(
    call: RoleCall['call'],
    numbers: readonly number[],
    input: Uint8Array,
    answer: (out: Uint8Array) => number,
  ): Uint8Array {
    const given = input.slice();
    const out = new Uint8Array(ROOM_BYTES);
    const length = answer(out);
    const output = out.slice(0, Math.max(0, length));
    this.calls.push({ call, numbers, input: given, length, output });
    assert.ok(length >= 0, `${call} answered ${length}`);
    return output;
  }
}

/** What the relay of these tests is built from, in this process or in another. */
export function relayOpening(
  provider: Provider,
  options: Options,
  secret: Uint8Array,
): Parameters<Pipeline['openRelay']>[0] {
  return { provider, randomness: seededRandomness(2), secret: secret.slice(), options };
}

function outboxInto(frames: Uint8Array[], sent: { kind: FrameKind; to: number }[] = []): Outbox {
  let reserved = EMPTY;
  return {
    reserve(bytes) {
      reserved = new Uint8Array(bytes);
      return reserved;
    },
    emit(to, kind, length) {
      frames.push(reserved.slice(0, length));
      sent.push({ kind, to });
    },
  };
}
