import type { ShardFacts } from '../measure/facts.ts';
import { figure, type Metric } from './_metric.ts';

/**
 * Messages delivered per second of the time in which every worker was in its timed phase.
 *
 * Outside that window a worker runs with idle neighbours, which would flatter the rate. What a
 * worker completed inside the window is taken from its blocks, whose wall times are stretched to
 * fill its timed phase: between two blocks lie the checks of what was delivered.
 */
const throughput: Metric = {
  name: 'throughput',
  unit: 'messages/s',
  direction: 'higher',
  title: 'Messages delivered per second while all workers run',
  derive({ shards }) {
    // By a schedule as many are carried as come: that is completed-rate.
    const isOpen = shards.some(({ open, saturation }) => (open ?? saturation) !== undefined);
    if (shards.length === 0 || isOpen) return [];
    const startNs = Math.max(...shards.map((shard) => shard.startedNs));
    const endNs = Math.min(...shards.map((shard) => shard.endedNs));
    if (endNs <= startNs) return [];
    const delivered = shards.reduce(
      (sum, shard) => sum + shard.messages.delivered * shareWithin(shard, startNs, endNs),
      0,
    );
    return [figure((delivered * 1e9) / (endNs - startNs))];
  },
};

/** Share of a shard's messages that its blocks carried between two instants. */
function shareWithin(shard: ShardFacts, startNs: number, endNs: number): number {
  if (shard.startedNs >= startNs && shard.endedNs <= endNs) return 1;
  const { phase, messages, wallNs } = shard.blocks;
  const stretch =
    (shard.endedNs - shard.startedNs) / wallNs.reduce((sum, blockNs) => sum + blockNs, 0);
  let from = shard.startedNs;
  let all = 0;
  let within = 0;
  for (const [index, blockNs] of wallNs.entries()) {
    const to = from + blockNs * stretch;
    const overlap = Math.max(0, Math.min(to, endNs) - Math.max(from, startNs));
    if (phase[index] === 'traffic') {
      all += messages[index]!;
      if (to > from) within += (messages[index]! * overlap) / (to - from);
    }
    from = to;
  }
  return all === 0 ? 0 : within / all;
}

export default throughput;
