/**
 * One cell of a comparison: what its processes say, aligned in blocks, and what follows from it.
 *
 * @module
 */

import { median } from '../stats/quantile.ts';
import { compareSame, smallestDifference } from '../stats/smallest-difference.ts';
import { DECIDING, EXACT_METRICS, floorOf, type ComparedFigure } from './figures.ts';
import { judge, type Judgement, type Verdict } from './judge.ts';

/** The figures of the three processes of one block. */
export interface ComparedBlock {
  readonly base: readonly ComparedFigure[];
  /** Of a second process of the base. */
  readonly copy: readonly ComparedFigure[];
  readonly head: readonly ComparedFigure[];
}

/** A figure that is noisy: judged by an interval. */
export interface Cost extends Judgement {
  readonly name: string;
  readonly unit: string;
  /** Medians over processes; only the ratio is judged. */
  readonly base: number;
  readonly head: number;
  readonly declaredFloor: number;
  /** The outer end of the interval between base and copy, in this job. */
  readonly measuredFloor: number;
  /** The smallest difference that as many blocks could show, as a share. */
  readonly smallest: number;
  /** Whether a verdict of this figure decides. */
  readonly decides: boolean;
  readonly blocks: number;
}

/** A figure of which two copies of the base give the same. */
export interface Exact {
  readonly name: string;
  readonly unit: string;
  readonly base: number;
  readonly head: number;
  /** `named`: it changed by too little to count. */
  readonly verdict: 'regressed' | 'improved' | 'named';
}

export interface CellFigures {
  readonly costs: readonly Cost[];
  /** Only those that changed. */
  readonly changed: readonly Exact[];
  /** How many exact figures were compared. */
  readonly exactCount: number;
  /** Names of exact metrics whose figures vary between copies of the base here. */
  readonly varying: readonly string[];
}

/** A change of an exact figure by more counts; as a share. */
export const EXACT_FLOOR = 0.002;
/** Copies of the base that differ by more than so many declared floors hide what matters. */
export const NOISY_FLOORS = 2;
/** Samples beyond a percentile, in each process, before it may decide. */
const SAMPLES_BEYOND = 125;

/**
 * @param blocks Two or more.
 * @param percentiles Whether percentiles of latency may decide, where they rest on enough samples.
 */
export function compareCell(blocks: readonly ComparedBlock[], percentiles = false): CellFigures {
  const costs: Cost[] = [];
  const changed: Exact[] = [];
  const varying = new Set<string>();
  let exactCount = 0;
  for (const series of alignedIn(blocks)) {
    if (!EXACT_METRICS.includes(series.figure.metric)) {
      const cost = costOf(series, percentiles);
      if (cost !== undefined) costs.push(cost);
      continue;
    }
    if (series.rows.some(({ base, copy }) => changeOf(base, copy) > EXACT_FLOOR)) {
      varying.add(series.figure.metric);
      continue;
    }
    exactCount += 1;
    const exact = exactOf(series);
    if (exact !== undefined) changed.push(exact);
  }
  return { costs, changed, exactCount, varying: [...varying] };
}

interface Row {
  readonly base: number;
  readonly copy: number;
  readonly head: number;
}
interface Series {
  readonly figure: ComparedFigure;
  readonly rows: readonly Row[];
  /** The fewest of all processes; undefined for what is no percentile. */
  readonly samplesBeyond: number | undefined;
}

/** Figures by name; what a process lacks is 0 where it is a count, and drops the block otherwise. */
function alignedIn(blocks: readonly ComparedBlock[]): Series[] {
  const figures = new Map<string, ComparedFigure>();
  for (const { base, head } of blocks) {
    for (const figure of [...base, ...head]) figures.set(figure.name, figure);
  }
  const indexed = blocks.map(({ base, copy, head }) => [base, copy, head].map(byName));
  return [...figures.values()].map((figure) => {
    const isCount = EXACT_METRICS.includes(figure.metric);
    const rows = indexed.flatMap((sides): Row[] => {
      const [base, copy, head] = sides.map(
        (side) => side.get(figure.name)?.value ?? (isCount ? 0 : undefined),
      );
      if (base === undefined || copy === undefined || head === undefined) return [];
      return [{ base, copy, head }];
    });
    const beyond = indexed.flatMap((sides) =>
      sides.flatMap((side) => side.get(figure.name)?.samplesBeyond ?? []),
    );
    return {
      figure,
      rows,
      samplesBeyond: beyond.length === 0 ? undefined : Math.min(...beyond),
    };
  });
}

function byName(figures: readonly ComparedFigure[]): Map<string, ComparedFigure> {
  return new Map(figures.map((figure) => [figure.name, figure]));
}

/** @returns undefined where there are no two pairs of positive values. */
function costOf({ figure, rows, samplesBeyond }: Series, percentiles: boolean): Cost | undefined {
  const pairs = rows.filter(({ base, copy, head }) => base > 0 && copy > 0 && head > 0);
  if (pairs.length < 2) return undefined;
  const sign = figure.direction === 'lower' ? 1 : -1;
  const { floor: measuredFloor, deviation } = compareSame(
    pairs.map(({ base, copy }) => Math.log(copy / base)),
  );
  const declaredFloor = floorOf(figure.metric);
  const floor = Math.max(declaredFloor, measuredFloor);
  const judgement = judge(
    pairs.map(({ base, head }) => Math.log(head / base)),
    floor,
  );
  // Within a floor that is all noise lies everything.
  const isHidden =
    judgement.verdict === 'unchanged' && measuredFloor > NOISY_FLOORS * declaredFloor;
  const verdict = isHidden ? 'undecided' : judgement.verdict;
  return {
    ...judgement,
    verdict: sign === 1 ? verdict : reversed(verdict),
    name: figure.name,
    unit: figure.unit,
    base: median(pairs.map(({ base }) => base)),
    head: median(pairs.map(({ head }) => head)),
    declaredFloor,
    measuredFloor,
    smallest: smallestDifference(floor, deviation, pairs.length),
    decides:
      figure.name === DECIDING ||
      (percentiles && samplesBeyond !== undefined && samplesBeyond >= SAMPLES_BEYOND),
    blocks: pairs.length,
  };
}

function reversed(verdict: Verdict): Verdict {
  if (verdict === 'regressed') return 'improved';
  return verdict === 'improved' ? 'regressed' : verdict;
}

/** A change counts where it goes one way in every block, and by more than the floor in each. */
function exactOf({ figure, rows }: Series): Exact | undefined {
  const changes = rows.map(({ base, head }) => changeOf(base, head));
  const noise = Math.max(...rows.map(({ base, copy }) => changeOf(base, copy)));
  if (Math.max(...changes) <= noise) return undefined;
  const { name, unit, direction } = figure;
  const base = median(rows.map((row) => row.base));
  const head = median(rows.map((row) => row.head));
  const grew = rows.every((row) => row.head > row.base);
  const shrank = rows.every((row) => row.head < row.base);
  const counts = (grew || shrank) && Math.min(...changes) > EXACT_FLOOR;
  const isWorse = direction === 'lower' ? grew : shrank;
  return {
    name,
    unit,
    base,
    head,
    verdict: !counts ? 'named' : isWorse ? 'regressed' : 'improved',
  };
}

/** As a share; from nothing to something is more than any floor. */
function changeOf(before: number, after: number): number {
  if (before === after) return 0;
  return before === 0 ? Infinity : Math.abs(after / before - 1);
}
