/**
 * The bank: many comparisons of a thing with itself and with itself slowed down, so that a machine's
 * rates of false alarms and of detection are counted and not assumed.
 *
 * A block is one fresh process of each arm, one after the other in random order. A comparison is a
 * number of consecutive blocks that no other comparison has. Arms are data: the first is what the
 * others are compared with, and what an arm does is in its spec.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import { SeededRandom } from '../core/random.ts';
import type { RepeatSpec } from '../engine/spec.ts';
import { figuresOf, type ProcessFigures } from './bank-figures.ts';
import type { RunRepeat } from './repeat-report.ts';

export interface Arm {
  readonly name: string;
  readonly spec: RepeatSpec;
}

/** One process of a block. */
export interface BankProcess extends ProcessFigures {
  readonly arm: string;
  readonly wallMs: number;
}

/** One attempt at a block. */
export interface BankBlock {
  readonly block: number;
  /** 0, 1, ... */
  readonly attempt: number;
  /** Whether the machine changed its speed, within a process that counts or between them. */
  readonly disturbed: boolean;
  /** Whether it counts: the last attempt of its block. */
  readonly kept: boolean;
  /** In the order in which they ran. Of an arm that ran more than once the last process counts. */
  readonly processes: readonly BankProcess[];
}

export interface FillOptions {
  readonly arms: readonly Arm[];
  /** In all, with those that are done. */
  readonly blocks: number;
  /** Of the order within blocks, and of what the processes of a block work on. */
  readonly seed: number;
  /** What an earlier attempt finished. */
  readonly done: readonly BankBlock[];
  readonly signal: AbortSignal;
  readonly runRepeat: RunRepeat;
  /** Milliseconds that only grow. */
  readonly now: () => number;
  /** Called as an attempt at a block ends, before the next begins. */
  readonly onBlock: (block: BankBlock) => void;
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
 * that a restless machine has its bank, too.
 */
export const SPARE_PER_ARM = 3;

/**
 * Runs what is missing of the bank. The attempt that `signal` interrupts is dropped.
 *
 * @throws HarnessError for a process that fails.
 */
export async function fillBank(options: FillOptions): Promise<void> {
  const { arms, blocks, done, signal, onBlock } = options;
  const finished = new Set(done.filter((block) => block.kept).map(({ block }) => block));
  for (let block = 0; block < blocks; block++) {
    if (finished.has(block)) continue;
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
 * A disturbed process is run again at once. The attempt is given up, before its last arm ran, when
 * the machine is another one than it was at its beginning.
 *
 * @param spare How many processes may be thrown away.
 */
async function runBlock(
  { arms, seed, signal, runRepeat, now }: FillOptions,
  block: number,
  attempt: number,
  spare: number,
): Promise<Pick<BankBlock, 'processes' | 'kept'>> {
  const processes: BankProcess[] = [];
  let counting = 0;
  for (const { name, spec } of new SeededRandom(seed, block, attempt).shuffle([...arms])) {
    for (;;) {
      const startMs = now();
      // The arms of a block work on the same input, in the same order of modes.
      const report = await runRepeat({ ...spec, seed: seed + block, repeat: block }, signal);
      if (signal.aborted) return { processes, kept: false };
      const figures = report.status === 'ok' ? figuresOf(report) : undefined;
      if (figures === undefined) {
        const reason = report.reason ?? 'it has too few blocks';
        throw new HarnessError('WRONG_RESULT', `block ${block}, arm ${name}: ${reason}`);
      }
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

/** The last process of each arm. */
export function latest(processes: readonly BankProcess[]): BankProcess[] {
  return [...new Map(processes.map((process) => [process.arm, process])).values()];
}

function isSlowed({ kernelNs: { tenth, quarter } }: BankProcess): boolean {
  return quarter > tenth * (1 + QUARTER_TOLERANCE);
}

function isDisturbed(processes: readonly BankProcess[]): boolean {
  const tenths = processes.map(({ kernelNs }) => kernelNs.tenth);
  return (
    processes.some(isSlowed) || Math.max(...tenths) > Math.min(...tenths) * (1 + TENTH_TOLERANCE)
  );
}
