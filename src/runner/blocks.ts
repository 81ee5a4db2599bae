/**
 * Blocks of fresh processes: one of each arm, one after the other, each block again where the machine
 * changed its speed meanwhile. `bank` and `compare` measure so.
 *
 * Arms are data: the first is what the others are compared with, and what an arm does is in its spec
 * and in who runs it.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import { SeededRandom } from '../core/random.ts';
import type { RepeatSpec } from '../engine/spec.ts';
import type { KernelFigures } from './bank-figures.ts';
import type { RepeatReport, RunRepeat } from './repeat-report.ts';

export interface Arm {
  readonly name: string;
  readonly spec: RepeatSpec;
  /** Instead of the options' `runRepeat`: another version of the program. */
  readonly runRepeat?: RunRepeat;
}

/** One process of a block, with what was read from its report. */
export type ArmProcess<Figures> = Figures & { readonly arm: string; readonly wallMs: number };

/** One attempt at a block. */
export interface Block<Figures> {
  readonly block: number;
  /** 0, 1, ... */
  readonly attempt: number;
  /** Whether the machine changed its speed, within a process that counts or between them. */
  readonly disturbed: boolean;
  /** Whether it counts: the last attempt of its block. */
  readonly kept: boolean;
  /** In the order in which they ran. Of an arm that ran more than once the last process counts. */
  readonly processes: readonly ArmProcess<Figures>[];
}

export interface FillOptions<Figures extends KernelFigures> {
  readonly arms: readonly Arm[];
  /** In all, with those that are done. */
  readonly blocks: number;
  /** Of the order within blocks, and of what the processes of a block work on. */
  readonly seed: number;
  /** Every second block has the reverse order of the one before, so that a steady drift cancels. */
  readonly mirrored?: boolean;
  /** What an earlier attempt finished. */
  readonly done: readonly Block<Figures>[];
  /** Which blocks are run here; left out: all that are missing. */
  readonly isMine?: (block: number) => boolean;
  readonly signal: AbortSignal;
  readonly runRepeat: RunRepeat;
  /** undefined for a report that has too few blocks to be read. */
  readonly read: (report: RepeatReport) => Figures | undefined;
  /** Milliseconds that only grow. */
  readonly now: () => number;
  /** Called as an attempt at a block ends, before the next begins. */
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

/**
 * A process is disturbed when the fastest quarter of its reference kernels ends further above the
 * fastest tenth: then a neighbour was there for most of the time, and the lower quartile of the costs
 * is no longer that of quiet blocks. On a shared virtual machine this left pairs whose ratios varied
 * by 2.4 %, where all pairs varied by 8 %.
 */
const QUARTER_TOLERANCE = 0.02;
/**
 * The fastest kernels of the processes of a block may differ by this share; beyond it the machine
 * was another one for each. Both rules look at the kernel alone, which no arm changes, so they favour
 * none.
 */
const TENTH_TOLERANCE = 0.03;
/**
 * Processes of a block that may be thrown away, for each arm. Then the block is kept as it is, so
 * that a restless machine has its result, too.
 */
export const SPARE_PER_ARM = 3;

/**
 * Runs what is missing. The attempt that `signal` interrupts is dropped.
 *
 * @throws FailedProcess for a process that fails.
 */
export async function fillBlocks<Figures extends KernelFigures>(
  options: FillOptions<Figures>,
): Promise<void> {
  const { arms, blocks, done, isMine, signal, onBlock } = options;
  const finished = new Set(done.filter((block) => block.kept).map(({ block }) => block));
  for (let block = 0; block < blocks; block++) {
    if (finished.has(block) || isMine?.(block) === false) continue;
    const before = done.filter((attempt) => attempt.block === block);
    let spare = SPARE_PER_ARM * arms.length;
    for (const { processes } of before) spare -= processes.length;
    for (let attempt = before.length; ; attempt++) {
      const { processes, kept } = await runBlock(options, block, attempt, spare);
      if (signal.aborted) return;
      onBlock({ block, attempt, disturbed: isDisturbed(latest(processes)), kept, processes });
      if (kept) break;
      spare -= processes.length;
    }
  }
}

/**
 * A disturbed process is run again at once. The attempt is given up when the machine is another one
 * than it was at its beginning.
 *
 * @param spare How many processes may be thrown away.
 */
async function runBlock<Figures extends KernelFigures>(
  options: FillOptions<Figures>,
  block: number,
  attempt: number,
  spare: number,
): Promise<Pick<Block<Figures>, 'processes' | 'kept'>> {
  const { seed, signal, now, read } = options;
  const processes: ArmProcess<Figures>[] = [];
  let counting = 0;
  for (const { name, spec, runRepeat = options.runRepeat } of orderOf(options, block, attempt)) {
    for (;;) {
      const startMs = now();
      // The arms of a block work on the same input, in the same order of modes.
      const report = await runRepeat({ ...spec, seed: seed + block, repeat: block }, signal);
      if (signal.aborted) return { processes, kept: false };
      const figures = report.status === 'ok' ? read(report) : undefined;
      if (figures === undefined) throw new FailedProcess(block, name, report);
      processes.push({ arm: name, wallMs: Math.round(now() - startMs), ...figures });
      const thrownAway = processes.length - counting - 1;
      if (thrownAway >= spare || !isSlowed(processes.at(-1)!)) break;
    }
    counting += 1;
    if (processes.length <= spare && isDisturbed(latest(processes))) {
      return { processes, kept: false };
    }
  }
  return { processes, kept: true };
}

function orderOf<Figures extends KernelFigures>(
  { arms, seed, mirrored = false }: FillOptions<Figures>,
  block: number,
  attempt: number,
): readonly Arm[] {
  if (!mirrored) return new SeededRandom(seed, block, attempt).shuffle([...arms]);
  const order = new SeededRandom(seed, block - (block % 2), 0).shuffle([...arms]);
  return block % 2 === 0 ? order : order.toReversed();
}

/** The last process of each arm. */
export function latest<Process extends { readonly arm: string }>(
  processes: readonly Process[],
): Process[] {
  return [...new Map(processes.map((process) => [process.arm, process])).values()];
}

function isSlowed({ kernelNs: { tenth, quarter } }: KernelFigures): boolean {
  return quarter > tenth * (1 + QUARTER_TOLERANCE);
}

function isDisturbed(processes: readonly KernelFigures[]): boolean {
  const tenths = processes.map(({ kernelNs }) => kernelNs.tenth);
  return (
    processes.some(isSlowed) || Math.max(...tenths) > Math.min(...tenths) * (1 + TENTH_TOLERANCE)
  );
}
