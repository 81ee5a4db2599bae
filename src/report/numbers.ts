/**
 * Numbers for people: at most three significant digits, in a unit that fits.
 *
 * @module
 */

import type { Estimate } from './estimates.ts';

const DIGITS = 3;

/** A unit as it is printed, and what a value is multiplied by to be in it. */
export interface Scale {
  readonly unit: string;
  readonly factor: number;
}

/** From small to large, with the smallest value that each is used for. */
const SCALES: Readonly<Record<string, readonly (Scale & { readonly from: number })[]>> = {
  ns: [
    { unit: 'ns', factor: 1, from: 0 },
    { unit: 'us', factor: 1e-3, from: 1e3 },
    { unit: 'ms', factor: 1e-6, from: 1e6 },
    { unit: 's', factor: 1e-9, from: 1e9 },
  ],
  B: [
    { unit: 'B', factor: 1, from: 0 },
    { unit: 'KiB', factor: 1 / 1024, from: 10 * 1024 },
    { unit: 'MiB', factor: 1 / 1024 ** 2, from: 10 * 1024 ** 2 },
  ],
  share: [{ unit: '%', factor: 100, from: 0 }],
};

/** The scale in which the middle one of `values` reads well; zeros have no say. */
export function scaleFor(unit: string, values: readonly number[]): Scale {
  const scales = SCALES[unit];
  if (scales === undefined) return { unit, factor: 1 };
  const sizes = values
    .map(Math.abs)
    .filter((size) => size > 0)
    .sort((a, b) => a - b);
  const middle = sizes[Math.floor(sizes.length / 2)] ?? 0;
  return scales.findLast((scale) => middle >= scale.from) ?? scales[0]!;
}

/**
 * @param decimalsMax For a bound of an interval: not more decimals than the value beside it.
 */
export function formatNumber(value: number, decimalsMax = Infinity): string {
  if (!Number.isFinite(value)) return '-';
  if (Number.isInteger(value) && Math.abs(value) < 1000) return wholeNumber(value, decimalsMax);
  const rounded = Number(value.toPrecision(DIGITS));
  const text = rounded.toFixed(decimalsOf(value, decimalsMax));
  return Number(text) === 0 ? '0' : text;
}

/** Exact counts are printed as such; beside a value with decimals they are given decimals too. */
function wholeNumber(value: number, decimalsMax: number): string {
  if (decimalsMax === Infinity || value === 0) return String(value === 0 ? 0 : value);
  return value.toFixed(decimalsOf(value, decimalsMax));
}

function decimalsOf(value: number, decimalsMax: number): number {
  const rounded = Math.abs(Number(value.toPrecision(DIGITS)));
  const magnitude = rounded === 0 ? 0 : Math.floor(Math.log10(rounded));
  return Math.max(0, Math.min(DIGITS - 1 - magnitude, decimalsMax, 12));
}

/**
 * `12.3 [12.1, 12.6]`; without the interval where there is none or where nothing varied.
 *
 * @param decimalsMax Of a column whose numbers are to be short.
 */
export function formatEstimate(estimate: Estimate, scale: Scale, decimalsMax = Infinity): string {
  const value = estimate.value * scale.factor;
  const { low, high } = estimate;
  const alone = Number.isInteger(value) ? formatNumber(value) : formatNumber(value, decimalsMax);
  if (low === undefined || high === undefined) return alone;
  if (low === high && low === estimate.value) return alone;
  const decimals = value === 0 ? decimalsMax : decimalsOf(value, decimalsMax);
  const bounds = [low, high].map((bound) => formatNumber(bound * scale.factor, decimals));
  const shown = Number.isInteger(value) ? formatNumber(value, decimals) : alone;
  return `${shown} [${bounds.join(', ')}]`;
}

/** A value with its unit, in a scale of its own: `14.2 us`. */
export function formatQuantity(value: number, unit: string): string {
  const scale = scaleFor(unit, [value]);
  const separator = scale.unit === '%' || scale.unit === '' ? '' : ' ';
  return `${formatNumber(value * scale.factor)}${separator}${scale.unit}`;
}
