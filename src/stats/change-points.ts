/**
 * Where a series changed its level.
 *
 * @module
 */

import { median } from './quantile.ts';

/** A level over values that follow each other. */
export interface Segment {
  /** Index of its first value. */
  readonly from: number;
  /** Index after its last value. */
  readonly to: number;
  readonly level: number;
}

/** A single value is an outlier, no level. */
const SHORTEST = 2;
/** The median of |a - b| of two independent standard normal values: 0.6745 times the root of 2. */
const MEDIAN_DIFFERENCE = 0.6744897501960817 * Math.SQRT2;
/** Of a value, where neighbours are equal: no series is quieter than a clock. */
const DEVIATION_MIN = 1e-4;
/** Parameters of a change: where it is, and the new level. */
const PARAMETERS = 2;
/** Times the penalty of Schwarz, for the place of a change is searched for among many. */
const CAUTION = 2;

/**
 * The division into levels with the least sum of squared deviations from them, of the logarithms,
 * where every further level costs a penalty: with fewer levels the data would be described worse,
 * with more only the noise better. A change has to be a factor, hence the logarithms.
 *
 * The deviation of a single value is taken from the differences of neighbours, into which a level
 * enters only where it changes. Cost: the square of the number of values.
 *
 * Source: optimal partitioning, B. Jackson et al., "An Algorithm for Optimal Partitioning of Data on
 * an Interval", *IEEE Signal Processing Letters* 12, 2005, with twice the penalty of Schwarz (BIC), as in
 * R. Killick, P. Fearnhead and I. A. Eckley, "Optimal Detection of Changepoints With a Linear
 * Computational Cost", *Journal of the American Statistical Association* 107, 2012.
 *
 * @param values Positive, in the order of time.
 * @returns Levels are geometric means. One segment for fewer than four values; none for no value.
 */
export function levelsOf(values: readonly number[]): Segment[] {
  const count = values.length;
  if (count === 0) return [];
  const logs = values.map(Math.log);
  const differences = logs.slice(1).map((value, index) => Math.abs(value - logs[index]!));
  const typical = differences.length === 0 ? 0 : median(differences);
  const deviation = Math.max(DEVIATION_MIN, typical / MEDIAN_DIFFERENCE);
  const penalty = CAUTION * PARAMETERS * deviation ** 2 * Math.log(Math.max(count, 2));

  const sums = [0];
  const squares = [0];
  for (const [index, value] of logs.entries()) {
    sums.push(sums[index]! + value);
    squares.push(squares[index]! + value ** 2);
  }
  const costOf = (from: number, to: number): number =>
    squares[to]! - squares[from]! - (sums[to]! - sums[from]!) ** 2 / (to - from);

  // best[end]: the least cost of the first `end` values, and where its last level begins.
  const best: { cost: number; from: number }[] = [{ cost: -penalty, from: 0 }];
  for (let end = 1; end <= count; end++) {
    best.push({ cost: best[0]!.cost + costOf(0, end) + penalty, from: 0 });
    for (let from = SHORTEST; from <= end - SHORTEST; from++) {
      const cost = best[from]!.cost + costOf(from, end) + penalty;
      if (cost < best[end]!.cost) best[end] = { cost, from };
    }
  }
  const segments: Segment[] = [];
  for (let to = count; to > 0; to = best[to]!.from) {
    const { from } = best[to]!;
    segments.unshift({ from, to, level: Math.exp((sums[to]! - sums[from]!) / (to - from)) });
  }
  return segments;
}
