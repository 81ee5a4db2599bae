import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/core/random.ts';
import { levelsOf } from '../../src/stats/change-points.ts';

function series(levels: readonly [level: number, count: number][], deviation: number, seed = 1) {
  const random = new SeededRandom(seed);
  return levels.flatMap(([level, count]) =>
    Array.from({ length: count }, () => level * Math.exp(deviation * random.normal())),
  );
}

test('a step is found where it is, and its size', () => {
  const segments = levelsOf(
    series(
      [
        [100, 20],
        [110, 15],
        [90, 10],
      ],
      0.01,
    ),
  );
  assert.deepEqual(
    segments.map(({ from, to, level }) => [from, to, Math.round(level)]),
    [
      [0, 20, 100],
      [20, 35, 110],
      [35, 45, 90],
    ],
  );
});

test('noise alone is hardly ever a step, nor is a single outlier', () => {
  const seeds = Array.from({ length: 200 }, (_, seed) => seed);
  const found = seeds.filter((seed) => levelsOf(series([[100, 40]], 0.02, seed)).length > 1);
  assert.ok(found.length <= 10, `${found.length} of 200`);
  const quiet = series([[100, 20]], 0.01);
  quiet[10] = 103;
  assert.equal(levelsOf(quiet).length, 1);
});

test('of few values or none nothing is told', () => {
  assert.deepEqual(levelsOf([]), []);
  assert.equal(levelsOf([1]).length, 1);
  assert.equal(levelsOf([1, 2, 3]).length, 1);
  assert.deepEqual(
    levelsOf([5, 5, 5, 5]).map(({ from, to }) => [from, to]),
    [[0, 4]],
  );
});
