/**
 * The bank: many comparisons of a thing with itself, so that a machine's rate of false alarms is
 * counted and not assumed.
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
import { meanInterval, type Interval } from '../stats/interval.ts';
import { mean } from '../stats/moments.ts';
import { proportionInterval } from '../stats/proportion.ts';
import { loadWorkload } from '../suite/parse.ts';
import { figuresOf, type FigureName, type ProcessFigures } from './bank-figures.ts';
import { loadPipelines } from './pipelines-info.ts';
import type { RunRepeat } from './repeat-report.ts';

const PIPELINE = 'double-ratchet';
/** Every message is like another, as figures over blocks need it. */
const WORKLOAD = 'one-way';
/** A batch of all sessions, however fast the machine is in its warm-up: then blocks are equal, too. */
const SESSIONS = 24;
/** Half of their rounds are read by CPU: some 60 blocks, about 0.2 s. */
const MESSAGES = 120;
const WARMUP_MS = 150;

export interface Arm {
  readonly name: string;
  readonly spec: RepeatSpec;
}

/** One process of a block. */
export interface BankProcess extends ProcessFigures {
  readonly arm: string;
  readonly wallMs: number;
}

/** One attempt at a block, in the order in which its processes ran. */
export interface BankBlock {
  readonly block: number;
  /** 0, 1, ... */
  readonly attempt: number;
  /** Whether the machine changed its speed, within a process or between them. */
  readonly disturbed: boolean;
  /** Whether it counts: the last attempt of its block. */
  readonly kept: boolean;
  /** One of each arm, or up to the first that was disturbed where the block is not kept. */
  readonly processes: readonly BankProcess[];
}

/** A thing and a copy of it: what a machine calls a difference between them is a false alarm. */
export async function armsOfSame(): Promise<Arm[]> {
  const { workload } = await loadWorkload(WORKLOAD);
  const { options } = (await loadPipelines([PIPELINE])).get(PIPELINE)!;
  const spec: RepeatSpec = {
    cell: `bank/${PIPELINE}/native/${WORKLOAD}:messages=${MESSAGES},sessions=${SESSIONS}/t1`,
    pipeline: PIPELINE,
    options: Object.fromEntries(
      Object.entries(options).map(([name, option]) => [name, option.default]),
    ),
    provider: 'native',
    workload: { ...workload, sessions: SESSIONS, messages: MESSAGES },
    threads: 1,
    seed: 1,
    repeat: 0,
    randomness: 'os',
    purpose: 'measure',
    warmupMs: WARMUP_MS,
  };
  return ['A', "A'"].map((name) => ({ name, spec }));
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
  /** Called as a block ends, before the next begins. */
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
/** Then the block is kept as it is, so that a restless machine has its bank, too. */
export const ATTEMPTS_MAX = 6;

/**
 * Runs what is missing of the bank. The block that `signal` interrupts is dropped.
 *
 * @throws HarnessError for a process that fails.
 */
export async function fillBank(options: FillOptions): Promise<void> {
  const { blocks, done, signal, onBlock } = options;
  const finished = new Set(done.filter((block) => block.kept).map(({ block }) => block));
  for (let block = 0; block < blocks; block++) {
    if (finished.has(block)) continue;
    let attempt = done.filter((before) => before.block === block).length;
    for (; ; attempt++) {
      const last = attempt >= ATTEMPTS_MAX - 1;
      const processes = await runBlock(options, block, attempt, last);
      if (signal.aborted) return;
      const disturbed = isDisturbed(processes);
      const kept = last || !disturbed;
      onBlock({ block, attempt, disturbed, kept, processes });
      if (kept) break;
    }
  }
}

/** @param whole Whether to run every arm, whatever disturbs it. */
async function runBlock(
  { arms, seed, signal, runRepeat, now }: FillOptions,
  block: number,
  attempt: number,
  whole: boolean,
): Promise<BankProcess[]> {
  const processes: BankProcess[] = [];
  for (const { name, spec } of new SeededRandom(seed, block, attempt).shuffle([...arms])) {
    const startMs = now();
    // The arms of a block work on the same input, in the same order of modes.
    const report = await runRepeat({ ...spec, seed: seed + block, repeat: block }, signal);
    if (signal.aborted) return processes;
    const figures = report.status === 'ok' ? figuresOf(report) : undefined;
    if (figures === undefined) {
      const reason = report.reason ?? 'it has too few blocks';
      throw new HarnessError('WRONG_RESULT', `block ${block}, arm ${name}: ${reason}`);
    }
    processes.push({ arm: name, wallMs: Math.round(now() - startMs), ...figures });
    if (!whole && isDisturbed(processes)) break;
  }
  return processes;
}

function isDisturbed(processes: readonly BankProcess[]): boolean {
  const tenths = processes.map(({ kernelNs }) => kernelNs.tenth);
  return (
    processes.some(
      ({ kernelNs: { tenth, quarter } }) => quarter > tenth * (1 + QUARTER_TOLERANCE),
    ) || Math.max(...tenths) > Math.min(...tenths) * (1 + TENTH_TOLERANCE)
  );
}

/** Of one arm against the first, over the blocks of one comparison. */
export interface Comparison {
  /** Times the first arm: the geometric mean over blocks. */
  readonly ratio: number;
  /** 95 %, Student's t on the mean of the logarithms. */
  readonly interval: Interval;
  /** Whether the whole interval lies beyond the floor. */
  readonly beyond: 'slower' | 'faster' | 'no';
}

export interface ArmResult {
  readonly arm: string;
  readonly comparisons: readonly Comparison[];
  /** How many intervals lie beyond the floor. */
  readonly beyond: number;
  /** Of the share of comparisons that do, exact; undefined without a comparison. */
  readonly beyondShare: Interval | undefined;
}

/**
 * Judges the comparisons that are complete.
 *
 * @param arms The first is what the others are compared with.
 * @param floor Declared before: a difference of less is none that matters, as a share.
 */
export function judgeBank(
  blocks: readonly BankBlock[],
  arms: readonly string[],
  perComparison: number,
  floor: number,
  figure: FigureName,
): ArmResult[] {
  const [base, ...others] = arms;
  const kept = blocks.filter((block) => block.kept).toSorted((a, b) => a.block - b.block);
  const groups = Map.groupBy(kept, ({ block }) => Math.floor(block / perComparison));
  const complete = [...groups.values()].filter((group) => group.length === perComparison);
  return others.map((arm) => {
    const comparisons = complete.map((group) =>
      compare(
        group.map(({ processes }) => logRatio(processes, base!, arm, figure)),
        floor,
      ),
    );
    const beyond = comparisons.filter((comparison) => comparison.beyond !== 'no').length;
    const beyondShare =
      comparisons.length === 0 ? undefined : proportionInterval(beyond, comparisons.length);
    return { arm, comparisons, beyond, beyondShare };
  });
}

function logRatio(
  processes: readonly BankProcess[],
  base: string,
  arm: string,
  figure: FigureName,
): number {
  const of = (name: string): number =>
    processes.find((process) => process.arm === name)!.cpuNs[figure];
  return Math.log(of(arm) / of(base));
}

function compare(logarithms: readonly number[], floor: number): Comparison {
  const interval = meanInterval(logarithms);
  if (interval === undefined) {
    throw new RangeError(`"perComparison" expected at least two blocks, got ${logarithms.length}`);
  }
  const { low, high } = interval;
  const edge = Math.log1p(floor);
  return {
    ratio: Math.exp(mean(logarithms)),
    interval: { low: Math.exp(low), high: Math.exp(high) },
    beyond: low > edge ? 'slower' : high < -edge ? 'faster' : 'no',
  };
}
