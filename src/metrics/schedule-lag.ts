import { mergedTimes } from './_open-loop.ts';
import type { Metric } from './_metric.ts';
import { percentilesOf } from './_percentiles.ts';

/** What messages waited for the generator, while the system under test had nothing to do. */
const scheduleLag: Metric = {
  name: 'schedule-lag',
  unit: 'ns',
  direction: 'neither',
  title: 'Lateness of the generator itself',
  derive: ({ shards }) => percentilesOf(mergedTimes(shards, 'lag')),
};

export default scheduleLag;
