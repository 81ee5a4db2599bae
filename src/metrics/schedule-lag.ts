import type { Metric } from './_metric.ts';
import { timeFigures } from './_open-loop.ts';

/** What messages waited for the generator, while the system under test had nothing to do. */
const scheduleLag: Metric = {
  name: 'schedule-lag',
  unit: 'ns',
  direction: 'neither',
  title: 'Lateness of the generator itself',
  derive: (input) => timeFigures(input, 'lag'),
};

export default scheduleLag;
