import { figure, type Metric } from './_metric.ts';
import { medianCallNs, samplesOf, timedOperation } from './_operation.ts';

/** Median over the samples of the repeat; where a sample is several calls, of their means. */
const primitiveWall: Metric = {
  name: 'primitive-wall',
  unit: 'ns',
  direction: 'lower',
  title: 'Time of one call of a primitive',
  derive(input) {
    const timed = timedOperation(input);
    if (timed === undefined) return [];
    const ns = medianCallNs(samplesOf(timed), timed.callsPerSample);
    return ns === undefined ? [] : [figure(ns)];
  },
};

export default primitiveWall;
