import { Histogram } from '../measure/histogram.ts';
import type { BatchColumns, CrossCheckFacts } from '../measure/operation-facts.ts';
import { median } from '../stats/quantile.ts';
import { figure, type Figure, type Metric } from './_metric.ts';

type Round = CrossCheckFacts['rounds'][number];

/**
 * Ours and the other tool's figure for one call, each the geometric mean of its rounds; `ours` is
 * what is of the same kind as theirs. Beside them what else of ours was read, and parts of the call.
 */
const crossCheck: Metric = {
  name: 'cross-check',
  unit: 'ns',
  direction: 'neither',
  title: 'One call by our own batches and by another tool',
  derive({ crossCheck: facts }) {
    if (facts === undefined || facts.rounds.length === 0) return [];
    const { rounds, parts } = facts;
    const over = (kind: string, of: (round: Round) => number | undefined): Figure[] => {
      const values = rounds.map(of);
      if (values.some((value) => value === undefined || !(value > 0))) return [];
      return [figure(geometricMean(values as number[]), { kind })];
    };
    return [
      ...over('ours', comparedOf),
      ...over('theirs', ({ theirs }) => theirs.valueNs),
      ...over('ours-batches', ({ ours }) => perCall(ours.batches, 'wallNs')),
      ...over('ours-cpu', ({ ours }) => perCall(ours.batches, 'cpuNs')),
      ...over('ours-latency', ({ ours }) => latencyOf(ours)),
      ...Object.entries(parts).flatMap(([name, batches]) => {
        const ns = perCall(batches, 'cpuNs');
        return ns === undefined ? [] : [figure(ns, { kind: `part: ${name}` })];
      }),
    ];
  },
};

export default crossCheck;

function comparedOf({ ours, theirs }: Round): number | undefined {
  if (theirs.compared === 'latency') return latencyOf(ours);
  return perCall(ours.batches, theirs.compared === 'cpu' ? 'cpuNs' : 'wallNs');
}

function latencyOf({ latency }: Round['ours']): number | undefined {
  return Histogram.decode(latency).valueAtPercentile(50);
}

/** The median batch. */
function perCall(batches: BatchColumns, clock: 'wallNs' | 'cpuNs'): number | undefined {
  const readings = batches[clock];
  return readings.length === 0 ? undefined : median(readings) / batches.callsPerBatch;
}

function geometricMean(values: readonly number[]): number {
  const logarithms = values.map(Math.log);
  return Math.exp(logarithms.reduce((total, value) => total + value, 0) / values.length);
}
