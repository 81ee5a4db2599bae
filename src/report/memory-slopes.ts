/**
 * Memory of an open session as a slope: bytes that another session adds, over cells that differ only
 * in the number of their sessions.
 *
 * A difference before and after in one process also holds what is there once: compiled code, tables,
 * buffers. Over several populations, each in fresh processes, that drops out.
 *
 * @module
 */

import { mean } from '../stats/moments.ts';
import { leastSquaresSlope } from '../stats/slope.ts';
import { seriesKey, seriesOf, type CellResult, type Series } from './cells.ts';
import { summarise, type Estimate } from './estimates.ts';
import { formatQuantity } from './numbers.ts';
import { rungLabel, sectionsOf } from './pairing.ts';
import type { Column, Table, TableRow } from './table.ts';
import { joined } from './wording.ts';

/** Two points lie on a line whatever they are. */
const POPULATIONS_MIN = 3;

const METRIC = 'retained-bytes-slope';

/** Of `retained-bytes`, all but the pages of the heap that hold nothing. */
const KINDS = [
  { kind: 'heap', title: 'heap' },
  { kind: 'external', title: 'external' },
  { kind: 'arraybuffer', title: 'array buffers' },
  { kind: 'wasm', title: 'wasm' },
  { kind: 'native', title: 'native' },
] as const;
const ALL = 'all';

/** A population off the line by this share of what was added says that memory is not proportional. */
const BEND_SHARE = 0.05;
/** What a process may differ by from another of its kind without any session. */
const BEND_BYTES_MIN = 4 * 2 ** 20;

/** Cells that differ only in the number of their sessions, smallest first. */
interface Populations {
  readonly cells: readonly CellResult[];
  /** One per cell. */
  readonly sessions: readonly number[];
}

/**
 * One result per group of at least three populations, named like its cells without the number of
 * sessions, with the series of `retained-bytes-slope` by kind: a slope per repeat, through that
 * repeat's process of each population. So its interval is over repeats, like every other, and holds
 * for the line through these populations, whether or not memory is proportional.
 */
export function memorySlopes(cells: readonly CellResult[]): CellResult[] {
  return populationsOf(cells).map(slopeCell);
}

function slopeCell(populations: Populations): CellResult {
  const first = populations.cells[0]!;
  const series = new Map<string, Series>();
  for (const kind of [...KINDS.map((known) => known.kind), ALL]) {
    const values = slopesByRepeat(populations, kind);
    if (values.size === 0) continue;
    const name = { metric: METRIC, stage: '', role: '', kind, statistic: 'median' } as const;
    series.set(seriesKey(name), { ...name, unit: 'B', values });
  }
  const repeats = Math.max(0, ...[...series.values()].map(({ values }) => values.size));
  return {
    ...first,
    ...namesWithoutSessions(first),
    sessions: undefined,
    repeats,
    leftOut: 0,
    series,
  };
}

/** Bytes that a session adds, by kind; no rows where no cells differ in their sessions only. */
export function memoryTable(cells: readonly CellResult[]): Table {
  const groups = populationsOf(cells);
  const slopes = memorySlopes(cells);
  const kinds = [...KINDS, { kind: ALL, title: ALL }].filter(({ kind }) =>
    slopes.some((slope) => (slopeOf(slope, kind)?.value ?? 0) !== 0),
  );
  const columns: Column[] = kinds.map(({ title }) => ({ title, decimals: 1 }));
  return {
    title: 'Memory of an open session: bytes that another one adds',
    columns: [{ title: 'pipeline' }, ...columns],
    rows: rowsOf(
      slopes,
      kinds.map(({ kind }) => kind),
    ),
    notes: [
      `Slope over ${populationText(groups)} sessions, each number in processes of its own, with both ` +
        'ends, its share of its users and the relay’s connections, and without the script of the ' +
        'messages. external is without array buffers. native is what the resident set grows by beyond all the rest: also what was freed ' +
        'and not given back, and less where memory is reserved and not yet used.',
      ...groups.flatMap(bendNotes),
    ],
  };
}

function slopeOf(cell: CellResult, kind: string): Estimate | undefined {
  return summarise(seriesOf(cell, { metric: METRIC, kind }));
}

function rowsOf(slopes: readonly CellResult[], kinds: readonly string[]): TableRow[] {
  const rows: TableRow[] = [];
  for (const { heading, cells, labels } of sectionsOf(slopes)) {
    if (heading !== '') rows.push({ cells: [], heading });
    for (const [index, cell] of cells.entries()) {
      rows.push({ cells: [labels[index]!, ...kinds.map((kind) => slopeOf(cell, kind))] });
    }
  }
  return rows;
}

function populationsOf(cells: readonly CellResult[]): Populations[] {
  const counted = cells.filter(({ sessions }) => sessions !== undefined);
  return [...Map.groupBy(counted, (cell) => namesWithoutSessions(cell).cell).values()].flatMap(
    (group) => {
      const bySize = group.toSorted((a, b) => a.sessions! - b.sessions!);
      const sessions = bySize.map((cell) => cell.sessions!);
      if (new Set(sessions).size < POPULATIONS_MIN) return [];
      return [{ cells: bySize, sessions }];
    },
  );
}

/** The names of a cell without its number of sessions. */
export function namesWithoutSessions(cell: CellResult): Pick<CellResult, 'cell' | 'workload'> {
  const [name, ...given] = cell.workload.split(/[:,]/);
  const options = given.filter((option) => !option.startsWith('sessions='));
  const workload = options.length === 0 ? name! : `${name}:${options.join(',')}`;
  const segments = cell.cell.split('/');
  return { workload, cell: segments.with(segments.length - 2, workload).join('/') };
}

/** Bytes per session through one process of each population, for the repeats that all have. */
function slopesByRepeat(populations: Populations, kind: string): Map<number, number> {
  const slopes = new Map<number, number>();
  for (const repeat of repeatsOf(populations.cells[0]!)) {
    const bytes = populations.cells.map((cell, at) =>
      retained(cell, kind, repeat, populations.sessions[at]!),
    );
    const line = leastSquaresSlope(populations.sessions, bytes);
    if (line !== undefined && Number.isFinite(line.slope)) slopes.set(repeat, line.slope);
  }
  return slopes;
}

function repeatsOf(cell: CellResult): number[] {
  return [...(seriesOf(cell, { metric: 'retained-bytes', kind: 'heap' })?.values.keys() ?? [])];
}

/** Of all sessions of a process; NaN where it is not known. */
function retained(cell: CellResult, kind: string, repeat: number, sessions: number): number {
  const kinds = kind === ALL ? KINDS.map((known) => known.kind) : [kind];
  return kinds.reduce((sum, one) => {
    const series = seriesOf(cell, { metric: 'retained-bytes', kind: one });
    return sum + (series?.values.get(repeat) ?? NaN) * sessions;
  }, 0);
}

/** Says where memory does not grow in proportion, so that a slope does not foretell other sizes. */
function bendNotes({ cells, sessions }: Populations): string[] {
  const bytes = cells.map((cell, at) => {
    return mean(repeatsOf(cell).map((repeat) => retained(cell, ALL, repeat, sessions[at]!)));
  });
  const line = leastSquaresSlope(sessions, bytes);
  if (line === undefined || !Number.isFinite(line.slope)) return [];
  const off = bytes.map((value, at) =>
    Math.abs(value - line.intercept - line.slope * sessions[at]!),
  );
  const furthest = Math.max(...off);
  const added = Math.abs(line.slope) * (sessions.at(-1)! - sessions[0]!);
  if (furthest < BEND_BYTES_MIN || furthest < BEND_SHARE * added) return [];
  return [
    `${rungLabel(cells[0]!)} does not grow in proportion: with ` +
      `${sessions[off.indexOf(furthest)]!.toLocaleString('en')} sessions it keeps ` +
      `${formatQuantity(furthest, 'B')} more or less than the line says.`,
  ];
}

/** "5,000, 15,000 and 45,000", for one group or for several that have the same. */
function populationText(groups: readonly Populations[]): string {
  const texts = new Set(
    groups.map(({ sessions }) => joined(sessions.map((count) => count.toLocaleString('en')))),
  );
  return [...texts].join('; or ');
}
