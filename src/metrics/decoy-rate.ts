import { rateMetric } from './_exposure.ts';
import type { Metric } from './_metric.ts';

const decoyRate: Metric = rateMetric(
  'decoy-rate',
  'Share of what a modified client sends that the authority reads as something else',
  'lower',
);

export default decoyRate;
