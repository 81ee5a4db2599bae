/**
 * The timed loops over clients whose calls are asynchronous: one call at a time, each awaited before
 * the next begins, so that nothing of theirs runs at once and a latency is that of one call.
 *
 * What awaiting costs by itself is in their figures, because whoever uses such a library pays it.
 *
 * @module
 */

import type { Deliveries, EngineOutbox, Outputs, Sends } from './batch.ts';
import type { EndLoops } from './client-loops.ts';
import { StageReadings, type StageRecorder } from './stage-readings.ts';
import { nowNs } from '../measure/clock.ts';
import type { PackedMembers } from '../pipelines/_members.ts';
import type { AsyncClients, Clients } from '../pipelines/_pipeline.ts';

export class AsyncClientLoops implements EndLoops {
  readonly #clients: AsyncClients;
  readonly #readings: StageReadings;

  constructor(clients: AsyncClients, recorder: StageRecorder) {
    this.#clients = clients;
    this.#readings = new StageReadings(recorder);
  }

  /** One bundle of member 1 of each session. */
  async publish(
    from: number,
    to: number,
    members: PackedMembers,
    outbox: EngineOutbox,
  ): Promise<void> {
    const clients = this.#clients;
    const readings = this.#readings;
    if (readings.mode === 'cpu') {
      const before = readings.readCpuNs();
      for (let session = from; session < to; session++) {
        outbox.message = session - from;
        await clients.publish(members.user(session, 1), 0, outbox);
      }
      readings.closeCpu('publish', to - from, before);
    } else {
      const latencies = readings.room(to - from);
      let before = nowNs();
      for (let session = from; session < to; session++) {
        outbox.message = session - from;
        await clients.publish(members.user(session, 1), 0, outbox);
        const after = nowNs();
        latencies[session - from] = after - before;
        before = after;
      }
      readings.closeLatency('publish', to - from);
    }
  }

  /** Member 0 opens each session. */
  async initiate(
    from: number,
    bundles: readonly Uint8Array[],
    outcomes: Int32Array,
  ): Promise<void> {
    const clients = this.#clients;
    const readings = this.#readings;
    const count = bundles.length;
    if (readings.mode === 'cpu') {
      const before = readings.readCpuNs();
      for (let i = 0; i < count; i++) {
        outcomes[i] = await clients.initiate(from + i, 0, bundles[i]!, 0);
      }
      readings.closeCpu('initiate', count, before);
    } else {
      const latencies = readings.room(count);
      let before = nowNs();
      for (let i = 0; i < count; i++) {
        outcomes[i] = await clients.initiate(from + i, 0, bundles[i]!, 0);
        const after = nowNs();
        latencies[i] = after - before;
        before = after;
      }
      readings.closeLatency('initiate', count);
    }
  }

  async send(sends: Sends, atMs: number, outbox: EngineOutbox): Promise<void> {
    const clients = this.#clients;
    const readings = this.#readings;
    const { sessions, members, plaintexts, count } = sends;
    if (readings.mode === 'cpu') {
      const before = readings.readCpuNs();
      for (let i = 0; i < count; i++) {
        outbox.message = i;
        await clients.send(sessions[i]!, members[i]!, plaintexts[i]!, atMs, outbox);
      }
      readings.closeCpu('send', count, before);
    } else {
      const latencies = readings.room(count);
      let before = nowNs();
      for (let i = 0; i < count; i++) {
        outbox.message = i;
        await clients.send(sessions[i]!, members[i]!, plaintexts[i]!, atMs, outbox);
        const after = nowNs();
        latencies[i] = after - before;
        before = after;
      }
      readings.closeLatency('send', count);
    }
  }

  /** @param which Numbers of the deliveries that this stage handles. */
  async receive(
    id: 'accept' | 'receive',
    deliveries: Deliveries,
    which: readonly number[],
    atMs: number,
    received: Outputs,
  ): Promise<void> {
    if (which.length === 0) return;
    const clients = this.#clients;
    const readings = this.#readings;
    const { sessions, members, frames } = deliveries;
    const { buffers, lengths } = received;
    if (readings.mode === 'cpu') {
      const before = readings.readCpuNs();
      for (let n = 0; n < which.length; n++) {
        const i = which[n]!;
        lengths[i] = await clients.receive(
          sessions[i]!,
          members[i]!,
          frames[i]!,
          atMs,
          buffers[i]!,
        );
      }
      readings.closeCpu(id, which.length, before);
    } else {
      const latencies = readings.room(which.length);
      let before = nowNs();
      for (let n = 0; n < which.length; n++) {
        const i = which[n]!;
        lengths[i] = await clients.receive(
          sessions[i]!,
          members[i]!,
          frames[i]!,
          atMs,
          buffers[i]!,
        );
        const after = nowNs();
        latencies[n] = after - before;
        before = after;
      }
      readings.closeLatency(id, which.length);
    }
  }
}

export function isAsynchronous(clients: Clients | AsyncClients): clients is AsyncClients {
  return 'asynchronous' in clients;
}

/** @throws TypeError for clients whose calls are asynchronous: there is nothing to await them. */
export function requireSynchronous(clients: Clients | AsyncClients): Clients {
  if (!isAsynchronous(clients)) return clients;
  throw new TypeError('"clients" expected synchronous calls, got asynchronous ones');
}
