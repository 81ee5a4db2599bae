/**
 * How alike repeats are that ran one after the other, and what that does to an interval.
 *
 * A machine that is slow for minutes is slow for several repeats of a cell. They are then not
 * independent, and an interval that takes them for that is too narrow. Cells that ran interleaved
 * met the same machine, so all of them together tell how alike neighbours are.
 *
 * @module
 */

import type { Interval } from './interval.ts';
import { sortSamples } from './quantile.ts';

/** Beyond it an interval would be wider than anything that could be said with it. */
const CORRELATION_MAX = 0.9;
/** Eight values are corrected by that much; fewer would turn noise into correlation. */
const CORRECTION_MAX = 2;

/**
 * The correlation of ranks of neighbours in time, over several series that met the same machine;
 * 0 where it is not positive, and where no series has three values.
 *
 * Ranks, so that one wild value is not taken for a trend. Where each of n values is correlated with
 * its neighbour by r, a series shows r - (1 + 4 r) / n on average, because its own mean was taken
 * off. That is corrected, but by no more than a factor of two.
 *
 * Source: A. Wald and J. Wolfowitz, "An Exact Test for Randomness in the Non-Parametric Case Based on
 * Serial Correlation", *Annals of Mathematical Statistics* 14, 1943, for ranks; F. H. C. Marriott and
 * J. A. Pope, "Bias in the Estimation of Autocorrelations", *Biometrika* 41, 1954, for the bias.
 *
 * @param series Each in the order of time.
 */
export function serialCorrelation(series: readonly (readonly number[])[]): number {
  let products = 0;
  let squares = 0;
  let lengths = 0; // Of series, weighted as they weigh in the correlation.
  for (const values of series) {
    const n = values.length;
    if (n < 3) continue;
    const ranks = midRanks(values);
    let ownSquares = 0;
    for (const [index, rank] of ranks.entries()) {
      ownSquares += rank * rank;
      if (index > 0) products += rank * ranks[index - 1]!;
    }
    squares += ownSquares;
    lengths += ownSquares * n;
  }
  if (squares === 0) return 0;
  const n = lengths / squares;
  const correction = n > 8 ? 1 / (1 - 4 / n) : CORRECTION_MAX;
  const correlation = (products / squares + 1 / n) * correction;
  return Math.min(CORRELATION_MAX, Math.max(0, correlation));
}

/**
 * How much wider the interval of a mean or median must be: the root of what correlation adds to the
 * variance of a mean of n values, each correlated with its neighbour.
 *
 * The deviation of the n values from their own mean is too small as well, by the same sum; the
 * quotient corrects both.
 *
 * Source: G. E. P. Box, G. M. Jenkins and G. C. Reinsel, *Time Series Analysis*, 4th ed. (2008),
 * section 2.1.5, for a first-order autoregression.
 *
 * @param correlation 0 or more, below 1.
 */
export function widening(correlation: number, n: number): number {
  if (correlation <= 0 || n < 3) return 1;
  let inflation = 1;
  for (let lag = 1; lag < n; lag++) inflation += 2 * (1 - lag / n) * correlation ** lag;
  return Math.sqrt((inflation * (n - 1)) / Math.max(1, n - inflation));
}

/** An interval with each end `factor` times as far from `centre`. */
export function widened({ low, high }: Interval, centre: number, factor: number): Interval {
  return { low: centre - (centre - low) * factor, high: centre + (high - centre) * factor };
}

/** Ranks less their mean; what is equal shares the mean of its ranks. */
function midRanks(values: readonly number[]): number[] {
  const sorted = sortSamples(values);
  const middle = (values.length - 1) / 2;
  return values.map((value) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2 - middle);
}
