import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/core/random.ts';
import { ratioInterval } from '../../src/stats/ratio.ts';
import { compareSame, smallestDifference } from '../../src/stats/smallest-difference.ts';
import { draw } from './coverage.ts';

test('the floor is the outer end of the interval, whichever side that is', () => {
  const slower = compareSame([0.01, 0.02, 0.03]);
  assert.equal(slower.floor, slower.interval.high - 1);
  const faster = compareSame([-0.01, -0.02, -0.03]);
  assert.ok(Math.abs(faster.floor - slower.floor) < 1e-12);
  assert.ok(Math.abs(faster.ratio * slower.ratio - 1) < 1e-12);
  assert.ok(Math.abs(slower.deviation - 0.01) < 1e-12);
  assert.throws(() => compareSame([0.1]), /"logRatios" expected at least two pairs, got 1/);
});

test('pairs that never differ have a floor of nothing and show whatever is beyond the declared one', () => {
  const { floor, deviation } = compareSame([0, 0, 0, 0]);
  assert.deepEqual([floor, deviation], [0, 0]);
  assert.ok(Math.abs(smallestDifference(0.01, deviation, 10) - 0.01) < 1e-12);
});

for (const pairs of [10, 20, 40]) {
  test(`with ${pairs} pairs the smallest difference is shown every second time, a larger one more often`, () => {
    const floor = 0.01;
    const deviation = 0.05;
    const smallest = smallestDifference(floor, deviation, pairs);
    const shownShare = (difference: number): number => {
      const random = new SeededRandom(pairs);
      const shown = draw(2_000, () => {
        const logRatios = draw(pairs, () => Math.log1p(difference) + deviation * random.normal());
        return ratioInterval(logRatios)!.low > 1 + floor;
      });
      return shown.filter(Boolean).length / shown.length;
    };
    const half = shownShare(smallest);
    assert.ok(half > 0.44 && half < 0.58, `shown ${half}`);
    assert.ok(shownShare(smallest + (smallest - floor)) > 0.95);
    assert.ok(shownShare(floor) < 0.04);
  });
}
