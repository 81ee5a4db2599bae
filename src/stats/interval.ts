/**
 * Confidence intervals of 95 % for one sample of independent values.
 *
 * Values are independent when they come from different processes: one per repeat. Messages, batches
 * and blocks of one process are not, and no interval here is meant for them. Where processes of a
 * cell ran so close in time that they met the same state of the machine, see serial-correlation.ts.
 *
 * There is no bootstrap. Bias-corrected and accelerated, over 20 or 40 values shaped like ours, it
 * covers a mean with 91 to 93 %, where Student's t covers it with 94 to 95 %.
 *
 * @module
 */

import { mean, standardDeviation } from './moments.ts';
import { sortSamples } from './quantile.ts';
import { studentQuantile } from './student.ts';

/** In the unit of the values. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Of both tails together: 5 % of the intervals miss. */
export const MISS = 0.05;

/** The fewest values whose extremes cover the median with 95 %. */
const ORDER_STATISTICS_FROM = 6;

/**
 * The interval that `sealbench` prints for a cost over repeats. It is for the median of the
 * distribution that repeats are drawn from, and always holds the median of the sample.
 *
 * From six values on it is {@link medianInterval}, whatever the shape. Three to five values are too
 * few for order statistics; there it is {@link meanInterval}, which is for the mean, but so wide
 * that it covers the median of a skewed cost as well: 94 to 95 % in simulation even for log-normal
 * costs with a deviation of 100 %. With more values t would follow the mean away from the median.
 * Logarithms would help no cost, and would fail where values lie around zero: a sample that happens
 * to be all positive would be taken for a cost. A low end below zero says that three repeats that
 * differ by half are too few.
 *
 * Source: as the two; the coverage is simulated in the tests.
 *
 * @returns `undefined` for fewer than three values.
 */
export function repeatInterval(values: readonly number[]): Interval | undefined {
  if (values.length < 3) return undefined;
  if (values.length >= ORDER_STATISTICS_FROM) return medianInterval(values);
  return meanInterval(values);
}

/**
 * For the mean, from Student's t with n - 1 degrees of freedom. Exact for normal values.
 *
 * Source: Student, "The Probable Error of a Mean", *Biometrika* 6, 1908.
 *
 * @returns `undefined` for fewer than two values.
 */
export function meanInterval(values: readonly number[]): Interval | undefined {
  const n = values.length;
  if (n < 2) return undefined;
  const centre = mean(values);
  const half = (studentQuantile(1 - MISS / 2, n - 1) * standardDeviation(values)) / Math.sqrt(n);
  return { low: centre - half, high: centre + half };
}

/** For the geometric mean, or a ratio, from the interval of its logarithm. */
export function exponentiated(logarithms: Interval | undefined): Interval | undefined {
  return logarithms && { low: Math.exp(logarithms.low), high: Math.exp(logarithms.high) };
}

/**
 * For the median, between order statistics: no shape is assumed.
 *
 * Two order statistics alone cover 95 % or anything up to 99 %, as the number of values falls; the
 * interpolation between neighbouring ones covers 94 to 96 % for smooth distributions.
 *
 * Source: T. P. Hettmansperger and S. J. Sheather, "Confidence Intervals Based on Interpolated Order
 * Statistics", *Statistics & Probability Letters* 4, 1986.
 *
 * @returns `undefined` for fewer than six values, whose extremes cover less than 95 %.
 */
export function medianInterval(values: readonly number[]): Interval | undefined {
  const n = values.length;
  if (n < ORDER_STATISTICS_FROM) return undefined;
  // How often fewer than `rank` of n values lie below the median: a tail of the binomial. The terms,
  // C(n, rank) / 2^n, are kept as logarithms against underflow.
  let rank = 1;
  let logTerm = -n * Math.LN2;
  let tail = Math.exp(logTerm);
  let nextTail = tail;
  for (;;) {
    logTerm += Math.log((n - rank + 1) / rank);
    nextTail = tail + Math.exp(logTerm);
    if (nextTail > MISS / 2) break;
    tail = nextTail;
    rank++;
  }
  // [rank] covers 95 % or more, [rank + 1] less.
  const share = (MISS / 2 - tail) / (nextTail - tail);
  const weight = ((n - rank) * share) / (rank + (n - 2 * rank) * share);
  const sorted = sortSamples(values);
  const between = (outer: number, inner: number): number => outer + weight * (inner - outer);
  return {
    low: between(sorted[rank - 1]!, sorted[rank]!),
    high: between(sorted[n - rank]!, sorted[n - rank - 1]!),
  };
}
