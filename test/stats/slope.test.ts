import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leastSquaresSlope } from '../../src/stats/slope.ts';
import { assertCovers } from './coverage.ts';

const SESSIONS = [1_000, 2_000, 4_000, 8_000];

test('the interval of a slope covers it', () => {
  assertCovers(412, 1, (random) => {
    const bytes = SESSIONS.map((sessions) => 5e6 + 412 * sessions + 2e4 * random.normal());
    return leastSquaresSlope(SESSIONS, bytes)?.interval;
  });
});

test('a straight line gives its slope and intercept exactly', () => {
  const line = leastSquaresSlope([1, 2, 3], [7, 9, 11])!;
  assert.deepEqual(line, { slope: 2, intercept: 5, interval: { low: 2, high: 2 } });
});

test('the slope and its interval are those of a worked example', () => {
  // Slope 0.6, residual squares 2.4, so its error is sqrt(0.8 / 10); t of 3 degrees is 3.182446.
  const line = leastSquaresSlope([1, 2, 3, 4, 5], [2, 4, 5, 4, 5])!;
  assert.ok(Math.abs(line.slope - 0.6) < 1e-12 && Math.abs(line.intercept - 2.2) < 1e-12);
  assert.ok(Math.abs(line.interval!.high - 0.6 - 3.1824463 * Math.sqrt(0.08)) < 1e-6);
});

test('two points have no interval, and one place no slope', () => {
  assert.deepEqual(leastSquaresSlope([0, 2], [1, 5]), {
    slope: 2,
    intercept: 1,
    interval: undefined,
  });
  assert.equal(leastSquaresSlope([3, 3], [1, 5]), undefined);
  assert.equal(leastSquaresSlope([], []), undefined);
  assert.throws(() => leastSquaresSlope([1, 2], [1]), /"y" expected one value per value of "x"/);
});
