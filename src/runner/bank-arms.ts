/**
 * What the bank compares: a cell, a copy of it, and the cell slowed down by known shares.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import type { RepeatSpec } from '../engine/spec.ts';
import { meanInterval } from '../stats/interval.ts';
import { mean } from '../stats/moments.ts';
import { loadWorkload } from '../suite/parse.ts';
import { figuresOf, type FigureName, type ProcessFigures } from './bank-figures.ts';
import { fillBlocks, type Arm, type Block, type FillOptions } from './blocks.ts';
import { loadPipelines } from './pipelines-info.ts';

const PIPELINE = 'double-ratchet';
/** Every message is like another, as figures over blocks need it. */
const WORKLOAD = 'one-way';
/**
 * No more than the smallest batch of the engine: then every batch is one of all sessions, however fast
 * the machine is in its warm-up, and blocks are equal.
 */
const SESSIONS = 16;
/**
 * Half of their rounds are read by CPU: 180 blocks. Ratios of equal processes vary by 2.3 %, with twice
 * as many by 1.3 %, and with a quarter, of more sessions, by 8 to 20 %.
 */
const MESSAGES = 360;
const WARMUP_MS = 150;

/** Shares of the CPU per message that are added, by the name of the arm. */
export const PLANTED: Readonly<Record<string, number>> = {
  'A+3%': 0.03,
  'A+5%': 0.05,
  'A+10%': 0.1,
};
/** Of these the bank has arms. */
const PLANTED_IN_BANK = ['A+3%', 'A+5%'];

const [BASE, COPY, SLOW] = ['A', "A'", 'slow'];
/**
 * As what is planted, single calls are made again, since a third call in a row costs less than a second;
 * several times as many of them, so that noise is small beside it.
 */
const CALIBRATION_CALLS = 0.5;
const CALIBRATION_BLOCKS = 40;

export type BankBlock = Block<ProcessFigures>;

/** What one extra call for each call of an AEAD costs. */
export interface Calibration {
  /** That were measured, for each call. */
  readonly extraCalls: number;
  /** Pairs of processes. */
  readonly blocks: number;
  /** By one extra call for each call, as a share of the CPU per message. */
  readonly added: number;
  /** 95 % of `added`. */
  readonly low: number;
  readonly high: number;
}

/**
 * The arms in the order in which they are declared; all go through the same wrapper.
 *
 * @param planted Names of slowdowns.
 */
export async function armsOf(
  { added }: Pick<Calibration, 'added'>,
  planted: readonly string[] = PLANTED_IN_BANK,
): Promise<Arm[]> {
  const spec = await specOfBank();
  return [
    { name: BASE, spec },
    { name: COPY, spec },
    ...planted.map((name) => ({
      name,
      spec: { ...spec, extraCalls: PLANTED[name]! / added },
    })),
  ];
}

async function specOfBank(): Promise<RepeatSpec> {
  const { workload } = await loadWorkload(WORKLOAD);
  const { options } = (await loadPipelines([PIPELINE])).get(PIPELINE)!;
  return {
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
    extraCalls: 0,
  };
}

/**
 * Measures, in pairs of fresh processes as the bank has them, what extra calls cost.
 *
 * @returns undefined when `signal` aborts.
 * @throws HarnessError where they do not cost more than nothing: then the machine cannot tell.
 */
export async function calibrate(
  figure: FigureName,
  options: Pick<FillOptions<ProcessFigures>, 'seed' | 'signal' | 'runRepeat'>,
): Promise<Calibration | undefined> {
  const spec = await specOfBank();
  const blocks: BankBlock[] = [];
  await fillBlocks({
    ...options,
    read: figuresOf,
    arms: [
      { name: BASE, spec },
      { name: SLOW, spec: { ...spec, extraCalls: CALIBRATION_CALLS } },
    ],
    blocks: CALIBRATION_BLOCKS,
    onBlock: (block) => blocks.push(block),
  });
  if (options.signal.aborted) return undefined;
  const logarithms = logRatios(blocks, BASE, SLOW, figure);
  const { low, high } = meanInterval(logarithms)!;
  if (low <= 0) {
    throw new HarnessError(
      'WRONG_RESULT',
      `bank: ${CALIBRATION_CALLS} extra calls for each call of an AEAD were expected to cost more ` +
        'than nothing, but this machine is too noisy to tell; leave it alone and try again',
    );
  }
  const perCall = (logarithm: number): number => Math.expm1(logarithm) / CALIBRATION_CALLS;
  return {
    extraCalls: CALIBRATION_CALLS,
    blocks: blocks.length,
    added: perCall(mean(logarithms)),
    low: perCall(low),
    high: perCall(high),
  };
}

/** Logarithms of what an arm costs over what `base` costs, one per block. */
export function logRatios(
  blocks: readonly BankBlock[],
  base: string,
  arm: string,
  figure: FigureName,
): number[] {
  return blocks.map(({ processes }) => {
    const of = (name: string): number =>
      processes.find((process) => process.arm === name)!.cpuNs[figure];
    return Math.log(of(arm) / of(base));
  });
}
