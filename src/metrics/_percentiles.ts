/**
 * The percentiles of a histogram that its samples can carry.
 *
 * @module
 */

import type { Histogram } from '../measure/histogram.ts';
import type { Figure } from './_metric.ts';

const PERCENTILES = [
  { statistic: 'p50', percent: 50 },
  { statistic: 'p90', percent: 90 },
  { statistic: 'p99', percent: 99 },
  { statistic: 'p99.9', percent: 99.9 },
] as const;

/** A percentile that rests on fewer larger samples is those samples' luck. */
const FEWEST_BEYOND = 30;

/** None for an empty histogram. */
export function percentilesOf(
  histogram: Histogram,
  at: Partial<Pick<Figure, 'stage' | 'role' | 'kind'>> = {},
): Figure[] {
  const { count, max } = histogram;
  if (max === undefined) return [];
  const where = { stage: '', role: '', kind: '', ...at } as const;
  const figures: Figure[] = [];
  for (const { statistic, percent } of PERCENTILES) {
    const samplesBeyond = Math.floor((count * (1000 - percent * 10)) / 1000);
    const value = histogram.valueAtPercentile(percent);
    if (value === undefined || samplesBeyond < FEWEST_BEYOND) continue;
    figures.push({ ...where, statistic, value, samplesBeyond });
  }
  figures.push({ ...where, statistic: 'max', value: max, samplesBeyond: 0 });
  return figures;
}
