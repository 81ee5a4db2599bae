/**
 * Figures as parts of sentences.
 *
 * @module
 */

import { median } from '../stats/quantile.ts';
import type { Estimate } from './estimates.ts';
import { formatNumber, scaleFor, type Scale } from './numbers.ts';

/** "a, b and c". */
export function joined(texts: readonly string[]): string {
  if (texts.length < 2) return texts.join('');
  return `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)!}`;
}

/** "1 repeat", "3 repeats". */
export function countOf(count: number, what: string): string {
  return `${formatNumber(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** "49.1 %", with at most one decimal. */
export function percent(share: number): string {
  return `${percentNumber(share)} %`;
}

/** "9.9 % (5.4 to 15.3 %)": the median of shares, and the extremes where there are several. */
export function percentRange(shares: readonly number[]): string {
  const middle = percent(median(shares));
  if (shares.length === 1) return middle;
  return `${middle} (${percentNumber(Math.min(...shares))} to ${percent(Math.max(...shares))})`;
}

function percentNumber(share: number): string {
  return String(Number((share * 100).toFixed(1)));
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Of a difference in nanoseconds, without its sign: `4.9 us`. */
export function magnitude(difference: Estimate): string {
  const { unit, factor } = scaleOf(difference);
  return `${formatNumber(Math.abs(difference.value) * factor)} ${unit}`;
}

/** How sure the magnitude is, in its unit: "95 % interval 4.8 to 5.0". */
export function magnitudeConfidence(difference: Estimate): string {
  return confidence(absolute(difference), scaleOf(difference).factor);
}

/** "95 % interval 2.0 to 2.3", or why there is none. */
export function confidence(estimate: Estimate, factor = 1): string {
  if (estimate.low === undefined || estimate.high === undefined) {
    return `${countOf(estimate.repeats, 'repeat')}, too few for an interval`;
  }
  return `95 % interval ${intervalText(estimate, factor)}`;
}

export function intervalText({ low = 0, high = 0 }: Estimate, factor = 1): string {
  return `${formatNumber(low * factor)} to ${formatNumber(high * factor)}`;
}

/** Of a difference in nanoseconds: "95 % interval -0.1 to 0.3 us". */
export function signedInterval(difference: Estimate): string {
  const { unit, factor } = scaleOf(difference);
  return `95 % interval ${intervalText(difference, factor)} ${unit}`;
}

function scaleOf({ value, low = value, high = value }: Estimate): Scale {
  return scaleFor('ns', [Math.max(Math.abs(value), Math.abs(low), Math.abs(high))]);
}

function absolute({ value, low, high, repeats }: Estimate): Estimate {
  if (value >= 0 || low === undefined || high === undefined) {
    return { value: Math.abs(value), low, high, repeats };
  }
  return { value: -value, low: -high, high: -low, repeats };
}
