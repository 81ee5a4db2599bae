import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeededRandom } from '../../src/core/random.ts';
import { repeatInterval } from '../../src/stats/interval.ts';
import { mean } from '../../src/stats/moments.ts';
import { median } from '../../src/stats/quantile.ts';
import { ratioInterval } from '../../src/stats/ratio.ts';
import { costHalfWidth } from '../../src/stats/sequential.ts';
import { assertCovers, draw } from './coverage.ts';
import { runOf, trueMedian } from './machine.ts';

/** As the budget thorough: 10 to 40 repeats, until half a width is 3 %. */
const FEWEST = 10;
const MOST = 40;
const UNTIL = 0.03;

/** What is measured when a run looks after every repeat. */
function untilNarrow(
  values: readonly number[],
  halfWidth: (values: readonly number[]) => number | undefined,
): readonly number[] {
  for (let count = FEWEST; count < MOST; count++) {
    const measured = values.slice(0, count);
    if (halfWidth(measured)! <= UNTIL) return measured;
  }
  return values.slice(0, MOST);
}

/** Of a ratio. */
function ratioHalfWidth(logRatios: readonly number[]): number {
  const { low, high } = ratioInterval(logRatios)!;
  return (high - low) / 2 / Math.exp(mean(logRatios));
}

// From narrow at the fewest repeats to hardly ever narrow at the most.
for (const percent of [3, 5, 6, 7, 8, 10]) {
  const deviation = percent / 100;
  test(`ratios that deviate by ${percent} % are covered though the run stops when narrow`, () => {
    assertCovers(1, 7, (random) => {
      const logRatios = draw(MOST, () => deviation * random.normal());
      return ratioInterval(untilNarrow(logRatios, ratioHalfWidth));
    });
  });

  test(`costs that deviate by ${percent} % are covered though the run stops when narrow`, () => {
    assertCovers(1, 8, (random) => {
      const costs = draw(MOST, () => Math.exp(deviation * random.normal()));
      return repeatInterval(untilNarrow(costs, costHalfWidth));
    });
  });
}

test('ratios on a machine that drifts and has spikes are covered though the run stops when narrow', () => {
  assertCovers(
    1,
    9,
    (random) => {
      const [a, b] = runOf(random, { drifts: true, spikes: true }, 8, MOST);
      const logRatios = a!.map((cost, repeat) => Math.log(cost / b![repeat]!));
      return ratioInterval(untilNarrow(logRatios, ratioHalfWidth));
    },
    undefined,
    1_000,
  );
});

test('waiting for the printed interval of a cost alone would cover less', () => {
  assert.ok(missed(costHalfWidth) < missed(printedHalfWidth));
});

function printedHalfWidth(costs: readonly number[]): number {
  const { low, high } = repeatInterval(costs)!;
  return (high - low) / 2 / median(costs);
}

/** Of 1,000 intervals of costs with spikes. */
function missed(halfWidth: (costs: readonly number[]) => number | undefined): number {
  const random = new SeededRandom(11);
  const truth = trueMedian(true);
  const intervals = draw(1_000, () => {
    const [costs] = runOf(random, { drifts: false, spikes: true }, 1, MOST);
    return repeatInterval(untilNarrow(costs!, halfWidth))!;
  });
  return intervals.filter(({ low, high }) => truth < low || truth > high).length;
}

test('the half width of a cost is never less than that of the printed interval', () => {
  assert.equal(costHalfWidth([1, 2]), undefined);
  assert.equal(costHalfWidth([1, 2, 0]), undefined);
  assert.equal(costHalfWidth([3, 3, 3]), 0);
  const costs = draw(12, (index) => 100 + index);
  const printed = repeatInterval(costs)!;
  assert.ok(costHalfWidth(costs)! >= (printed.high - printed.low) / 2 / median(costs));
  assert.equal(costHalfWidth(costs, 2), 2 * costHalfWidth(costs)!);
});
