/**
 * Drives the sessions of one world: opening them, then round after round of messages.
 *
 * A round is one message of every session. It is cut into batches; a batch goes through the stages
 * as a whole: `send` for all, the relay for all frames, `receive` for all, `recover` for all. What
 * arrives is compared with what was sent after each batch, outside the timed stages.
 *
 * @module
 */

import { EMPTY, equalBytes } from '../core/bytes.ts';
import type { FactsDigest } from './digest.ts';
import { Buffers, type EngineOutbox, type Outputs, type Sends } from './batch.ts';
import { Expectations } from './expectations.ts';
import type { Payload } from './payload.ts';
import type { Recorder } from './recorder.ts';
import { StageLoops, type Deliveries } from './stage-loops.ts';
import type { Authority, Clients, Relay } from '../pipelines/_pipeline.ts';
import { OUTCOME } from '../pipelines/_pipeline.ts';
import type { PackedMembers } from '../pipelines/_members.ts';
import { FATE, type Script } from '../workload/script.ts';

/** What a provider may add to a frame when it stores or delivers it. */
const RELAY_ROOM_BYTES = 256;
/** Room for one flight of a connection. */
const FLIGHT_BYTES = 1024;
/** Sessions or connections per batch while opening, at most. */
const OPENING_BATCH_MAX = 32;
/** Batches at least, where there are as many sessions: modes come in fours. */
const OPENING_BLOCKS = 4;

/** How the pipeline treats what the network does to messages. */
export interface DeliveryContract {
  readonly replayProtection: boolean;
  readonly skipLimit: number;
}

export interface Parties {
  readonly clients: Clients;
  readonly relay: Relay;
  readonly authority: Authority | undefined;
  readonly members: PackedMembers;
  /** `World.senders`: the connection over which each user sends, where it is not its own. */
  readonly senders?: Uint32Array | undefined;
}

export interface Tally {
  sent: number;
  delivered: number;
  lost: number;
  recovered: number;
  readonly refused: Record<string, number>;
  plaintextBytes: number;
  readonly wire: Record<string, { frames: number; bytes: number }>;
  storedBytes: number;
  readonly handshake: { frames: number; bytes: number };
}

/** A stored frame that the relay holds back: the network's reordering. */
interface HeldFrame {
  readonly session: number;
  readonly member: number;
  readonly message: number;
  readonly stored: Uint8Array;
}

export class Conversation {
  readonly tally: Tally = {
    sent: 0,
    delivered: 0,
    lost: 0,
    recovered: 0,
    refused: {},
    plaintextBytes: 0,
    wire: {},
    storedBytes: 0,
    handshake: { frames: 0, bytes: 0 },
  };
  readonly expectations: Expectations;
  readonly #parties: Parties;
  readonly #script: Script;
  readonly #payload: Payload;
  readonly #digest: FactsDigest;
  readonly #recorder: Recorder;
  readonly #loops: StageLoops;
  readonly #batch: number;
  readonly #sends: Sends;
  readonly #outbox: EngineOutbox;
  readonly #stored: Outputs;
  readonly #fetched: Outputs;
  readonly #received: Outputs;
  readonly #evidence: Outputs;
  readonly #recovered: Outputs;
  readonly #deliveries: Deliveries;
  /** Frames held back, by the round in which they are delivered. */
  readonly #held = new Map<number, HeldFrame[]>();
  /** Whether member 1 of a session has accepted it. */
  readonly #accepted: Uint8Array;

  /** @param batch Messages per batch. */
  constructor(
    parties: Parties,
    script: Script,
    payload: Payload,
    contract: DeliveryContract,
    recorder: Recorder,
    digest: FactsDigest,
    batch: number,
    buffers: Buffers = new Buffers(batch),
  ) {
    this.#parties = parties;
    this.#script = script;
    this.#payload = payload;
    this.#recorder = recorder;
    this.#digest = digest;
    this.#batch = batch;
    this.expectations = new Expectations(contract, script);
    this.#outbox = buffers.outbox;
    this.#sends = buffers.sends;
    this.#stored = buffers.stored;
    this.#fetched = buffers.fetched;
    this.#received = buffers.received;
    this.#evidence = buffers.evidence;
    this.#recovered = buffers.recovered;
    this.#deliveries = { sessions: [], members: [], messages: [], frames: [], again: [], count: 0 };
    this.#accepted = new Uint8Array(script.sessions);
    const { clients, relay, authority, senders } = parties;
    this.#loops = new StageLoops(clients, relay, authority, recorder, senders);
  }

  /** Opens every connection and every session. */
  open(): void {
    const { users, sessions } = this.#script;
    this.#connectAll(new Uint32Array(users).map((_, user) => user));
    if (this.#parties.senders !== undefined) this.#connectAll(this.#parties.senders);
    const batch = Math.min(OPENING_BATCH_MAX, Math.ceil(sessions / OPENING_BLOCKS));
    for (let from = 0; from < sessions; from += batch) {
      this.#recorder.beginBlock('open', 0, 0);
      this.#initiate(from, Math.min(sessions, from + batch));
      this.#recorder.endBlock();
    }
  }

  /** Sends all messages, and at the end delivers what was held back. */
  run(): void {
    const { messages, sessions } = this.#script;
    for (let round = 0; round < messages || this.#held.size > 0; round++) {
      // The first round opens sessions at the other end: it is cut so that both modes see it.
      const batch =
        round === 0 ? Math.min(this.#batch, Math.ceil(sessions / OPENING_BLOCKS)) : this.#batch;
      for (let from = 0; from < sessions; from += batch) {
        this.#runBatch(round, from, Math.min(sessions, from + batch));
      }
      this.#held.delete(round);
    }
    // They are the engine's, and would be counted with what the sessions retain.
    const { sessions: of, members, messages: numbers, frames, again } = this.#deliveries;
    for (const column of [of, members, numbers, frames, again]) column.length = 0;
  }

  #connectAll(connections: Uint32Array): void {
    for (let from = 0; from < connections.length; from += OPENING_BATCH_MAX) {
      this.#recorder.beginBlock('open', 0, 0);
      this.#connect(connections.subarray(from, from + OPENING_BATCH_MAX));
      this.#recorder.endBlock();
    }
  }

  #connect(connections: Uint32Array): void {
    const count = connections.length;
    const loops = this.#loops;
    const flights = this.#received;
    const answers = this.#fetched;
    let replies: Uint8Array[] = Array.from({ length: count }, () => EMPTY);
    for (let flight = 0; ; flight++) {
      flights.clear();
      answers.clear();
      for (let i = 0; i < count; i++) flights.add(FLIGHT_BYTES);
      loops.connectClients(connections, replies, flights, flight === 0);
      if (!isFlight(flights, 'client')) return;
      const sent = Array.from({ length: count }, (_, i) => flights.written(i));
      for (let i = 0; i < count; i++) answers.add(FLIGHT_BYTES);
      this.#countWire('connect', sent);
      loops.connectRelay(connections, sent, answers, flight === 0);
      if (!isFlight(answers, 'relay')) return;
      replies = Array.from({ length: count }, (_, i) => answers.written(i).slice());
    }
  }

  #initiate(from: number, to: number): void {
    const outbox = this.#outbox;
    outbox.clear();
    this.#loops.publish(from, to, this.#parties.members, outbox);
    const bundles: Uint8Array[] = Array.from({ length: to - from }, () => EMPTY);
    const outcomes = new Int32Array(to - from);
    for (let frame = 0; frame < outbox.count; frame++) {
      bundles[outbox.messages[frame]!] = outbox.frames[frame]!;
    }
    this.#countWire('bundle', outbox.frames.slice(0, outbox.count));
    this.#loops.initiate(from, bundles, outcomes);
    for (let i = 0; i < bundles.length; i++) {
      if (outcomes[i]! < 0) {
        this.expectations.fault(from + i, 0, 'the session could not be opened: bundle refused');
      }
    }
  }

  #countWire(kind: string, frames: readonly Uint8Array[]): void {
    if (frames.length === 0) return;
    const wire = (this.tally.wire[kind] ??= { frames: 0, bytes: 0 });
    wire.frames += frames.length;
    for (const frame of frames) wire.bytes += frame.length;
  }

  #runBatch(round: number, from: number, to: number): void {
    const sending = round < this.#script.messages;
    this.#recorder.beginBlock('traffic', round, sending ? to - from : 0);
    const atMs = round * this.#script.stepMs;
    this.#outbox.clear();
    this.#stored.clear();
    this.#deliveries.count = 0;
    if (sending) this.#send(round, from, to, atMs);
    this.#takeHeld(round, from, to);
    this.#deliver(atMs);
    if (this.#parties.authority !== undefined) this.#recover(round);
    this.#recorder.endBlock();
  }

  /** Sends message `round` of the sessions and has the relay store the frames. */
  #send(round: number, from: number, to: number, atMs: number): void {
    const { messages, speakers, lengths, fates, delays } = this.#script;
    const sends = this.#sends;
    const outbox = this.#outbox;
    sends.count = to - from;
    for (let i = 0; i < sends.count; i++) {
      const session = from + i;
      const at = session * messages + round;
      sends.sessions[i] = session;
      sends.members[i] = speakers[at]!;
      sends.plaintexts[i] = this.#payload.plaintext(session, round, lengths[at]!);
      this.tally.plaintextBytes += lengths[at]!;
    }
    this.#loops.send(sends, atMs, outbox);
    this.tally.sent += sends.count;

    const stored = this.#stored;
    for (let frame = 0; frame < outbox.count; frame++) {
      stored.add(outbox.frames[frame]!.length + RELAY_ROOM_BYTES);
    }
    this.#loops.store(sends, outbox, this.#parties.members, atMs, stored);

    for (let frame = 0; frame < outbox.count; frame++) {
      const session = sends.sessions[outbox.messages[frame]!]!;
      const at = session * messages + round;
      this.#countFrame(frame, session, round);
      if (stored.lengths[frame]! < 0) {
        this.expectations.fault(session, round, 'the relay refused to store the frame');
        continue;
      }
      this.tally.storedBytes += stored.lengths[frame]!;
      const held = {
        session,
        member: 1 - speakers[at]!,
        message: round,
        stored: stored.written(frame),
      };
      if (fates[at] === FATE.lost) {
        this.tally.lost += 1;
      } else if (delays[at]! > 0) {
        this.#hold(round + delays[at]!, held);
      } else {
        this.#schedule(held, false);
      }
    }
    // Second deliveries come after all first ones of the batch.
    for (let frame = 0; frame < outbox.count; frame++) {
      const session = sends.sessions[outbox.messages[frame]!]!;
      const at = session * messages + round;
      if (fates[at] !== FATE.duplicated || delays[at]! > 0 || stored.lengths[frame]! < 0) continue;
      const member = 1 - speakers[at]!;
      this.#schedule({ session, member, message: round, stored: stored.written(frame) }, true);
    }
  }

  #countFrame(frame: number, session: number, round: number): void {
    const kind = this.#outbox.kinds[frame]!;
    const { length } = this.#outbox.frames[frame]!;
    const wire = (this.tally.wire[kind] ??= { frames: 0, bytes: 0 });
    wire.frames += 1;
    wire.bytes += length;
    if (round === 0) {
      this.tally.handshake.frames += 1;
      this.tally.handshake.bytes += length;
    }
    const at = session * this.#script.messages + round;
    this.#digest.add(
      1,
      session,
      round,
      this.#script.speakers[at]!,
      this.#script.lengths[at]!,
      length,
    );
  }

  #hold(round: number, frame: HeldFrame): void {
    const list = this.#held.get(round) ?? [];
    list.push({ ...frame, stored: frame.stored.slice() });
    this.#held.set(round, list);
  }

  #takeHeld(round: number, from: number, to: number): void {
    for (const frame of this.#held.get(round) ?? []) {
      if (frame.session >= from && frame.session < to) this.#schedule(frame, false);
    }
  }

  #schedule(frame: HeldFrame, again: boolean): void {
    const deliveries = this.#deliveries;
    const at = deliveries.count;
    deliveries.sessions[at] = frame.session;
    deliveries.members[at] = frame.member;
    deliveries.messages[at] = frame.message;
    deliveries.frames[at] = frame.stored;
    deliveries.again[at] = again;
    deliveries.count = at + 1;
  }

  /** Has the relay deliver what is scheduled, and the receivers open and check it. */
  #deliver(atMs: number): void {
    const deliveries = this.#deliveries;
    if (deliveries.count === 0) return;
    const fetched = this.#fetched;
    const received = this.#received;
    fetched.clear();
    received.clear();
    for (let i = 0; i < deliveries.count; i++) {
      fetched.add(deliveries.frames[i]!.length + RELAY_ROOM_BYTES);
      received.add(deliveries.frames[i]!.length + RELAY_ROOM_BYTES);
    }
    this.#loops.fetch(deliveries, this.#parties.members, atMs, fetched);
    for (let i = 0; i < deliveries.count; i++) {
      if (fetched.lengths[i]! < 0) {
        this.#fault(i, 'the relay could not deliver what it stored');
        deliveries.frames[i] = EMPTY;
      } else {
        deliveries.frames[i] = fetched.written(i);
      }
    }
    const accepting = this.#splitAccepting();
    this.#loops.receive('accept', deliveries, accepting, atMs, received);
    const rest = this.#others(accepting);
    this.#loops.receive('receive', deliveries, rest, atMs, received);
    for (let i = 0; i < deliveries.count; i++) this.#check(i);
  }

  /** Deliveries that open the session at their end. */
  #splitAccepting(): number[] {
    const { sessions, members, count } = this.#deliveries;
    const accepting: number[] = [];
    for (let i = 0; i < count; i++) {
      if (members[i] !== 1 || this.#accepted[sessions[i]!] === 1) continue;
      this.#accepted[sessions[i]!] = 1;
      accepting.push(i);
    }
    return accepting;
  }

  #others(accepting: readonly number[]): number[] {
    if (accepting.length === this.#deliveries.count) return [];
    const taken = new Set(accepting);
    const others: number[] = [];
    for (let i = 0; i < this.#deliveries.count; i++) if (!taken.has(i)) others.push(i);
    return others;
  }

  #check(i: number): void {
    const { sessions, members, messages, again } = this.#deliveries;
    const session = sessions[i]!;
    const message = messages[i]!;
    const length = this.#received.lengths[i]!;
    const expected = this.expectations.expect(session, members[i]!, message, again[i]!);
    this.#digest.add(2, session, message, members[i]!, Math.min(length, 0), again[i] ? 1 : 0);
    if (length < 0) {
      const name = outcomeName(length);
      if (length === expected) {
        // A message is too far once, however often it comes.
        if (again[i]! && length === OUTCOME.TOO_FAR) return;
        this.tally.refused[name] = (this.tally.refused[name] ?? 0) + 1;
      } else {
        this.#fault(i, `expected ${describe(expected)}, the receiver answered ${name}`);
      }
      return;
    }
    if (expected < 0) {
      this.#fault(i, `expected ${outcomeName(expected)}, the receiver opened the message`);
      return;
    }
    const sent = this.#sentPlaintext(session, message);
    if (!equalBytes(this.#received.written(i), sent)) {
      this.#fault(i, 'the receiver got a plaintext that was not sent');
      return;
    }
    if (!again[i]!) this.tally.delivered += 1;
  }

  #sentPlaintext(session: number, message: number): Uint8Array {
    const at = session * this.#script.messages + message;
    return this.#payload.plaintext(session, message, this.#script.lengths[at]!);
  }

  #fault(i: number, reason: string): void {
    this.expectations.fault(this.#deliveries.sessions[i]!, this.#deliveries.messages[i]!, reason);
  }

  /** Hands every frame stored in this batch to the authority and checks what it recovers. */
  #recover(round: number): void {
    const sends = this.#sends;
    const outbox = this.#outbox;
    if (outbox.count === 0) return;
    const { relay, members } = this.#parties;
    const evidence = this.#evidence;
    const recovered = this.#recovered;
    evidence.clear();
    recovered.clear();
    for (let frame = 0; frame < outbox.count; frame++) {
      const i = outbox.messages[frame]!;
      const session = sends.sessions[i]!;
      const room = outbox.frames[frame]!.length + RELAY_ROOM_BYTES;
      evidence.add(room);
      recovered.add(room);
      const to = members.user(session, 1 - sends.members[i]!);
      const stored = this.#stored.lengths[frame]! < 0 ? EMPTY : this.#stored.written(frame);
      evidence.lengths[frame] = relay.handOver(to, stored, evidence.buffers[frame]!);
      if (evidence.lengths[frame]! < 0) evidence.lengths[frame] = 0;
    }
    this.#recorder.skipUntimed();
    const frames = Array.from({ length: outbox.count }, (_, frame) => evidence.written(frame));
    this.#loops.recover(sends, outbox, frames, recovered);
    for (let frame = 0; frame < outbox.count; frame++) {
      const session = sends.sessions[outbox.messages[frame]!]!;
      const length = recovered.lengths[frame]!;
      this.#digest.add(3, session, round, Math.min(length, 0), 0, 0);
      if (length < 0) {
        const reason = `the authority could not recover the message: ${outcomeName(length)}`;
        this.expectations.fault(session, round, reason);
      } else if (!equalBytes(recovered.written(frame), this.#sentPlaintext(session, round))) {
        this.expectations.fault(session, round, 'the authority recovered another plaintext');
      } else {
        this.tally.recovered += 1;
      }
    }
  }
}

/** @throws RangeError when some of a batch go on and others do not, or one was refused. */
function isFlight(outputs: Outputs, who: string): boolean {
  let going = 0;
  for (let i = 0; i < outputs.count; i++) {
    if (outputs.lengths[i]! < 0) throw new RangeError(`the ${who} refused a connection`);
    if (outputs.lengths[i]! > 0) going += 1;
  }
  if (going !== 0 && going !== outputs.count) {
    throw new RangeError(`expected all or none of the flights of the ${who}, got ${going}`);
  }
  return going > 0;
}

function outcomeName(code: number): string {
  for (const [name, value] of Object.entries(OUTCOME)) if (value === code) return name;
  return `outcome ${code}`;
}

function describe(expected: number): string {
  return expected < 0 ? outcomeName(expected) : 'the plaintext';
}
