/**
 * Which cell a cell is compared with, and what it is called in a table of several.
 *
 * @module
 */

import { compareRungs, rungNumber, type CellResult } from './cells.ts';

/** Of the ratchet beneath a design of escrow that does not name one. */
const USUAL_RATCHET = 'double-ratchet';
/** Options of a ratchet that its design has in common with it. */
const SHARED_OPTIONS = ['aead', 'hop', 'persist', 'rest', 'turn'] as const;

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
  /** What an authority recovers when nothing is lost; all where it is left out. */
  readonly recovers?: 'all' | 'none' | undefined;
  /** Set where all that it adds is paid for sessions under a warrant. */
  readonly paidByTargets?: true | undefined;
  /** Set where a library computes it. */
  readonly foreign?: LibraryNote | undefined;
}

/** What reports print of a foreign library. */
export interface LibraryNote {
  /** On npm. */
  readonly package: string;
  /** The version in the run; undefined where it is not recorded. */
  readonly recorded?: string | undefined;
  readonly licence: string;
  /** The pipeline, with its options, that it is set beside. */
  readonly comparedWith: string;
  readonly differences: readonly string[];
}

/** The part before the colon. */
export function plainName(name: string): string {
  return name.split(':', 1)[0]!;
}

/** The part after the colon, with it; '' without options. */
function optionsOf(name: string): string {
  return name.slice(plainName(name).length);
}

/** What the name of a cell's pipeline or workload sets an option to; undefined where it does not. */
export function optionOf(name: string, option: string): string | undefined {
  const given = optionsOf(name).slice(1).split(',');
  return given.find((one) => one.startsWith(`${option}=`))?.slice(option.length + 1);
}

/** By rung; a cell of which nothing was recorded has the rung of its pipeline. */
export function inRungOrder(
  cells: readonly CellResult[],
  pipelines: readonly PipelineNote[],
): CellResult[] {
  return cells
    .map((cell) => {
      if (cell.rung !== '') return cell;
      const note = pipelines.find(({ name }) => name === plainName(cell.pipeline));
      return note === undefined ? cell : { ...cell, rung: note.rung, family: note.family };
    })
    .sort((a, b) => compareRungs(a.rung, b.rung));
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
  return ownOrOnly(candidates, cell);
}

/** The candidate with the implementation of `cell`; where it has none, the only one there is. */
function ownOrOnly(candidates: readonly CellResult[], cell: CellResult): CellResult | undefined {
  const own = candidates.find(({ implementation }) => implementation === cell.implementation);
  return own ?? (candidates.length === 1 ? candidates[0] : undefined);
}

/** Cells that differ in the pipeline only, groups and cells in their order. */
export function comparableGroups(cells: readonly CellResult[]): CellResult[][] {
  return [...Map.groupBy(cells, surroundings).values()];
}

/**
 * The highest rung of the ladder below that of `cell` in its group: with the same options, or where
 * there is none so with the defaults, as in a suite that changes an option from some rung up. A cell
 * named with `hop=none` is not compared with one that has it: the difference would be the hop's, which no
 * provider leaves out.
 */
export function rungBelow(group: readonly CellResult[], cell: CellResult): CellResult | undefined {
  if (!isOnLadder(cell)) return undefined;
  const below = group.filter(
    (other) => isOnLadder(other) && rungNumber(other.rung) < rungNumber(cell.rung),
  );
  return likest(below, cell)
    .sort((a, b) => compareRungs(a.rung, b.rung))
    .at(-1);
}

/** The cell of `rung` in a group that is compared with `cell`; options as in {@link rungBelow}. */
export function partnerAt(
  group: readonly CellResult[],
  cell: CellResult,
  rung: string,
): CellResult | undefined {
  return likest(
    group.filter((other) => other.rung === rung),
    cell,
  )[0];
}

/**
 * What a design of escrow wraps, with the same options: the ratchet that it names, or the Double
 * Ratchet. With the same implementation; of a foreign library the only one in the same surroundings.
 */
export function ratchetBeneath(
  cells: readonly CellResult[],
  cell: CellResult,
): CellResult | undefined {
  const name = optionOf(cell.pipeline, 'ratchet') ?? USUAL_RATCHET;
  const candidates = cells.filter(
    (other) =>
      other.status === 'ok' &&
      plainName(other.pipeline) === name &&
      other.workload === cell.workload &&
      other.threads === cell.threads &&
      SHARED_OPTIONS.every(
        (option) => optionOf(other.pipeline, option) === optionOf(cell.pipeline, option),
      ),
  );
  return ownOrOnly(candidates, cell);
}

function isOnLadder({ rung }: CellResult): boolean {
  return /^L\d+$/.test(rung);
}

function likest(candidates: readonly CellResult[], { pipeline }: CellResult): CellResult[] {
  const alike = candidates.filter((other) => optionsOf(other.pipeline) === optionsOf(pipeline));
  if (alike.length > 0 || optionOf(pipeline, 'hop') === 'none') return alike;
  return candidates.filter((other) => optionsOf(other.pipeline) === '');
}

/** Cells of one table under a heading of their own; '' where the table needs none. */
export interface Section {
  readonly heading: string;
  readonly cells: readonly CellResult[];
  /** What to call each cell. */
  readonly labels: readonly string[];
}

/**
 * Cells that differ in more than the pipeline, told apart: groups of several pipelines by headings,
 * and where no group has several, each cell by its label.
 */
export function sectionsOf(cells: readonly CellResult[]): Section[] {
  const groups = comparableGroups(cells);
  if (groups.length > 1 && groups.some((group) => group.length > 1)) {
    return groups.map((group) => ({
      heading: whereText(group, groups),
      cells: group,
      labels: group.map(rungLabel),
    }));
  }
  return cells.length === 0 ? [] : [{ heading: '', cells, labels: cellLabels(cells) }];
}

/**
 * What to call each cell among `cells`: rung and pipeline, with the parts of the name that differ
 * between them.
 */
export function cellLabels(cells: readonly CellResult[]): string[] {
  return cells.map((cell) => [rungLabel(cell), ...differingParts(cell, cells)].join(' / '));
}

/** Implementation, workload and threads, each where it is not the same in all of `cells`. */
function differingParts(cell: CellResult, cells: readonly CellResult[]): string[] {
  const parts = [
    (it: CellResult) => it.implementation,
    (it: CellResult) => it.workload,
    threadsText,
  ];
  return parts.filter((part) => new Set(cells.map(part)).size > 1).map((part) => part(cell));
}

/** Apart from other groups: "noble, 2 threads", or '' for the only one. */
export function whereText(group: readonly CellResult[], groups: readonly CellResult[][]): string {
  const firsts = groups.map((other) => other[0]!);
  return differingParts(group[0]!, firsts).join(', ');
}

/** "native, chat, 2 threads". */
export function surroundings(cell: CellResult): string {
  return [cell.implementation, cell.workload, threadsText(cell)].join(', ');
}

export function threadsText({ threads }: CellResult): string {
  return `${threads} thread${threads === 1 ? '' : 's'}`;
}

/** `L6 double-ratchet`; the name alone for what has no place in the ladder. */
export function rungLabel({ rung, pipeline }: Pick<CellResult, 'rung' | 'pipeline'>): string {
  return /\d/.test(rung) ? `${rung} ${pipeline}` : pipeline;
}
