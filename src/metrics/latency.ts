import { TIMED } from '../measure/facts.ts';
import { Histogram } from '../measure/histogram.ts';
import type { Metric } from './_metric.ts';
import { percentilesOf } from './_percentiles.ts';

/** Wall time of single calls of each stage, over all threads of the repeat. */
const latency: Metric = {
  name: 'latency',
  unit: 'ns',
  direction: 'lower',
  title: 'Time of one call',
  derive({ shards }) {
    return TIMED.flatMap(({ id, stage, role }) => {
      const histogram = new Histogram();
      for (const shard of shards) {
        for (const facts of shard.stages) {
          if (facts.id === id) histogram.merge(Histogram.decode(facts.latency.histogram));
        }
      }
      const kind = stage === 'relay' ? id.slice('relay-'.length) : '';
      return percentilesOf(histogram, { stage, role, kind });
    });
  },
};

export default latency;
