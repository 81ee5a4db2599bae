/**
 * What open loops read: shards that carry messages by a schedule, and the driver of a relay.
 *
 * @module
 */

import type { OpenFacts, ShardFacts } from '../measure/facts.ts';
import { Histogram } from '../measure/histogram.ts';
import type { RelayFacts } from '../measure/relay-facts.ts';
import type { Figure, MetricInput } from './_metric.ts';
import { percentilesOf } from './_percentiles.ts';

function openShards(shards: readonly ShardFacts[]): OpenFacts[] {
  return shards.flatMap(({ open }) => open ?? []);
}

/** Percentiles of a time: of messages carried in this process, and of requests of a relay by kind. */
export function timeFigures(
  { shards, relay }: MetricInput,
  which: 'service' | 'response' | 'lag',
): Figure[] {
  return [
    ...percentilesOf(mergedTimes(shards, which)),
    ...REQUESTS.flatMap((kind) => {
      const requests = relay?.openLoop?.[kind];
      return requests === undefined
        ? []
        : percentilesOf(Histogram.decode(requests[which]), { kind });
    }),
  ];
}

const REQUESTS = ['append', 'fetch', 'acknowledge'] as const satisfies readonly (keyof NonNullable<
  RelayFacts['openLoop']
>)[];

/** Of all threads; empty without an open loop. */
function mergedTimes(
  shards: readonly ShardFacts[],
  which: 'service' | 'response' | 'lag',
): Histogram {
  const histogram = new Histogram();
  for (const open of openShards(shards)) histogram.merge(Histogram.decode(open[which]));
  return histogram;
}

/** Messages per second of all threads together, each over its own time; of a relay, of its appends. */
export function messageRate(
  { shards, relay }: MetricInput,
  time: 'scheduledNs' | 'elapsedNs',
): number | undefined {
  const loops = [
    ...openShards(shards),
    ...(relay?.openLoop === undefined ? [] : [relay.openLoop.append]),
  ];
  let rate = 0;
  for (const loop of loops) {
    if (loop[time] <= 0) return undefined;
    rate += (loop.messages * 1e9) / loop[time];
  }
  return rate === 0 ? undefined : rate;
}
