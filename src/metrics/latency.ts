import { TIMED } from '../measure/facts.ts';
import { Histogram } from '../measure/histogram.ts';
import type { Figure, Metric } from './_metric.ts';

const PERCENTILES = [
  { statistic: 'p50', percent: 50 },
  { statistic: 'p90', percent: 90 },
  { statistic: 'p99', percent: 99 },
  { statistic: 'p99.9', percent: 99.9 },
] as const;

/** A percentile that rests on fewer larger samples is those samples' luck. */
const FEWEST_BEYOND = 30;

/** Wall time of single calls of each stage, over all threads of the repeat. */
const latency: Metric = {
  name: 'latency',
  unit: 'ns',
  direction: 'lower',
  title: 'Time of one call',
  derive({ shards }) {
    const figures: Figure[] = [];
    for (const { id, stage, role } of TIMED) {
      const histogram = new Histogram();
      for (const shard of shards) {
        for (const facts of shard.stages) {
          if (facts.id === id) histogram.merge(Histogram.decode(facts.latency.histogram));
        }
      }
      const { count, max } = histogram;
      if (max === undefined) continue;
      const kind = stage === 'relay' ? id.slice('relay-'.length) : '';
      for (const { statistic, percent } of PERCENTILES) {
        const samplesBeyond = Math.floor((count * (1000 - percent * 10)) / 1000);
        const value = histogram.valueAtPercentile(percent);
        if (value === undefined || samplesBeyond < FEWEST_BEYOND) continue;
        figures.push({ stage, role, kind, statistic, value, samplesBeyond });
      }
      figures.push({ stage, role, kind, statistic: 'max', value: max, samplesBeyond: 0 });
    }
    return figures;
  },
};

export default latency;
