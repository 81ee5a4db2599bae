/**
 * What the harness adds to a stage call on this machine, now: part of every run.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import type { OverheadSamples } from '../engine/overhead.ts';
import type { TimedId } from '../measure/facts.ts';
import { medianInterval } from '../stats/interval.ts';
import { median } from '../stats/quantile.ts';
import { askChild } from './child.ts';

/** A fresh process each, for a process is the unit: pairs of one share its compiled code. */
const PROCESSES = 6;

/** Nanoseconds per stage call, with the 95 % interval of the median over processes. */
interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Processes. */
  readonly repeats?: number;
}

export interface Overhead {
  /** In CPU batches: engine minus plain loop. */
  readonly cpuNs: Estimate;
  /** In latency batches: engine minus plain loop, one clock reading included. */
  readonly latencyNs: Estimate;
  readonly clockReadNs: number;
  /** CPU of a call that does next to nothing, by stage. */
  readonly emptyCallNs: Partial<Record<TimedId, number>>;
}

/**
 * Runs child processes for about three seconds. Of the four stages the one with the highest upper
 * bound is reported.
 *
 * @throws HarnessError when a child fails.
 */
export async function calibrateOverhead(signal: AbortSignal): Promise<Overhead> {
  const processes: OverheadSamples[] = [];
  for (let process = 0; process < PROCESSES; process++) {
    const result = await askChild('overhead', {}, signal);
    if ('died' in result) {
      throw new HarnessError(
        'WRONG_RESULT',
        `the overhead could not be calibrated: its process ${result.died}`,
      );
    }
    processes.push(result.answer as OverheadSamples);
  }
  return summariseOverhead(processes);
}

/** @param processes Of the same stages in the same order. */
export function summariseOverhead(processes: readonly OverheadSamples[]): Overhead {
  const stages = processes[0]?.stages ?? [];
  const medians = (of: 'cpuNs' | 'latencyNs' | 'emptyNs', stage: number): number[] =>
    processes.map((samples) => median(samples.stages[stage]![of]));
  return {
    cpuNs: worst(stages.map((_, stage) => estimate(medians('cpuNs', stage)))),
    latencyNs: worst(stages.map((_, stage) => estimate(medians('latencyNs', stage)))),
    clockReadNs: median(processes.map(({ clockReadNs }) => clockReadNs)),
    emptyCallNs: Object.fromEntries(
      stages.map(({ id }, stage) => [id, median(medians('emptyNs', stage))]),
    ),
  };
}

function estimate(valuesNs: readonly number[]): Estimate {
  const value = median(valuesNs);
  const interval = medianInterval(valuesNs) ?? { low: value, high: value };
  return { value, ...interval, repeats: valuesNs.length };
}

function worst(estimates: readonly Estimate[]): Estimate {
  return estimates.reduce((worse, one) => (one.high > worse.high ? one : worse));
}
