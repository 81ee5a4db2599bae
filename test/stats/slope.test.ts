import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SeededRandom } from '../../src/core/random.ts';
import { repeatInterval } from '../../src/stats/interval.ts';
import { leastSquaresSlope } from '../../src/stats/slope.ts';
import { assertCovers, draw } from './coverage.ts';

const SESSIONS = [1_000, 2_000, 4_000];

/** What the bytes of a process deviate by from the line, in bytes. */
const DEVIATIONS: Record<string, (random: SeededRandom) => number> = {
  normal: (random) => 2e4 * random.normal(),
  skewed: (random) => 2e4 * Math.exp(0.8 * random.normal()),
};

for (const [shape, deviation] of Object.entries(DEVIATIONS)) {
  for (const repeats of [1, 3, 10, 20]) {
    test(`the interval of a slope through ${3 * repeats} processes with ${shape} deviations covers it`, () => {
      const sessions = draw(3 * repeats, (index) => SESSIONS[index % 3]!);
      assertCovers(412, repeats, (random) => {
        const bytes = sessions.map((count) => 5e6 + 412 * count + deviation(random));
        return leastSquaresSlope(sessions, bytes)?.interval;
      });
    });
  }
}

const growing = (random: SeededRandom): number[] =>
  SESSIONS.map((count) => 5e6 + count * (412 + 20 * random.normal()));

test('deviations that grow with the population are covered by a slope per repeat, not by one line', () => {
  for (const repeats of [3, 10, 20]) {
    assertCovers(412, repeats, (random) =>
      repeatInterval(draw(repeats, () => leastSquaresSlope(SESSIONS, growing(random))!.slope)),
    );
  }
  const sessions = draw(30, (index) => SESSIONS[index % 3]!);
  assertCovers(
    412,
    1,
    (random) => leastSquaresSlope(sessions, draw(10, () => growing(random)).flat())?.interval,
    { low: 0.8, high: 0.92 },
  );
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
