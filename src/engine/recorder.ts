/**
 * Collects the raw facts of a shard: readings by stage and block. Nothing here runs between two
 * readings of a clock.
 *
 * @module
 */

import { cpuReader } from '../measure/cpu.ts';
import { nowNs } from '../measure/clock.ts';
import {
  TIMED,
  type BlockFacts,
  type CpuBasis,
  type StageFacts,
  type TimedId,
} from '../measure/facts.ts';
import { Histogram } from '../measure/histogram.ts';
import type { LiveWriter } from '../measure/live.ts';
import { createReferenceKernel } from '../measure/reference-kernel.ts';
import { RunDelay, UNKNOWN } from '../measure/run-delay.ts';
import { BlockColumns } from './block-columns.ts';
import type { StageColumns } from './stage-columns.ts';
import type { BlockRecorder } from './conversation.ts';

export type Mode = 'cpu' | 'latency';

interface StageRecord {
  readonly cpu: StageColumns;
  readonly latency: Histogram;
}

/** C L L C ...: both modes see both directions of a conversation and both halves of a drift. */
const MODES: readonly Mode[] = ['cpu', 'latency', 'latency', 'cpu'];

export class Recorder implements BlockRecorder {
  readonly #stages = new Map<TimedId, StageRecord>();
  readonly #blocks = new BlockColumns();
  readonly #runDelay = new RunDelay();
  readonly #kernel = createReferenceKernel();
  readonly #firstMode: number;
  readonly #readCpuNs: () => number;
  readonly #onStage: ((id: TimedId | undefined) => void) | undefined;
  readonly #live: LiveWriter | undefined;
  /** Counts the rounds, of which a block may hold several. */
  #round = -1;
  #phase: 'open' | 'traffic' = 'open';
  #messages = 0;
  #wallNs = 0;
  #cpuNs = 0;
  #runDelayNs = 0;
  #stealTicks = 0;

  /**
   * @param firstMode Shifts the order of modes, so that repeats start differently.
   * @param cpuBasis Whose CPU the stages and blocks are read by.
   * @param onStage Called after each stage of a batch, for counting what it did; with undefined
   *   after work of the parties that is no stage.
   * @param live Is told what each batch has done, when it ends.
   */
  constructor(
    firstMode: number,
    cpuBasis: CpuBasis = 'thread',
    onStage?: (id: TimedId | undefined) => void,
    live?: LiveWriter,
  ) {
    this.#live = live;
    this.#firstMode = firstMode;
    this.#readCpuNs = cpuReader(cpuBasis);
    this.#onStage = onStage;
    for (const { id } of TIMED) {
      this.#stages.set(id, { cpu: this.#blocks.addStage(), latency: new Histogram() });
    }
  }

  get mode(): Mode {
    return MODES[(this.#round + this.#firstMode) % MODES.length]!;
  }

  readCpuNs(): number {
    return this.#readCpuNs();
  }

  beginBlock(phase: 'open' | 'traffic', messageIndex: number, messages: number): void {
    this.#round += 1;
    this.#phase = phase;
    this.#messages = messages;
    this.#blocks.begin(phase, this.mode, messageIndex, messages);
    this.#runDelayNs = this.#runDelay.read().runDelayNs;
    this.#stealTicks = this.#runDelay.stealTicks();
    this.#wallNs = nowNs();
    this.#cpuNs = this.#readCpuNs();
  }

  /** Runs the reference kernel and closes the block. */
  endBlock(): void {
    const kernelCpuNs = this.#kernel();
    const cpuNowNs = this.#readCpuNs();
    const cpuNs = cpuNowNs - this.#cpuNs;
    const wallNs = nowNs() - this.#wallNs;
    const { runDelayNs } = this.#runDelay.read();
    const stealTicks = this.#runDelay.stealTicks();
    this.#blocks.end({
      wallNs,
      cpuNs,
      runDelayNs: runDelayNs === UNKNOWN ? UNKNOWN : runDelayNs - this.#runDelayNs,
      stealTicks: stealTicks === UNKNOWN ? UNKNOWN : stealTicks - this.#stealTicks,
      kernelCpuNs,
    });
    this.#live?.batch(this.#phase, this.#messages, cpuNowNs);
  }

  addCpu(id: TimedId, calls: number, cpuNs: number): void {
    this.#blocks.addCpu(this.#stages.get(id)!.cpu, calls, cpuNs);
    if (id === 'initiate') this.#live?.opened(calls);
    this.#onStage?.(id);
  }

  addLatencies(id: TimedId, latenciesNs: Float64Array, count: number): void {
    const { latency } = this.#stages.get(id)!;
    for (let i = 0; i < count; i++) latency.record(latenciesNs[i]!);
    if (id === 'initiate') this.#live?.opened(count);
    else if (id === 'send' || id === 'receive') this.#live?.latencies(id, latenciesNs, count);
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
    const { cpu } = this.#stages.get(id)!;
    return cpu.calls === 0 ? undefined : cpu.cpuNs(readingNs) / cpu.calls;
  }

  /** The shortest batch that was read, of any stage that was called; Infinity when none was. */
  shortestBatchNs(): number {
    return Math.min(...[...this.#stages.values()].map(({ cpu }) => cpu.shortestNs));
  }

  finish(): { readonly stages: StageFacts[]; readonly blocks: BlockFacts } {
    this.#runDelay.close();
    const stages: StageFacts[] = [];
    for (const [id, { cpu, latency }] of this.#stages) {
      if (cpu.isEmpty && latency.count === 0) continue;
      stages.push({
        id,
        cpu: this.#blocks.stageFacts(cpu),
        latency: { calls: latency.count, histogram: latency.encode() },
      });
    }
    return { stages, blocks: this.#blocks.facts() };
  }
}
