import type { ShardFacts } from '../measure/facts.ts';
import { figure, type Metric } from './_metric.ts';

/**
 * Sessions opened per second, at the end that opens them: `publish` and `initiate`, over all threads.
 * The other end opens its session with the first message, which is in `throughput`.
 */
const sessionRate: Metric = {
  name: 'session-rate',
  unit: 'sessions/s',
  direction: 'higher',
  title: 'Sessions opened per second at the end that opens them',
  derive({ shards }) {
    const rates = shards.map(rateOf);
    if (rates.length === 0 || rates.includes(undefined)) return [];
    return [figure(rates.reduce<number>((sum, rate) => sum + rate!, 0))];
  },
};

/** Of one thread, by the wall time of its blocks; undefined where opening took none. */
function rateOf({ sessions, blocks }: ShardFacts): number | undefined {
  const { phase, wallNs } = blocks;
  let openNs = 0;
  for (const [at, ns] of wallNs.entries()) if (phase[at] === 'open') openNs += ns;
  return openNs > 0 ? (sessions * 1e9) / openNs : undefined;
}

export default sessionRate;
