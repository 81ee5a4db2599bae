/**
 * Whether a generator of load kept up with its own schedule.
 *
 * @module
 */

import type { Histogram } from './histogram.ts';

/** Response times may be so many times those without lag, at the 99th percentile. */
const LAGGED_MAX = 1.1;
const PERCENTILE = 99;

/**
 * Why times of an open loop say more of the generator than of the system; undefined when they do not.
 *
 * @param response From the scheduled moments on, as they were read.
 * @param unlagged Of the same moments and service times, had each been begun in time.
 */
export function fellBehind(response: Histogram, unlagged: Histogram): string | undefined {
  const responseNs = response.valueAtPercentile(PERCENTILE);
  const unlaggedNs = unlagged.valueAtPercentile(PERCENTILE);
  if (responseNs === undefined || unlaggedNs === undefined) return undefined;
  if (responseNs <= unlaggedNs * LAGGED_MAX) return undefined;
  return (
    `the generator itself fell behind: 1 message in 100 took ${microseconds(responseNs)} us or more ` +
    `from its moment on, and would have taken ${microseconds(unlaggedNs)} us had each been begun in ` +
    'time; repeat it on a quieter machine or on fewer threads'
  );
}

function microseconds(ns: number): string {
  return String(Number((ns / 1e3).toPrecision(3)));
}
