/**
 * Latencies in the bucket layout of HdrHistogram: 1 ns to 60 s, 3 significant figures.
 *
 * The buckets are our own array, because a recording between two clock readings must be cheap and
 * allocate nothing. The text form is HdrHistogram's V2 compressed base64, written and read by
 * hdr-histogram-js, so that any HDR tool opens a result.
 *
 * Layout: G. Tene, HdrHistogram, `AbstractHistogram.java`. Values below 2,048 have a bucket each;
 * every further power of two is cut into 1,024 equal buckets.
 *
 * @module
 */

import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  JsHistogram,
} from 'hdr-histogram-js';
import { badInput } from '../core/errors.ts';

const LOWEST = 1;
export const HIGHEST_NS = 60e9;
const SIGNIFICANT_FIGURES = 3;

/** Smallest power of two that tells 2 · 10^3 apart from its neighbours. */
const SINGLE = 2048;
const HALF = SINGLE / 2;
/** `Math.clz32(SINGLE) + 1`: a value of this many leading zeros is the last of bucket 0. */
const LEADING_ZEROS = 21;
/** What a value above 2^32 is shifted by to fit the 32 bits of `Math.clz32`. */
const HIGH_SHIFT = 11;
const LENGTH = indexOf(HIGHEST_NS) + 1;

export class Histogram {
  readonly #counts = new Uint32Array(LENGTH);
  #count = 0;

  /** How many values were recorded. */
  get count(): number {
    return this.#count;
  }

  /** How many of them were as high as can be told apart, or higher. */
  get clipped(): number {
    return this.#counts[LENGTH - 1]!;
  }

  /**
   * Values are floored to whole ns. Below 1 ns counts as 1 ns (the clock did not move), above 60 s
   * as 60 s.
   *
   * @throws RangeError for NaN.
   */
  record(valueNs: number): void {
    const index = indexOf(valueNs);
    this.#counts[index]! += 1;
    this.#count++;
  }

  /**
   * The smallest value that `percentile` per cent of the values do not exceed, as HdrHistogram
   * defines it: the upper end of its bucket, so up to 0.1 % too high. `undefined` when empty.
   *
   * @param percentile From 0 to 100; 0 gives the lower end of the first bucket in use.
   */
  valueAtPercentile(percentile: number): number | undefined {
    if (!(percentile >= 0 && percentile <= 100)) {
      throw new RangeError(`"percentile" expected a number in [0, 100], got ${percentile}`);
    }
    if (this.#count === 0) return undefined;
    // 99.9 % of 1,000 is 999.0000000000001 in doubles; the product is not let over by rounding.
    const product = (percentile / 100) * this.#count;
    const rank = Math.max(1, Math.ceil(product * (1 - Number.EPSILON)));
    let reached = 0;
    for (let index = 0; index < LENGTH; index++) {
      reached += this.#counts[index]!;
      if (reached >= rank) return percentile === 0 ? lowestOf(index) : lowestOf(index + 1) - 1;
    }
    throw new Error('a histogram counted fewer values than it recorded');
  }

  /** Lower end of the first bucket in use. */
  get min(): number | undefined {
    return this.valueAtPercentile(0);
  }

  /** Upper end of the last bucket in use. */
  get max(): number | undefined {
    return this.valueAtPercentile(100);
  }

  /** Every value taken as the middle of its bucket, as HdrHistogram does. */
  get mean(): number | undefined {
    if (this.#count === 0) return undefined;
    let sum = 0;
    for (let index = 0; index < LENGTH; index++) {
      const count = this.#counts[index]!;
      if (count > 0) sum += count * middleOf(index);
    }
    return sum / this.#count;
  }

  /**
   * Adds the other's values to this one's. There is one layout, so nothing can be lost on the way;
   * that is checked all the same.
   */
  merge(other: Histogram): void {
    const expected = this.#count + other.#count;
    let count = 0;
    for (let index = 0; index < LENGTH; index++) {
      const sum = this.#counts[index]! + other.#counts[index]!;
      this.#counts[index] = sum;
      count += this.#counts[index]!;
    }
    if (count !== expected) {
      throw new Error(`a merge lost values: expected ${expected}, got ${count}`);
    }
    this.#count = count;
  }

  /** HdrHistogram V2, compressed, base64; the empty text when nothing was recorded. */
  encode(): string {
    if (this.#count === 0) return '';
    const target = build({
      bitBucketSize: 64,
      autoResize: false,
      lowestDiscernibleValue: LOWEST,
      highestTrackableValue: HIGHEST_NS,
      numberOfSignificantValueDigits: SIGNIFICANT_FIGURES,
    });
    for (let index = 0; index < LENGTH; index++) {
      const count = this.#counts[index]!;
      if (count > 0) target.recordValueWithCount(lowestOf(index), count);
    }
    return encodeIntoCompressedBase64(target);
  }

  /**
   * @param text As `encode` gives it, also by other HDR tools.
   * @throws HarnessError BAD_INPUT for another layout, which could not be merged without loss, and
   *   for a text that is no histogram. The caller names the file.
   */
  static decode(text: string): Histogram {
    const histogram = new Histogram();
    if (text === '') return histogram;
    const source = decodeAny(text);
    if (
      source.lowestDiscernibleValue !== LOWEST ||
      source.highestTrackableValue !== HIGHEST_NS ||
      source.numberOfSignificantValueDigits !== SIGNIFICANT_FIGURES
    ) {
      throw badInput(
        `histogram: expected ${LOWEST} to ${HIGHEST_NS} with ${SIGNIFICANT_FIGURES} significant ` +
          `figures, got ${source.lowestDiscernibleValue} to ${source.highestTrackableValue} with ` +
          `${source.numberOfSignificantValueDigits}; record it with the layout of this version`,
      );
    }
    for (let index = 0; index < LENGTH; index++) {
      const count = source.getCountAtIndex(index);
      histogram.#counts[index] = count;
      histogram.#count += count;
    }
    if (histogram.#count !== source.totalCount) {
      throw badInput('histogram: expected as many values in its buckets as in all; it is damaged');
    }
    return histogram;
  }
}

/** The bucket of a value, clamped to the range. Pure integer work on two paths. */
function indexOf(valueNs: number): number {
  if (valueNs >= SINGLE) {
    const value = valueNs < HIGHEST_NS ? valueNs : HIGHEST_NS;
    if (value < 0x1_0000_0000) {
      const bucket = LEADING_ZEROS - Math.clz32(value);
      return bucket * HALF + (value >>> bucket);
    }
    const high = Math.floor(value / SINGLE);
    const bucket = LEADING_ZEROS - Math.clz32(high);
    return (bucket + HIGH_SHIFT) * HALF + (high >>> bucket);
  }
  if (valueNs >= 1) return Math.floor(valueNs);
  if (Number.isNaN(valueNs)) throw new RangeError('"valueNs" expected a number, got NaN');
  return LOWEST;
}

/** The smallest value of a bucket. */
function lowestOf(index: number): number {
  if (index < SINGLE) return index;
  const bucket = Math.floor(index / HALF) - 1;
  return (index - bucket * HALF) * 2 ** bucket;
}

function middleOf(index: number): number {
  return lowestOf(index) + Math.floor((lowestOf(index + 1) - lowestOf(index)) / 2);
}

function decodeAny(text: string): JsHistogram {
  let decoded: unknown;
  try {
    decoded = decodeFromCompressedBase64(text, 64);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw badInput(`histogram: expected HdrHistogram V2, compressed, base64; got: ${reason}`);
  }
  if (!(decoded instanceof JsHistogram)) throw badInput('histogram: expected a plain histogram');
  return decoded;
}
