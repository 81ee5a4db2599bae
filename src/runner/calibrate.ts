/**
 * What the harness adds to a stage call on this machine, now: part of every run.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import type { OverheadSamples } from '../engine/overhead.ts';
import { medianInterval } from '../stats/interval.ts';
import { median } from '../stats/quantile.ts';
import { askChild } from './child.ts';

/** Nanoseconds per stage call, with the 95 % interval of the median over pairs. */
interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface Overhead {
  /** In CPU batches: engine minus plain loop. */
  readonly cpuNs: Estimate;
  /** In latency batches: engine minus plain loop, one clock reading included. */
  readonly latencyNs: Estimate;
  readonly clockReadNs: number;
}

/**
 * Runs a child process for about a second. Of the four stages the one with the highest upper bound
 * is reported.
 *
 * @throws HarnessError when the child fails.
 */
export async function calibrateOverhead(signal: AbortSignal): Promise<Overhead> {
  const result = await askChild('overhead', {}, signal);
  if ('died' in result) {
    throw new HarnessError(
      'WRONG_RESULT',
      `the overhead could not be calibrated: its process ${result.died}`,
    );
  }
  const { stages, clockReadNs } = result.answer as OverheadSamples;
  return {
    cpuNs: worst(stages.map(({ cpuNs }) => estimate(cpuNs))),
    latencyNs: worst(stages.map(({ latencyNs }) => estimate(latencyNs))),
    clockReadNs,
  };
}

function estimate(differencesNs: readonly number[]): Estimate {
  const value = median(differencesNs);
  return { value, ...(medianInterval(differencesNs) ?? { low: value, high: value }) };
}

function worst(estimates: readonly Estimate[]): Estimate {
  return estimates.reduce((worse, one) => (one.high > worse.high ? one : worse));
}
