/**
 * Whether the process that generated a load was the bottleneck: then what it read says more of itself
 * than of the relay.
 *
 * @module
 */

import { Histogram } from '../../measure/histogram.ts';
import type { OpenLoopResult } from './open-loop.ts';

/** p99 of the lag: above it a response time of some milliseconds is no longer the relay's. */
export const LAG_NS_MAX = 1e6;
/** A lag that is small beside the response time does no harm, however long. */
const LAG_SHARE_MAX = 0.1;
/** As locust warns: a generator that is busier than this no longer keeps time. */
const BUSY_SHARE_MAX = 0.9;
/** Ready but not running, as a share of the time. */
const RUN_DELAY_SHARE_MAX = 0.05;

/** @returns One sentence; undefined when the generator kept up. */
export function generatorFault({
  append,
  generator,
}: Pick<OpenLoopResult, 'append' | 'generator'>): string | undefined {
  const { busyShare, runDelayNs, wallNs } = generator;
  if (busyShare > BUSY_SHARE_MAX) {
    return `the driver was busy for ${percent(busyShare)} of the time, so it was the bottleneck`;
  }
  const lagNs = Histogram.decode(append.lag).valueAtPercentile(99) ?? 0;
  const responseNs = Histogram.decode(append.response).valueAtPercentile(99) ?? 0;
  if (lagNs > LAG_NS_MAX && lagNs > LAG_SHARE_MAX * responseNs) {
    return (
      `the driver fell behind: 1 message in 100 began ${(lagNs / 1e6).toFixed(1)} ms or more after ` +
      'it was due'
    );
  }
  if (runDelayNs > RUN_DELAY_SHARE_MAX * wallNs) {
    return `the driver waited for a core for ${percent(runDelayNs / wallNs)} of the time`;
  }
  return undefined;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
