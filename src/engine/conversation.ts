/**
 * Drives the sessions of one world: opening them, then round after round of messages.
 *
 * A round is one message of every session. It is cut into batches; a batch goes through the stages
 * as a whole: `send` for all, the relay for all frames, `receive` for all, `hand-over` and `recover`
 * for all. What arrives is compared with what was sent after each batch, outside the timed stages.
 *
 * Between the stages it awaits the clients, which only those that are asynchronous make it wait for.
 *
 * @module
 */

import { EMPTY, equalBytes } from '../core/bytes.ts';
import { AsyncClientLoops, isAsynchronous } from './async-client-loops.ts';
import type { FactsDigest } from './digest.ts';
import {
  Buffers,
  type Deliveries,
  type EngineOutbox,
  type Evidence,
  type Outputs,
  type Sends,
} from './batch.ts';
import { ClientLoops, type EndLoops } from './client-loops.ts';
import { Expectations } from './expectations.ts';
import type { Payload } from './payload.ts';
import { ProviderLoops } from './provider-loops.ts';
import type { Recorder } from './recorder.ts';
import { Recovery } from './recovery.ts';
import type { AsyncClients, Authority, Clients, Relay, World } from '../pipelines/_pipeline.ts';
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

/** How the pipeline treats what the network does to messages, and what it promises an authority. */
export interface DeliveryContract {
  readonly replayProtection: boolean;
  readonly skipLimit: number;
  readonly recovers?: 'all' | 'none' | undefined;
}

export interface Parties {
  readonly clients: Clients | AsyncClients;
  readonly relay: Relay;
  readonly authority: Authority | undefined;
  readonly members: PackedMembers;
  /** `World.senders`: the connection over which each user sends, where it is not its own. */
  readonly senders?: World['senders'] | undefined;
  readonly targets?: World['targets'] | undefined;
  readonly evidence?: World['evidence'] | undefined;
  readonly evidenceFrom?: World['evidenceFrom'];
  readonly answersLate?: World['answersLate'];
  readonly standsAlone?: World['standsAlone'];
}

export interface Tally {
  sent: number;
  delivered: number;
  lost: number;
  readonly refused: Record<string, number>;
  plaintextBytes: number;
  readonly wire: Record<string, { frames: number; bytes: number }>;
  storedBytes: number;
  readonly handshake: { frames: number; bytes: number };
}

/** Evidence that the authority could not use yet. */
interface WaitingEvidence {
  readonly member: number;
  readonly message: number;
  readonly bytes: Uint8Array;
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
    refused: {},
    plaintextBytes: 0,
    wire: {},
    storedBytes: 0,
    handshake: { frames: 0, bytes: 0 },
  };
  readonly expectations: Expectations;
  /** Only where there is an authority. */
  readonly recovery: Recovery | undefined;
  readonly #parties: Parties;
  readonly #script: Script;
  readonly #payload: Payload;
  readonly #digest: FactsDigest;
  readonly #recorder: Recorder;
  /** Undefined for clients that open no connection. */
  readonly #connecting: ClientLoops | undefined;
  readonly #ends: EndLoops;
  readonly #provider: ProviderLoops;
  readonly #batch: number;
  readonly #sends: Sends;
  readonly #outbox: EngineOutbox;
  readonly #stored: Outputs;
  readonly #fetched: Outputs;
  readonly #received: Outputs;
  readonly #handed: Outputs;
  readonly #recovered: Outputs;
  readonly #deliveries: Deliveries;
  readonly #evidence: Evidence;
  /** Frames held back, by the round in which they are delivered. */
  readonly #held = new Map<number, HeldFrame[]>();
  /** Evidence that waits for a frame of the other member, by session. */
  readonly #waiting = new Map<number, WaitingEvidence[]>();
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
    this.#handed = buffers.handed;
    this.#recovered = buffers.recovered;
    this.#deliveries = { sessions: [], members: [], messages: [], frames: [], again: [], count: 0 };
    this.#evidence = {
      sessions: [],
      members: [],
      messages: [],
      toUsers: [],
      frames: [],
      count: 0,
    };
    this.#accepted = new Uint8Array(script.sessions);
    const { clients, relay, authority, senders } = parties;
    const { targets, evidence, evidenceFrom, standsAlone } = parties;
    if (isAsynchronous(clients)) {
      this.#connecting = undefined;
      this.#ends = new AsyncClientLoops(clients, recorder);
    } else {
      this.#connecting = new ClientLoops(clients, recorder);
      this.#ends = this.#connecting;
    }
    this.#provider = new ProviderLoops(relay, authority, recorder, senders);
    if (authority !== undefined) {
      const { recovers } = contract;
      const terms = { targets, evidence, evidenceFrom, standsAlone, recovers };
      const flags = buffers.flags(script.sessions * script.messages);
      this.recovery = new Recovery(terms, script, this.expectations, flags);
    }
  }

  /** Opens every connection and every session. */
  async open(): Promise<void> {
    const { users, sessions } = this.#script;
    if (this.#connecting !== undefined) {
      this.#connectAll(
        this.#connecting,
        new Uint32Array(users).map((_, user) => user),
      );
      const { senders } = this.#parties;
      if (senders !== undefined) this.#connectAll(this.#connecting, senders);
    }
    const batch = Math.min(OPENING_BATCH_MAX, Math.ceil(sessions / OPENING_BLOCKS));
    for (let from = 0; from < sessions; from += batch) {
      this.#recorder.beginBlock('open', 0, 0);
      await this.#initiate(from, Math.min(sessions, from + batch));
      this.#recorder.endBlock();
    }
  }

  /** Sends all messages, and at the end delivers what was held back. */
  async run(): Promise<void> {
    const { messages, sessions } = this.#script;
    for (let round = 0; round < messages || this.#held.size > 0; round++) {
      // The first round opens sessions at the other end: it is cut so that both modes see it.
      const batch =
        round === 0 ? Math.min(this.#batch, Math.ceil(sessions / OPENING_BLOCKS)) : this.#batch;
      for (let from = 0; from < sessions; from += batch) {
        await this.#runBatch(round, from, Math.min(sessions, from + batch));
      }
      this.#held.delete(round);
    }
    for (const [session, waiting] of this.#waiting) {
      for (const { message, member } of waiting) {
        this.recovery!.unanswered(session, message, member);
      }
    }
    // These are the engine's, and would be counted with what the sessions retain.
    this.#waiting.clear();
    const { sessions: of, members, messages: numbers, frames, again } = this.#deliveries;
    for (const column of [of, members, numbers, frames, again]) column.length = 0;
    for (const column of Object.values(this.#evidence))
      if (Array.isArray(column)) column.length = 0;
  }

  #connectAll(clients: ClientLoops, connections: Uint32Array): void {
    for (let from = 0; from < connections.length; from += OPENING_BATCH_MAX) {
      this.#recorder.beginBlock('open', 0, 0);
      this.#connect(clients, connections.subarray(from, from + OPENING_BATCH_MAX));
      this.#recorder.endBlock();
    }
  }

  #connect(clients: ClientLoops, connections: Uint32Array): void {
    const count = connections.length;
    const flights = this.#received;
    const answers = this.#fetched;
    let replies: Uint8Array[] = Array.from({ length: count }, () => EMPTY);
    for (let flight = 0; ; flight++) {
      flights.clear();
      answers.clear();
      for (let i = 0; i < count; i++) flights.add(FLIGHT_BYTES);
      clients.connect(connections, replies, flights, flight === 0);
      if (!isFlight(flights, 'client')) return;
      const sent = Array.from({ length: count }, (_, i) => flights.written(i));
      for (let i = 0; i < count; i++) answers.add(FLIGHT_BYTES);
      this.#countWire('connect', sent);
      this.#provider.connect(connections, sent, answers, flight === 0);
      if (!isFlight(answers, 'relay')) return;
      replies = Array.from({ length: count }, (_, i) => answers.written(i).slice());
    }
  }

  async #initiate(from: number, to: number): Promise<void> {
    const outbox = this.#outbox;
    outbox.clear();
    await this.#ends.publish(from, to, this.#parties.members, outbox);
    const bundles: Uint8Array[] = Array.from({ length: to - from }, () => EMPTY);
    const outcomes = new Int32Array(to - from);
    for (let frame = 0; frame < outbox.count; frame++) {
      bundles[outbox.messages[frame]!] = outbox.frames[frame]!;
    }
    this.#countWire('bundle', outbox.frames.slice(0, outbox.count));
    await this.#ends.initiate(from, bundles, outcomes);
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

  async #runBatch(round: number, from: number, to: number): Promise<void> {
    const sending = round < this.#script.messages;
    this.#recorder.beginBlock('traffic', round, sending ? to - from : 0);
    const atMs = round * this.#script.stepMs;
    this.#outbox.clear();
    this.#stored.clear();
    this.#deliveries.count = 0;
    if (sending) await this.#send(round, from, to, atMs);
    this.#takeHeld(round, from, to);
    await this.#deliver(atMs);
    if (this.recovery !== undefined) this.#recover(this.recovery, round);
    this.#recorder.endBlock();
  }

  /** Sends message `round` of the sessions, and does with it what the network does. */
  async #send(round: number, from: number, to: number, atMs: number): Promise<void> {
    const { messages, speakers, lengths } = this.#script;
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
    await this.#ends.send(sends, atMs, outbox);
    this.tally.sent += sends.count;
    for (let frame = 0; frame < outbox.count; frame++) this.#countFrame(frame, round);
    this.#store(round, atMs);
    this.#acknowledge();
    this.#route(round);
  }

  /** Has the relay store the frames that reach its store. */
  #store(round: number, atMs: number): void {
    const { messages, fates, lossAt } = this.#script;
    const sends = this.#sends;
    const outbox = this.#outbox;
    const isUplink = lossAt === 'uplink';
    const isLost = (i: number): boolean =>
      fates[sends.sessions[i]! * messages + round] === FATE.lost;
    if (isUplink) this.tally.lost += countMessages(outbox, isLost);
    // A connection carries its records in order and without a gap, as over TCP: what is lost on one is
    // lost behind the relay's end of it, before the relay's store.
    const isConnected = this.tally.wire['connect'] !== undefined;
    if (isUplink && !isConnected) outbox.lose(isLost);

    const stored = this.#stored;
    for (let frame = 0; frame < outbox.count; frame++) {
      stored.add(outbox.frames[frame]!.length + RELAY_ROOM_BYTES);
    }
    this.#provider.store(sends, outbox, this.#parties.members, atMs, stored);
    if (isUplink && isConnected) stored.keep(outbox.lose(isLost));
  }

  /** Loses, holds back or delivers what the relay has stored. */
  #route(round: number): void {
    const { messages, speakers, fates, delays } = this.#script;
    const outbox = this.#outbox;
    const stored = this.#stored;
    for (let frame = 0; frame < outbox.count; frame++) {
      const session = this.#sends.sessions[outbox.messages[frame]!]!;
      const at = session * messages + round;
      if (stored.lengths[frame]! < 0) {
        this.expectations.fault(session, round, 'the relay refused to store the frame');
        continue;
      }
      this.tally.storedBytes += stored.lengths[frame]!;
      if (!isForReceiver(outbox, frame)) continue;
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
      const session = this.#sends.sessions[outbox.messages[frame]!]!;
      const at = session * messages + round;
      if (fates[at] !== FATE.duplicated || delays[at]! > 0 || stored.lengths[frame]! < 0) continue;
      if (!isForReceiver(outbox, frame)) continue;
      const member = 1 - speakers[at]!;
      this.#schedule({ session, member, message: round, stored: stored.written(frame) }, true);
    }
  }

  /** Tells the senders what the relay has stored, where they wait for that. */
  #acknowledge(): void {
    const { clients } = this.#parties;
    if (isAsynchronous(clients) || clients.acknowledge === undefined) return;
    const { messages, count } = this.#outbox;
    const { sessions, members } = this.#sends;
    for (let frame = 0; frame < count; frame++) {
      // A message's frames stand together; it is acknowledged with the last of them.
      const i = messages[frame]!;
      if (frame + 1 < count && messages[frame + 1] === i) continue;
      if (this.#stored.lengths[frame]! >= 0) clients.acknowledge(sessions[i]!, members[i]!);
    }
    this.#recorder.skipUntimed();
  }

  #countFrame(frame: number, round: number): void {
    const session = this.#sends.sessions[this.#outbox.messages[frame]!]!;
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
  async #deliver(atMs: number): Promise<void> {
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
    this.#provider.fetch(deliveries, this.#parties.members, atMs, fetched);
    for (let i = 0; i < deliveries.count; i++) {
      if (fetched.lengths[i]! < 0) {
        this.#fault(i, 'the relay could not deliver what it stored');
        deliveries.frames[i] = EMPTY;
      } else {
        deliveries.frames[i] = fetched.written(i);
      }
    }
    const accepting = this.#splitAccepting();
    await this.#ends.receive('accept', deliveries, accepting, atMs, received);
    const rest = this.#others(accepting);
    await this.#ends.receive('receive', deliveries, rest, atMs, received);
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
    if (again[i]!) return;
    this.tally.delivered += 1;
    this.recovery?.delivered(session, message);
  }

  #sentPlaintext(session: number, message: number): Uint8Array {
    const at = session * this.#script.messages + message;
    return this.#payload.plaintext(session, message, this.#script.lengths[at]!);
  }

  #fault(i: number, reason: string): void {
    this.expectations.fault(this.#deliveries.sessions[i]!, this.#deliveries.messages[i]!, reason);
  }

  /** Hands what this batch left at the relay to the authority, and checks what it recovers. */
  #recover(recovery: Recovery, round: number): void {
    const outbox = this.#outbox;
    const sends = this.#sends;
    const evidence = this.#evidence;
    const handed = this.#handed;
    const recovered = this.#recovered;
    evidence.count = 0;
    handed.clear();
    recovered.clear();
    for (let i = 0; i < sends.count && round < this.#script.messages; i++) {
      if (recovery.isDue(sends.sessions[i]!, round)) recovery.tally.due += 1;
    }
    for (let frame = 0; frame < outbox.count; frame++) {
      const i = outbox.messages[frame]!;
      const session = sends.sessions[i]!;
      if (!recovery.isEvidence(outbox.kinds[frame]!) || !recovery.isDue(session, round)) continue;
      const at = evidence.count;
      evidence.sessions[at] = session;
      evidence.members[at] = sends.members[i]!;
      evidence.messages[at] = round;
      evidence.toUsers[at] = outbox.toUsers[frame]!;
      const isStored = this.#stored.lengths[frame]! >= 0;
      evidence.frames[at] = isStored ? this.#stored.written(frame) : EMPTY;
      evidence.count = at + 1;
      const room = outbox.frames[frame]!.length + RELAY_ROOM_BYTES;
      handed.add(room);
      recovered.add(room);
    }
    if (evidence.count === 0) return;
    this.#parties.authority!.advance?.(round * this.#script.stepMs);
    recovery.tally.evidence += evidence.count;
    this.#provider.handOver(evidence, handed);
    for (let i = 0; i < evidence.count; i++) {
      evidence.frames[i] = handed.lengths[i]! < 0 ? EMPTY : handed.written(i);
    }
    if (this.#waiting.size > 0) this.#addWaiting();
    this.#provider.recover(evidence, recovered);
    for (let i = 0; i < evidence.count; i++) this.#judge(recovery, i);
  }

  /** Shows the authority again what waited for a frame of the other member, after that frame. */
  #addWaiting(): void {
    const evidence = this.#evidence;
    const fresh = evidence.count;
    for (let i = 0; i < fresh; i++) {
      const session = evidence.sessions[i]!;
      const waiting = this.#waiting.get(session);
      if (waiting === undefined || waiting[0]!.member === evidence.members[i]) continue;
      this.#waiting.delete(session);
      for (const { member, message, bytes } of waiting) {
        const at = evidence.count;
        evidence.sessions[at] = session;
        evidence.members[at] = member;
        evidence.messages[at] = message;
        evidence.frames[at] = bytes;
        evidence.count = at + 1;
        this.#recovered.add(bytes.length);
      }
    }
  }

  #judge(recovery: Recovery, i: number): void {
    const { sessions, members, messages, frames } = this.#evidence;
    const session = sessions[i]!;
    const message = messages[i]!;
    const length = this.#recovered.lengths[i]!;
    const isDecoy =
      length >= 0 && !equalBytes(this.#recovered.written(i), this.#sentPlaintext(session, message));
    this.#digest.add(3, session, message, Math.min(length, 0), isDecoy ? 1 : 0, 0);
    if (length === OUTCOME.UNKNOWN_KEY && this.#parties.answersLate) {
      const waiting = this.#waiting.get(session) ?? [];
      waiting.push({ member: members[i]!, message, bytes: frames[i]!.slice() });
      this.#waiting.set(session, waiting);
    } else if (length < 0) recovery.failed(session, message, outcomeName(length));
    else if (isDecoy) recovery.decoy(session, message);
    else recovery.valid(session, message);
  }
}

/** How many frames for receivers belong to the messages that `isCounted` names. */
function countMessages(outbox: EngineOutbox, isCounted: (message: number) => boolean): number {
  let count = 0;
  for (let frame = 0; frame < outbox.count; frame++) {
    if (isForReceiver(outbox, frame) && isCounted(outbox.messages[frame]!)) count += 1;
  }
  return count;
}

/** Whether a frame goes to a receiver: others stay with the relay, for the authority. */
function isForReceiver(outbox: EngineOutbox, frame: number): boolean {
  return outbox.kinds[frame] === 'message';
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
