import { rateMetric } from './_exposure.ts';
import type { Metric } from './_metric.ts';

const detectionRate: Metric = rateMetric(
  'detection-rate',
  'Share of conversations with false keys in which clients notice',
  'higher',
);

export default detectionRate;
