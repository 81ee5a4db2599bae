/**
 * Whether a process reached a steady speed, from what its blocks of work cost in the order of time.
 *
 * @module
 */

import { median } from './quantile.ts';

/**
 * The classes of Barrett et al.: `flat` from the start; faster than before (`warm-up`) or slower
 * (`slowdown`) and then steady; or never steady.
 */
export type SteadyClass = 'flat' | 'warm-up' | 'slowdown' | 'never-settled';

export interface SteadyState {
  readonly class: SteadyClass;
  /** Blocks before the first steady window; all of them when it never settled. */
  readonly unsettledBlocks: number;
}

const WINDOWS = 5;
/** The last so many windows must agree, or nothing has settled. */
const WINDOWS_AGREEING = 3;
/** A median of fewer blocks is no more than one of them. */
const BLOCKS_PER_WINDOW_MIN = 3;
/** Windows that differ by less agree, however quiet the process. */
const TOLERANCE_MIN = 0.05;
/** How many standard errors of a window's median may lie between it and the others. */
const STANDARD_ERRORS = 3;
/** Of a median, over that of a mean of the same values, where they are normal: the root of pi / 2. */
const MEDIAN_OVER_MEAN = Math.sqrt(Math.PI / 2);
/** The median of |a - b| of two independent standard normal values: 0.6745 times the root of 2. */
const MEDIAN_DIFFERENCE = 0.6744897501960817 * Math.SQRT2;

/**
 * Cuts the blocks into five windows of equal length and compares their medians. The process has
 * settled at the earliest window from which on every median lies within a tolerance of the median of
 * them all, provided that three windows are left.
 *
 * The tolerance is 5 %, or three standard errors of a window's median where blocks scatter more. The
 * scatter is that of neighbouring blocks, into which no trend enters. To it is added what the
 * reference kernel moved by over the same windows: where code that is warm since long became slower
 * by a tenth, a tenth says nothing about the code under test.
 *
 * Source: the classes and the question are those of E. Barrett, C. F. Bolz-Tereick, R. Killick,
 * S. Mount and L. Tratt, "Virtual Machine Warmup Blows Hot and Cold", *Proceedings of the ACM on
 * Programming Languages* 1 (OOPSLA), 2017. They find change points in thousands of iterations; a
 * repeat has some tens of blocks, for which medians of windows are enough. The scatter is that of
 * J. von Neumann, "Distribution of the Ratio of the Mean Square Successive Difference to the
 * Variance", *Annals of Mathematical Statistics* 12, 1941, with a median against outliers.
 *
 * @param costs One per block, in the order of time, in any unit.
 * @param reference What the reference kernel cost in the same blocks; 0 where it was not read.
 * @returns undefined for fewer than 15 blocks, of which nothing can be told.
 */
export function steadyStateOf(
  costs: readonly number[],
  reference: readonly number[],
): SteadyState | undefined {
  if (costs.length !== reference.length) {
    throw new RangeError(
      `"reference" expected one value per value of "costs", got ${reference.length} to ${costs.length}`,
    );
  }
  if (costs.length < WINDOWS * BLOCKS_PER_WINDOW_MIN) return undefined;
  const windows = cut(costs);
  const medians = windows.map(median);
  const references = cut(reference).map(median);
  const standardError =
    (MEDIAN_OVER_MEAN * scatterOf(windows, medians)) / Math.sqrt(costs.length / WINDOWS);
  for (let first = 0; first <= WINDOWS - WINDOWS_AGREEING; first++) {
    const settled = medians.slice(first);
    const level = median(settled);
    const tolerance =
      Math.max(TOLERANCE_MIN, STANDARD_ERRORS * standardError) + spreadOf(references.slice(first));
    if (!settled.every((value) => Math.abs(value - level) <= tolerance * level)) continue;
    if (first === 0) return { class: 'flat', unsettledBlocks: 0 };
    return {
      class: median(medians.slice(0, first)) > level ? 'warm-up' : 'slowdown',
      unsettledBlocks: boundary(first, costs.length),
    };
  }
  return { class: 'never-settled', unsettledBlocks: costs.length };
}

function cut(values: readonly number[]): number[][] {
  return Array.from({ length: WINDOWS }, (_, window) =>
    values.slice(boundary(window, values.length), boundary(window + 1, values.length)),
  );
}

/** Number of the first block of a window. */
function boundary(window: number, blocks: number): number {
  return Math.round((window * blocks) / WINDOWS);
}

/** Standard deviation of a block around the trend, as a share, from differences of neighbours. */
function scatterOf(windows: readonly (readonly number[])[], medians: readonly number[]): number {
  const differences = windows.flatMap((values, window) =>
    values.slice(1).map((value, index) => Math.abs(value - values[index]!) / medians[window]!),
  );
  const known = differences.filter(Number.isFinite);
  return known.length === 0 ? 0 : median(known) / MEDIAN_DIFFERENCE;
}

/** By what share the highest is above the lowest; 0 where it was not read. */
function spreadOf(values: readonly number[]): number {
  const lowest = Math.min(...values);
  return lowest > 0 ? Math.max(...values) / lowest - 1 : 0;
}
