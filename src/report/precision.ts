/**
 * How far the figures of a run can be trusted, in sentences: the widths that were reached, and what
 * the machine and the harness did meanwhile.
 *
 * @module
 */

import { median } from '../stats/quantile.ts';
import { seriesOf, type CellResult } from './cells.ts';
import { ratioOf, relativeHalfWidth, summarise, type Estimate } from './estimates.ts';
import { formatEstimate, formatNumber, scaleFor } from './numbers.ts';
import { baselineFor, cellLabels } from './pairing.ts';
import type { Overhead } from './rows.ts';
import { countOf, joined } from './wording.ts';

export interface PrecisionInput {
  readonly cells: readonly CellResult[];
  readonly baseline?: string | undefined;
  readonly overhead?: Overhead | undefined;
}

/** Wider than this on either side, a ratio of neighbouring rungs says little. */
const WIDE = 0.03;
/** From so many on, order statistics make the intervals and more repeats narrow them slowly. */
const MANY_REPEATS = 10;
/** Above these shares a machine is likely to have widened the intervals. */
const DISTURBED = 0.05;
const DELAYED = 0.01;
/** Above this share of the process's CPU, work off the measured threads is pointed out. */
const HELPERS_FLAGGED = 0.05;

export function precisionNotes({ cells, baseline, overhead }: PrecisionInput): string[] {
  const measured = cells.filter(({ status }) => status === 'ok');
  if (measured.length === 0) return ['No cell has figures.'];
  return [
    ...methodNotes(measured),
    ...(baseline === undefined ? [] : widthNotes(measured, baseline)),
    ...disturbanceNotes(measured),
    ...helperNotes(measured),
    ...leftOutNotes(measured),
    ...overheadNotes(overhead),
  ];
}

function methodNotes(cells: readonly CellResult[]): string[] {
  const repeats = cells.map((cell) => cell.repeats);
  const fewest = Math.min(...repeats);
  const most = Math.max(...repeats);
  const range = fewest === most ? countOf(most, 'repeat') : `${fewest} to ${most} repeats`;
  const start = `Each value is the median over ${range}, each in a fresh process`;
  if (most < 3) return [`${start}. Where there are fewer than 3 repeats there are no intervals.`];
  return [
    `${start}; brackets hold its 95 % interval. In the tables an interval that reaches below ` +
      'zero begins at 0, for no cost is negative.' +
      (fewest < 3 ? ' Where there are fewer than 3 repeats there are no intervals.' : ''),
  ];
}

/** What the ratios reached, and where that is wide, the likely reason and what helps. */
function widthNotes(cells: readonly CellResult[], baseline: string): string[] {
  const labels = cellLabels(cells);
  const widths = cells.flatMap((cell, index) => {
    const base = baselineFor(cells, cell, baseline);
    if (base === undefined || base === cell) return [];
    const total = { metric: 'cpu-per-message', role: 'all' } as const;
    const ratio = ratioOf(seriesOf(cell, total), seriesOf(base, total));
    const width = ratio === undefined ? undefined : relativeHalfWidth(ratio);
    return width === undefined ? [] : [{ cell, label: labels[index]!, width }];
  });
  if (widths.length === 0) return [];
  const list = widths.map(({ label, width }) => `${label} ${percent(width)}`).join(', ');
  const reached = `Half the width of the interval of the ratio to ${baseline}: ${list}.`;
  const wide = widths.filter(({ width }) => width > WIDE);
  if (wide.length === 0) return [reached];
  const causes = causesOf(wide.map(({ cell }) => cell));
  const likely =
    causes.length === 0
      ? 'neither the number of repeats nor the machine explains that'
      : `likely because ${joined(causes)}`;
  return [
    reached,
    `${wide.length} of ${countOf(widths.length, 'ratio')} ` +
      `${wide.length === 1 ? 'has' : 'have'} more than ${percent(WIDE)}, ${likely}; more repeats ` +
      '(--budget standard or thorough) and a quieter machine (sealbench doctor judges it) would ' +
      'narrow them.',
  ];
}

function causesOf(cells: readonly CellResult[]): string[] {
  const causes: string[] = [];
  const repeats = Math.min(...cells.map((cell) => cell.repeats));
  if (repeats < MANY_REPEATS) causes.push(`there are only ${countOf(repeats, 'repeat')}`);
  const disturbed = middleOf(cells, 'contaminated-share');
  if (disturbed !== undefined && disturbed > DISTURBED) {
    causes.push(`other work disturbed ${percent(disturbed)} of the blocks of work`);
  }
  const delayed = middleOf(cells, 'run-delay-share');
  if (delayed !== undefined && delayed > DELAYED) {
    causes.push(`threads waited for a core ${percent(delayed)} of the time`);
  }
  return causes;
}

/** The median over cells of a share. */
function middleOf(cells: readonly CellResult[], metric: string): number | undefined {
  const shares = cells.flatMap((cell) => summarise(seriesOf(cell, { metric }))?.value ?? []);
  return shares.length === 0 ? undefined : median(shares);
}

function disturbanceNotes(cells: readonly CellResult[]): string[] {
  const worst = worstOf(cells, 'contaminated-share');
  if (worst === undefined) return [];
  if (worst.share === 0) return ['No block of work was disturbed by other work on the machine.'];
  return [
    'Blocks of work disturbed by other work on the machine: at most ' +
      `${percent(worst.share)} of a cell (${worst.label}).`,
  ];
}

function helperNotes(cells: readonly CellResult[]): string[] {
  const flagged = cells.filter(
    (cell) => (summarise(seriesOf(cell, { metric: 'cpu-helpers' }))?.value ?? 0) > HELPERS_FLAGGED,
  );
  const worst = worstOf(cells, 'cpu-helpers');
  if (flagged.length === 0 || worst === undefined) return [];
  return [
    `In ${flagged.length} of ${countOf(cells.length, 'cell')} more than ` +
      `${percent(HELPERS_FLAGGED)} of the process's CPU was spent off the measured threads, by ` +
      `garbage collector, compiler and libraries, at most ${percent(worst.share)} ` +
      `(${worst.label}); that is in no figure per message.`,
  ];
}

function worstOf(
  cells: readonly CellResult[],
  metric: string,
): { readonly label: string; readonly share: number } | undefined {
  const labels = cellLabels(cells);
  let worst: { readonly label: string; readonly share: number } | undefined;
  for (const [index, cell] of cells.entries()) {
    const share = summarise(seriesOf(cell, { metric }))?.value;
    if (share !== undefined && share > (worst?.share ?? -1))
      worst = { label: labels[index]!, share };
  }
  return worst;
}

function leftOutNotes(cells: readonly CellResult[]): string[] {
  const labels = cellLabels(cells);
  return cells.flatMap(({ leftOut }, index) =>
    leftOut === 0 ? [] : [`${labels[index]!}: left out as invalid: ${countOf(leftOut, 'repeat')}.`],
  );
}

function overheadNotes(overhead: Overhead | undefined): string[] {
  if (overhead === undefined) return [];
  return [
    `The harness itself costs ${withUnit(overhead.cpuNs)} of CPU per call and adds ` +
      `${withUnit(overhead.latencyNs)} to a latency; that is in the figures.`,
  ];
}

function withUnit(estimate: Estimate): string {
  const scale = scaleFor('ns', [estimate.value]);
  return `${formatEstimate(estimate, scale)} ${scale.unit}`;
}

function percent(share: number): string {
  return `${formatNumber(share * 100)} %`;
}
