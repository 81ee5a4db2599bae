import { rateMetric } from './_exposure.ts';
import type { Metric } from './_metric.ts';

const forgeryRate: Metric = rateMetric(
  'forgery-rate',
  'Share of conversations in which a receiver takes a message that nobody sent',
  'lower',
);

export default forgeryRate;
