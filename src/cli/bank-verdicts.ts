/**
 * What the comparisons of a bank say, by the judge of `compare`.
 *
 * @module
 */

import { judge, type Judgement } from '../compare/judge.ts';
import { logRatios, PLANTED, type BankBlock } from '../runner/bank-arms.ts';
import type { FigureName } from '../runner/bank-figures.ts';
import { meanInterval, type Interval } from '../stats/interval.ts';
import { mean } from '../stats/moments.ts';
import { proportionInterval } from '../stats/proportion.ts';
import { compareSame } from '../stats/smallest-difference.ts';

export interface Comparison extends Judgement {
  /** The larger of the declared floor and, for a planted slowdown, what A and A' show between them. */
  readonly floor: number;
  /** With the declared floor alone. */
  readonly byDeclaredFloor: Judgement['verdict'];
}

/** Of one arm against the first. */
export interface ArmResult {
  readonly arm: string;
  /** As a share; 0 for the copy. */
  readonly planted: number;
  readonly comparisons: readonly Comparison[];
  /** For the copy: whatever side it is on. For a planted slowdown: `regressed`. */
  readonly called: number;
  /** Of the share of comparisons that are, exact; undefined without a comparison. */
  readonly calledShare: Interval | undefined;
  readonly calledByDeclaredFloor: number;
  /** Of all blocks together: what was planted in fact, as a share with its 95 %. */
  readonly measured: { readonly share: number; readonly interval: Interval } | undefined;
  /** How many of the planned comparisons should be called. */
  readonly expected: { readonly min: number; readonly max: number };
}

/** Of 40 comparisons; of another number, the same share of it. */
const OF = 40;
const CALLED_MAX = 1;
const CALLED_MIN: Readonly<Record<string, number>> = { 'A+3%': 24, 'A+5%': 37 };

export interface BankToJudge {
  readonly arms: readonly { readonly name: string }[];
  readonly comparisons: number;
  readonly blocksPerComparison: number;
  /** Declared before: a difference of less is none that matters, as a share. */
  readonly floor: number;
}

/**
 * Judges the comparisons that are complete, each by itself and once.
 *
 * The copy is judged by the declared floor alone: it is the A/A arm, and cannot be judged by itself.
 */
export function judgeBank(
  { arms, comparisons: planned, blocksPerComparison, floor }: BankToJudge,
  blocks: readonly BankBlock[],
  figure: FigureName,
): ArmResult[] {
  const [base, ...others] = arms.map(({ name }) => name);
  const sorted = blocks.toSorted((a, b) => a.block - b.block);
  const groups = Map.groupBy(sorted, ({ block }) => Math.floor(block / blocksPerComparison));
  const complete = [...groups.values()].filter((group) => group.length === blocksPerComparison);
  const copy = others.find((name) => PLANTED[name] === undefined);
  return others.map((arm) => {
    const planted = PLANTED[arm] ?? 0;
    const comparisons = complete.map((group) => {
      const measured = planted === 0 || copy === undefined ? 0 : noise(group, base!, copy, figure);
      return compare(logRatios(group, base!, arm, figure), floor, measured);
    });
    const isCalled = (verdict: Judgement['verdict']): boolean =>
      verdict === 'regressed' || (planted === 0 && verdict === 'improved');
    const called = comparisons.filter(({ verdict }) => isCalled(verdict)).length;
    const all = logRatios(sorted, base!, arm, figure);
    return {
      arm,
      planted,
      comparisons,
      called,
      calledShare:
        comparisons.length === 0 ? undefined : proportionInterval(called, comparisons.length),
      calledByDeclaredFloor: comparisons.filter(({ byDeclaredFloor }) => isCalled(byDeclaredFloor))
        .length,
      measured: shareOf(all),
      expected: {
        min: Math.ceil(((CALLED_MIN[arm] ?? 0) * planned) / OF),
        max: planted === 0 ? Math.ceil((CALLED_MAX * planned) / OF) : planned,
      },
    };
  });
}

function noise(
  group: readonly BankBlock[],
  base: string,
  copy: string,
  figure: FigureName,
): number {
  return compareSame(logRatios(group, base, copy, figure)).floor;
}

function compare(logarithms: readonly number[], declared: number, measured: number): Comparison {
  const floor = Math.max(declared, measured);
  const byDeclaredFloor = judge(logarithms, declared).verdict;
  return { ...judge(logarithms, floor), floor, byDeclaredFloor };
}

function shareOf(logarithms: readonly number[]): ArmResult['measured'] {
  const interval = meanInterval(logarithms);
  if (interval === undefined) return undefined;
  return {
    share: Math.expm1(mean(logarithms)),
    interval: { low: Math.expm1(interval.low), high: Math.expm1(interval.high) },
  };
}

/** undefined while comparisons are missing. */
export function isMet(result: ArmResult, planned: number): boolean | undefined {
  const { comparisons, called, expected } = result;
  if (comparisons.length < planned) return undefined;
  return called >= expected.min && called <= expected.max;
}
