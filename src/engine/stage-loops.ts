/**
 * The timed loops: one per stage, over a batch.
 *
 * CPU batches have no clock inside: one reading before the loop and one after. Latency batches read
 * the clock once per call; the end of one call is the start of the next. Each stage has loops of its
 * own, so that each call site sees one pipeline only and the JIT may inline through it.
 *
 * @module
 */

import type { EngineOutbox, Outputs, Sends } from './batch.ts';
import { nowNs } from '../measure/clock.ts';
import { readThreadCpuNs } from '../measure/cpu.ts';
import type { TimedId } from '../measure/facts.ts';
import type { PackedMembers } from '../pipelines/_members.ts';
import type { Authority, Clients, Relay } from '../pipelines/_pipeline.ts';

/** What is to be delivered in a batch; columns of `count` entries. */
export interface Deliveries {
  readonly sessions: number[];
  readonly members: number[];
  readonly messages: number[];
  /** What the relay stored, then what it delivers. */
  readonly frames: Uint8Array[];
  /** Whether the message was delivered before. */
  readonly again: boolean[];
  count: number;
}

/** Where the loops put their readings; the recorder of a shard, or a calibration. */
export interface StageRecorder {
  readonly mode: 'cpu' | 'latency';
  addCpu(id: TimedId, calls: number, cpuNs: number): void;
  addLatencies(id: TimedId, latenciesNs: Float64Array, count: number): void;
}

export class StageLoops {
  readonly #clients: Clients;
  readonly #relay: Relay;
  readonly #authority: Authority | undefined;
  readonly #recorder: StageRecorder;
  readonly #senders: Uint32Array | undefined;
  #latencies = new Float64Array(1024);
  #from = new Uint32Array(1024);
  #to = new Uint32Array(1024);

  /** @param senders The connection over which each user sends, where it is not its own. */
  constructor(
    clients: Clients,
    relay: Relay,
    authority: Authority | undefined,
    recorder: StageRecorder,
    senders?: Uint32Array,
  ) {
    this.#clients = clients;
    this.#relay = relay;
    this.#authority = authority;
    this.#recorder = recorder;
    this.#senders = senders;
  }

  send(sends: Sends, atMs: number, outbox: EngineOutbox): void {
    const clients = this.#clients;
    const { sessions, members, plaintexts, count } = sends;
    if (this.#recorder.mode === 'cpu') {
      const before = readThreadCpuNs();
      for (let i = 0; i < count; i++) {
        outbox.message = i;
        clients.send(sessions[i]!, members[i]!, plaintexts[i]!, atMs, outbox);
      }
      this.#closeCpu('send', count, before);
    } else {
      const latencies = this.#room(count);
      let before = nowNs();
      for (let i = 0; i < count; i++) {
        outbox.message = i;
        clients.send(sessions[i]!, members[i]!, plaintexts[i]!, atMs, outbox);
        const after = nowNs();
        latencies[i] = after - before;
        before = after;
      }
      this.#closeLatency('send', count);
    }
  }

  store(
    sends: Sends,
    outbox: EngineOutbox,
    members: PackedMembers,
    atMs: number,
    stored: Outputs,
  ): void {
    const relay = this.#relay;
    const { frames, count } = outbox;
    const { buffers, lengths } = stored;
    this.#roomForUsers(count);
    const [from, to] = [this.#from, this.#to];
    const senders = this.#senders;
    for (let frame = 0; frame < count; frame++) {
      const i = outbox.messages[frame]!;
      const user = members.user(sends.sessions[i]!, sends.members[i]!);
      from[frame] = senders === undefined ? user : senders[user]!;
      to[frame] = outbox.toUsers[frame]!;
    }
    if (this.#recorder.mode === 'cpu') {
      const before = readThreadCpuNs();
      for (let i = 0; i < count; i++) {
        lengths[i] = relay.accept(from[i]!, to[i]!, frames[i]!, atMs, buffers[i]!);
      }
      this.#closeCpu('relay-store', count, before);
    } else {
      const latencies = this.#room(count);
      let before = nowNs();
      for (let i = 0; i < count; i++) {
        lengths[i] = relay.accept(from[i]!, to[i]!, frames[i]!, atMs, buffers[i]!);
        const after = nowNs();
        latencies[i] = after - before;
        before = after;
      }
      this.#closeLatency('relay-store', count);
    }
  }

  fetch(deliveries: Deliveries, members: PackedMembers, atMs: number, fetched: Outputs): void {
    const relay = this.#relay;
    const { frames, count } = deliveries;
    const { buffers, lengths } = fetched;
    this.#roomForUsers(count);
    const to = this.#to;
    for (let i = 0; i < count; i++) {
      to[i] = members.user(deliveries.sessions[i]!, deliveries.members[i]!);
    }
    if (this.#recorder.mode === 'cpu') {
      const before = readThreadCpuNs();
      for (let i = 0; i < count; i++) {
        lengths[i] = relay.deliver(to[i]!, frames[i]!, atMs, buffers[i]!);
      }
      this.#closeCpu('relay-fetch', count, before);
    } else {
      const latencies = this.#room(count);
      let before = nowNs();
      for (let i = 0; i < count; i++) {
        lengths[i] = relay.deliver(to[i]!, frames[i]!, atMs, buffers[i]!);
        const after = nowNs();
        latencies[i] = after - before;
        before = after;
      }
      this.#closeLatency('relay-fetch', count);
    }
  }

  /** @param which Numbers of the deliveries that this stage handles. */
  receive(
    id: 'accept' | 'receive',
    deliveries: Deliveries,
    which: readonly number[],
    atMs: number,
    received: Outputs,
  ): void {
    if (which.length === 0) return;
    const clients = this.#clients;
    const { sessions, members, frames } = deliveries;
    const { buffers, lengths } = received;
    if (this.#recorder.mode === 'cpu') {
      const before = readThreadCpuNs();
      for (let n = 0; n < which.length; n++) {
        const i = which[n]!;
        lengths[i] = clients.receive(sessions[i]!, members[i]!, frames[i]!, atMs, buffers[i]!);
      }
      this.#closeCpu(id, which.length, before);
    } else {
      const latencies = this.#room(which.length);
      let before = nowNs();
      for (let n = 0; n < which.length; n++) {
        const i = which[n]!;
        lengths[i] = clients.receive(sessions[i]!, members[i]!, frames[i]!, atMs, buffers[i]!);
        const after = nowNs();
        latencies[n] = after - before;
        before = after;
      }
      this.#closeLatency(id, which.length);
    }
  }

  recover(
    sends: Sends,
    outbox: EngineOutbox,
    evidence: readonly Uint8Array[],
    recovered: Outputs,
  ): void {
    const authority = this.#authority!;
    const { sessions, members } = sends;
    const { messages, count } = outbox;
    const { buffers, lengths } = recovered;
    if (this.#recorder.mode === 'cpu') {
      const before = readThreadCpuNs();
      for (let frame = 0; frame < count; frame++) {
        const i = messages[frame]!;
        lengths[frame] = authority.recover(
          sessions[i]!,
          members[i]!,
          evidence[frame]!,
          buffers[frame]!,
        );
      }
      this.#closeCpu('recover', count, before);
    } else {
      const latencies = this.#room(count);
      let before = nowNs();
      for (let frame = 0; frame < count; frame++) {
        const i = messages[frame]!;
        lengths[frame] = authority.recover(
          sessions[i]!,
          members[i]!,
          evidence[frame]!,
          buffers[frame]!,
        );
        const after = nowNs();
        latencies[frame] = after - before;
        before = after;
      }
      this.#closeLatency('recover', count);
    }
  }

  /** @param counts Whether these calls count as connections; later flights of the same do not. */
  connectClients(
    connections: Uint32Array,
    replies: readonly Uint8Array[],
    flights: Outputs,
    counts: boolean,
  ): void {
    const clients = this.#clients;
    const { buffers, lengths } = flights;
    const before = readThreadCpuNs();
    for (let i = 0; i < replies.length; i++) {
      lengths[i] = clients.connect(connections[i]!, replies[i]!, 0, buffers[i]!);
    }
    this.#closeCpu('connect-client', counts ? replies.length : 0, before);
  }

  connectRelay(
    connections: Uint32Array,
    flights: readonly Uint8Array[],
    answers: Outputs,
    counts: boolean,
  ): void {
    const relay = this.#relay;
    const { buffers, lengths } = answers;
    const before = readThreadCpuNs();
    for (let i = 0; i < flights.length; i++) {
      lengths[i] = relay.connect(connections[i]!, flights[i]!, 0, buffers[i]!);
    }
    this.#closeCpu('connect-relay', counts ? flights.length : 0, before);
  }

  /** One bundle of member 1 of each session. */
  publish(from: number, to: number, members: PackedMembers, outbox: EngineOutbox): void {
    const clients = this.#clients;
    if (this.#recorder.mode === 'cpu') {
      const before = readThreadCpuNs();
      for (let session = from; session < to; session++) {
        outbox.message = session - from;
        clients.publish(members.user(session, 1), 0, outbox);
      }
      this.#closeCpu('publish', to - from, before);
    } else {
      const latencies = this.#room(to - from);
      let before = nowNs();
      for (let session = from; session < to; session++) {
        outbox.message = session - from;
        clients.publish(members.user(session, 1), 0, outbox);
        const after = nowNs();
        latencies[session - from] = after - before;
        before = after;
      }
      this.#closeLatency('publish', to - from);
    }
  }

  /** Member 0 opens each session. */
  initiate(from: number, bundles: readonly Uint8Array[], outcomes: Int32Array): void {
    const clients = this.#clients;
    const count = bundles.length;
    if (this.#recorder.mode === 'cpu') {
      const before = readThreadCpuNs();
      for (let i = 0; i < count; i++) {
        outcomes[i] = clients.initiate(from + i, 0, bundles[i]!, 0);
      }
      this.#closeCpu('initiate', count, before);
    } else {
      const latencies = this.#room(count);
      let before = nowNs();
      for (let i = 0; i < count; i++) {
        outcomes[i] = clients.initiate(from + i, 0, bundles[i]!, 0);
        const after = nowNs();
        latencies[i] = after - before;
        before = after;
      }
      this.#closeLatency('initiate', count);
    }
  }

  #closeCpu(id: TimedId, calls: number, before: number): void {
    this.#recorder.addCpu(id, calls, readThreadCpuNs() - before);
  }

  #closeLatency(id: TimedId, count: number): void {
    this.#recorder.addLatencies(id, this.#latencies, count);
  }

  #room(count: number): Float64Array {
    if (this.#latencies.length < count) this.#latencies = new Float64Array(count * 2);
    return this.#latencies;
  }

  #roomForUsers(count: number): void {
    if (this.#from.length >= count) return;
    this.#from = new Uint32Array(count * 2);
    this.#to = new Uint32Array(count * 2);
  }
}
