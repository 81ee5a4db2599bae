/**
 * Numbers as the site prints them: at most three significant digits, with unit and interval.
 *
 * @module
 */

import type { Estimate } from '../estimates.ts';
import { formatEstimate, formatNumber, scaleFor, type Scale } from '../numbers.ts';

/** As in {@link scaleFor}, with the sign of micro that a screen has. */
export function siteScale(unit: string, values: readonly number[]): Scale {
  const scale = scaleFor(unit, values);
  return scale.unit === 'us' ? { ...scale, unit: 'µs' } : scale;
}

/** The value and, apart, its interval in brackets or ''. */
export function siteEstimate(
  estimate: Estimate,
  scale: Scale,
): { readonly value: string; readonly interval: string } {
  const text = formatEstimate(estimate, scale, 3);
  const at = text.indexOf(' [');
  return at === -1
    ? { value: text, interval: '' }
    : { value: text.slice(0, at), interval: text.slice(at + 1) };
}

/** "5.68 µs [5.41, 5.95]", in a scale of its own or in the one given. */
export function quantityText(
  estimate: Estimate,
  unit: string,
  scale: Scale = siteScale(unit, [estimate.value]),
): string {
  const { value, interval } = siteEstimate(estimate, scale);
  const amount = scale.unit === '' ? value : `${value} ${scale.unit}`;
  return interval === '' ? amount : `${amount} ${interval}`;
}

/** For the columns of the table behind a chart. */
export function cellText(value: string | number | boolean | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'number' ? formatNumber(value) : String(value);
}

/** Sentences are written for terminals; here there is a sign of micro, and lines end after a unit. */
export function sitewise(text: string): string {
  return text
    .replaceAll(/(?<=\d) us\b/g, ' µs')
    .replaceAll(/(?<=\d) (?=(?:%|[nµm]?s|[kMG]?B|[KMG]iB)(?!\w))/g, '\u00a0');
}
