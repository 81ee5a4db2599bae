import { figure, type Metric } from './_metric.ts';
import { messageRate } from './_open-loop.ts';

/** Messages per second until the last was carried; less than was offered where a queue remained. */
const completedRate: Metric = {
  name: 'completed-rate',
  unit: 'messages/s',
  direction: 'higher',
  title: 'Messages carried per second of an open loop',
  derive(input) {
    const rate = messageRate(input, 'elapsedNs');
    return rate === undefined ? [] : [figure(rate)];
  },
};

export default completedRate;
