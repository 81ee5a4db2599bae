/**
 * The rule by which two sides differ: fixed before anything is measured, one interval over pairs of
 * fresh processes, and a floor.
 *
 * @module
 */

import { meanInterval, type Interval } from '../stats/interval.ts';
import { mean } from '../stats/moments.ts';

/**
 * `unchanged`: a difference, if there is one, is less than the floor. `undecided`: the interval
 * straddles an edge of the floor; as many pairs cannot tell.
 */
export type Verdict = 'regressed' | 'improved' | 'unchanged' | 'undecided';

export interface Judgement {
  /** Times the base: the geometric mean over pairs. */
  readonly ratio: number;
  /** Of the ratio, 95 %: Student's t on the mean of the logarithms. */
  readonly interval: Interval;
  readonly verdict: Verdict;
}

/**
 * Of a figure of which less is better.
 *
 * @param logarithms Of head over base, one per pair of fresh processes; two at least.
 * @param floor A difference of less is none that matters, as a share.
 */
export function judge(logarithms: readonly number[], floor: number): Judgement {
  const interval = meanInterval(logarithms);
  if (interval === undefined) {
    throw new RangeError(`"logarithms" expected at least two pairs, got ${logarithms.length}`);
  }
  return {
    ratio: Math.exp(mean(logarithms)),
    interval: { low: Math.exp(interval.low), high: Math.exp(interval.high) },
    verdict: verdictOf(interval, Math.log1p(floor)),
  };
}

function verdictOf({ low, high }: Interval, edge: number): Verdict {
  if (low > edge) return 'regressed';
  if (high < -edge) return 'improved';
  return low >= -edge && high <= edge ? 'unchanged' : 'undecided';
}
