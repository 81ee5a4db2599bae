/**
 * Mean and standard deviation of a few values.
 *
 * @module
 */

/** Arithmetic mean; NaN for no values. */
export function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/**
 * Sample standard deviation, with n - 1; NaN for fewer than two values.
 *
 * In two passes: the one-pass formula loses all digits when the spread is small beside the mean.
 */
export function standardDeviation(values: readonly number[]): number {
  const centre = mean(values);
  let squares = 0;
  for (const value of values) squares += (value - centre) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}
