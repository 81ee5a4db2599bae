import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SeededRandom } from '../../src/core/random.ts';
import { meanInterval, medianInterval, repeatInterval } from '../../src/stats/interval.ts';
import { median } from '../../src/stats/quantile.ts';
import { assertCovers, draw } from './coverage.ts';

/** Per-repeat costs as machines give them, each with its true median. */
const COSTS: Record<string, { median: number; cost: (random: SeededRandom) => number }> = {
  'log-normal with a spread of 2 %': {
    median: 1,
    cost: (random) => Math.exp(0.02 * random.normal()),
  },
  'log-normal with a spread of 50 %': {
    median: 1,
    cost: (random) => Math.exp(0.5 * random.normal()),
  },
  'log-normal with a spread of 100 %': { median: 1, cost: (random) => Math.exp(random.normal()) },
  'a fixed cost with log-normal noise on it': {
    median: 1.05,
    cost: (random) => 1 + 0.05 * Math.exp(0.8 * random.normal()),
  },
  'a difference around zero': { median: 0, cost: (random) => random.normal() },
};

for (const [title, { median: truth, cost }] of Object.entries(COSTS)) {
  for (const n of [3, 4, 5, 6, 7, 10, 20, 40]) {
    test(`the interval over ${n} repeats covers the median of ${title}`, () => {
      assertCovers(truth, n, (random) => repeatInterval(draw(n, () => cost(random))));
    });
  }
}

test('fewer than three repeats have no interval', () => {
  assert.equal(repeatInterval([]), undefined);
  assert.equal(repeatInterval([1, 2]), undefined);
});

test('the interval over repeats holds their median, and is a point when all are equal', () => {
  const costs = fc.array(fc.double({ noNaN: true, min: 1e-3, max: 1e12 }), { minLength: 3 });
  fc.assert(
    fc.property(costs, (values) => {
      const interval = repeatInterval(values)!;
      const middle = median(values);
      assert.ok(interval.low <= middle && middle <= interval.high);
    }),
  );
  for (const n of [3, 5, 10]) {
    const interval = repeatInterval(draw(n, () => 117))!;
    assert.ok(Math.abs(interval.low - 117) < 1e-9 && Math.abs(interval.high - 117) < 1e-9);
  }
});

for (const n of [2, 3, 10]) {
  test(`the interval of a mean of ${n} covers it`, () => {
    assertCovers(7, n, (random) => meanInterval(draw(n, () => 7 + 3 * random.normal())));
  });
}

test('the interval of a mean is the one of the textbook', () => {
  // Mean 3, deviation sqrt(2.5), t = 2.776445.
  const interval = meanInterval([1, 2, 3, 4, 5])!;
  assert.ok(Math.abs(interval.low - 1.0367568) < 1e-6);
  assert.ok(Math.abs(interval.high - 4.9632432) < 1e-6);
  assert.equal(meanInterval([1]), undefined);
});

for (const n of [6, 7, 9, 25, 200]) {
  test(`the interval of a median of ${n} covers it, whatever the shape`, () => {
    assertCovers(Math.LN2, n, (random) => medianInterval(draw(n, () => exponential(random))));
  });
}

test('the interval of a median lies within the extremes and needs six values', () => {
  assert.equal(medianInterval([1, 2, 3, 4, 5]), undefined);
  const interval = medianInterval([6, 5, 4, 3, 2, 1])!;
  assert.ok(interval.low > 1 && interval.low < 2 && interval.high > 5 && interval.high < 6);
  const many = medianInterval(draw(5_000, (index) => index))!;
  // The normal approximation, 1.96 sqrt(n) / 2, for a number that underflows 2^-n.
  assert.ok(Math.abs(many.high - many.low - 138.6) < 1.5);
});

function exponential(random: SeededRandom): number {
  return -Math.log(1 - random.fraction());
}
