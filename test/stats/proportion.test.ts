import assert from 'node:assert/strict';
import { test } from 'node:test';
import { proportionInterval } from '../../src/stats/proportion.ts';

const close = (found: number, expected: number): void => {
  assert.ok(Math.abs(found - expected) < 1e-6, `${found}, not ${expected}`);
};

test('the bounds of a proportion are those of the tables', () => {
  const none = proportionInterval(0, 40);
  assert.deepEqual(none.low, 0);
  close(none.high, 1 - 0.025 ** (1 / 40));
  // As R's binom.test prints them for 7 of 10 and 3 of 20.
  close(proportionInterval(7, 10).low, 0.3475471);
  close(proportionInterval(7, 10).high, 0.9332605);
  close(proportionInterval(3, 20).low, 0.0320709);
  close(proportionInterval(3, 20).high, 0.3789268);
});

test('all and none mirror each other', () => {
  const all = proportionInterval(12, 12);
  close(all.low, 1 - proportionInterval(0, 12).high);
  assert.equal(all.high, 1);
});

/** How often the bounds hold the truth: a sum, for the counts are few. */
function coverage(truth: number, trials: number): number {
  let covered = 0;
  let probability = (1 - truth) ** trials;
  for (let successes = 0; successes <= trials; successes++) {
    if (successes > 0) {
      probability *= ((trials - successes + 1) / successes) * (truth / (1 - truth));
    }
    const { low, high } = proportionInterval(successes, trials);
    if (low <= truth && truth <= high) covered += probability;
  }
  return covered;
}

for (const trials of [3, 10, 20, 40]) {
  test(`the bounds of a proportion of ${trials} cover 95 % or more, whatever the truth`, () => {
    for (let percent = 1; percent < 100; percent++) {
      const covered = coverage(percent / 100, trials);
      assert.ok(covered >= 0.95, `${percent} %: ${covered}`);
    }
  });
}

test('counts that are none are refused', () => {
  assert.throws(() => proportionInterval(0, 0), /"trials" expected a whole number from 1, got 0/);
  assert.throws(() => proportionInterval(4, 3), /"successes" expected 0 to 3, got 4/);
  assert.throws(() => proportionInterval(0.5, 3), RangeError);
});
