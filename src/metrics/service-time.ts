import { mergedTimes } from './_open-loop.ts';
import type { Metric } from './_metric.ts';
import { percentilesOf } from './_percentiles.ts';

/** From the start of `send` to the end of `receive`, of messages that come by a schedule. */
const serviceTime: Metric = {
  name: 'service-time',
  unit: 'ns',
  direction: 'lower',
  title: 'Time to carry one message, without waiting',
  derive: ({ shards }) => percentilesOf(mergedTimes(shards, 'service')),
};

export default serviceTime;
