import { rateMetric } from './_exposure.ts';
import type { Metric } from './_metric.ts';

const dodgeRate: Metric = rateMetric(
  'dodge-rate',
  'Share of what a modified client sends that arrives and that the authority does not read',
  'neither',
);

export default dodgeRate;
