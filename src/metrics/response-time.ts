import type { Metric } from './_metric.ts';
import { timeFigures } from './_open-loop.ts';

/** From the scheduled moment to the end of `receive`: with the wait behind earlier messages. */
const responseTime: Metric = {
  name: 'response-time',
  unit: 'ns',
  direction: 'lower',
  title: 'Time from the scheduled moment of a message until it is carried',
  derive: (input) => timeFigures(input, 'response'),
};

export default responseTime;
