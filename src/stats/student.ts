/**
 * Quantiles of Student's t distribution.
 *
 * @module
 */

const BISECTIONS = 60;

/**
 * The `p`-quantile of Student's t, accurate to 1e-9 of itself for the 95 % and 99 % intervals.
 *
 * Source: Abramowitz and Stegun, *Handbook of Mathematical Functions* (1964), 26.7.3 and 26.7.4, the
 * finite series for whole degrees of freedom, inverted by bisection on the angle. Costs about
 * 30 · `degrees` multiplications.
 *
 * @param p A fraction in (0, 1): 0.975 for a two-sided interval of 95 %.
 * @param degrees Degrees of freedom, a whole number from 1.
 */
export function studentQuantile(p: number, degrees: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`"p" expected a fraction in (0, 1), got ${p}`);
  if (!(Number.isInteger(degrees) && degrees >= 1)) {
    throw new RangeError(`"degrees" expected a whole number from 1, got ${degrees}`);
  }
  if (p < 0.5) return -studentQuantile(1 - p, degrees);
  const central = 2 * p - 1;
  let low = 0;
  let high = Math.PI / 2;
  for (let i = 0; i < BISECTIONS; i++) {
    const angle = (low + high) / 2;
    if (centralProbability(angle, degrees) < central) low = angle;
    else high = angle;
  }
  return Math.sqrt(degrees) * Math.tan((low + high) / 2);
}

/** A(t|v) = P(|T| < t) with t = sqrt(v) tan(angle): 26.7.3 for odd v, 26.7.4 for even v. */
function centralProbability(angle: number, degrees: number): number {
  const sine = Math.sin(angle);
  const cosine = Math.cos(angle);
  const odd = degrees % 2 === 1;
  if (degrees === 1) return (2 * angle) / Math.PI;
  let term = odd ? cosine : 1;
  let sum = term;
  for (let k = odd ? 3 : 2; k < degrees; k += 2) {
    term *= ((k - 1) / k) * cosine * cosine;
    sum += term;
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}
