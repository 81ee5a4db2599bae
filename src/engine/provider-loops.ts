/**
 * The timed loops over the provider's side, relay and authority: one per stage, over a batch.
 *
 * @module
 */

import type { Deliveries, EngineOutbox, Evidence, Outputs, Sends } from './batch.ts';
import { StageReadings, type StageRecorder } from './stage-readings.ts';
import { nowNs } from '../measure/clock.ts';
import type { PackedMembers } from '../pipelines/_members.ts';
import type { Authority, Relay } from '../pipelines/_pipeline.ts';

export class ProviderLoops {
  readonly #relay: Relay;
  readonly #authority: Authority | undefined;
  readonly #readings: StageReadings;
  readonly #senders: Uint32Array | undefined;
  #from = new Uint32Array(1024);
  #to = new Uint32Array(1024);

  /** @param senders The connection over which each user sends, where it is not its own. */
  constructor(
    relay: Relay,
    authority: Authority | undefined,
    recorder: StageRecorder,
    senders?: Uint32Array,
  ) {
    this.#relay = relay;
    this.#authority = authority;
    this.#readings = new StageReadings(recorder);
    this.#senders = senders;
  }

  /** @param counts Whether these calls count as connections; later flights of the same do not. */
  connect(
    connections: Uint32Array,
    flights: readonly Uint8Array[],
    answers: Outputs,
    counts: boolean,
  ): void {
    const relay = this.#relay;
    const readings = this.#readings;
    const { buffers, lengths } = answers;
    const before = readings.readCpuNs();
    for (let i = 0; i < flights.length; i++) {
      lengths[i] = relay.connect(connections[i]!, flights[i]!, 0, buffers[i]!);
    }
    readings.closeCpu('connect-relay', counts ? flights.length : 0, before);
  }

  store(
    sends: Sends,
    outbox: EngineOutbox,
    members: PackedMembers,
    atMs: number,
    stored: Outputs,
  ): void {
    const relay = this.#relay;
    const readings = this.#readings;
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
    if (readings.mode === 'cpu') {
      const before = readings.readCpuNs();
      for (let i = 0; i < count; i++) {
        lengths[i] = relay.accept(from[i]!, to[i]!, frames[i]!, atMs, buffers[i]!);
      }
      readings.closeCpu('relay-store', count, before);
    } else {
      const latencies = readings.room(count);
      let before = nowNs();
      for (let i = 0; i < count; i++) {
        lengths[i] = relay.accept(from[i]!, to[i]!, frames[i]!, atMs, buffers[i]!);
        const after = nowNs();
        latencies[i] = after - before;
        before = after;
      }
      readings.closeLatency('relay-store', count);
    }
  }

  fetch(deliveries: Deliveries, members: PackedMembers, atMs: number, fetched: Outputs): void {
    const relay = this.#relay;
    const readings = this.#readings;
    const { frames, count } = deliveries;
    const { buffers, lengths } = fetched;
    this.#roomForUsers(count);
    const to = this.#to;
    for (let i = 0; i < count; i++) {
      to[i] = members.user(deliveries.sessions[i]!, deliveries.members[i]!);
    }
    if (readings.mode === 'cpu') {
      const before = readings.readCpuNs();
      for (let i = 0; i < count; i++) {
        lengths[i] = relay.deliver(to[i]!, frames[i]!, atMs, buffers[i]!);
      }
      readings.closeCpu('relay-fetch', count, before);
    } else {
      const latencies = readings.room(count);
      let before = nowNs();
      for (let i = 0; i < count; i++) {
        lengths[i] = relay.deliver(to[i]!, frames[i]!, atMs, buffers[i]!);
        const after = nowNs();
        latencies[i] = after - before;
        before = after;
      }
      readings.closeLatency('relay-fetch', count);
    }
  }

  /** The relay's half of a warrant: what it stored, with its own seals opened. */
  handOver(evidence: Evidence, handed: Outputs): void {
    const relay = this.#relay;
    const readings = this.#readings;
    const { toUsers, frames, count } = evidence;
    const { buffers, lengths } = handed;
    if (readings.mode === 'cpu') {
      const before = readings.readCpuNs();
      for (let i = 0; i < count; i++) {
        lengths[i] = relay.handOver(toUsers[i]!, frames[i]!, buffers[i]!);
      }
      readings.closeCpu('hand-over', count, before);
    } else {
      const latencies = readings.room(count);
      let before = nowNs();
      for (let i = 0; i < count; i++) {
        lengths[i] = relay.handOver(toUsers[i]!, frames[i]!, buffers[i]!);
        const after = nowNs();
        latencies[i] = after - before;
        before = after;
      }
      readings.closeLatency('hand-over', count);
    }
  }

  recover(evidence: Evidence, recovered: Outputs): void {
    const authority = this.#authority!;
    const readings = this.#readings;
    const { sessions, members, frames, count } = evidence;
    const { buffers, lengths } = recovered;
    if (readings.mode === 'cpu') {
      const before = readings.readCpuNs();
      for (let i = 0; i < count; i++) {
        lengths[i] = authority.recover(sessions[i]!, members[i]!, frames[i]!, buffers[i]!);
      }
      readings.closeCpu('recover', count, before);
    } else {
      const latencies = readings.room(count);
      let before = nowNs();
      for (let i = 0; i < count; i++) {
        lengths[i] = authority.recover(sessions[i]!, members[i]!, frames[i]!, buffers[i]!);
        const after = nowNs();
        latencies[i] = after - before;
        before = after;
      }
      readings.closeLatency('recover', count);
    }
  }

  #roomForUsers(count: number): void {
    if (this.#from.length >= count) return;
    this.#from = new Uint32Array(count * 2);
    this.#to = new Uint32Array(count * 2);
  }
}
