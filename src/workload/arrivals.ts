/**
 * When messages or requests arrive in an open loop: seeded schedules, computed before any clock runs.
 *
 * A pattern is a rate over time, piecewise linear. Arrivals are placed by inversion (E. Cinlar,
 * Introduction to Stochastic Processes, 1975, §4.7): the moments of a process of rate 1 are mapped
 * through the inverse of the cumulated rate. With even moments that gives equal gaps, with
 * exponential ones a Poisson process whose rate follows the pattern.
 *
 * @module
 */

import { z } from 'zod';
import { SeededRandom } from '../core/random.ts';

/** Packed as 8 bytes each: 400 MB at most. */
export const ARRIVALS_MAX = 50_000_000;
/** A double of seconds holds a nanosecond for so long and longer. */
const SECONDS_MAX = 86_400;

const perSecond = z.number().min(0.001).max(10_000_000);
const seconds = z.number().min(0).max(SECONDS_MAX);

export const arrivalsSchema = z.discriminatedUnion('pattern', [
  z
    .strictObject({ pattern: z.literal('constant'), perSecond })
    .describe('Equal gaps, from a seeded phase on.'),
  z
    .strictObject({ pattern: z.literal('poisson'), perSecond })
    .describe('Exponential gaps: arrivals that know nothing of one another.'),
  z
    .strictObject({
      pattern: z.literal('ramp'),
      fromPerSecond: perSecond,
      toPerSecond: perSecond,
      seconds: seconds.min(0.001),
    })
    .describe('Poisson, at a rate that changes evenly within the seconds and then stays.'),
  z
    .strictObject({
      pattern: z.literal('spike'),
      perSecond,
      spikePerSecond: perSecond,
      afterSeconds: seconds,
      spikeSeconds: seconds.min(0.001),
    })
    .describe('Poisson, with a spell at another rate.'),
]);

/** Per source of load: of a suite's cells, per worker thread. */
export type Arrivals = z.infer<typeof arrivalsSchema>;

/** Where a schedule ends: after so many arrivals, or before a moment, whichever of them is given. */
export type ScheduleEnd = { readonly count: number } | { readonly durationNs: number };

/**
 * Ascending offsets from the start, in whole ns.
 *
 * @param seed Any integers; the same give the same schedule, others an unrelated one.
 * @throws RangeError for more than {@link ARRIVALS_MAX}, expected or asked for.
 */
export function scheduleArrivals(
  arrivals: Arrivals,
  end: ScheduleEnd,
  ...seed: readonly number[]
): Float64Array<ArrayBuffer> {
  const segments = segmentsOf(arrivals);
  const expected = 'count' in end ? end.count : cumulatedRate(segments, end.durationNs / 1e9);
  if (!(expected >= 0 && expected <= ARRIVALS_MAX)) {
    throw new RangeError(`"end" expected at most ${ARRIVALS_MAX} arrivals, got ${expected}`);
  }
  const random = new SeededRandom(...seed);
  const isEven = arrivals.pattern === 'constant';
  const invert = inverseOf(segments);
  let offsetsNs = new Float64Array(Math.ceil(expected));
  let count = 0;
  // In arrivals that a process of rate 1 has had.
  let moment = isEven ? random.fraction() : exponential(random);
  for (;;) {
    if ('count' in end && count === end.count) break;
    const offsetNs = Math.round(invert(moment) * 1e9);
    if ('durationNs' in end && offsetNs >= end.durationNs) break;
    if (count === offsetsNs.length) offsetsNs = enlarged(offsetsNs);
    offsetsNs[count] = offsetNs;
    count += 1;
    moment += isEven ? 1 : exponential(random);
  }
  return count === offsetsNs.length ? offsetsNs : offsetsNs.slice(0, count);
}

/** A spell in which the rate changes evenly. The last one never ends. */
interface Segment {
  readonly seconds: number;
  readonly from: number;
  readonly to: number;
}

function segmentsOf(arrivals: Arrivals): Segment[] {
  if (arrivals.pattern === 'ramp') {
    const { fromPerSecond: from, toPerSecond: to } = arrivals;
    return [{ seconds: arrivals.seconds, from, to }, steady(to)];
  }
  if (arrivals.pattern === 'spike') {
    const { perSecond: base, spikePerSecond, afterSeconds, spikeSeconds } = arrivals;
    return [steady(base, afterSeconds), steady(spikePerSecond, spikeSeconds), steady(base)];
  }
  return [steady(arrivals.perSecond)];
}

function steady(rate: number, lasting = Infinity): Segment {
  return { seconds: lasting, from: rate, to: rate };
}

function cumulatedRate(segments: readonly Segment[], untilSeconds: number): number {
  let sum = 0;
  let left = untilSeconds;
  for (const segment of segments) {
    const spent = Math.min(left, segment.seconds);
    sum += cumulatedWithin(segment, spent);
    left -= spent;
  }
  return sum;
}

function cumulatedWithin({ seconds: lasting, from, to }: Segment, spent: number): number {
  if (from === to) return from * spent;
  return from * spent + ((to - from) * spent * spent) / (2 * lasting);
}

/** Seconds at which so many arrivals were due; to be asked in ascending order. */
function inverseOf(segments: readonly Segment[]): (moment: number) => number {
  let at = 0;
  let startSeconds = 0;
  let startMoment = 0;
  let all = cumulatedWithin(segments[0]!, segments[0]!.seconds);
  return (moment) => {
    while (moment - startMoment >= all) {
      startSeconds += segments[at]!.seconds;
      startMoment += all;
      at += 1;
      all = cumulatedWithin(segments[at]!, segments[at]!.seconds);
    }
    return startSeconds + secondsWithin(segments[at]!, moment - startMoment);
  };
}

/** The root of the quadratic in the form that does not cancel. */
function secondsWithin({ seconds: lasting, from, to }: Segment, due: number): number {
  if (from === to) return due / from;
  const discriminant = from * from + (2 * (to - from) * due) / lasting;
  return Math.min(lasting, (2 * due) / (from + Math.sqrt(Math.max(0, discriminant))));
}

/** Of mean 1. */
function exponential(random: SeededRandom): number {
  return -Math.log(1 - random.fraction());
}

/** A Poisson process may have more arrivals than are expected. */
function enlarged(offsetsNs: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(Math.max(64, Math.ceil(offsetsNs.length * 1.125)));
  larger.set(offsetsNs);
  return larger;
}
