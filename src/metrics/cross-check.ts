import { Histogram } from '../measure/histogram.ts';
import type { BatchColumns, CrossCheckFacts } from '../measure/operation-facts.ts';
import { figure, type Figure, type Metric } from './_metric.ts';
import { median } from '../stats/quantile.ts';
import { sum } from './_operation.ts';

type Round = CrossCheckFacts['rounds'][number];

/**
 * Ours and the other tool's figure for one call; `ours` is what is of the same kind as theirs. Each
 * is the geometric mean over the middle half of rounds by their ratio: of rounds between whose turns
 * the machine changed its speed as many are left out above as below. Waiting for a core is in no
 * median of batches or calls, and not in CPU. Beside them parts of the call.
 */
const crossCheck: Metric = {
  name: 'cross-check',
  unit: 'ns',
  direction: 'neither',
  title: 'One call by our own batches and by another tool',
  derive({ crossCheck: facts }) {
    if (facts === undefined) return [];
    const { rounds } = facts;
    const counted = middleHalf(rounds);
    return [
      ...over(counted, 'ours', comparedOf),
      ...over(counted, 'theirs', ({ theirs }) => theirs.valueNs),
      ...Object.keys(rounds[0]?.parts ?? {}).flatMap((name) =>
        over(rounds, `part: ${name}`, ({ parts }) => parts[name] && perCall(parts[name], 'cpuNs')),
      ),
    ];
  },
};

export default crossCheck;

/** By ours over theirs, a quarter of the rounds left out at either end. */
function middleHalf(rounds: readonly Round[]): readonly Round[] {
  const ratioOf = (round: Round): number => (comparedOf(round) ?? 0) / round.theirs.valueNs;
  const quarter = Math.floor(rounds.length / 4);
  return rounds.toSorted((a, b) => ratioOf(a) - ratioOf(b)).slice(quarter, rounds.length - quarter);
}

function over(
  rounds: readonly Round[],
  kind: string,
  of: (round: Round) => number | undefined,
): Figure[] {
  const values = rounds.map((round) => of(round) ?? 0);
  if (values.length === 0 || values.some((value) => !(value > 0))) return [];
  return [figure(geometricMean(values), { kind })];
}

function comparedOf({ ours, theirs }: Round): number | undefined {
  if (theirs.compared === 'latency') return latencyOf(ours);
  if (theirs.compared === 'cpu') return perCall(ours.batches, 'cpuNs');
  const { wallNs, callsPerBatch } = ours.batches;
  return wallNs.length === 0 ? undefined : median(wallNs) / callsPerBatch;
}

function latencyOf({ latency }: Round['ours']): number | undefined {
  return Histogram.decode(latency).valueAtPercentile(50);
}

/** The mean over all batches, as the CPU of a stage is. */
function perCall(batches: BatchColumns, clock: 'wallNs' | 'cpuNs'): number | undefined {
  const readings = batches[clock];
  if (readings.length === 0) return undefined;
  return sum(readings) / readings.length / batches.callsPerBatch;
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(sum(values.map(Math.log)) / values.length);
}
