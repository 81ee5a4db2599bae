/**
 * The standard normal distribution.
 *
 * @module
 */

/** The distribution function is 0 or 1 to double precision beyond this. */
const LIMIT = 8;
const BISECTIONS = 60;

/**
 * P(Z < z), to about 1e-15.
 *
 * Source: G. Marsaglia, "Evaluating the Normal Distribution", *Journal of Statistical Software*
 * 11 (4), 2004: the Taylor series of the function over its density.
 */
export function normalProbability(z: number): number {
  if (z <= -LIMIT) return 0;
  if (z >= LIMIT) return 1;
  let term = z;
  let sum = z;
  for (let k = 3; Math.abs(term) > Math.abs(sum) * Number.EPSILON; k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI);
}

/**
 * The inverse of {@link normalProbability}, by bisection.
 *
 * @param p A fraction in (0, 1).
 */
export function normalQuantile(p: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`"p" expected a fraction in (0, 1), got ${p}`);
  let low = -LIMIT;
  let high = LIMIT;
  for (let i = 0; i < BISECTIONS; i++) {
    const z = (low + high) / 2;
    if (normalProbability(z) < p) low = z;
    else high = z;
  }
  return (low + high) / 2;
}
