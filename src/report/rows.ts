/**
 * Derived rows: tidy, one number per row, for programs and spreadsheets.
 *
 * @module
 */

import type { RepeatRecord, Status } from '../results/record.ts';
import { deriveCells, type CellResult } from './cells.ts';
import { summarise } from './estimates.ts';
import { memorySlopes } from './memory-slopes.ts';
import { overheadOf, overheadWarning, type Overhead } from './overhead.ts';
import { settlingWarning } from './settling.ts';

/** In the order in which they are written. */
export const ROW_COLUMNS = [
  'run',
  'suite',
  'cell',
  'pipeline',
  'implementation',
  'workload',
  'threads',
  'params',
  'stage',
  'role',
  'kind',
  'metric',
  'statistic',
  'unit',
  'value',
  'low',
  'high',
  'repeats',
  'status',
  'reason',
] as const;

export interface Row {
  readonly run: string;
  readonly suite: string;
  readonly cell: string;
  /** Without its options, which are in `params`. */
  readonly pipeline: string;
  readonly implementation: string;
  /** Without its options, which are in `params`. */
  readonly workload: string;
  readonly threads: number | undefined;
  /** `pipeline.name=value` and `workload.name=value`, sorted, separated by commas. */
  readonly params: string;
  readonly stage: string;
  readonly role: string;
  readonly kind: string;
  readonly metric: string;
  readonly statistic: string;
  readonly unit: string;
  readonly value: number | undefined;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly repeats: number;
  readonly status: Status;
  /** Why there is no value; beside a value, what to beware of. */
  readonly reason: string;
  /** The command line that measures the cell again; written only where rows have it. */
  readonly command?: string;
}

/** What reports take from a run's manifest. */
export interface RunFacts {
  readonly suite: { readonly name: string };
  readonly startedAt: string;
  readonly git: { readonly revision: string } | null;
  /** Names of all planned cells, in the order of the suite. */
  readonly cells: readonly string[];
  readonly calibration?: unknown;
}

/**
 * Every cell has at least one row.
 *
 * @param run What the column `run` says.
 */
export async function deriveRows(
  manifest: RunFacts,
  records: readonly RepeatRecord[],
  run: string = runName(manifest),
): Promise<Row[]> {
  const overhead = overheadOf(manifest);
  const cells = await deriveCells(records, manifest.cells, overhead?.emptyCallNs);
  return [
    ...overheadRows(manifest, run, overhead),
    ...[...cells, ...memorySlopes(cells)].flatMap((cell) =>
      rowsOf(cell, manifest.suite.name, run, overhead),
    ),
  ];
}

/** As the run's folder is called when the user does not name one: start and revision. */
export function runName({ startedAt, git }: RunFacts): string {
  const utc = startedAt.replace(/[-:]|\.\d+/g, '');
  return `${utc}-${git === null ? 'nogit' : git.revision.slice(0, 7)}`;
}

/** The rows of one cell: its figures, or one row that says why there are none. */
function rowsOf(
  cell: CellResult,
  suite: string,
  run: string,
  overhead: Overhead | undefined,
): Row[] {
  const [pipeline, pipelineOptions] = splitName(cell.pipeline);
  const [workload, workloadOptions] = splitName(cell.workload);
  const common: Row = {
    ...EMPTY_ROW,
    run,
    suite,
    cell: cell.cell,
    pipeline,
    implementation: cell.implementation,
    workload,
    threads: cell.threads,
    params: [
      ...pipelineOptions.map((option) => `pipeline.${option}`),
      ...workloadOptions.map((option) => `workload.${option}`),
    ].join(','),
    repeats: cell.repeats,
    status: cell.status,
    reason: cell.reason ?? '',
  };
  const rows: Row[] = [];
  for (const series of cell.series.values()) {
    const estimate = summarise(series);
    if (estimate === undefined) continue;
    const { metric, unit, stage, role, kind, statistic } = series;
    const warnings = [
      common.reason,
      settlingWarning(cell, series),
      overheadWarning(series, estimate.value, overhead),
    ];
    const reason = warnings.filter((warning) => warning !== '').join('; ');
    rows.push({ ...common, stage, role, kind, metric, statistic, unit, ...estimate, reason });
  }
  return rows.length > 0 ? rows : [common];
}

const EMPTY_ROW: Row = {
  run: '',
  suite: '',
  cell: '',
  pipeline: '',
  implementation: '',
  workload: '',
  threads: undefined,
  params: '',
  stage: '',
  role: '',
  kind: '',
  metric: '',
  statistic: '',
  unit: '',
  value: undefined,
  low: undefined,
  high: undefined,
  repeats: 0,
  status: 'ok',
  reason: '',
};

/** The harness's own cost belongs to the run and to no cell. */
function overheadRows(manifest: RunFacts, run: string, overhead: Overhead | undefined): Row[] {
  if (overhead === undefined) return [];
  const common: Row = {
    ...EMPTY_ROW,
    run,
    suite: manifest.suite.name,
    metric: 'harness-overhead',
    statistic: 'median',
    unit: 'ns',
  };
  return [
    { ...common, kind: 'cpu', ...overhead.cpuNs },
    { ...common, kind: 'latency', ...overhead.latencyNs },
  ];
}

/** `double-ratchet:hop=none,rest=none` to its name and its sorted options. */
function splitName(name: string): [name: string, options: string[]] {
  const colon = name.indexOf(':');
  if (colon === -1) return [name, []];
  return [
    name.slice(0, colon),
    name
      .slice(colon + 1)
      .split(',')
      .filter((option) => option !== '')
      .sort(),
  ];
}

/** RFC 4180, with a line of headings. */
export function rowsToCsv(rows: readonly Row[]): string {
  const columns = columnsOf(rows);
  const lines = [columns.join(',')];
  for (const row of rows) {
    lines.push(columns.map((column) => csvField(row[column])).join(','));
  }
  return lines.map((line) => `${line}\r\n`).join('');
}

/** An array with one row per line; what a row does not have is null. */
export function rowsToJson(rows: readonly Row[]): string {
  const columns = columnsOf(rows);
  const lines = rows.map((row) =>
    JSON.stringify(Object.fromEntries(columns.map((column) => [column, row[column] ?? null]))),
  );
  return lines.length === 0 ? '[]\n' : `[\n${lines.join(',\n')}\n]\n`;
}

function columnsOf(rows: readonly Row[]): (keyof Row)[] {
  const hasCommands = rows.some(({ command }) => command !== undefined);
  return hasCommands ? [...ROW_COLUMNS, 'command'] : [...ROW_COLUMNS];
}

/**
 * Spreadsheets run a text that begins like a formula; an apostrophe makes it text again. Numbers
 * are left alone, or negative ones would become text (OWASP, "CSV Injection").
 */
export function csvField(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
