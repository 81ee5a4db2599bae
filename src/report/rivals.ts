/**
 * What foreign libraries cost beside the pipelines of ours that they are compared with.
 *
 * @module
 */

import { seriesOf, type CellResult, type SeriesName } from './cells.ts';
import { notBelowZero, ratioOf, summarise, type Estimate } from './estimates.ts';
import { plainName, threadsText, type LibraryNote, type PipelineNote } from './pairing.ts';
import type { Table, TableRow } from './table.ts';
import { joined } from './wording.ts';

/** A library's cell and ours, on the same workload in the same run. */
interface Pair {
  readonly theirs: CellResult;
  readonly ours: CellResult;
}

const cost = (role: 'sender' | 'receiver' | 'all'): SeriesName => ({
  metric: 'cpu-per-message',
  role,
});
const ADDED: SeriesName = { metric: 'overhead-bytes', kind: 'all' };

/** One row per library and workload; without rows where there is nothing to compare. */
export function rivalsTable(
  cells: readonly CellResult[],
  pipelines: readonly PipelineNote[],
): Table {
  const libraries = pipelines.filter(({ foreign }) => foreign !== undefined);
  const pairs = cells.flatMap((theirs) => {
    const note = libraries.find(({ name }) => name === theirs.pipeline);
    const ours = note && partnerOf(cells, theirs, note.foreign!);
    return ours === undefined ? [] : [{ theirs, ours }];
  });
  const rows: TableRow[] = [];
  for (const [heading, group] of Map.groupBy(pairs, ({ theirs }) => where(theirs))) {
    rows.push({ cells: [], heading }, ...group.map(rowOf));
  }
  return {
    title: 'Libraries beside ours: CPU per message of an open session, and bytes added',
    columns: [
      { title: 'library' },
      ...['sender', 'receiver', 'all'].map((title) => ({
        title,
        unit: 'ns',
        over: 'theirs',
        decimals: 2,
      })),
      { title: 'all', unit: 'ns', over: 'ours', decimals: 2 },
      { title: 'ratio', unit: '', decimals: 2 },
      { title: 'theirs', unit: 'bytes', over: 'added', decimals: 1 },
      { title: 'ours', unit: 'bytes', over: 'added', decimals: 1 },
    ],
    rows,
    notes: rows.length === 0 ? [] : notesOf(pairs),
  };
}

/** Who computes a pipeline, and what that is compared with. */
export function libraryText({ foreign }: PipelineNote): string[] {
  if (foreign === undefined) return [];
  const { package: name, recorded, licence, comparedWith, differences } = foreign;
  return [
    `Computed by ${recorded === undefined ? name : `${name} ${recorded}`} (${licence}).`,
    `Compared with ${comparedWith}; what differs: ${differences.join(' ')}`,
  ];
}

/**
 * The cell of ours that a library's is compared with: the only one that computes that pipeline, or
 * among several that of `native`, with which ours are meant to run.
 */
function partnerOf(
  cells: readonly CellResult[],
  theirs: CellResult,
  { comparedWith }: LibraryNote,
): CellResult | undefined {
  if (theirs.status !== 'ok') return undefined;
  const candidates = cells.filter(
    (cell) =>
      cell.status === 'ok' && cell.pipeline === comparedWith && where(cell) === where(theirs),
  );
  const usual = candidates.find(({ implementation }) => implementation === 'native');
  return usual ?? (candidates.length === 1 ? candidates[0] : undefined);
}

function where(cell: CellResult): string {
  return `${cell.workload}, ${threadsText(cell)}`;
}

function rowOf({ theirs, ours }: Pair): TableRow {
  return {
    cells: [
      theirs.pipeline,
      figure(theirs, cost('sender')),
      figure(theirs, cost('receiver')),
      figure(theirs, cost('all')),
      figure(ours, cost('all')),
      ratioOf(seriesOf(theirs, cost('all')), seriesOf(ours, cost('all'))),
      figure(theirs, ADDED),
      figure(ours, ADDED),
    ],
  };
}

function figure(cell: CellResult, name: SeriesName): Estimate | undefined {
  return notBelowZero(summarise(seriesOf(cell, name)));
}

function notesOf(pairs: readonly Pair[]): string[] {
  const beside = pairs.map(
    ({ theirs, ours }) =>
      `${plainName(theirs.pipeline)} beside ${ours.pipeline} of ${ours.implementation}`,
  );
  return [
    `ratio: theirs to ours, all, repeat by repeat. ${joined([...new Set(beside)])}.`,
    'What each does otherwise than ours stands under "What each line is".',
  ];
}
