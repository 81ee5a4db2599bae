import type { Metric } from './_metric.ts';
import { timeFigures } from './_open-loop.ts';

/** From the start of `send` to the end of `receive`, of messages that come by a schedule. */
const serviceTime: Metric = {
  name: 'service-time',
  unit: 'ns',
  direction: 'lower',
  title: 'Time to carry one message, without waiting',
  derive: (input) => timeFigures(input, 'service'),
};

export default serviceTime;
