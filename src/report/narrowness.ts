/**
 * How narrow each cell of a run is, for runs that go on until all are narrow enough.
 *
 * @module
 */

import { costHalfWidth } from '../stats/sequential.ts';
import { widening } from '../stats/serial-correlation.ts';
import { seriesOf, type CellResult } from './cells.ts';
import { ratioOf, relativeHalfWidth } from './estimates.ts';
import { baselineFor, cellLabels } from './pairing.ts';
import { countOf, joined, percent } from './wording.ts';

/** How well one cell is known. */
export interface Narrowness {
  readonly cell: CellResult;
  /** What its ratio refers to; undefined where its cost is judged by itself. */
  readonly base: CellResult | undefined;
  /** Half the width of the interval as a share of the value; undefined where there is none. */
  readonly halfWidth: number | undefined;
}

const PER_MESSAGE = { metric: 'cpu-per-message', role: 'all' } as const;
const PER_CALL = { metric: 'primitive-wall' } as const;
/** Of a relay at saturation; the ratio is to the baseline under the same load. */
const PER_SERVED = { metric: 'server-cpu-per-request', role: 'relay', kind: 'message' } as const;
const OURS = { metric: 'cross-check', kind: 'ours' } as const;
const THEIRS = { metric: 'cross-check', kind: 'theirs' } as const;

/** What it looks at: enough for `deriveCells`. */
export const NARROWNESS_METRICS: ReadonlySet<string> = new Set(
  [PER_MESSAGE, PER_CALL, PER_SERVED, OURS].map(({ metric }) => metric),
);

/**
 * Of every cell with figures: the CPU per message as a ratio to the baseline, or by itself where
 * there is none to refer to; the time of a call of a primitive; the ratio of a cross-check. A cell
 * that is the baseline of others is not judged: its cost is known as well as they need it.
 *
 * @param baseline The pipeline, with its options, that ratios refer to.
 */
export function narrownessOf(
  cells: readonly CellResult[],
  baseline: string | undefined,
): Narrowness[] {
  const measured = cells
    .filter(({ status }) => status === 'ok')
    .map((cell) => ({
      cell,
      base: baseline === undefined ? undefined : baselineFor(cells, cell, baseline),
    }));
  const referredTo = new Set(
    measured.flatMap(({ cell, base }) => (base === undefined || base === cell ? [] : [base])),
  );
  return measured
    .filter(({ cell }) => !referredTo.has(cell))
    .map(({ cell, base: found }) => {
      const base = found === cell ? undefined : found;
      return { cell, base, halfWidth: halfWidthOf(cell, base) };
    });
}

function halfWidthOf(cell: CellResult, base: CellResult | undefined): number | undefined {
  const per = seriesOf(cell, PER_SERVED) === undefined ? PER_MESSAGE : PER_SERVED;
  const total = seriesOf(cell, per);
  const theirs = seriesOf(cell, THEIRS);
  const ratio =
    base !== undefined
      ? ratioOf(total, seriesOf(base, per))
      : theirs !== undefined
        ? ratioOf(seriesOf(cell, OURS), theirs)
        : undefined;
  if (ratio !== undefined) return relativeHalfWidth(ratio);
  const cost = total ?? seriesOf(cell, PER_CALL);
  if (cost === undefined) return undefined;
  const values = [...cost.values.values()];
  return costHalfWidth(values, widening(cost.correlation ?? 0, values.length));
}

/** Whether more repeats are needed; a cell without an interval is never narrow. */
export function isWide({ halfWidth }: Narrowness, until: number): boolean {
  return halfWidth === undefined || halfWidth > until;
}

/**
 * What a run reached that went on until its cells were narrow enough, in sentences.
 *
 * @param until Half the width that is narrow enough, as a share.
 */
export function narrownessNotes(
  cells: readonly CellResult[],
  baseline: string | undefined,
  until: number,
): string[] {
  const judged = narrownessOf(cells, baseline);
  if (judged.length === 0) return [];
  const wide = judged.filter((one) => isWide(one, until));
  const start =
    `Repeats were added, up to a limit, to cells that were not yet known to ${percent(until)} ` +
    `either way: ${judged.length - wide.length} of ${countOf(judged.length, 'cell')} are`;
  if (wide.length === 0) return [`${start}.`];
  const labels = cellLabels(cells);
  const reached = wide.map(({ cell, halfWidth }) => {
    const width = halfWidth === undefined ? 'no interval' : percent(halfWidth);
    return `${labels[cells.indexOf(cell)]!} ${width} after ${countOf(cell.repeats, 'repeat')}`;
  });
  return [`${start}. Not narrow enough: ${joined(reached)}.`];
}
