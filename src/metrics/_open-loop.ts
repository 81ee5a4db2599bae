/**
 * What the shards of an open loop read, put together.
 *
 * @module
 */

import type { OpenFacts, ShardFacts } from '../measure/facts.ts';
import { Histogram } from '../measure/histogram.ts';

export function openShards(shards: readonly ShardFacts[]): OpenFacts[] {
  return shards.flatMap(({ open }) => open ?? []);
}

/** Of all threads; empty without an open loop. */
export function mergedTimes(
  shards: readonly ShardFacts[],
  which: 'service' | 'response' | 'lag',
): Histogram {
  const histogram = new Histogram();
  for (const open of openShards(shards)) histogram.merge(Histogram.decode(open[which]));
  return histogram;
}

/** Messages per second of all threads together, each over its own time. */
export function summedRate(
  shards: readonly ShardFacts[],
  time: 'scheduledNs' | 'elapsedNs',
): number | undefined {
  let rate = 0;
  for (const open of openShards(shards)) {
    if (open[time] <= 0) return undefined;
    rate += (open.messages * 1e9) / open[time];
  }
  return rate === 0 ? undefined : rate;
}
