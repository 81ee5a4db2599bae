import { Histogram } from '../measure/histogram.ts';
import type { BatchColumns, CrossCheckFacts } from '../measure/operation-facts.ts';
import { figure, type Figure, type Metric } from './_metric.ts';
import { sum } from './_operation.ts';

type Round = CrossCheckFacts['rounds'][number];

/** A round in which either side waited longer than this for a core says nothing. */
const RUN_DELAY_LIMIT = 0.01;

/**
 * Ours and the other tool's figure for one call, each the geometric mean of the rounds in which
 * neither side waited for a core; `ours` is what is of the same kind as theirs. A repeat of which
 * less than half of the rounds is left has neither. Beside them the same over all rounds, what else
 * of ours was read, and parts of the call.
 */
const crossCheck: Metric = {
  name: 'cross-check',
  unit: 'ns',
  direction: 'neither',
  title: 'One call by our own batches and by another tool',
  derive({ crossCheck: facts }) {
    if (facts === undefined) return [];
    const { rounds } = facts;
    const quiet = rounds.filter((round) => !isDisturbed(round));
    const counted = quiet.length * 2 >= rounds.length ? quiet : [];
    return [
      ...over(counted, 'ours', comparedOf),
      ...over(counted, 'theirs', ({ theirs }) => theirs.valueNs),
      ...over(rounds, 'ours-all-rounds', comparedOf),
      ...over(rounds, 'theirs-all-rounds', ({ theirs }) => theirs.valueNs),
      ...over(rounds, 'ours-batches', ({ ours }) => perCall(ours.batches, 'wallNs')),
      ...over(rounds, 'ours-cpu', ({ ours }) => perCall(ours.batches, 'cpuNs')),
      ...over(rounds, 'ours-latency', ({ ours }) => latencyOf(ours)),
      ...Object.keys(rounds[0]?.parts ?? {}).flatMap((name) =>
        over(rounds, `part: ${name}`, ({ parts }) => parts[name] && perCall(parts[name], 'cpuNs')),
      ),
    ];
  },
};

export default crossCheck;

/**
 * Waiting is in the wall time of thousands of calls, which a tool takes together. It is not in CPU,
 * and of single calls it meets a few, which a median leaves out.
 */
function isDisturbed({ ours, theirs }: Round): boolean {
  if (theirs.compared !== 'batches') return false;
  return [ours, theirs].some(({ runDelayNs, wallNs }) => runDelayNs > RUN_DELAY_LIMIT * wallNs);
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
  return perCall(ours.batches, theirs.compared === 'cpu' ? 'cpuNs' : 'wallNs');
}

function latencyOf({ latency }: Round['ours']): number | undefined {
  return Histogram.decode(latency).valueAtPercentile(50);
}

/**
 * Over all batches, as the CPU of a stage is. Their median would leave out the pauses of the garbage
 * collector, which meet the fewer batches the shorter they are, and are in every mean of 4,096 calls.
 */
function perCall(batches: BatchColumns, clock: 'wallNs' | 'cpuNs'): number | undefined {
  const readings = batches[clock];
  if (readings.length === 0) return undefined;
  return sum(readings) / readings.length / batches.callsPerBatch;
}

function geometricMean(values: readonly number[]): number {
  return Math.exp(sum(values.map(Math.log)) / values.length);
}
