import { figure, type Metric } from './_metric.ts';
import { messageRate } from './_open-loop.ts';

/** Messages per second that the schedules of all threads asked for. */
const offeredRate: Metric = {
  name: 'offered-rate',
  unit: 'messages/s',
  direction: 'neither',
  title: 'Messages that came per second, by the schedule',
  derive(input) {
    const rate = messageRate(input, 'scheduledNs');
    return rate === undefined ? [] : [figure(rate)];
  },
};

export default offeredRate;
