/**
 * The slope of a line through points, such as bytes per session from bytes at several populations.
 *
 * @module
 */

import { MISS, type Interval } from './interval.ts';
import { mean } from './moments.ts';
import { studentQuantile } from './student.ts';

export interface Slope {
  /** In units of y per unit of x. */
  readonly slope: number;
  /** y at x = 0: what is there without any session. */
  readonly intercept: number;
  /** 95 %, of the slope; `undefined` for two points. */
  readonly interval: Interval | undefined;
}

/**
 * Least squares, with the interval from Student's t with n - 2 degrees of freedom.
 *
 * Exact for a straight line with independent normal deviations of one size; so every point must be
 * a process of its own. Deviations that grow with x are covered by 86 to 90 % only: where several
 * repeats have a point at each x, take the slope of each repeat and the interval of these slopes.
 *
 * Source: Draper and Smith, *Applied Regression Analysis*, 3rd ed. (1998), sections 1.2 and 1.4.
 *
 * @returns `undefined` when there are not two different x.
 * @throws RangeError for different numbers of x and y.
 */
export function leastSquaresSlope(x: readonly number[], y: readonly number[]): Slope | undefined {
  const n = x.length;
  if (n !== y.length) {
    throw new RangeError(`"y" expected one value per value of "x", got ${y.length} to ${n}`);
  }
  const centreX = mean(x);
  const centreY = mean(y);
  let squaresX = 0;
  let products = 0;
  for (let i = 0; i < n; i++) {
    squaresX += (x[i]! - centreX) ** 2;
    products += (x[i]! - centreX) * (y[i]! - centreY);
  }
  if (!(squaresX > 0)) return undefined;
  const slope = products / squaresX;
  const intercept = centreY - slope * centreX;
  if (n < 3) return { slope, intercept, interval: undefined };

  let residualSquares = 0;
  for (let i = 0; i < n; i++) residualSquares += (y[i]! - intercept - slope * x[i]!) ** 2;
  const standardError = Math.sqrt(residualSquares / (n - 2) / squaresX);
  const half = studentQuantile(1 - MISS / 2, n - 2) * standardError;
  return { slope, intercept, interval: { low: slope - half, high: slope + half } };
}
