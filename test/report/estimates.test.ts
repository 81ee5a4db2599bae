import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveCells, seriesOf, type Series } from '../../src/report/cells.ts';
import {
  differenceOf,
  isUndecided,
  notBelowZero,
  ratioOf,
  relativeHalfWidth,
  summarise,
  weightedSum,
} from '../../src/report/estimates.ts';
import { L3, L6, record, recordsOfCosts, shardOfCosts } from './fixtures.ts';

function series(values: readonly number[]): Series {
  const at = { stage: '', role: 'all', kind: '', statistic: 'median' } as const;
  return { metric: 'm', unit: 'ns', ...at, values: new Map(values.entries()) };
}

test('only repeats that both cells have are paired', async () => {
  const base = { sender: 1_000, relay: 1_000, receiver: 1_000 };
  const twice = { sender: 2_000, relay: 2_000, receiver: 2_000 };
  const [lower, upper] = await deriveCells([
    ...recordsOfCosts(L3, [base, base]),
    ...recordsOfCosts(L6, [twice, twice, { ...twice, sender: 90_000 }]),
  ]);
  const name = { metric: 'cpu-per-message', role: 'all' } as const;
  const ratio = ratioOf(seriesOf(upper!, name), seriesOf(lower!, name));
  assert.deepEqual([ratio?.value, ratio?.low, ratio?.repeats], [2, undefined, 2]);
  assert.equal(ratioOf(seriesOf(upper!, name), undefined), undefined);
});

test('CPU of a process is compared with no CPU of a thread', async () => {
  const clocks = {
    cpuBasis: 'process',
    cpuStepNs: 2_000,
    cpuReadNs: 1_400,
    clockStepNs: 30,
    clockReadNs: 40,
  } as const;
  const costs = { sender: 1_000, relay: 1_000, receiver: 1_000 };
  const [library] = await deriveCells([record({ shards: [shardOfCosts(costs, { clocks })] })]);
  const [ours] = await deriveCells(recordsOfCosts(L6, [costs]));
  const name = { metric: 'cpu-per-message', role: 'all' } as const;
  assert.equal(seriesOf(library!, name)!.cpuBasis, 'process');
  assert.equal(ratioOf(seriesOf(library!, name), seriesOf(ours!, name)), undefined);
  assert.equal(differenceOf(seriesOf(library!, name), seriesOf(ours!, name)), undefined);
  assert.equal(ratioOf(seriesOf(library!, name), seriesOf(library!, name))!.value, 1);
});

test('ratios are taken repeat by repeat, so that drift of the machine drops out', () => {
  const ratio = ratioOf(series([2, 10, 18]), series([1, 5, 9]))!;
  assert.ok(Math.abs(ratio.value - 2) < 1e-12 && Math.abs(ratio.low! - 2) < 1e-9);
});

test('three differences of one sign are not enough to show a difference', () => {
  const difference = differenceOf(series([101, 110, 190]), series([100, 100, 100]))!;
  assert.ok(Math.abs(difference.value - 101 / 3) < 1e-9);
  assert.ok(isUndecided(difference, 0));
  const same = differenceOf(series([5, 6, 7]), series([5, 6, 7]))!;
  assert.deepEqual([same.low, same.high], [0, 0]);
  assert.ok(isUndecided(same, 0));
});

test('the interval of a difference is around its mean, whatever the number of repeats', () => {
  const base = series([0, 0, 0, 0, 0, 0, 0]);
  const { value, low, high } = differenceOf(series([1, 1, 2, 3, 5, 8, 90]), base)!;
  assert.ok(Math.abs(value - 110 / 7) < 1e-9);
  assert.ok(Math.abs((low! + high!) / 2 - value) < 1e-9);
});

function shareBounds(...values: number[]): unknown {
  const { low, high } = summarise({ ...series(values), unit: 'share' })!;
  return [low, high];
}

test('the interval of a share stays within 0 and 1', () => {
  assert.deepEqual(shareBounds(0, 0.5, 1), [0, 1]);
  assert.deepEqual(shareBounds(0.5, 0.5, 0.5), [0.5, 0.5]);
});

test('a share of repeats is their mean, with exact bounds', () => {
  const hits = { ...series([1, 0, 0, 1, 0]), unit: 'share', statistic: 'share' };
  const { value, low, high, repeats } = summarise(hits)!;
  assert.deepEqual([value, repeats], [0.4, 5]);
  // As R's binom.test prints them.
  assert.ok(Math.abs(low! - 0.052745) < 1e-6 && Math.abs(high! - 0.8533672) < 1e-6);
  assert.equal(summarise({ ...hits, values: new Map([[0, 1]]) })!.low, undefined);
});

test('times of repeats that are alike have a wider interval, other figures have not', async () => {
  const rising = Array.from({ length: 10 }, (_, repeat) => {
    return { sender: 1_000 + 10 * repeat, relay: 1_000, receiver: 1_000 };
  });
  const [cell] = await deriveCells(recordsOfCosts(L6, rising));
  const sender = seriesOf(cell!, { metric: 'cpu-per-message', role: 'sender' })!;
  assert.ok(sender.correlation! > 0.5);
  const { correlation: _, ...independent } = sender;
  const wide = summarise(sender)!;
  const narrow = summarise(independent)!;
  assert.equal(wide.value, narrow.value);
  assert.ok(wide.low! < narrow.low! && wide.high! > narrow.high!);
  const bytes = seriesOf(cell!, { metric: 'retained-bytes', kind: 'heap' })!;
  assert.equal(bytes.correlation, undefined);
});

test('an interval that reaches below zero is cut for printing only', () => {
  const estimate = summarise(series([0, 0.5, 1]))!;
  assert.ok(estimate.low! < 0);
  const { low, ...others } = notBelowZero(estimate)!;
  assert.equal(low, 0);
  assert.deepEqual(others, { value: 0.5, high: estimate.high, repeats: 3 });
  const negative = { value: -1, low: -2, high: 0, repeats: 3 };
  assert.equal(notBelowZero(negative), negative);
  assert.equal(notBelowZero(undefined), undefined);
});

test('half the width is a share of the value', () => {
  assert.equal(relativeHalfWidth({ value: 2, low: 1.75, high: 2.75, repeats: 3 }), 0.25);
  const none = { value: 2, low: undefined, high: undefined, repeats: 2 };
  assert.equal(relativeHalfWidth(none), undefined);
});

test('a sum holds the repeats that all of its terms have', () => {
  const sum = weightedSum([
    [series([1, 2, 3]), 2],
    [series([10, 20]), -1],
  ])!;
  assert.deepEqual(
    [...sum.values],
    [
      [0, -8],
      [1, -16],
    ],
  );
  assert.equal(
    weightedSum([
      [series([1]), 1],
      [undefined, 1],
    ]),
    undefined,
  );
  assert.equal(weightedSum([]), undefined);
});
