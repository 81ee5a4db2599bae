import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/core/random.ts';
import { repeatInterval } from '../../src/stats/interval.ts';
import { median } from '../../src/stats/quantile.ts';
import { serialCorrelation, widened, widening } from '../../src/stats/serial-correlation.ts';
import { assertCovers, draw } from './coverage.ts';
import { runOf, trueMedian, type Machine } from './machine.ts';

/** As in the ladder. */
const CELLS = 14;

const MACHINES: Record<string, Machine> = {
  'a machine at rest but for spikes': { drifts: false, spikes: true },
  'a machine that drifts, with spikes': { drifts: true, spikes: true },
};

for (const [title, machine] of Object.entries(MACHINES)) {
  const truth = trueMedian(machine.spikes);
  for (const repeats of [3, 10, 20, 40]) {
    test(`the interval of a cost over ${repeats} repeats of one of ${CELLS} cells covers on ${title}`, () => {
      assertCovers(
        truth,
        repeats,
        (random) => {
          const costs = runOf(random, machine, CELLS, repeats);
          const factor = widening(serialCorrelation(costs), repeats);
          return widened(repeatInterval(costs[0]!)!, median(costs[0]!), factor);
        },
        { low: 0.93, high: 0.97 },
        1_000,
      );
    });
  }
}

test('without widening the interval of a cost covers too little where few cells share a drift', () => {
  const truth = trueMedian(false);
  assertCovers(
    truth,
    5,
    (random) => repeatInterval(runOf(random, { drifts: true, spikes: false }, 2, 20)[0]!),
    { low: 0.75, high: 0.9 },
    1_000,
  );
});

test('values in a row are not correlated, and a drift that they share is', () => {
  const random = new SeededRandom(3);
  const alone = draw(200, () => draw(10, () => random.normal()));
  assert.ok(serialCorrelation(alone) < 0.1);
  const drifting = draw(200, () => {
    let state = random.normal();
    return draw(10, () => {
      state = 0.6 * state + 0.8 * random.normal();
      return state;
    });
  });
  const found = serialCorrelation(drifting);
  assert.ok(found > 0.5 && found < 0.7, `${found}`);
});

test('what alternates is not taken for a drift, nor is what cannot tell', () => {
  assert.equal(serialCorrelation([[1, 9, 2, 8, 3, 7, 4]]), 0);
  assert.equal(serialCorrelation([[1, 2]]), 0);
  assert.equal(serialCorrelation([[5, 5, 5, 5]]), 0);
  assert.equal(serialCorrelation([]), 0);
});

test('an interval is widened from its centre, and not at all without correlation', () => {
  assert.equal(widening(0, 10), 1);
  assert.equal(widening(0.5, 2), 1);
  // Of many values with 0.5 the variance of the mean is (1 + 0.5) / (1 - 0.5) times as large.
  assert.ok(Math.abs(widening(0.5, 100_000) - Math.sqrt(3)) < 1e-3);
  assert.ok(widening(0.3, 10) > 1 && widening(0.3, 10) < widening(0.5, 10));
  assert.deepEqual(widened({ low: 1, high: 4 }, 2, 3), { low: -1, high: 8 });
});
