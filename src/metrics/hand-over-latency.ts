import { Histogram } from '../measure/histogram.ts';
import { quantile, sortSamples } from '../stats/quantile.ts';
import { figure, type Figure, type Metric } from './_metric.ts';
import { percentilesOf } from './_percentiles.ts';

/** The fewest messages of which a p99 says something. */
const FEWEST_FOR_P99 = 3_000;

/** `from-send`: since the sender began to send. `from-acknowledgement`: since it was told that the relay has it. `A6`: from a frame that
 * the relay has to its text under a warrant, in one process. */
const handOverLatency: Metric = {
  name: 'hand-over-latency',
  unit: 'ns',
  direction: 'neither',
  title: 'Time until the authority had an intercepted message',
  derive({ relay, exposure }) {
    if (exposure !== undefined) return ofWarrants(exposure.handOverNs);
    const facts = relay?.handOver;
    if (facts === undefined) return [];
    return (
      [
        ['from-send', facts.latency],
        ['from-acknowledgement', facts.afterAcknowledgement],
      ] as const
    ).flatMap(([kind, text]) => percentilesOf(Histogram.decode(text), { role: 'authority', kind }));
  },
};

export default handOverLatency;

function ofWarrants(handOverNs: readonly number[]): Figure[] {
  if (handOverNs.length === 0) return [];
  const sorted = sortSamples(handOverNs);
  const percents = sorted.length < FEWEST_FOR_P99 ? [50, 90] : [50, 90, 99];
  return percents.map((percent) => {
    const { kind, role, stage, value } = figure(quantile(sorted, percent / 100), {
      kind: 'A6',
      role: 'authority',
    });
    return { kind, role, stage, value, statistic: `p${percent}` };
  });
}
