/**
 * What pages have in common: a cell as a line of a chart or a matrix.
 *
 * @module
 */

import { seriesOf, type CellResult, type SeriesName } from '../cells.ts';
import { notBelowZero, ratioOf, summarise, type Estimate } from '../estimates.ts';
import { plainName } from '../pairing.ts';
import { libraryText } from '../rivals.ts';
import type { Facets, MatrixColumn, MatrixLine, MatrixPart, SiteRun } from '../site/page.ts';
import { slugOf } from '../site/source.ts';

/** What a reader can filter a cell by. */
export function cellFacets({ family, implementation, workload }: CellResult): Facets {
  return { ...(family === '' ? {} : { family }), implementation, workload };
}

/** What to beware of in a cell's figures: of its pipeline, its library, and this run. */
export function caveatsOf(cell: CellResult, { pipelines }: SiteRun): string[] {
  const note = pipelines.find(({ name }) => name === plainName(cell.pipeline));
  const own = cell.leftOut === 0 ? [] : [`${cell.leftOut} invalid repeats were left out.`];
  return note === undefined ? own : [...note.caveats, ...libraryText(note), ...own];
}

/** A cost of a cell; its interval is printed from 0 where it reaches below. */
export function costOf(cell: CellResult, name: SeriesName): Estimate | undefined {
  return notBelowZero(summarise(seriesOf(cell, name)));
}

/** A column of {@link costMatrix}. */
export interface CostColumn extends MatrixColumn {
  readonly name: SeriesName;
}

/** Lines are cells, columns are costs; lines are compared. */
export function costMatrix(
  { id, title, reference }: Pick<MatrixPart, 'id' | 'title'> & { readonly reference?: number },
  cells: readonly CellResult[],
  labels: readonly string[],
  columns: readonly CostColumn[],
  run: SiteRun,
): MatrixPart {
  const filled = columns.filter(({ name }) => cells.some((cell) => seriesOf(cell, name)));
  const at = (line: number, column: number) => seriesOf(cells[line]!, filled[column]!.name);
  return {
    kind: 'matrix',
    id,
    title,
    columns: filled,
    best: 'column',
    ...(reference === undefined || reference < 0 ? {} : { reference }),
    lines: cells.map((cell, line): MatrixLine => ({
      label: labels[line]!,
      facets: cellFacets(cell),
      cells: filled.map(({ name }) => costOf(cell, name)),
      remark: cell.status === 'ok' ? undefined : `${cell.status}: ${cell.reason ?? ''}`,
      caveats: caveatsOf(cell, run),
    })),
    ratio: (a, b) => ratioOf(at(a.line, a.column), at(b.line, b.column)),
  };
}

/** The start of the names of all charts of one run on one page. */
export function chartId(page: string, run: SiteRun, ...rest: readonly (string | number)[]): string {
  return [page, slugOf(run.name), ...rest].join('-');
}
