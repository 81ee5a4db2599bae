/**
 * Drives the sessions of one world: opening them, then round after round of messages.
 *
 * A round is one message of every session, or as many messages in the random order of a script that
 * has one. It is cut into batches; a batch goes through the stages as a whole: `send` for all, the
 * relay for all frames, `receive` for all, `hand-over` and `recover` for all. What arrives is compared
 * with what was sent after each batch, outside the timed stages.
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
import { EXACT_INDICES } from './block-columns.ts';
import { Expectations } from './expectations.ts';
import { MessageOrder } from './message-order.ts';
import type { Payload } from './payload.ts';
import { ProviderLoops } from './provider-loops.ts';
import { Recovery } from './recovery.ts';
import type { StageRecorder } from './stage-readings.ts';
import type { AsyncClients, Authority, Clients, Relay, World } from '../pipelines/_pipeline.ts';
import { OUTCOME } from '../pipelines/_pipeline.ts';
import type { PackedMembers } from '../pipelines/_members.ts';
import { FATE, indexOf, type Script } from '../workload/script.ts';

/** What a provider may add to a frame when it stores or delivers it. */
const RELAY_ROOM_BYTES = 256;
/** Room for one flight of a connection. */
const FLIGHT_BYTES = 1024;
/** Sessions or connections per batch while opening, at most. */
const OPENING_BATCH_MAX = 32;
/** Batches at least, where there are as many sessions: modes come in fours. */
const OPENING_BLOCKS = 4;
/**
 * Messages of a batch whose order is random, and their share of the sessions, at most: so that
 * sessions with many messages hardly ever wait for the next batch, and batches of a thousand sessions
 * are as long as those of a million.
 */
const RANDOM_BATCH_MAX = 64;
const RANDOM_BATCH_SHARE = 1 / 16;
/** The message index of batches whose messages have different ones. */
const MIXED_INDEX = EXACT_INDICES;

/** What a conversation tells about its batches. */
export interface BlockRecorder extends StageRecorder {
  /** @param messageIndex Of the batch's messages in their sessions. */
  beginBlock(phase: 'open' | 'traffic', messageIndex: number, messages: number): void;
  endBlock(): void;
  /** What the parties did since the last stage belongs to no stage. */
  skipUntimed(): void;
}

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
  readonly #recorder: BlockRecorder;
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
    recorder: BlockRecorder,
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
      const flags = buffers.flags(script.lengths.length);
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
    const { order } = this.#script;
    if (order === undefined) await this.#takeTurns();
    else await this.#followOrder(order);
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

  /** Round after round, each with one message of every session. */
  async #takeTurns(): Promise<void> {
    const { messages, sessions } = this.#script;
    for (let round = 0; round < messages || this.#held.size > 0; round++) {
      const sending = round < messages;
      const batch = this.#batchOf(round);
      for (let from = 0; from < sessions; from += batch) {
        const to = Math.min(sessions, from + batch);
        this.#sends.count = 0;
        if (sending) for (let session = from; session < to; session++) this.#add(session, round);
        const isDue = ({ session }: HeldFrame): boolean => session >= from && session < to;
        await this.#runBatch(round, round, (this.#held.get(round) ?? []).filter(isDue));
      }
      this.#held.delete(round);
    }
  }

  /** As many messages in a round as there are sessions, in the order of the script. */
  async #followOrder(order: Uint32Array): Promise<void> {
    const { sessions } = this.#script;
    const sent = new Uint32Array(sessions);
    const turns = new MessageOrder(order, this.#batch);
    for (let round = 0; round * sessions < order.length || this.#held.size > 0; round++) {
      const index = round === 0 ? 0 : MIXED_INDEX;
      const batch = Math.min(
        this.#batchOf(round),
        RANDOM_BATCH_MAX,
        Math.ceil(sessions * RANDOM_BATCH_SHARE),
      );
      const held = this.#held.get(round) ?? [];
      this.#sends.count = 0;
      for (let from = 0; from < held.length; from += batch) {
        await this.#runBatch(round, index, held.slice(from, from + batch));
      }
      this.#held.delete(round);
      while (turns.next(Math.min(order.length, (round + 1) * sessions), batch)) {
        this.#sends.count = 0;
        for (let i = 0; i < turns.count; i++) {
          const session = turns.sessions[i]!;
          this.#add(session, sent[session]!++);
        }
        await this.#runBatch(round, index, []);
      }
    }
  }

  /** The first round opens sessions at the other end: it is cut so that both modes see it. */
  #batchOf(round: number): number {
    const { sessions } = this.#script;
    return round === 0 ? Math.min(this.#batch, Math.ceil(sessions / OPENING_BLOCKS)) : this.#batch;
  }

  /** Adds message `number` of `session` to what the batch sends. */
  #add(session: number, number: number): void {
    const { speakers, lengths } = this.#script;
    const sends = this.#sends;
    const i = sends.count;
    const place = indexOf(this.#script, session, number);
    sends.sessions[i] = session;
    sends.numbers[i] = number;
    sends.places[i] = place;
    sends.members[i] = speakers[place]!;
    sends.plaintexts[i] = this.#payload.plaintext(session, number, lengths[place]!);
    this.tally.plaintextBytes += lengths[place]!;
    sends.count = i + 1;
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

  /**
   * Sends what was added, and delivers that and what the network held back until now.
   *
   * @param round What virtual time is counted in.
   * @param messageIndex Of the batch's messages in their sessions, for the recorder.
   */
  async #runBatch(round: number, messageIndex: number, held: readonly HeldFrame[]): Promise<void> {
    this.#recorder.beginBlock('traffic', messageIndex, this.#sends.count);
    const atMs = round * this.#script.stepMs;
    this.#outbox.clear();
    this.#stored.clear();
    this.#deliveries.count = 0;
    if (this.#sends.count > 0) await this.#send(round, atMs);
    for (const frame of held) this.#schedule(frame, false);
    await this.#deliver(atMs);
    if (this.recovery !== undefined) this.#recover(this.recovery, atMs);
    this.#recorder.endBlock();
  }

  /** Sends the batch's messages, and does with them what the network does. */
  async #send(round: number, atMs: number): Promise<void> {
    const outbox = this.#outbox;
    await this.#ends.send(this.#sends, atMs, outbox);
    this.tally.sent += this.#sends.count;
    for (let frame = 0; frame < outbox.count; frame++) this.#countFrame(frame);
    this.#store(atMs);
    this.#acknowledge();
    this.#route(round);
  }

  /** Has the relay store the frames that reach its store. */
  #store(atMs: number): void {
    const { fates, lossAt } = this.#script;
    const sends = this.#sends;
    const outbox = this.#outbox;
    const isUplink = lossAt === 'uplink';
    const isLost = (i: number): boolean => fates[sends.places[i]!] === FATE.lost;
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
    const { fates, delays } = this.#script;
    const outbox = this.#outbox;
    const stored = this.#stored;
    const sends = this.#sends;
    for (let frame = 0; frame < outbox.count; frame++) {
      const i = outbox.messages[frame]!;
      const place = sends.places[i]!;
      if (stored.lengths[frame]! < 0) {
        const reason = 'the relay refused to store the frame';
        this.expectations.fault(sends.sessions[i]!, sends.numbers[i]!, reason);
        continue;
      }
      this.tally.storedBytes += stored.lengths[frame]!;
      if (!isForReceiver(outbox, frame)) continue;
      if (fates[place] === FATE.lost) {
        this.tally.lost += 1;
      } else if (delays[place]! > 0) {
        this.#hold(round + delays[place]!, this.#storedFrame(frame));
      } else {
        this.#schedule(this.#storedFrame(frame), false);
      }
    }
    // Second deliveries come after all first ones of the batch.
    for (let frame = 0; frame < outbox.count; frame++) {
      const place = sends.places[outbox.messages[frame]!]!;
      if (fates[place] !== FATE.duplicated || delays[place]! > 0) continue;
      if (stored.lengths[frame]! < 0 || !isForReceiver(outbox, frame)) continue;
      this.#schedule(this.#storedFrame(frame), true);
    }
  }

  #storedFrame(frame: number): HeldFrame {
    const sends = this.#sends;
    const i = this.#outbox.messages[frame]!;
    return {
      session: sends.sessions[i]!,
      member: 1 - sends.members[i]!,
      message: sends.numbers[i]!,
      stored: this.#stored.written(frame),
    };
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

  #countFrame(frame: number): void {
    const sends = this.#sends;
    const i = this.#outbox.messages[frame]!;
    const number = sends.numbers[i]!;
    const kind = this.#outbox.kinds[frame]!;
    const { length } = this.#outbox.frames[frame]!;
    const wire = (this.tally.wire[kind] ??= { frames: 0, bytes: 0 });
    wire.frames += 1;
    wire.bytes += length;
    if (number === 0) {
      this.tally.handshake.frames += 1;
      this.tally.handshake.bytes += length;
    }
    const plaintextBytes = this.#script.lengths[sends.places[i]!]!;
    this.#digest.add(1, sends.sessions[i]!, number, sends.members[i]!, plaintextBytes, length);
  }

  #hold(round: number, frame: HeldFrame): void {
    const list = this.#held.get(round) ?? [];
    list.push({ ...frame, stored: frame.stored.slice() });
    this.#held.set(round, list);
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
    const length = this.#script.lengths[indexOf(this.#script, session, message)]!;
    return this.#payload.plaintext(session, message, length);
  }

  #fault(i: number, reason: string): void {
    this.expectations.fault(this.#deliveries.sessions[i]!, this.#deliveries.messages[i]!, reason);
  }

  /** Hands what this batch left at the relay to the authority, and checks what it recovers. */
  #recover(recovery: Recovery, atMs: number): void {
    const outbox = this.#outbox;
    const sends = this.#sends;
    const evidence = this.#evidence;
    const handed = this.#handed;
    const recovered = this.#recovered;
    evidence.count = 0;
    handed.clear();
    recovered.clear();
    for (let i = 0; i < sends.count; i++) {
      if (recovery.isDue(sends.sessions[i]!, sends.numbers[i]!)) recovery.tally.due += 1;
    }
    for (let frame = 0; frame < outbox.count; frame++) {
      const i = outbox.messages[frame]!;
      const session = sends.sessions[i]!;
      const number = sends.numbers[i]!;
      if (!recovery.isEvidence(outbox.kinds[frame]!) || !recovery.isDue(session, number)) continue;
      const at = evidence.count;
      evidence.sessions[at] = session;
      evidence.members[at] = sends.members[i]!;
      evidence.messages[at] = number;
      evidence.toUsers[at] = outbox.toUsers[frame]!;
      const isStored = this.#stored.lengths[frame]! >= 0;
      evidence.frames[at] = isStored ? this.#stored.written(frame) : EMPTY;
      evidence.count = at + 1;
      const room = outbox.frames[frame]!.length + RELAY_ROOM_BYTES;
      handed.add(room);
      recovered.add(room);
    }
    if (evidence.count === 0) return;
    this.#parties.authority!.advance?.(atMs);
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
