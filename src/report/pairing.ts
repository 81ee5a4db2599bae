/**
 * Which cell a cell is compared with, and what it is called in a table of several.
 *
 * @module
 */

import { seriesOf, type CellResult, type Series, type SeriesName } from './cells.ts';

/** What reports print of a pipeline beside its numbers. */
export interface PipelineNote {
  /** As in cells, without options. */
  readonly name: string;
  readonly title: string;
  readonly family: string;
  /** `L0` to `L11`, `E0` to `E7`, or `side`. */
  readonly rung: string;
  readonly adds?: string | undefined;
  readonly removes?: string | undefined;
  readonly caveats: readonly string[];
}

/** The part before the colon. */
export function plainName(name: string): string {
  return name.split(':', 1)[0]!;
}

/** The part after the colon; '' without options. */
export function optionsOf(name: string): string {
  return name.slice(plainName(name).length);
}

/**
 * The cell of the baseline that `cell` is measured against: with the same implementation, workload
 * and threads. A foreign library computes one pipeline only, so where it has no baseline of its own
 * the only other one with the same workload and threads is taken.
 */
export function baselineFor(
  cells: readonly CellResult[],
  cell: CellResult,
  baseline: string,
): CellResult | undefined {
  const candidates = cells.filter(
    (other) =>
      other.status === 'ok' &&
      other.pipeline === baseline &&
      other.workload === cell.workload &&
      other.threads === cell.threads,
  );
  const own = candidates.find(({ implementation }) => implementation === cell.implementation);
  return own ?? (candidates.length === 1 ? candidates[0] : undefined);
}

/** Cells that differ in the pipeline's name only, in their order. */
export function comparableGroups(cells: readonly CellResult[]): CellResult[][] {
  const groups = new Map<string, CellResult[]>();
  for (const cell of cells) {
    const { implementation, workload, threads, pipeline } = cell;
    const key = [implementation, workload, threads, optionsOf(pipeline)].join('\n');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [cell]);
    else group.push(cell);
  }
  return [...groups.values()];
}

/**
 * What to call each cell among `cells`: rung and pipeline, with the parts of the name that differ
 * between them.
 */
export function cellLabels(cells: readonly CellResult[]): string[] {
  const differs = (part: (cell: CellResult) => unknown): boolean =>
    new Set(cells.map(part)).size > 1;
  const showImplementation = differs(({ implementation }) => implementation);
  const showWorkload = differs(({ workload }) => workload);
  const showThreads = differs(({ threads }) => threads);
  return cells.map((cell) => {
    const parts = [
      rungLabel(cell),
      ...(showImplementation ? [cell.implementation] : []),
      ...(showWorkload ? [cell.workload] : []),
      ...(showThreads ? [`t${cell.threads}`] : []),
    ];
    return parts.join(' / ');
  });
}

/** `L6 double-ratchet`; the name alone for what has no place in the ladder. */
export function rungLabel({ rung, pipeline }: Pick<CellResult, 'rung' | 'pipeline'>): string {
  return /\d/.test(rung) ? `${rung} ${pipeline}` : pipeline;
}

/** Adds series up repeat by repeat; repeats that lack one of those that exist are left out. */
export function sumOf(
  cell: CellResult,
  names: readonly SeriesName[],
  factor = 1,
): Series | undefined {
  const present = names
    .map((name) => seriesOf(cell, name))
    .filter((series) => series !== undefined);
  const [first, ...others] = present;
  if (first === undefined) return undefined;
  const values = new Map<number, number>();
  for (const [repeat, value] of first.values) {
    const rest = others.map((other) => other.values.get(repeat));
    if (rest.includes(undefined)) continue;
    values.set(repeat, rest.reduce<number>((sum, other) => sum + (other ?? 0), value) * factor);
  }
  return { ...first, values };
}
