/**
 * CPU of the batches of one timed stage, in columns: an entry per batch, or one per block where
 * rounds are joined (see block-columns.ts).
 *
 * @module
 */

import type { StageFacts } from '../measure/facts.ts';

const FIRST_ROOM = 128;
/** Of blocks: `cpu` and `latency`. */
const MODES = 2;

type Columns = ReturnType<typeof columnsOf>;

export class StageColumns {
  #columns = columnsOf(FIRST_ROOM);
  #count = 0;
  /** By the mode of its block: the last entry, or -1. */
  readonly #last = new Int32Array(MODES).fill(-1);
  #calls = 0;
  #shortestNs = Infinity;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Calls in all. */
  get calls(): number {
    return this.#calls;
  }

  /** The shortest batch in which the stage was called; Infinity without one. */
  get shortestNs(): number {
    return this.#shortestNs;
  }

  /**
   * CPU of all calls together, in ns.
   *
   * @param readingNs What one reading costs; every batch holds one.
   */
  cpuNs(readingNs: number): number {
    const { cpuNs, readings } = this.#columns;
    let sum = 0;
    for (let at = 0; at < this.#count; at++) {
      sum += Math.max(0, cpuNs[at]! - readingNs * readings[at]!);
    }
    return sum;
  }

  /**
   * Adds a batch.
   *
   * @param mode The code of the block's mode: 0 or 1.
   * @param joined Whether to add to the entry of `block`, if there is one, instead of making one.
   */
  add(block: number, mode: number, calls: number, cpuNs: number, joined: boolean): void {
    this.#calls += calls;
    if (calls > 0 && cpuNs < this.#shortestNs) this.#shortestNs = cpuNs;
    const last = this.#last[mode]!;
    if (joined && last >= 0 && this.#columns.block[last] === block) {
      this.#addTo(last, calls, cpuNs, 1);
      return;
    }
    if (this.#count === this.#columns.block.length) this.#columns = doubled(this.#columns);
    const columns = this.#columns;
    const at = this.#count;
    columns.block[at] = block;
    columns.calls[at] = calls;
    columns.cpuNs[at] = cpuNs;
    columns.readings[at] = 1;
    this.#last[mode] = at;
    this.#count = at + 1;
  }

  /**
   * Joins the entries of blocks that were joined.
   *
   * @param movedTo For each block its new number; within a mode they stay in order.
   * @param modeOf By new number: the code of the block's mode.
   */
  move(movedTo: Uint32Array, modeOf: Uint8Array): void {
    const { block, calls, cpuNs, readings } = this.#columns;
    const last = this.#last.fill(-1);
    let kept = 0;
    for (let from = 0; from < this.#count; from++) {
      const to = movedTo[block[from]!]!;
      const mode = modeOf[to]!;
      const before = last[mode]!;
      if (before >= 0 && block[before] === to) {
        this.#addTo(before, calls[from]!, cpuNs[from]!, readings[from]!);
        continue;
      }
      block[kept] = to;
      calls[kept] = calls[from]!;
      cpuNs[kept] = cpuNs[from]!;
      readings[kept] = readings[from]!;
      last[mode] = kept;
      kept += 1;
    }
    this.#count = kept;
  }

  /** @param areJoined Whether an entry may hold several batches. */
  facts(areJoined: boolean): StageFacts['cpu'] {
    const { block, calls, cpuNs, readings } = this.#columns;
    const count = this.#count;
    return {
      block: Array.from(block.subarray(0, count)),
      calls: Array.from(calls.subarray(0, count)),
      cpuNs: Array.from(cpuNs.subarray(0, count)),
      ...(areJoined ? { readings: Array.from(readings.subarray(0, count)) } : {}),
    };
  }

  #addTo(at: number, calls: number, cpuNs: number, readings: number): void {
    const columns = this.#columns;
    columns.calls[at]! += calls;
    columns.cpuNs[at]! += cpuNs;
    columns.readings[at]! += readings;
  }
}

function columnsOf(room: number): {
  readonly block: Uint32Array;
  readonly calls: Uint32Array;
  readonly cpuNs: Float64Array;
  /** Batches that the entry sums up. */
  readonly readings: Uint32Array;
} {
  return {
    block: new Uint32Array(room),
    calls: new Uint32Array(room),
    cpuNs: new Float64Array(room),
    readings: new Uint32Array(room),
  };
}

function doubled(columns: Columns): Columns {
  const longer = columnsOf(columns.block.length * 2);
  for (const name of ['block', 'calls', 'cpuNs', 'readings'] as const) {
    longer[name].set(columns[name]);
  }
  return longer;
}
