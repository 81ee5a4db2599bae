/**
 * How small a difference of two costs can be and still be shown.
 *
 * @module
 */

import { mean, standardDeviation } from './moments.ts';
import { ratioInterval } from './ratio.ts';
import { MISS, type Interval } from './interval.ts';
import { studentQuantile } from './student.ts';

/** What pairs of the same with the same say about pairs of one with another. */
export interface SameComparison {
  /** Geometric mean of the ratios of the pairs; the truth is 1. */
  readonly ratio: number;
  readonly interval: Interval;
  /** The outer end of the interval: how far from 1 a difference can seem where there is none. */
  readonly floor: number;
  /** Standard deviation of the log-ratios of the pairs. */
  readonly deviation: number;
}

/**
 * @param logRatios Natural logarithms, one per pair in which both sides did the same.
 * @throws RangeError for fewer than two pairs.
 */
export function compareSame(logRatios: readonly number[]): SameComparison {
  const interval = ratioInterval(logRatios);
  if (interval === undefined) {
    throw new RangeError(`"logRatios" expected at least two pairs, got ${logRatios.length}`);
  }
  return {
    ratio: Math.exp(mean(logRatios)),
    interval,
    floor: Math.max(interval.high, 1 / interval.low) - 1,
    deviation: standardDeviation(logRatios),
  };
}

/**
 * The smallest true difference that pairs like these would show, as a share: with `pairs` pairs its
 * whole 95 % interval is expected to lie beyond the floor. It is then shown every second time; one of
 * half a width more is shown nearly always.
 *
 * @param floor As a share: below it no difference counts.
 * @param deviation Standard deviation of the log-ratios.
 * @param pairs Two or more.
 */
export function smallestDifference(floor: number, deviation: number, pairs: number): number {
  const half = (studentQuantile(1 - MISS / 2, pairs - 1) * deviation) / Math.sqrt(pairs);
  return (1 + floor) * Math.exp(half) - 1;
}
