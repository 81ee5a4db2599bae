import { Histogram } from '../measure/histogram.ts';
import type { Metric } from './_metric.ts';
import { percentilesOf } from './_percentiles.ts';

/** `from-send`: since the sender began to send. `from-acknowledgement`: since it was told that the relay has it. */
const handOverLatency: Metric = {
  name: 'hand-over-latency',
  unit: 'ns',
  direction: 'neither',
  title: 'Time until the authority had an intercepted message',
  derive({ relay }) {
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
