/**
 * How far the figures of a run can be trusted, in sentences: the widths that were reached, and what
 * the machine and the harness did meanwhile.
 *
 * @module
 */

import { median } from '../stats/quantile.ts';
import { widening } from '../stats/serial-correlation.ts';
import { seriesOf, type CellResult } from './cells.ts';
import { ratioOf, relativeHalfWidth, summarise, type Estimate } from './estimates.ts';
import { formatEstimate, scaleFor } from './numbers.ts';
import { OVERHEAD_FLAGGED, overheadShare, type Overhead } from './overhead.ts';
import { baselineFor, cellLabels } from './pairing.ts';
import { hasNeverSettled, settlingOf } from './settling.ts';
import { WIDE } from './verdict.ts';
import { countOf, joined, percent, percentRange } from './wording.ts';

export interface PrecisionInput {
  readonly cells: readonly CellResult[];
  readonly baseline?: string | undefined;
  readonly overhead?: Overhead | undefined;
}

/** From so many on, order statistics make the intervals and more repeats narrow them slowly. */
const MANY_REPEATS = 10;
/** Above these shares a machine is likely to have widened the intervals. */
const DISTURBED = 0.05;
const DELAYED = 0.01;
/** Above this share of the process's CPU, work off the measured threads is pointed out. */
const HELPERS_FLAGGED = 0.05;
/** With fewer, repeats of a cell follow each other so closely that they meet one state of a machine. */
const FEW_CELLS = 8;
/** Cells that are named where several are meant. */
const NAMED_MAX = 4;

export function precisionNotes({ cells, baseline, overhead }: PrecisionInput): string[] {
  const measured = cells.filter(({ status }) => status === 'ok');
  if (measured.length === 0) return ['No cell has figures.'];
  return [
    ...methodNotes(measured),
    ...(baseline === undefined ? [] : widthNotes(measured, baseline)),
    ...settlingNotes(measured),
    ...disturbanceNotes(measured),
    ...helperNotes(measured),
    ...leftOutNotes(measured),
    ...overheadNotes(measured, overhead),
  ];
}

function methodNotes(cells: readonly CellResult[]): string[] {
  const repeats = cells.map((cell) => cell.repeats);
  const fewest = Math.min(...repeats);
  const most = Math.max(...repeats);
  const range = fewest === most ? countOf(most, 'repeat') : `${fewest} to ${most} repeats`;
  const start = `Each value is the median of ${range} in fresh processes`;
  if (most < 3) return [`${start}. Where there are fewer than 3 repeats there are no intervals.`];
  return [
    `${start}, in brackets its 95 % interval, from 0 where it reaches below.` +
      (fewest < 3 ? ' Where there are fewer than 3 repeats there are no intervals.' : '') +
      driftText(cells, most),
  ];
}

/** What was done about repeats that were alike because they ran close in time. */
function driftText(cells: readonly CellResult[], repeats: number): string {
  const correlation = Math.max(
    0,
    ...cells.flatMap(({ series }) => [...series.values()].map((of) => of.correlation ?? 0)),
  );
  const wider = widening(correlation, repeats) - 1;
  const widened =
    wider < 0.005
      ? ''
      : ` Repeats close in time were alike: intervals of times are widened by ${percent(wider)} for it.`;
  if (cells.length >= FEW_CELLS) return widened;
  return (
    `${widened} With fewer than ${FEW_CELLS} cells the repeats of one are close in time, and its cost ` +
    'may differ by more at another time; ratios and differences hold.'
  );
}

/** What the ratios reached, and where that is wide, the likely reason and what helps. */
function widthNotes(cells: readonly CellResult[], baseline: string): string[] {
  const widths = cells.flatMap((cell) => {
    const base = baselineFor(cells, cell, baseline);
    if (base === undefined || base === cell) return [];
    const total = { metric: 'cpu-per-message', role: 'all' } as const;
    const ratio = ratioOf(seriesOf(cell, total), seriesOf(base, total));
    const width = ratio === undefined ? undefined : relativeHalfWidth(ratio);
    return width === undefined ? [] : [{ cell, width }];
  });
  if (widths.length === 0) return [];
  const reached =
    `Ratios to ${baseline} are known to ${percentRange(widths.map(({ width }) => width))} either ` +
    'way';
  const wide = widths.filter(({ width }) => width > WIDE);
  if (wide.length === 0) return [`${reached}.`];
  const causes = causesOf(wide.map(({ cell }) => cell));
  const likely =
    causes.length === 0
      ? 'which neither the number of repeats nor the machine explains'
      : `likely because ${joined(causes)}`;
  return [
    `${reached}, ${wide.length} of ${widths.length} to more than ${percent(WIDE)}, ${likely}; more ` +
      'repeats (--budget standard or thorough) or a quieter machine (see sealbench doctor) narrow ' +
      'them.',
  ];
}

function causesOf(cells: readonly CellResult[]): string[] {
  const causes: string[] = [];
  const repeats = Math.min(...cells.map((cell) => cell.repeats));
  if (repeats < MANY_REPEATS) causes.push(`there are only ${countOf(repeats, 'repeat')}`);
  const disturbed = middleOf(cells, 'contaminated-share');
  if (disturbed !== undefined && disturbed > DISTURBED) {
    causes.push('other work disturbed the machine');
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

/** How many repeats reached a steady speed, and what to do about those that did not. */
function settlingNotes(cells: readonly CellResult[]): string[] {
  const all = cells.map(settlingOf);
  const sum = (of: (settling: (typeof all)[number]) => number): number =>
    all.reduce((total, settling) => total + of(settling), 0);
  const judged = sum((settling) => settling.judged);
  if (judged === 0) return [];
  const never = sum((settling) => settling.neverSettled);
  const later = [
    [sum((settling) => settling.warmedUp), 'after a warm-up'],
    [sum((settling) => settling.slowedDown), 'after a slowdown'],
  ] as const;
  const how = later.filter(([count]) => count > 0).map(([count, when]) => `${count} ${when}`);
  return [
    `${judged - never} of ${countOf(judged, 'repeat')} reached a steady speed` +
      `${how.length === 0 ? '' : `, ${joined(how)}`}.` +
      (cells.some(hasNeverSettled)
        ? ' What is marked * did not in more than a fifth of its repeats: more sessions or ' +
          'messages, or a longer "warmupMs" in the suite, let it settle, unless the workload itself ' +
          'changes on the way.'
        : ''),
  ];
}

function disturbanceNotes(cells: readonly CellResult[]): string[] {
  const worst = worstOf(cells, 'contaminated-share');
  const usual = middleOf(cells, 'contaminated-share');
  if (worst === undefined || usual === undefined) return [];
  if (worst.share === 0) return ['No block of work was disturbed by other work on the machine.'];
  return [
    `Other work on the machine disturbed ${percent(usual)} of the blocks of work of the median cell, ` +
      `at most ${percent(worst.share)} (${worst.label}); they are in the figures.`,
  ];
}

function helperNotes(cells: readonly CellResult[]): string[] {
  const flagged = cells.filter(
    (cell) => (summarise(seriesOf(cell, { metric: 'cpu-helpers' }))?.value ?? 0) > HELPERS_FLAGGED,
  );
  const worst = worstOf(cells, 'cpu-helpers');
  if (worst === undefined) return [];
  const start =
    'Garbage collector, compiler and libraries used at most ' +
    `${percent(worst.share)} of a process's CPU off the measured threads (${worst.label})`;
  const often =
    flagged.length === 0
      ? ''
      : `, more than ${percent(HELPERS_FLAGGED)} in ${flagged.length} of ${countOf(cells.length, 'cell')}`;
  return [`${start}${often}; that is in no figure per message.`];
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

function overheadNotes(cells: readonly CellResult[], overhead: Overhead | undefined): string[] {
  if (overhead === undefined) return [];
  const labels = cellLabels(cells);
  const flagged = cells.flatMap((cell, index) =>
    [...cell.series.values()].flatMap((series) => {
      const value = summarise(series)?.value ?? 0;
      const share = overheadShare(series, value, overhead) ?? 0;
      return share > OVERHEAD_FLAGGED ? [{ label: labels[index]!, share }] : [];
    }),
  );
  const most = Math.max(...flagged.map(({ share }) => share));
  const start =
    `The harness itself costs ${withUnit(overhead.cpuNs)} of CPU per call and adds ` +
    `${withUnit(overhead.latencyNs)} to a latency, which is in the figures`;
  if (flagged.length === 0) return [`${start}.`];
  const owners = [...new Set(flagged.map(({ label }) => label))];
  return [
    `${start}: more than ${percent(OVERHEAD_FLAGGED)} of ${countOf(flagged.length, 'figure')} of ` +
      `${named(owners)}, at most ${percent(most)}; sealbench rows says of which.`,
  ];
}

/** "a, b and 3 more". */
function named(labels: readonly string[]): string {
  if (labels.length <= NAMED_MAX) return joined(labels);
  const rest = labels.length - NAMED_MAX + 1;
  return joined([...labels.slice(0, NAMED_MAX - 1), `${rest} more`]);
}

function withUnit(estimate: Estimate): string {
  const scale = scaleFor('ns', [estimate.value]);
  return `${formatEstimate(estimate, scale)} ${scale.unit}`;
}
