/**
 * Whether the repeats of a cell reached a steady speed.
 *
 * @module
 */

import { seriesOf, type CellResult, type Series } from './cells.ts';

/** Above this share of its repeats, a cell is said never to have settled. */
const UNSETTLED_FLAGGED = 0.2;

export interface Settling {
  /** Repeats that could be judged: long enough. */
  readonly judged: number;
  readonly flat: number;
  readonly warmedUp: number;
  readonly slowedDown: number;
  readonly neverSettled: number;
}

export function settlingOf(cell: CellResult): Settling {
  const count = (kind: string): number => {
    const series = seriesOf(cell, { metric: 'steady-state', kind, statistic: 'share' });
    return [...(series?.values.values() ?? [])].reduce((sum, value) => sum + value, 0);
  };
  const flat = count('flat');
  const warmedUp = count('warm-up');
  const slowedDown = count('slowdown');
  const neverSettled = count('never-settled');
  const judged = flat + warmedUp + slowedDown + neverSettled;
  return { judged, flat, warmedUp, slowedDown, neverSettled };
}

export function hasNeverSettled(cell: CellResult): boolean {
  const { judged, neverSettled } = settlingOf(cell);
  return judged > 0 && neverSettled > UNSETTLED_FLAGGED * judged;
}

/** What is done once per session or connection is not judged: it is over before traffic begins. */
const NOT_JUDGED: ReadonlySet<string> = new Set(['connect', 'publish', 'initiate', 'accept']);

/** "never settled in 3 of 10 repeats"; '' for a cell that settled, and for what was not judged. */
export function settlingWarning(cell: CellResult, { metric, unit, stage }: Series): string {
  const isJudged = unit === 'ns' && metric !== 'cpu-opening' && !NOT_JUDGED.has(stage);
  if (!isJudged || !hasNeverSettled(cell)) return '';
  const { judged, neverSettled } = settlingOf(cell);
  return `never settled in ${neverSettled} of ${judged} repeats`;
}
