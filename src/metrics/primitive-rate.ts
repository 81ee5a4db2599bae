import { figure, type Metric } from './_metric.ts';
import { samplesOf, timedOperation } from './_operation.ts';

/** All calls over all time of the samples: what the median leaves out, as collector pauses, is in it. */
const primitiveRate: Metric = {
  name: 'primitive-rate',
  unit: 'calls/s',
  direction: 'higher',
  title: 'Calls of a primitive per second',
  derive(input) {
    const timed = timedOperation(input);
    if (timed === undefined) return [];
    const { mean } = samplesOf(timed);
    return mean === undefined ? [] : [figure((timed.callsPerSample * 1e9) / mean)];
  },
};

export default primitiveRate;
