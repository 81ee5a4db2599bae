/**
 * Ratios of paired values: of two processes run as a pair, or of two stages in a block.
 *
 * The ratio is taken within the pair, where both sides met the same neighbours, and then summarised;
 * a ratio of two medians would compare two moments. Logarithms make it symmetric: twice and half are
 * equally far from equal.
 *
 * @module
 */

import { exponentiated, meanInterval, type Interval } from './interval.ts';
import { mean } from './moments.ts';

export interface PairedRatio {
  /** Geometric mean of the pairs' ratios: 1.05 means that b is 5 % above a. */
  readonly ratio: number;
  /** `undefined` for a single pair. */
  readonly interval: Interval | undefined;
}

/**
 * 95 % interval of the geometric mean of ratios: Student's t on the mean log-ratio, exponentiated.
 *
 * The pairs must be independent. Blocks of one process share its compiled code and its heap, so
 * they are summarised first, to one log-ratio per repeat.
 *
 * Source: Student, "The Probable Error of a Mean", *Biometrika* 6, 1908.
 *
 * @param logRatios Natural logarithms, ln(b / a), one per pair.
 * @returns `undefined` for fewer than two pairs.
 */
export function ratioInterval(logRatios: readonly number[]): Interval | undefined {
  return exponentiated(meanInterval(logRatios));
}

/**
 * The ratio b / a over pairs, with its interval.
 *
 * @param a The base of each pair, positive.
 * @param b The candidate of each pair, positive, in the same order.
 * @throws RangeError for different numbers of values, for none, and for values not above zero.
 */
export function pairedRatio(a: readonly number[], b: readonly number[]): PairedRatio {
  if (a.length !== b.length || a.length === 0) {
    throw new RangeError(`"b" expected one value per value of "a", got ${b.length} to ${a.length}`);
  }
  const logRatios = a.map((base, pair) => Math.log(positive(b[pair]!) / positive(base)));
  return { ratio: Math.exp(mean(logRatios)), interval: ratioInterval(logRatios) };
}

function positive(value: number): number {
  if (value > 0 && value < Infinity) return value;
  throw new RangeError(`a paired value expected a positive number, got ${value}`);
}
