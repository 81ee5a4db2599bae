import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalProbability, normalQuantile } from '../../src/stats/normal.ts';
import { studentQuantile } from '../../src/stats/student.ts';

/** Published tables, as R's qt prints them: p, degrees, t. */
const TABLE: readonly (readonly [number, number, number])[] = [
  [0.975, 1, 12.7062047362],
  [0.975, 2, 4.3026527297],
  [0.975, 3, 3.1824463053],
  [0.975, 4, 2.7764451052],
  [0.975, 5, 2.5705818356],
  [0.975, 9, 2.2621571628],
  [0.975, 10, 2.228138852],
  [0.975, 20, 2.0859634473],
  [0.975, 30, 2.0422724563],
  [0.975, 100, 1.9839715185],
  [0.975, 1000, 1.9623390808],
  [0.995, 5, 4.0321429836],
  [0.95, 10, 1.8124611228],
];

test('quantiles of Student t agree with the tables', () => {
  for (const [p, degrees, t] of TABLE) {
    assert.ok(Math.abs(studentQuantile(p, degrees) - t) < 1e-6, `p ${p}, degrees ${degrees}`);
    assert.ok(Math.abs(studentQuantile(1 - p, degrees) + t) < 1e-6, `p ${1 - p}`);
  }
});

test('Student t with one degree is the Cauchy distribution, with many the normal one', () => {
  for (const p of [0.6, 0.9, 0.99, 0.999]) {
    const cauchy = Math.tan(Math.PI * (p - 0.5));
    assert.ok(Math.abs(studentQuantile(p, 1) / cauchy - 1) < 1e-9);
    assert.ok(Math.abs(studentQuantile(p, 100_000) - normalQuantile(p)) < 1e-3);
  }
});

test('Student t refuses what it has no series for', () => {
  assert.throws(() => studentQuantile(1, 5), /"p" expected a fraction in \(0, 1\), got 1/);
  assert.throws(() => studentQuantile(0.975, 0), /"degrees" expected a whole number from 1, got 0/);
  assert.throws(() => studentQuantile(0.975, 1.5), RangeError);
});

test('the normal distribution agrees with the tables and inverts itself', () => {
  assert.ok(Math.abs(normalProbability(1.96) - 0.9750021048517795) < 1e-14);
  assert.ok(Math.abs(normalProbability(-1) - 0.15865525393145707) < 1e-14);
  assert.ok(Math.abs(normalQuantile(0.975) - 1.959963984540054) < 1e-12);
  for (const p of [1e-6, 0.01, 0.3, 0.5, 0.77, 0.999]) {
    assert.ok(Math.abs(normalProbability(normalQuantile(p)) / p - 1) < 1e-9);
  }
});
