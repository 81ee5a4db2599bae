/**
 * What many sessions take: how fast they open, what the process holds, and how the cost of a message
 * and the memory of a session grow with their number.
 *
 * @module
 */

import { seriesOf, type CellResult, type SeriesName } from './cells.ts';
import { differenceOf, ratioOf, summarise, type Estimate } from './estimates.ts';
import { namesWithoutSessions } from './memory-slopes.ts';
import { formatQuantity } from './numbers.ts';
import { cellLabels, rungLabel } from './pairing.ts';
import type { Topic } from './sentences.ts';
import type { Table, TableRow } from './table.ts';
import { confidence } from './wording.ts';

/** Fewer do not fill the process: it holds Node and libraries above all. */
const SESSIONS_MIN = 5_000;
/** The largest population is this many times the smallest, where growth is the question. */
const GROWTH_MIN = 100;

const COST: SeriesName = { metric: 'cpu-per-message', role: 'all' };
const RATE: SeriesName = { metric: 'throughput' };
const OPENING_RATE: SeriesName = { metric: 'session-rate' };
const PEAK: SeriesName = { metric: 'peak-rss' };
const RETAINED_KINDS = ['heap', 'external', 'arraybuffer', 'wasm'] as const;

/** One row per cell with many sessions. */
export function scaleTable(cells: readonly CellResult[]): Table {
  const large = cells.filter(({ sessions }) => (sessions ?? 0) >= SESSIONS_MIN);
  const labels = cellLabels(large);
  return {
    title: 'Many sessions: rates, and memory of the process',
    columns: [
      { title: 'pipeline' },
      { title: 'sessions' },
      { title: 'opened', unit: 'sessions/s' },
      { title: 'carried', unit: 'messages/s' },
      { title: 'retained', unit: 'B', over: 'per session' },
      { title: 'peak', unit: 'B', over: 'resident' },
    ],
    rows: large.map((cell, at) => ({
      cells: [
        labels[at]!,
        cell.sessions!.toLocaleString('en'),
        figure(cell, OPENING_RATE),
        figure(cell, RATE),
        retained(cell),
        figure(cell, PEAK),
      ],
    })),
    notes: [
      'opened: at the end that opens them, while opening. carried: over the whole repeat, opening ' +
        'included. retained: heap, external memory and WASM that both ends, their users and the relay ' +
        'keep. resident: the largest resident set of the process, with Node, libraries and the script of ' +
        'the messages.',
    ],
  };
}

/** One row per population, for cells that differ in the number of their sessions only. */
export function growthTable(cells: readonly CellResult[]): Table {
  const rows: TableRow[] = [];
  for (const group of growthGroups(cells)) {
    rows.push({ cells: [], heading: `${rungLabel(group[0]!)}, ${group[0]!.implementation}` });
    for (const [at, cell] of group.entries()) {
      rows.push({
        cells: [
          cell.sessions!.toLocaleString('en'),
          figure(cell, COST),
          at === 0 ? undefined : added(cell, group[0]!),
          at === 0 ? undefined : growth(cell, group[0]!),
          retained(cell),
          figure(cell, PEAK),
        ],
      });
    }
  }
  return {
    title: 'How CPU per message and memory per session grow with the number of sessions',
    columns: [
      { title: 'sessions' },
      { title: 'all', unit: 'ns', over: 'per message' },
      { title: 'added', unit: 'ns', over: 'per message' },
      { title: 'ratio', unit: '', decimals: 2 },
      { title: 'retained', unit: 'B', over: 'per session' },
      { title: 'peak', unit: 'B', over: 'resident' },
    ],
    rows,
    notes: [
      'added and ratio: CPU of all roles per message of an open session, against the smallest number ' +
        'of sessions, repeat by repeat. retained holds what a process keeps once, which weighs where ' +
        'sessions are few.',
    ],
  };
}

/** Every table of this module that has rows. */
export function scaleTables(cells: readonly CellResult[]): Table[] {
  return [growthTable(cells), scaleTable(cells)];
}

/** Nothing where there are few sessions. */
export function scaleTopics(cells: readonly CellResult[]): Topic[] {
  const sentences = [...growthGroups(cells).flatMap(growthSentence), ...sizeSentences(cells)];
  return sentences.length === 0 ? [] : [{ title: 'What many sessions take', sentences }];
}

/** What the process holds, for each cell with many sessions. */
export function sizeSentences(cells: readonly CellResult[]): string[] {
  return cells.filter(({ sessions }) => (sessions ?? 0) >= SESSIONS_MIN).flatMap(sizeSentence);
}

function growthSentence(group: readonly CellResult[]): string[] {
  const first = group[0]!;
  const last = group.at(-1)!;
  const ratio = growth(last, first);
  const difference = added(last, first);
  if (ratio === undefined || difference === undefined) return [];
  const more = difference.value < 0 ? 'less' : 'more';
  return [
    `With ${last.sessions!.toLocaleString('en')} sessions a message of ${first.pipeline} takes ` +
      `${ratio.value.toFixed(2)} times the CPU that it takes with ` +
      `${first.sessions!.toLocaleString('en')} (${confidence(ratio)}): ` +
      `${formatQuantity(Math.abs(difference.value), 'ns')} ${more}.`,
  ];
}

function sizeSentence(cell: CellResult): string[] {
  const kept = retained(cell);
  const peak = figure(cell, PEAK);
  if (kept === undefined || peak === undefined) return [];
  return [
    `${cell.sessions!.toLocaleString('en')} open sessions of ${cell.pipeline} keep ` +
      `${formatQuantity(kept.value, 'B')} each, in a process of ${formatQuantity(peak.value, 'B')} ` +
      'at most.',
  ];
}

/** Smallest first. */
function growthGroups(cells: readonly CellResult[]): CellResult[][] {
  const counted = cells.filter(({ sessions }) => sessions !== undefined);
  return [...Map.groupBy(counted, (cell) => namesWithoutSessions(cell).cell).values()]
    .map((group) => group.toSorted((a, b) => a.sessions! - b.sessions!))
    .filter((group) => group.at(-1)!.sessions! >= GROWTH_MIN * group[0]!.sessions!);
}

function figure(cell: CellResult, name: SeriesName): Estimate | undefined {
  return summarise(seriesOf(cell, name));
}

function growth(cell: CellResult, smallest: CellResult): Estimate | undefined {
  return ratioOf(seriesOf(cell, COST), seriesOf(smallest, COST));
}

function added(cell: CellResult, smallest: CellResult): Estimate | undefined {
  return differenceOf(seriesOf(cell, COST), seriesOf(smallest, COST));
}

/** The kinds of one repeat are summed before repeats are summarised. */
function retained(cell: CellResult): Estimate | undefined {
  const kinds = RETAINED_KINDS.flatMap((kind) => {
    return seriesOf(cell, { metric: 'retained-bytes', kind }) ?? [];
  });
  const [first] = kinds;
  if (first === undefined) return undefined;
  const values = new Map<number, number>();
  for (const repeat of first.values.keys()) {
    values.set(
      repeat,
      kinds.reduce((sum, series) => sum + (series.values.get(repeat) ?? 0), 0),
    );
  }
  return summarise({ ...first, values });
}
