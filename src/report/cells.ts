/**
 * Records grouped by cell, with the figures of every repeat side by side.
 *
 * Between raw facts and rows: tables and sentences need the figures of each repeat, because
 * differences and ratios are taken repeat by repeat and only then summarised.
 *
 * @module
 */

import type { Figure, Metric } from '../metrics/_metric.ts';
import { loadMetrics } from '../metrics/_registry.ts';
import type { RepeatRecord, Status } from '../results/record.ts';
import { serialCorrelation } from '../stats/serial-correlation.ts';
import type { EmptyCalls } from './overhead.ts';
import { implausibleStage } from './plausibility.ts';

/** One figure of a cell over its repeats. */
export interface Series extends Omit<Figure, 'value' | 'samplesBeyond'> {
  readonly metric: string;
  readonly unit: string;
  /** Repeat number to value, in the order in which they ran; repeats without the figure are absent. */
  readonly values: ReadonlyMap<number, number>;
  /** Set where it is CPU of the whole process, which is compared with no CPU of a thread. */
  readonly cpuBasis?: 'process';
  /** Of neighbouring repeats, over all cells of the run; for times only, absent where there is none. */
  readonly correlation?: number;
}

/** The names of a cell, as its records carry them. */
export interface CellNames {
  /** suite/pipeline/implementation/workload/tN. */
  readonly cell: string;
  readonly suite: string;
  /** With its options. */
  readonly pipeline: string;
  readonly implementation: string;
  /** With its options. */
  readonly workload: string;
  readonly threads: number;
}

export interface CellResult extends CellNames {
  /** This and the next are empty for a cell of which nothing was recorded. */
  readonly family: string;
  readonly rung: string;
  /** What one session, connection and user's day carry; undefined without a record. */
  readonly messagesPerSession: number | undefined;
  readonly messagesPerConnection: number | undefined;
  readonly messagesPerUserDay: number | undefined;
  /** In all shards of a repeat; undefined without a repeat that counts. */
  readonly sessions: number | undefined;
  /**
   * `closed`: the next message was sent when the one before was done. Otherwise messages came by a
   * schedule, `scheduled` as its workload says or `searched` at rates that a search chose: there are
   * times with the wait in a queue, and no CPU of stages.
   */
  readonly load: 'closed' | 'scheduled' | 'searched';
  readonly status: Status;
  /** Why not `ok`. */
  readonly reason?: string;
  /** Repeats that count. */
  readonly repeats: number;
  /** Repeats that were left out because they were invalid. */
  readonly leftOut: number;
  readonly series: ReadonlyMap<string, Series>;
}

/** What identifies a series within a cell. Everything but the metric may be left out. */
export type SeriesName = { readonly metric: string } & Partial<
  Pick<Figure, 'stage' | 'role' | 'kind' | 'statistic'>
>;

/**
 * @param planned Names of cells: the order of the result, and those of which nothing was recorded.
 *   Without it cells are in the order of the ladder.
 * @param empty What a call costs that computes nothing, as far as the run was calibrated.
 * @param only Names of metrics; all of them when left out, which takes ms per record.
 * @throws HarnessError for a histogram that cannot be read.
 */
export async function deriveCells(
  records: readonly RepeatRecord[],
  planned: readonly string[] = [],
  empty: EmptyCalls = {},
  only?: ReadonlySet<string>,
): Promise<CellResult[]> {
  const metrics = (await loadMetrics()).filter(({ name }) => only?.has(name) ?? true);
  const groups = new Map<string, RepeatRecord[]>(planned.map((cell) => [cell, []]));
  for (const record of inLadderOrder(records)) {
    const group = groups.get(record.cell);
    if (group === undefined) groups.set(record.cell, [record]);
    else group.push(record);
  }
  return withCorrelation(
    [...groups].map(([cell, group]) =>
      deriveCell(group[0] ?? namesFrom(cell), group, metrics, empty),
    ),
  );
}

/** A cell is judged by this, where it carries messages. */
const TOTAL = { metric: 'cpu-per-message', role: 'all' } as const satisfies SeriesName;
const TIME_UNITS: ReadonlySet<string> = new Set(['ns', 'messages/s', 'sessions/s']);

/**
 * Says of every series of times how alike neighbouring repeats are: one number for the run, because
 * all its cells met one machine, and the figures of one cell alone would not tell.
 */
function withCorrelation(cells: readonly CellResult[]): CellResult[] {
  const correlation = serialCorrelation(
    cells.flatMap((cell) => {
      const total = seriesOf(cell, TOTAL);
      const series = total === undefined ? [...cell.series.values()].filter(isCost) : [total];
      return series.map(({ values }) => Array.from(values.values()));
    }),
  );
  if (correlation === 0) return [...cells];
  return cells.map((cell) => {
    const series = new Map(cell.series);
    for (const [key, one] of series) {
      if (TIME_UNITS.has(one.unit)) series.set(key, { ...one, correlation });
    }
    return { ...cell, series };
  });
}

function isCost({ unit, statistic }: Series): boolean {
  return unit === 'ns' && statistic === 'median';
}

/** The series of a cell, or undefined where the cell has no such figure. */
export function seriesOf(cell: CellResult, name: SeriesName): Series | undefined {
  return cell.series.get(seriesKey({ ...NOWHERE, ...name }));
}

const NOWHERE = { stage: '', role: '', kind: '', statistic: 'median' } as const;

/** Of a series in the map of its cell. */
export function seriesKey(at: Required<SeriesName>): string {
  return [at.metric, at.stage, at.role, at.kind, at.statistic].join('\n');
}

type Names = CellNames & Pick<CellResult, 'family' | 'rung'>;

/** What the name of a cell without records tells; no segment but the suite's can hold a slash. */
function namesFrom(cell: string): Names {
  const segments = cell.split('/');
  const [pipeline = '', implementation = '', workload = '', threads = ''] = segments.slice(-4);
  return {
    cell,
    suite: segments.slice(0, -4).join('/'),
    pipeline,
    implementation,
    workload,
    threads: Number(threads.slice(1)),
    family: '',
    rung: '',
  };
}

function deriveCell(
  names: Names,
  records: readonly RepeatRecord[],
  metrics: readonly Metric[],
  empty: EmptyCalls,
): CellResult {
  const { status, reason } = judge(records, empty);
  const counted = status === 'ok' ? records.filter((record) => record.status === 'ok') : [];
  const [first] = records;
  return {
    cell: names.cell,
    suite: names.suite,
    pipeline: names.pipeline,
    implementation: names.implementation,
    workload: names.workload,
    threads: names.threads,
    family: names.family,
    rung: names.rung,
    messagesPerSession: first?.messagesPerSession,
    messagesPerConnection: first?.messagesPerConnection,
    messagesPerUserDay: first?.messagesPerUserDay,
    sessions: counted[0]?.shards.reduce((sum, shard) => sum + shard.sessions, 0),
    load: loadOf(records),
    status,
    ...(reason === undefined ? {} : { reason }),
    repeats: counted.length,
    leftOut: status === 'ok' ? records.length - counted.length : 0,
    series: deriveSeries(counted, metrics),
  };
}

function loadOf(records: readonly RepeatRecord[]): CellResult['load'] {
  const shards = records.flatMap((record) => record.shards);
  if (shards.some(({ saturation }) => saturation !== undefined)) return 'searched';
  return shards.some(({ open }) => open !== undefined) ? 'scheduled' : 'closed';
}

/** One wrong repeat makes the cell an error: never a number, however many repeats were right. */
function judge(
  records: readonly RepeatRecord[],
  empty: EmptyCalls,
): { status: Status; reason?: string } {
  const failed = records.find((record) => record.status === 'error');
  if (failed !== undefined) {
    return { status: 'error', reason: failed.reason ?? `repeat ${failed.repeat} failed` };
  }
  const unsteady = unsteadySeed(records);
  if (unsteady !== undefined) {
    return {
      status: 'error',
      reason: `repeats with the same seed ${unsteady} did different work: their digests differ`,
    };
  }
  const counted = records.filter((record) => record.status === 'ok');
  const implausible = implausibleStage(counted, empty);
  if (implausible !== undefined) return { status: 'invalid', reason: implausible };
  if (counted.length > 0) return { status: 'ok' };
  const [first] = records;
  if (first === undefined) {
    return { status: 'invalid', reason: 'no repeat was finished' };
  }
  return { status: first.status, reason: first.reason ?? `the cell is ${first.status}` };
}

/** What a shard does is a function of its seed, so the same seed must give the same digests. */
function unsteadySeed(records: readonly RepeatRecord[]): number | undefined {
  const digests = new Map<number, string>();
  for (const { seed, status, shards } of records) {
    if (status !== 'ok') continue;
    const digest = shards
      .map((shard) => `${shard.shard}:${shard.digest}`)
      .sort()
      .join(' ');
    const earlier = digests.get(seed);
    if (earlier !== undefined && earlier !== digest) return seed;
    digests.set(seed, digest);
  }
  return undefined;
}

function deriveSeries(
  records: readonly RepeatRecord[],
  metrics: readonly Metric[],
): Map<string, Series> {
  const all = new Map<string, Series & { readonly values: Map<number, number> }>();
  for (const source of metrics) {
    const { name: metric, unit } = source;
    for (const record of records) {
      for (const { stage, role, kind, statistic, value } of source.derive(record)) {
        if (!Number.isFinite(value)) continue;
        const key = seriesKey({ metric, stage, role, kind, statistic });
        let series = all.get(key);
        if (series === undefined) {
          const at = { metric, unit, stage, role, kind, statistic };
          series = { ...at, ...basisOf(record, at), values: new Map() };
          all.set(key, series);
        }
        series.values.set(record.repeat, value);
      }
    }
  }
  return all;
}

function basisOf(
  { shards }: RepeatRecord,
  { metric, unit }: Pick<Series, 'metric' | 'unit'>,
): Pick<Series, 'cpuBasis'> {
  const isCpu = unit === 'ns' && metric.startsWith('cpu');
  return isCpu && shards.some(({ clocks }) => clocks.cpuBasis === 'process')
    ? { cpuBasis: 'process' }
    : {};
}

/** In the order of the ladder and by repeat, so that the order in which they ran does not show. */
function inLadderOrder(records: readonly RepeatRecord[]): RepeatRecord[] {
  return [...records].sort(
    (a, b) => compareRungs(a.rung, b.rung) || compareText(a.cell, b.cell) || a.repeat - b.repeat,
  );
}

/** L0 to L11, what stands beside the ladder, then E0 and up, then whatever else has a number. */
export function compareRungs(a: string, b: string): number {
  return rungPlace(a) - rungPlace(b) || rungNumber(a) - rungNumber(b);
}

function rungPlace(rung: string): number {
  if (!/^[A-Z]\d+$/.test(rung)) return 1;
  return rung.startsWith('L') ? 0 : rung.startsWith('E') ? 2 : 3;
}

/** `L10` comes after `L9`; 0 for what has no number. */
export function rungNumber(rung: string): number {
  return Number(/\d+$/.exec(rung)?.[0] ?? 0);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
