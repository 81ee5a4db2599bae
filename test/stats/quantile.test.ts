import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { mean, standardDeviation } from '../../src/stats/moments.ts';
import { median, quantile, sortSamples } from '../../src/stats/quantile.ts';

test('the median is the middle value or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.equal(median([7]), 7);
});

test('quantiles follow definition 7 of Hyndman and Fan', () => {
  const samples = sortSamples([15, 20, 35, 40, 50]);
  assert.equal(quantile(samples, 0), 15);
  assert.ok(Math.abs(quantile(samples, 0.4) - 29) < 1e-12);
  assert.equal(quantile(samples, 0.75), 40);
  assert.equal(quantile(samples, 1), 50);
});

test('a quantile is ordered in p and within the samples, and sorting leaves its input alone', () => {
  const numbers = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 });
  const fraction = fc.double({ noNaN: true, min: 0, max: 1 });
  fc.assert(
    fc.property(numbers, fraction, fraction, (values, p, q) => {
      const before = [...values];
      const samples = sortSamples(values);
      assert.deepEqual(values, before);
      const low = quantile(samples, Math.min(p, q));
      const high = quantile(samples, Math.max(p, q));
      const slack = 1e-6;
      assert.ok(Math.min(...values) - slack <= low && low <= high + slack);
      assert.ok(high <= Math.max(...values) + slack);
    }),
  );
});

test('a quantile of nothing, or beyond the fractions, is refused', () => {
  assert.throws(() => median([]), /"samples" expected at least one, got none/);
  assert.throws(
    () => quantile(sortSamples([1]), 99),
    /"p" expected a fraction in \[0, 1\], got 99/,
  );
});

test('the deviation keeps its digits when the spread is small beside the mean', () => {
  const values = [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16];
  assert.equal(mean(values), 1e9 + 10);
  assert.ok(Math.abs(standardDeviation(values) - Math.sqrt(30)) < 1e-9);
});
