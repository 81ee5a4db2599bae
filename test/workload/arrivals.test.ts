import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  ARRIVALS_MAX,
  arrivalsSchema,
  scheduleArrivals,
  type Arrivals,
} from '../../src/workload/arrivals.ts';

const rate = fc.double({ min: 0.5, max: 50_000, noNaN: true });
const seconds = fc.double({ min: 0.01, max: 20, noNaN: true });
const patterns: fc.Arbitrary<Arrivals> = fc.oneof(
  fc.record({ pattern: fc.constant('constant' as const), perSecond: rate }),
  fc.record({ pattern: fc.constant('poisson' as const), perSecond: rate }),
  fc.record({
    pattern: fc.constant('ramp' as const),
    fromPerSecond: rate,
    toPerSecond: rate,
    seconds,
  }),
  fc.record({
    pattern: fc.constant('spike' as const),
    perSecond: rate,
    spikePerSecond: rate,
    afterSeconds: seconds,
    spikeSeconds: seconds,
  }),
);

test('a schedule is as long as asked, ascending, in whole nanoseconds, and drawn from its seed', () => {
  fc.assert(
    fc.property(patterns, fc.integer({ min: 0, max: 3_000 }), fc.nat(), (arrivals, count, seed) => {
      assert.ok(arrivalsSchema.safeParse(arrivals).success);
      const offsets = scheduleArrivals(arrivals, { count }, seed);
      assert.equal(offsets.length, count);
      for (const [at, offset] of offsets.entries()) {
        assert.ok(Number.isInteger(offset) && offset >= (offsets[at - 1] ?? 0));
      }
      assert.deepEqual(scheduleArrivals(arrivals, { count }, seed), offsets);
      if (count > 3) assert.notDeepEqual(scheduleArrivals(arrivals, { count }, seed + 1), offsets);
      const shorter = scheduleArrivals(arrivals, { count: count >> 1 }, seed);
      assert.deepEqual(shorter, offsets.slice(0, count >> 1));
    }),
    { numRuns: 150 },
  );
});

test('a schedule that ends at a moment is the beginning of one that goes on', () => {
  fc.assert(
    fc.property(
      patterns,
      fc.nat(),
      fc.integer({ min: 1, max: 1e9 }),
      (arrivals, seed, durationNs) => {
        const offsets = scheduleArrivals(arrivals, { durationNs }, seed);
        const longer = scheduleArrivals(arrivals, { count: offsets.length + 1 }, seed);
        assert.deepEqual(offsets, longer.slice(0, -1));
        assert.ok((offsets.at(-1) ?? -1) < durationNs && longer.at(-1)! >= durationNs);
      },
    ),
    { numRuns: 100 },
  );
});

test('as many arrive in any spell as the pattern means, within five standard deviations', () => {
  const spells = [
    { arrivals: { pattern: 'poisson', perSecond: 5_000 }, from: 3, to: 5, expected: 10_000 },
    {
      arrivals: { pattern: 'ramp', fromPerSecond: 100, toPerSecond: 4_100, seconds: 4 },
      from: 1,
      to: 3,
      expected: 100 * 2 + (1_000 * (9 - 1)) / 2,
    },
    {
      arrivals: { pattern: 'ramp', fromPerSecond: 4_100, toPerSecond: 100, seconds: 4 },
      from: 4,
      to: 10,
      expected: 600,
    },
    {
      arrivals: {
        pattern: 'spike',
        perSecond: 500,
        spikePerSecond: 20_000,
        afterSeconds: 2,
        spikeSeconds: 0.5,
      },
      from: 2,
      to: 2.5,
      expected: 10_000,
    },
    {
      arrivals: {
        pattern: 'spike',
        perSecond: 500,
        spikePerSecond: 20_000,
        afterSeconds: 2,
        spikeSeconds: 0.5,
      },
      from: 2.5,
      to: 6.5,
      expected: 2_000,
    },
  ] as const;
  for (const { arrivals, from, to, expected } of spells) {
    for (let seed = 0; seed < 20; seed++) {
      const offsets = scheduleArrivals(arrivals, { durationNs: to * 1e9 }, seed);
      const within = offsets.filter((offset) => offset >= from * 1e9).length;
      const deviations = Math.abs(within - expected) / Math.sqrt(expected);
      assert.ok(deviations < 5, `${arrivals.pattern}: ${within} instead of ${expected}`);
    }
  }
});

test('gaps are equal where the rate is constant and exponential where it is Poisson', () => {
  const even = scheduleArrivals({ pattern: 'constant', perSecond: 8_000 }, { count: 1_000 }, 7);
  assert.ok(even[0]! < 125_000);
  for (let at = 1; at < even.length; at++) {
    assert.ok(Math.abs(even[at]! - even[at - 1]! - 125_000) <= 1);
  }
  const other = scheduleArrivals({ pattern: 'constant', perSecond: 8_000 }, { count: 1 }, 8);
  assert.notEqual(other[0], even[0], 'sources of other seeds are out of phase');

  const random = scheduleArrivals({ pattern: 'poisson', perSecond: 1_000 }, { count: 40_000 }, 7);
  const gaps = random.subarray(1).map((offset, at) => (offset - random[at]!) / 1e6);
  // Kolmogorov and Smirnov: the 0.1 % point is 1.95 / sqrt(n).
  const sorted = gaps.toSorted();
  const distance = sorted.reduce((most, gap, at) => {
    return Math.max(most, Math.abs((at + 0.5) / sorted.length - (1 - Math.exp(-gap))));
  }, 0);
  assert.ok(distance < 1.95 / Math.sqrt(sorted.length), `distance ${distance}`);
});

test('schedules are bounded', () => {
  const arrivals = { pattern: 'poisson', perSecond: 1_000 } as const;
  assert.throws(() => scheduleArrivals(arrivals, { count: ARRIVALS_MAX + 1 }, 1), RangeError);
  assert.throws(() => scheduleArrivals(arrivals, { durationNs: 1e9 * 86_400 }, 1), RangeError);
  assert.throws(() => scheduleArrivals(arrivals, { count: Number.NaN }, 1), RangeError);
  assert.equal(arrivalsSchema.safeParse({ pattern: 'constant', perSecond: 0 }).success, false);
  assert.equal(arrivalsSchema.safeParse({ pattern: 'saw', perSecond: 1 }).success, false);
});
