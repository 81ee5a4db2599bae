/**
 * The timed loops over the clients: one per stage, over a batch.
 *
 * @module
 */

import type { Deliveries, EngineOutbox, Outputs, Sends } from './batch.ts';
import { StageReadings, type StageRecorder } from './stage-readings.ts';
import { nowNs } from '../measure/clock.ts';
import type { PackedMembers } from '../pipelines/_members.ts';
import type { Clients } from '../pipelines/_pipeline.ts';

/** What a conversation asks of the clients' loops, whether they await their calls or not. */
export interface EndLoops {
  publish(
    from: number,
    to: number,
    members: PackedMembers,
    outbox: EngineOutbox,
  ): void | Promise<void>;
  initiate(
    from: number,
    bundles: readonly Uint8Array[],
    outcomes: Int32Array,
  ): void | Promise<void>;
  send(sends: Sends, atMs: number, outbox: EngineOutbox): void | Promise<void>;
  receive(
    id: 'accept' | 'receive',
    deliveries: Deliveries,
    which: readonly number[],
    atMs: number,
    received: Outputs,
  ): void | Promise<void>;
}

/** Over clients whose calls are done when they return: no call is awaited. */
export class ClientLoops implements EndLoops {
  readonly #clients: Clients;
  readonly #readings: StageReadings;

  constructor(clients: Clients, recorder: StageRecorder) {
    this.#clients = clients;
    this.#readings = new StageReadings(recorder);
  }

  /** @param counts Whether these calls count as connections; later flights of the same do not. */
  connect(
    connections: Uint32Array,
    replies: readonly Uint8Array[],
    flights: Outputs,
    counts: boolean,
  ): void {
    const clients = this.#clients;
    const readings = this.#readings;
    const { buffers, lengths } = flights;
    const before = readings.readCpuNs();
    for (let i = 0; i < replies.length; i++) {
      lengths[i] = clients.connect(connections[i]!, replies[i]!, 0, buffers[i]!);
    }
    readings.closeCpu('connect-client', counts ? replies.length : 0, before);
  }

  /** One bundle of member 1 of each session. */
  publish(from: number, to: number, members: PackedMembers, outbox: EngineOutbox): void {
    const clients = this.#clients;
    const readings = this.#readings;
    if (readings.mode === 'cpu') {
      const before = readings.readCpuNs();
      for (let session = from; session < to; session++) {
        outbox.message = session - from;
        clients.publish(members.user(session, 1), 0, outbox);
      }
      readings.closeCpu('publish', to - from, before);
    } else {
      const latencies = readings.room(to - from);
      let before = nowNs();
      for (let session = from; session < to; session++) {
        outbox.message = session - from;
        clients.publish(members.user(session, 1), 0, outbox);
        const after = nowNs();
        latencies[session - from] = after - before;
        before = after;
      }
      readings.closeLatency('publish', to - from);
    }
  }

  /** Member 0 opens each session. */
  initiate(from: number, bundles: readonly Uint8Array[], outcomes: Int32Array): void {
    const clients = this.#clients;
    const readings = this.#readings;
    const count = bundles.length;
    if (readings.mode === 'cpu') {
      const before = readings.readCpuNs();
      for (let i = 0; i < count; i++) {
        outcomes[i] = clients.initiate(from + i, 0, bundles[i]!, 0);
      }
      readings.closeCpu('initiate', count, before);
    } else {
      const latencies = readings.room(count);
      let before = nowNs();
      for (let i = 0; i < count; i++) {
        outcomes[i] = clients.initiate(from + i, 0, bundles[i]!, 0);
        const after = nowNs();
        latencies[i] = after - before;
        before = after;
      }
      readings.closeLatency('initiate', count);
    }
  }

  send(sends: Sends, atMs: number, outbox: EngineOutbox): void {
    const clients = this.#clients;
    const readings = this.#readings;
    const { sessions, members, plaintexts, count } = sends;
    if (readings.mode === 'cpu') {
      const before = readings.readCpuNs();
      for (let i = 0; i < count; i++) {
        outbox.message = i;
        clients.send(sessions[i]!, members[i]!, plaintexts[i]!, atMs, outbox);
      }
      readings.closeCpu('send', count, before);
    } else {
      const latencies = readings.room(count);
      let before = nowNs();
      for (let i = 0; i < count; i++) {
        outbox.message = i;
        clients.send(sessions[i]!, members[i]!, plaintexts[i]!, atMs, outbox);
        const after = nowNs();
        latencies[i] = after - before;
        before = after;
      }
      readings.closeLatency('send', count);
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
    const readings = this.#readings;
    const { sessions, members, frames } = deliveries;
    const { buffers, lengths } = received;
    if (readings.mode === 'cpu') {
      const before = readings.readCpuNs();
      for (let n = 0; n < which.length; n++) {
        const i = which[n]!;
        lengths[i] = clients.receive(sessions[i]!, members[i]!, frames[i]!, atMs, buffers[i]!);
      }
      readings.closeCpu(id, which.length, before);
    } else {
      const latencies = readings.room(which.length);
      let before = nowNs();
      for (let n = 0; n < which.length; n++) {
        const i = which[n]!;
        lengths[i] = clients.receive(sessions[i]!, members[i]!, frames[i]!, atMs, buffers[i]!);
        const after = nowNs();
        latencies[n] = after - before;
        before = after;
      }
      readings.closeLatency(id, which.length);
    }
  }
}
