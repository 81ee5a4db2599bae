import { figure, type Metric } from './_metric.ts';

/** Share of the timed phases in which the garbage collector held a worker up. */
const gcShare: Metric = {
  name: 'gc-share',
  unit: 'share',
  direction: 'neither',
  title: 'Share of wall time in pauses for garbage collection',
  derive({ shards }) {
    const wallNs = shards.reduce((sum, shard) => sum + shard.endedNs - shard.startedNs, 0);
    if (wallNs <= 0) return [];
    return [figure(shards.reduce((sum, shard) => sum + shard.gc.pauseNs, 0) / wallNs)];
  },
};

export default gcShare;
