/**
 * Figures of several repeats as one value with its interval.
 *
 * Comparisons are paired: repeat r of one cell with repeat r of the other, which share a seed and
 * ran close in time. They are taken within the pair and then summarised.
 *
 * @module
 */

import { meanInterval, repeatInterval } from '../stats/interval.ts';
import { mean } from '../stats/moments.ts';
import { proportionInterval } from '../stats/proportion.ts';
import { median } from '../stats/quantile.ts';
import { pairedRatio } from '../stats/ratio.ts';
import { widened, widening } from '../stats/serial-correlation.ts';
import type { Series } from './cells.ts';

/** Below this an interval of 95 % would be so wide that it misleads. */
const FEWEST_FOR_INTERVAL = 3;

export interface Estimate {
  readonly value: number;
  /** 95 % interval; undefined where there are fewer than 3 repeats. */
  readonly low: number | undefined;
  readonly high: number | undefined;
  /** Repeats, or pairs of repeats, behind it. */
  readonly repeats: number;
}

/**
 * The median over repeats, or of the statistic `share` the share of repeats for which it is 1. An
 * interval of a share does not leave 0 to 1.
 */
export function summarise(series: Series | undefined): Estimate | undefined {
  if (series === undefined || series.values.size === 0) return undefined;
  const values = [...series.values.values()];
  if (series.statistic === 'share') return shareOf(values);
  const value = median(values);
  const factor = widening(series.correlation ?? 0, values.length);
  const { low, high } = bounds(values, value, (sample) => {
    const interval = repeatInterval(sample);
    return interval && widened(interval, value, factor);
  });
  const isShare = series.unit === 'share' && low !== undefined && high !== undefined;
  return {
    value,
    low: isShare ? Math.max(0, low) : low,
    high: isShare ? Math.min(1, high) : high,
    repeats: values.length,
  };
}

/** @param values 0 or 1, one per repeat. */
function shareOf(values: readonly number[]): Estimate {
  const repeats = values.length;
  const hits = values.reduce((sum, value) => sum + value, 0);
  const value = hits / repeats;
  if (repeats < FEWEST_FOR_INTERVAL) return { value, low: undefined, high: undefined, repeats };
  return { value, ...proportionInterval(hits, repeats), repeats };
}

/**
 * How many times `base` the `candidate` is: the geometric mean over pairs of repeats.
 *
 * @returns undefined without a pair in which both are above zero.
 */
export function ratioOf(
  candidate: Series | undefined,
  base: Series | undefined,
): Estimate | undefined {
  const pairs = pairsOf(candidate, base).filter(([a, b]) => a > 0 && b > 0);
  if (pairs.length === 0) return undefined;
  const { ratio, interval } = pairedRatio(
    pairs.map(([, b]) => b),
    pairs.map(([a]) => a),
  );
  const shown = pairs.length < FEWEST_FOR_INTERVAL ? undefined : interval;
  return { value: ratio, low: shown?.low, high: shown?.high, repeats: pairs.length };
}

/**
 * `candidate - base`: the mean over pairs of repeats, so that the differences of roles add up to
 * the difference in all. Student's t on the differences themselves and never on their logarithms,
 * which could not tell that a difference may be nothing.
 */
export function differenceOf(
  candidate: Series | undefined,
  base: Series | undefined,
): Estimate | undefined {
  const differences = pairsOf(candidate, base).map(([a, b]) => a - b);
  if (differences.length === 0) return undefined;
  const value = mean(differences);
  return { value, ...bounds(differences, value, meanInterval), repeats: differences.length };
}

/** Whether the interval leaves open on which side of `neutral` the truth is. */
export function isUndecided({ low, high }: Estimate, neutral: number): boolean {
  return low !== undefined && high !== undefined && low <= neutral && neutral <= high;
}

/**
 * For printing what cannot be negative: with few repeats an interval from Student's t reaches below
 * zero, which says that they are too few. Rows and comparisons keep the interval as it is.
 */
export function notBelowZero(estimate: Estimate | undefined): Estimate | undefined {
  if (estimate?.low === undefined || estimate.low >= 0 || estimate.value < 0) return estimate;
  return { ...estimate, low: 0 };
}

/** Half the width of the interval as a share of the value; undefined without an interval. */
export function relativeHalfWidth({ value, low, high }: Estimate): number | undefined {
  if (low === undefined || high === undefined || value <= 0) return undefined;
  return (high - low) / 2 / value;
}

/** Series added up repeat by repeat, each times a number; repeats that one lacks are left out. */
export function weightedSum(
  terms: readonly (readonly [series: Series | undefined, factor: number])[],
): Series | undefined {
  const [first] = terms[0] ?? [];
  if (first === undefined) return undefined;
  const values = new Map<number, number>();
  for (const repeat of first.values.keys()) {
    let sum = 0;
    for (const [series, factor] of terms) sum += (series?.values.get(repeat) ?? NaN) * factor;
    if (!Number.isNaN(sum)) values.set(repeat, sum);
  }
  return values.size === 0 ? undefined : { ...first, values };
}

function bounds(
  values: readonly number[],
  value: number,
  interval: (values: readonly number[]) => { low: number; high: number } | undefined,
): Pick<Estimate, 'low' | 'high'> {
  if (values.length < FEWEST_FOR_INTERVAL) return { low: undefined, high: undefined };
  // What never varies, as bytes do, has an interval without the rounding of logarithms.
  if (values.every((other) => other === values[0])) return { low: value, high: value };
  const found = interval(values);
  return { low: found?.low, high: found?.high };
}

function pairsOf(
  candidate: Series | undefined,
  base: Series | undefined,
): readonly (readonly [number, number])[] {
  if (candidate === undefined || base === undefined) return [];
  // CPU of a thread leaves out what other threads do for it; that of a process does not.
  if (candidate.cpuBasis !== base.cpuBasis) return [];
  const pairs: [number, number][] = [];
  for (const [repeat, value] of candidate.values) {
    const other = base.values.get(repeat);
    if (other !== undefined) pairs.push([value, other]);
  }
  return pairs;
}
