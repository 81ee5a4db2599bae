import { figure, type Metric } from './_metric.ts';

/**
 * CPU of the thread that hosts the workers and tells how far they are, as a share of the workers'. It
 * holds the start of the pool, which weighs in a short repeat.
 */
const mainShare: Metric = {
  name: 'main-share',
  unit: 'share',
  direction: 'neither',
  title: "CPU of the hosting thread, as a share of the workers'",
  derive({ shards, process }) {
    const workersNs = shards.reduce((sum, shard) => sum + shard.cpuNs, 0);
    return process === undefined || workersNs === 0 ? [] : [figure(process.mainCpuNs / workersNs)];
  },
};

export default mainShare;
