/**
 * How narrow a figure is, for runs that go on until it is narrow enough.
 *
 * Such a run looks at widths only, never at values: a ratio that is "nearly different from one" gets
 * no more repeats than another. What is left of the danger in stopping when one likes what one sees:
 * a run stops earlier where the values happen to lie close together, and an interval over such values
 * is a little too narrow. Of ratios at least 93.8 % are covered, whose width is that of their interval.
 * Of costs see below. The tests simulate both.
 *
 * Source: Y. S. Chow and H. Robbins, "On the Asymptotic Theory of Fixed-Width Sequential Confidence
 * Intervals for the Mean", *Annals of Mathematical Statistics* 36, 1965.
 *
 * @module
 */

import { meanInterval, repeatInterval, type Interval } from './interval.ts';
import { median } from './quantile.ts';

/** Of normal values, the deviation of a median is that of a mean times this. */
const MEDIAN_LOSS = Math.sqrt(Math.PI / 2);

/**
 * Half the width of the interval of a cost over repeats, as a share of its median: the wider of two.
 *
 * The interval that is printed ends at two of the values, so its width jumps, and a run that waited
 * for it alone would stop where two values happen to be close: 95 % become 92 %. The width that the
 * deviation of all values makes likely is steadier; with it at least 93.6 % are left.
 *
 * @param costs Above zero, one per repeat.
 * @param factor How much wider the interval is printed; see `widening` of serial-correlation.ts.
 * @returns `undefined` for fewer than three values, and where one is not above zero.
 */
export function costHalfWidth(costs: readonly number[], factor = 1): number | undefined {
  const printed = repeatInterval(costs);
  if (printed === undefined || !costs.every((cost) => cost > 0)) return undefined;
  const ofMean = halfWidth(meanInterval(costs.map((cost) => Math.log(cost)))!);
  return factor * Math.max(halfWidth(printed) / median(costs), MEDIAN_LOSS * ofMean);
}

function halfWidth({ low, high }: Interval): number {
  return (high - low) / 2;
}
