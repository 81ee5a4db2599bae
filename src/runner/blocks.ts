/**
 * Blocks of fresh processes, one of each arm, side by side on one core. `bank` and `compare` measure
 * so.
 *
 * A shared machine changes its speed within a second, by half and more. Processes that run one after
 * the other meet another machine each; processes that share a core take turns of a few milliseconds,
 * so that whatever happens to the core happens to all of them, and each reads the CPU of its own
 * thread alone. What they measure begins when all of them are ready. A message costs more than on a
 * core of its own, for caches are shared, and by about the same factor in every arm: only ratios within
 * a block mean something.
 *
 * Arms are data: the first is what the others are compared with, and what an arm does is in its spec
 * and in who runs it.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import { SeededRandom } from '../core/random.ts';
import type { RepeatSpec } from '../engine/spec.ts';
import { pinnableCores } from '../core/cores.ts';
import { Gate } from '../measure/gate.ts';
import type { RepeatReport, RunRepeat } from './repeat-report.ts';

export interface Arm {
  readonly name: string;
  readonly spec: RepeatSpec;
  /** Instead of the options' `runRepeat`: another version of the program. */
  readonly runRepeat?: RunRepeat;
}

/** One process of a block, with what was read from its report. */
export type ArmProcess<Figures> = Figures & { readonly arm: string };

export interface Block<Figures> {
  readonly block: number;
  /** In the order in which they were started. */
  readonly processes: readonly ArmProcess<Figures>[];
}

export interface FillOptions<Figures> {
  readonly arms: readonly Arm[];
  /** In all, with those that are done. */
  readonly blocks: number;
  /** Of the order within blocks, and of what the processes of a block work on. */
  readonly seed: number;
  /** Whether processes run one after the other, for figures that waiting for a core would spoil. */
  readonly alone?: boolean;
  /** Whether all versions that run know the gate; where one does not, none waits for the others. */
  readonly meets?: boolean;
  /** Numbers of the blocks that an earlier attempt finished. */
  readonly done?: ReadonlySet<number>;
  readonly signal: AbortSignal;
  readonly runRepeat: RunRepeat;
  /** undefined for a report that has too few blocks to be read. */
  readonly read: (report: RepeatReport) => Figures | undefined;
  /** Called as a block ends. */
  readonly onBlock: (block: Block<Figures>) => void;
}

/** A process that gave no figures: which arm, and how it ended. */
export class FailedProcess extends HarnessError {
  readonly arm: string;
  readonly status: RepeatReport['status'];
  readonly reason: string;

  constructor(block: number, arm: string, { status, reason }: RepeatReport) {
    const why = reason ?? 'it has too few blocks';
    super('WRONG_RESULT', `block ${block}, arm ${arm}: ${why}`);
    this.arm = arm;
    this.status = status === 'ok' ? 'invalid' : status;
    this.reason = why;
  }
}

/** Blocks at once, each on a core of its own: more would need the memory of as many cells. */
export const LANES_MAX = 2;

/**
 * Runs what is missing. Blocks that `signal` interrupts are dropped.
 *
 * @throws FailedProcess for a process that fails, when those beside it have ended.
 */
export async function fillBlocks<Figures>(options: FillOptions<Figures>): Promise<void> {
  const { blocks, done, onBlock } = options;
  const missing = Array.from({ length: blocks }, (_, block) => block).filter(
    (block) => done?.has(block) !== true,
  );
  const failure = new AbortController();
  const signal = AbortSignal.any([options.signal, failure.signal]);
  const lane = async (core: number | undefined): Promise<void> => {
    try {
      for (let block = missing.shift(); block !== undefined; block = missing.shift()) {
        const processes = await runBlock(options, block, core, signal);
        if (signal.aborted) return;
        onBlock({ block, processes });
      }
    } catch (error) {
      failure.abort();
      throw error;
    }
  };
  const lanes = lanesOf(options).map(lane);
  await Promise.allSettled(lanes);
  await Promise.all(lanes);
}

/** The last cores, for the first one serves the interrupts of most machines. */
function lanesOf<Figures>({ arms, alone }: FillOptions<Figures>): readonly (number | undefined)[] {
  const mayShare = alone !== true && arms.every(({ spec }) => spec.threads === 1);
  const cores = mayShare ? pinnableCores() : [];
  return cores.length === 0 ? [undefined] : cores.slice(-LANES_MAX);
}

/** @returns Whatever it likes when `signal` aborts. */
async function runBlock<Figures>(
  { arms, seed, alone, meets = true, runRepeat, read }: FillOptions<Figures>,
  block: number,
  core: number | undefined,
  signal: AbortSignal,
): Promise<ArmProcess<Figures>[]> {
  const order = new SeededRandom(seed, block).shuffle([...arms]);
  const reports = new Map<Arm, RepeatReport>();
  const run = async (arm: Arm, gate?: Gate): Promise<void> => {
    const spec = {
      ...arm.spec,
      // The arms of a block work on the same input, in the same order of modes.
      seed: seed + block,
      repeat: block,
      ...(gate && { gate: gate.folder }),
    };
    reports.set(arm, await (arm.runRepeat ?? runRepeat)(spec, signal, { core }));
  };
  if (alone === true) {
    for (const arm of order) await run(arm);
  } else if (meets) {
    using gate = new Gate();
    let ended = 0;
    const running = order.map((arm) => run(arm, gate).finally(() => (ended += 1)));
    await gate.openFor(() => order.length - ended);
    await Promise.all(running);
  } else {
    await Promise.all(order.map((arm) => run(arm)));
  }
  if (signal.aborted) return [];
  const figures = new Map<Arm, Figures>();
  // As declared: where the base fails, whatever else fails is no news.
  for (const arm of arms) {
    const report = reports.get(arm)!;
    const found = report.status === 'ok' ? read(report) : undefined;
    if (found === undefined) throw new FailedProcess(block, arm.name, report);
    figures.set(arm, found);
  }
  return order.map((arm) => ({ arm: arm.name, ...figures.get(arm)! }));
}
