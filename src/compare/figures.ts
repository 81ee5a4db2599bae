/**
 * Which figures two sides are compared by, and what each of them may decide.
 *
 * @module
 */

import type { MetricInput } from '../metrics/_metric.ts';
import { loadMetrics } from '../metrics/_registry.ts';

/** A figure of one process. */
export interface ComparedFigure {
  /** Metric, stage, role, kind and statistic, as far as they mean something: one name for people. */
  readonly name: string;
  readonly metric: string;
  readonly unit: string;
  readonly direction: 'lower' | 'higher';
  readonly value: number;
  /** How many samples were larger, for percentiles. */
  readonly samplesBeyond?: number;
}

/** Two copies of the base give the same: a difference is one, however small. */
export const EXACT_METRICS: readonly string[] = [
  'wire-bytes',
  'overhead-bytes',
  'handshake-bytes',
  'stored-bytes',
  'stored-keys',
  'retained-bytes',
  'primitive-calls',
  'instructions',
];
/** Residuals of other readings, of either sign. */
const RESIDUALS: ReadonlySet<string> = new Set(['heap-free', 'native']);

/** What decides: CPU does not depend on who else had the core. */
export const DECIDING = 'cpu-per-message all';
/** Declared before anything is measured; as shares. A floor of 1 % is what `bank` counts alarms by. */
const FLOORS: Readonly<Record<string, number>> = {
  'cpu-per-message': 0.01,
  'cpu-opening': 0.02,
  throughput: 0.02,
  latency: 0.05,
};
/** Of a figure that has no other. */
const OTHER_FLOOR = 0.02;

export function floorOf(metric: string): number {
  return FLOORS[metric] ?? OTHER_FLOOR;
}

const SHOWN: readonly string[] = ['cpu-per-message', 'cpu-opening', 'throughput', 'latency'];
/** Of the percentiles: the others say the same or rest on few samples. */
const PERCENTILES: ReadonlySet<string> = new Set(['p50', 'p99']);

/** @returns Reads what is compared from the facts of one repeat. */
export async function figureReader(): Promise<(input: MetricInput) => ComparedFigure[]> {
  const metrics = (await loadMetrics()).filter(
    ({ name }) => SHOWN.includes(name) || EXACT_METRICS.includes(name),
  );
  return (input) => [
    ...metrics.flatMap((metric) =>
      metric.derive(input).flatMap(({ stage, role, kind, statistic, value, samplesBeyond }) => {
        if (metric.name === 'latency' && !PERCENTILES.has(statistic)) return [];
        if (RESIDUALS.has(kind) || !Number.isFinite(value)) return [];
        const parts = [metric.name, stage, role, kind, statistic === 'median' ? '' : statistic];
        const figure: ComparedFigure = {
          name: parts.filter((part) => part !== '').join(' '),
          metric: metric.name,
          unit: metric.unit,
          direction: metric.direction === 'higher' ? 'higher' : 'lower',
          value,
        };
        return [samplesBeyond === undefined ? figure : { ...figure, samplesBeyond }];
      }),
    ),
    ...primitiveCalls(input),
  ];
}

/** Of the untimed run of a few sessions in which every call is counted. */
function primitiveCalls({ shards }: MetricInput): ComparedFigure[] {
  const calls = new Map<string, number>();
  for (const { counted } of shards) {
    for (const [stage, byName] of Object.entries(counted.calls)) {
      for (const [primitive, count] of Object.entries(byName)) {
        const name = `primitive-calls ${stage} ${primitive}`;
        calls.set(name, (calls.get(name) ?? 0) + count);
      }
    }
  }
  return [...calls].map(([name, value]) => ({
    name,
    metric: 'primitive-calls',
    unit: 'calls',
    direction: 'lower',
    value,
  }));
}
