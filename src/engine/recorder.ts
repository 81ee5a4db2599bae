/**
 * Collects the raw facts of a shard: readings by stage and block. Nothing here runs between two
 * readings of a clock.
 *
 * @module
 */

import { readThreadCpuNs } from '../measure/cpu.ts';
import { nowNs } from '../measure/clock.ts';
import { TIMED, type BlockFacts, type StageFacts, type TimedId } from '../measure/facts.ts';
import { Histogram } from '../measure/histogram.ts';
import { createReferenceKernel } from '../measure/reference-kernel.ts';
import { RunDelay, UNKNOWN } from '../measure/run-delay.ts';

export type Mode = 'cpu' | 'latency';

interface StageColumns {
  readonly block: number[];
  readonly calls: number[];
  readonly cpuNs: number[];
  readonly latency: Histogram;
}

/** C L L C ...: both modes see both directions of a conversation and both halves of a drift. */
const MODES: readonly Mode[] = ['cpu', 'latency', 'latency', 'cpu'];

export class Recorder {
  readonly #stages = new Map<TimedId, StageColumns>();
  readonly #blocks: BlockFacts = {
    phase: [],
    mode: [],
    messageIndex: [],
    messages: [],
    wallNs: [],
    cpuNs: [],
    runDelayNs: [],
    stealTicks: [],
    kernelCpuNs: [],
  };
  readonly #runDelay = new RunDelay();
  readonly #kernel = createReferenceKernel();
  readonly #firstMode: number;
  readonly #onStage: ((id: TimedId | undefined) => void) | undefined;
  #block = -1;
  #wallNs = 0;
  #cpuNs = 0;
  #runDelayNs = 0;
  #stealTicks = 0;

  /**
   * @param firstMode Shifts the order of modes, so that repeats start differently.
   * @param onStage Called after each stage of a batch, for counting what it did; with undefined
   *   after work of the parties that is no stage.
   */
  constructor(firstMode: number, onStage?: (id: TimedId | undefined) => void) {
    this.#firstMode = firstMode;
    this.#onStage = onStage;
    for (const { id } of TIMED) {
      this.#stages.set(id, { block: [], calls: [], cpuNs: [], latency: new Histogram() });
    }
  }

  get mode(): Mode {
    return MODES[(this.#block + this.#firstMode) % MODES.length]!;
  }

  beginBlock(phase: 'open' | 'traffic', messageIndex: number, messages: number): void {
    this.#block += 1;
    this.#blocks.phase.push(phase);
    this.#blocks.mode.push(this.mode);
    this.#blocks.messageIndex.push(messageIndex);
    this.#blocks.messages.push(messages);
    this.#runDelayNs = this.#runDelay.read().runDelayNs;
    this.#stealTicks = this.#runDelay.stealTicks();
    this.#wallNs = nowNs();
    this.#cpuNs = readThreadCpuNs();
  }

  /** Runs the reference kernel and closes the block. */
  endBlock(): void {
    const kernelCpuNs = this.#kernel();
    const blocks = this.#blocks;
    blocks.cpuNs.push(readThreadCpuNs() - this.#cpuNs);
    blocks.wallNs.push(nowNs() - this.#wallNs);
    const { runDelayNs } = this.#runDelay.read();
    const stealTicks = this.#runDelay.stealTicks();
    blocks.runDelayNs.push(runDelayNs === UNKNOWN ? UNKNOWN : runDelayNs - this.#runDelayNs);
    blocks.stealTicks.push(stealTicks === UNKNOWN ? UNKNOWN : stealTicks - this.#stealTicks);
    blocks.kernelCpuNs.push(kernelCpuNs);
  }

  addCpu(id: TimedId, calls: number, cpuNs: number): void {
    const columns = this.#stages.get(id)!;
    columns.block.push(this.#block);
    columns.calls.push(calls);
    columns.cpuNs.push(cpuNs);
    this.#onStage?.(id);
  }

  addLatencies(id: TimedId, latenciesNs: Float64Array, count: number): void {
    const { latency } = this.#stages.get(id)!;
    for (let i = 0; i < count; i++) latency.record(latenciesNs[i]!);
    this.#onStage?.(id);
  }

  /** What the parties did since the last stage belongs to no stage. */
  skipUntimed(): void {
    this.#onStage?.(undefined);
  }

  /**
   * Mean CPU per call of a stage so far, in ns; undefined when it was not called.
   *
   * @param readingNs What one reading costs; every batch holds one.
   */
  meanCpuNs(id: TimedId, readingNs: number): number | undefined {
    const { calls, cpuNs } = this.#stages.get(id)!;
    const total = calls.reduce((sum, count) => sum + count, 0);
    return total === 0
      ? undefined
      : cpuNs.reduce((sum, ns) => sum + Math.max(0, ns - readingNs), 0) / total;
  }

  /** The shortest batch that was read, of any stage that was called; Infinity when none was. */
  shortestBatchNs(): number {
    let shortest = Infinity;
    for (const { calls, cpuNs } of this.#stages.values()) {
      cpuNs.forEach((ns, i) => {
        if (calls[i]! > 0) shortest = Math.min(shortest, ns);
      });
    }
    return shortest;
  }

  finish(): { readonly stages: StageFacts[]; readonly blocks: BlockFacts } {
    this.#runDelay.close();
    const stages: StageFacts[] = [];
    for (const [id, { block, calls, cpuNs, latency }] of this.#stages) {
      if (calls.length === 0 && latency.count === 0) continue;
      stages.push({
        id,
        cpu: { block, calls, cpuNs },
        latency: { calls: latency.count, histogram: latency.encode() },
      });
    }
    return { stages, blocks: this.#blocks };
  }
}
