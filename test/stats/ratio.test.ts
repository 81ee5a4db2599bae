import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanInterval } from '../../src/stats/interval.ts';
import { pairedRatio, ratioInterval } from '../../src/stats/ratio.ts';
import { assertCovers, draw } from './coverage.ts';
import { runOf } from './machine.ts';

for (const n of [3, 6, 15]) {
  test(`the interval of a ratio over ${n} pairs covers it, though the machine drifts`, () => {
    assertCovers(1.05, n, (random) => {
      // Drift of 30 % from pair to pair hits both sides alike; 2 % is each process's own.
      const drift = draw(n, () => Math.exp(0.3 * random.normal()));
      const a = drift.map((speed) => 1_000 * speed * Math.exp(0.02 * random.normal()));
      const b = drift.map((speed) => 1_050 * speed * Math.exp(0.02 * random.normal()));
      return pairedRatio(a, b).interval;
    });
  });
}

// Two cells only: the next repeat of each then meets much the same machine as the one before.
for (const n of [3, 10, 20, 40]) {
  test(`${n} pairs on a machine that drifts, with spikes, cover ratio and difference`, () => {
    assertCovers(1.05, n, (random) => {
      const [a, b] = runOf(random, { drifts: true, spikes: true }, 2, n);
      return pairedRatio(
        a!,
        b!.map((cost) => 1.05 * cost),
      ).interval;
    });
    assertCovers(500, n, (random) => {
      const [a, b] = runOf(random, { drifts: true, spikes: true }, 2, n);
      return meanInterval(a!.map((cost, pair) => 1_000 * cost + 500 - 1_000 * b![pair]!));
    });
  });
}

test('the ratio is b over a, and its inverse the other way round', () => {
  assert.ok(Math.abs(pairedRatio([1, 10], [2, 20]).ratio - 2) < 1e-12);
  const forth = pairedRatio([1, 2, 3], [2, 5, 5]);
  const back = pairedRatio([2, 5, 5], [1, 2, 3]);
  assert.ok(Math.abs(forth.ratio * back.ratio - 1) < 1e-12);
  assert.ok(Math.abs(forth.interval!.low * back.interval!.high - 1) < 1e-12);
});

test('a single pair has a ratio and no interval', () => {
  assert.deepEqual(pairedRatio([2], [4]), { ratio: 2, interval: undefined });
  assert.equal(ratioInterval([0.1]), undefined);
});

test('pairs that are none are refused', () => {
  assert.throws(() => pairedRatio([1, 2], [1]), /"b" expected one value per value of "a", got 1/);
  assert.throws(() => pairedRatio([], []), RangeError);
  assert.throws(() => pairedRatio([1], [0]), /expected a positive number, got 0/);
  assert.throws(() => pairedRatio([NaN], [1]), /expected a positive number, got NaN/);
});
