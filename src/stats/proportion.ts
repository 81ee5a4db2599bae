/**
 * The interval of a proportion: of how many processes out of some something was true.
 *
 * @module
 */

import { MISS, type Interval } from './interval.ts';

const BISECTIONS = 60;

/**
 * Exact bounds: the shares with which so many successes or more, and so many or fewer, would be
 * seen in 2.5 % of all experiments.
 *
 * They cover at least 95 % whatever the truth, and for few trials more, up to all: a count has no
 * values between its whole numbers, so nothing could cover 95 % of them exactly. Trials must be
 * independent, as fresh processes are.
 *
 * Source: C. J. Clopper and E. S. Pearson, "The Use of Confidence or Fiducial Limits Illustrated in
 * the Case of the Binomial", *Biometrika* 26, 1934.
 *
 * @throws RangeError for counts that are none.
 */
export function proportionInterval(successes: number, trials: number): Interval {
  if (!(Number.isInteger(trials) && trials >= 1)) {
    throw new RangeError(`"trials" expected a whole number from 1, got ${trials}`);
  }
  if (!(Number.isInteger(successes) && successes >= 0 && successes <= trials)) {
    throw new RangeError(`"successes" expected 0 to ${trials}, got ${successes}`);
  }
  const upper = (of: number): number =>
    of === trials ? 1 : shareAt((share) => probabilityUpTo(of, trials, share) > MISS / 2);
  return { low: 1 - upper(trials - successes), high: upper(successes) };
}

/** Where `isBelow` turns from true to false in [0, 1]. */
function shareAt(isBelow: (share: number) => boolean): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < BISECTIONS; i++) {
    const share = (low + high) / 2;
    if (isBelow(share)) low = share;
    else high = share;
  }
  return (low + high) / 2;
}

/** P(X <= count) of a binomial X; terms are kept as logarithms against underflow. */
function probabilityUpTo(count: number, trials: number, share: number): number {
  if (share <= 0) return 1;
  if (share >= 1) return count >= trials ? 1 : 0;
  const logOdds = Math.log(share) - Math.log1p(-share);
  let logTerm = trials * Math.log1p(-share);
  let sum = 0;
  for (let hits = 0; hits <= count; hits++) {
    if (hits > 0) logTerm += Math.log((trials - hits + 1) / hits) + logOdds;
    sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}
