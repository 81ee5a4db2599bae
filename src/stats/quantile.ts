/**
 * Medians and quantiles of a sample.
 *
 * @module
 */

/** Ascending samples. Only {@link sortSamples} grants this type, so no quantile sees raw order. */
export type SortedSamples = Float64Array & { readonly __sorted: true };

/** A sorted copy. */
export function sortSamples(values: Iterable<number>): SortedSamples {
  return Float64Array.from(values).sort() as SortedSamples;
}

/**
 * The `p`-quantile, linear between the two neighbouring samples.
 *
 * Source: definition 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages", *The American
 * Statistician* 50 (4), 1996; the default of R, NumPy and Excel. For p = 1/2 it is the usual median.
 *
 * @param p A fraction in [0, 1]: 0.99 for p99.
 * @throws RangeError for no samples or another `p`.
 */
export function quantile(samples: SortedSamples, p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`"p" expected a fraction in [0, 1], got ${p}`);
  if (samples.length === 0) throw new RangeError('"samples" expected at least one, got none');
  const position = (samples.length - 1) * p;
  const below = Math.floor(position);
  const low = samples[below]!;
  const high = samples[Math.min(below + 1, samples.length - 1)]!;
  return low + (position - below) * (high - low);
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: Iterable<number>): number {
  return quantile(sortSamples(values), 0.5);
}
