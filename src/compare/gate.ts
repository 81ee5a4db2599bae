/**
 * From cells to one outcome: what a comparison says in all.
 *
 * @module
 */

import { NOISY_FLOORS, type CellFigures, type Cost, type Exact } from './cell.ts';
import { DECIDING } from './figures.ts';
import type { Verdict } from './judge.ts';

/** Why a cell could not be compared. */
export interface CellFailure {
  readonly side: 'base' | 'head';
  readonly status: string;
  readonly reason: string;
}

export interface ComparedCell {
  readonly cell: string;
  /** Of the first pass; undefined where it failed. */
  readonly figures?: CellFigures | undefined;
  /** Of the accused, from fresh processes. */
  readonly confirmation?: CellFigures | undefined;
  readonly failure?: CellFailure | undefined;
}

/** A cost with the verdict that stands after the second pass. */
export interface FinalCost extends Cost {
  readonly final: Verdict;
  /** Accused in the first pass, and not in the second. */
  readonly acquitted: boolean;
}

/**
 * `too-noisy`: two copies of the base differ by more than twice the declared floor, so that no
 * difference that matters can be told. `nothing`: no cell could be compared.
 */
export type Outcome = 'fine' | 'regressed' | 'failed' | 'too-noisy' | 'nothing' | 'undecided';

/** Whether the first pass accuses: these are measured once more. */
export function isAccused({ costs }: CellFigures): boolean {
  return costs.some(({ decides, verdict }) => decides && verdict === 'regressed');
}

/** A regression that decides stands only where fresh processes say so too. */
export function finalCosts({ figures, confirmation }: ComparedCell): FinalCost[] {
  return (figures?.costs ?? []).map((cost) => {
    const isAlarm = cost.decides && cost.verdict === 'regressed';
    if (!isAlarm || confirmation === undefined) {
      return { ...cost, final: cost.verdict, acquitted: false };
    }
    const again = confirmation.costs.find(({ name }) => name === cost.name);
    const stands = again?.verdict === 'regressed';
    return { ...cost, final: stands ? 'regressed' : 'undecided', acquitted: !stands };
  });
}

export function changedBeyond({ figures }: ComparedCell): Exact[] {
  return (figures?.changed ?? []).filter(({ verdict }) => verdict === 'regressed');
}

/** Whether the copies of the base differ by too much for the cost that decides. */
export function isTooNoisy({ figures }: ComparedCell): boolean {
  return (figures?.costs ?? []).some(
    ({ name, measuredFloor, declaredFloor }) =>
      name === DECIDING && measuredFloor > NOISY_FLOORS * declaredFloor,
  );
}

/** Whether neither an interval nor an exact figure is left: copies of the base disagree in all. */
export function saysNothing({ figures }: ComparedCell): boolean {
  return figures?.costs.length === 0 && figures.exactCount === 0;
}

/** @param strict Whether a cost that decides and is undecided is more than a remark. */
export function outcomeOf(cells: readonly ComparedCell[], strict = false): Outcome {
  if (cells.some(({ failure }) => failure?.side === 'head')) return 'failed';
  const measured = cells.filter(({ figures }) => figures !== undefined);
  if (measured.length === 0) return 'nothing';
  const deciding = measured.flatMap(finalCosts).filter(({ decides }) => decides);
  const isWorse = deciding.some(({ final }) => final === 'regressed');
  if (isWorse || measured.some((cell) => changedBeyond(cell).length > 0)) return 'regressed';
  if (measured.some((cell) => isTooNoisy(cell) || saysNothing(cell))) return 'too-noisy';
  const isOpen = deciding.some(({ final }) => final === 'undecided');
  return strict && isOpen ? 'undecided' : 'fine';
}
