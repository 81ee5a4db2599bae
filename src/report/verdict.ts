/**
 * Whether a run can be believed, in one line: how narrow its ratios are and what they can tell apart.
 *
 * @module
 */

import { median } from '../stats/quantile.ts';
import { seriesOf, type CellResult, type Series } from './cells.ts';
import { isUndecided, ratioOf, relativeHalfWidth, summarise, type Estimate } from './estimates.ts';
import { formatNumber } from './numbers.ts';
import { kneeOf } from './saturation.ts';
import { countOf, percentRange } from './wording.ts';

/**
 * `unjudged`: there are no intervals. `fine`: the ratios of cells are known to 3 % either way.
 * `noisy`: they are not, and yet tell cells apart. `too noisy`: nothing can be ordered.
 */
export type Verdict = 'unjudged' | 'fine' | 'noisy' | 'too noisy';

export interface Judgement {
  readonly verdict: Verdict;
  /** One sentence or two, without the verdict. */
  readonly because: string;
}

/** Wider than this on either side, a ratio of neighbouring rungs says little. */
export const WIDE = 0.03;
/** Too noisy is a run that tells no two cells apart and knows no ratio better than this. */
const USELESS_RATIO = 0.25;
/** Of a cell that can be compared with nothing: its cost, known no better than this. */
const USELESS_COST = 0.5;

/** What a run is judged by: the first of these that one of its cells has. */
const JUDGED_BY: readonly ((cell: CellResult) => Series | undefined)[] = [
  (cell) => seriesOf(cell, { metric: 'cpu-per-message', role: 'all' }),
  kneeOf,
  (cell) => seriesOf(cell, { metric: 'response-time', statistic: 'p50' }),
];

/**
 * By the ratios of all pairs of cells that carry the same messages on as many threads, and where
 * there is no such pair by the costs themselves: CPU per message, and in open loops the highest rate
 * or the median response time. Cells that cost the same cannot be told apart
 * however quiet the machine; so a run is too noisy only when its intervals are useless as well.
 */
export function judgeRun(cells: readonly CellResult[]): Judgement {
  const fine = cells.filter(({ status }) => status === 'ok');
  const judged = JUDGED_BY.find((of) => fine.some((cell) => of(cell) !== undefined));
  if (judged === undefined) return { verdict: 'unjudged', because: 'No message was measured.' };
  const measured = fine.filter((cell) => judged(cell) !== undefined);
  const ratios = pairsOf(measured).flatMap(([upper, lower]) => {
    return ratioOf(judged(upper), judged(lower)) ?? [];
  });
  return ratios.length === 0 ? judgeCosts(measured.map(judged)) : judgeRatios(ratios);
}

/** "Verdict: noisy. Ratios are known to ...". */
export function verdictText({ verdict, because }: Judgement): string {
  return `Verdict: ${verdict}. ${because}`;
}

function judgeRatios(ratios: readonly Estimate[]): Judgement {
  const widths = widthsOf(ratios);
  if (widths.length === 0) return TOO_FEW;
  const apart = ratios.filter((ratio) => ratio.low !== undefined && !isUndecided(ratio, 1)).length;
  const usual = median(widths);
  const verdict: Verdict =
    apart === 0 && Math.min(...widths) > USELESS_RATIO
      ? 'too noisy'
      : usual > WIDE
        ? 'noisy'
        : 'fine';
  return {
    verdict,
    because:
      `Ratios of cells are known to ${percentRange(widths)} either way; ` +
      `${formatNumber(apart)} of ${countOf(ratios.length, 'pair')} of cells can be told apart.` +
      adviceFor(verdict),
  };
}

function judgeCosts(costs: readonly (Series | undefined)[]): Judgement {
  const widths = widthsOf(costs.flatMap((series) => summarise(series) ?? []));
  if (widths.length === 0) return TOO_FEW;
  const verdict: Verdict =
    Math.min(...widths) > USELESS_COST ? 'too noisy' : median(widths) > WIDE ? 'noisy' : 'fine';
  return {
    verdict,
    because: `Costs are known to ${percentRange(widths)} either way.${adviceFor(verdict)}`,
  };
}

const TOO_FEW: Judgement = {
  verdict: 'unjudged',
  because: 'Fewer than 3 repeats give no intervals: nothing says how far a figure is off.',
};

function adviceFor(verdict: Verdict): string {
  if (verdict !== 'too noisy') return '';
  return (
    ' Nothing can be decided from this run: repeat it with --budget standard or thorough, on a ' +
    'machine that sealbench doctor does not call too noisy.'
  );
}

function pairsOf(cells: readonly CellResult[]): (readonly [CellResult, CellResult])[] {
  return cells.flatMap((lower, index) =>
    cells
      .slice(index + 1)
      .filter((upper) => upper.workload === lower.workload && upper.threads === lower.threads)
      .map((upper) => [upper, lower] as const),
  );
}

function widthsOf(estimates: readonly Estimate[]): number[] {
  return estimates.flatMap((estimate) => relativeHalfWidth(estimate) ?? []);
}
