/**
 * The readings around the timed loops: where they are taken, and where they go.
 *
 * CPU batches have no clock inside: one reading before the loop and one after. Latency batches read
 * the clock once per call; the end of one call is the start of the next. Each stage has loops of its
 * own, so that each call site sees one pipeline only and the JIT may inline through it.
 *
 * @module
 */

import type { TimedId } from '../measure/facts.ts';

/** What takes the readings of the loops: the recorder of a shard, or a calibration. */
export interface StageRecorder {
  readonly mode: 'cpu' | 'latency';
  /** CPU so far, in ns: of this thread, or of the process. */
  readCpuNs(): number;
  addCpu(id: TimedId, calls: number, cpuNs: number): void;
  addLatencies(id: TimedId, latenciesNs: Float64Array, count: number): void;
}

export class StageReadings {
  readonly #recorder: StageRecorder;
  #latencies = new Float64Array(1024);

  constructor(recorder: StageRecorder) {
    this.#recorder = recorder;
  }

  get mode(): 'cpu' | 'latency' {
    return this.#recorder.mode;
  }

  readCpuNs(): number {
    return this.#recorder.readCpuNs();
  }

  /** Room for the latencies of `count` calls, valid until the next call. */
  room(count: number): Float64Array {
    if (this.#latencies.length < count) this.#latencies = new Float64Array(count * 2);
    return this.#latencies;
  }

  /** @param before The reading before the first call. */
  closeCpu(id: TimedId, calls: number, before: number): void {
    this.#recorder.addCpu(id, calls, this.#recorder.readCpuNs() - before);
  }

  /** Records what stands in the room. */
  closeLatency(id: TimedId, count: number): void {
    this.#recorder.addLatencies(id, this.#latencies, count);
  }
}
