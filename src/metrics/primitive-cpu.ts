import { figure, type Metric } from './_metric.ts';
import { sum, timedOperation } from './_operation.ts';

/**
 * Over the whole timed phase, collector pauses and tinybench's own work between samples included. The
 * kind is whose CPU was read, for the two are not comparable.
 */
const primitiveCpu: Metric = {
  name: 'primitive-cpu',
  unit: 'ns',
  direction: 'lower',
  title: 'CPU of one call of a primitive',
  derive(input) {
    const timed = timedOperation(input);
    if (timed === undefined) return [];
    const calls = sum(timed.windows.calls);
    const kind = input.operation!.cpuBasis;
    return calls === 0 ? [] : [figure(sum(timed.windows.cpuNs) / calls, { kind })];
  },
};

export default primitiveCpu;
