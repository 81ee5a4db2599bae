/**
 * Figures of one operation of a primitive, from the windows of a repeat.
 *
 * @module
 */

import { Histogram } from '../measure/histogram.ts';
import type { OperationFacts } from '../measure/operation-facts.ts';
import type { MetricInput } from './_metric.ts';

export type TimedOperation = NonNullable<OperationFacts['timed']>;

/** @returns undefined for a repeat of another kind, and for one that timed nothing. */
export function timedOperation({ operation }: MetricInput): TimedOperation | undefined {
  return operation?.timed;
}

/** The samples of all windows. */
export function samplesOf({ windows }: TimedOperation): Histogram {
  const all = new Histogram();
  for (const samples of windows.samples) all.merge(Histogram.decode(samples));
  return all;
}

/** ns per call of the median sample; undefined without samples. */
export function medianCallNs(samples: Histogram, callsPerSample: number): number | undefined {
  const sampleNs = samples.valueAtPercentile(50);
  return sampleNs === undefined ? undefined : sampleNs / callsPerSample;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
