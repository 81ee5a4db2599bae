/** What follows from the figures of a cell, with figures that are made up. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { compareCell, type ComparedBlock } from '../../src/compare/cell.ts';
import type { ComparedFigure } from '../../src/compare/figures.ts';
import {
  changedBeyond,
  finalCosts,
  isAccused,
  outcomeOf,
  type ComparedCell,
} from '../../src/compare/gate.ts';
import { judge } from '../../src/compare/judge.ts';
import { SeededRandom } from '../../src/core/random.ts';

function figure(name: string, value: number, more: Partial<ComparedFigure> = {}): ComparedFigure {
  return { name, metric: name.split(' ')[0]!, unit: 'ns', direction: 'lower', value, ...more };
}

/** Twenty blocks in which head costs `ratio` times the base; every process deviates. */
function blocksOf(
  ratio: number,
  {
    deviation = 0.005,
    copy = 1,
    seed = 1,
    more = {},
  }: { deviation?: number; copy?: number; seed?: number; more?: Partial<ComparedFigure> } = {},
  name = 'cpu-per-message all',
): ComparedBlock[] {
  const random = new SeededRandom(seed);
  const noisy = (value: number): ComparedFigure[] => [
    figure(name, value * Math.exp(deviation * random.normal()), more),
  ];
  return Array.from({ length: 20 }, () => ({
    base: noisy(100),
    copy: noisy(100 * copy),
    head: noisy(100 * ratio),
  }));
}

function cellOf(blocks: ComparedBlock[], confirmation?: ComparedBlock[]): ComparedCell {
  return {
    cell: 'made up',
    figures: compareCell(blocks),
    confirmation: confirmation && compareCell(confirmation),
  };
}

function bytes(value: number): ComparedFigure[] {
  return [figure('wire-bytes message', value)];
}

/** Bytes of base, copy and head in two blocks. */
function exact(...rows: (readonly [number, number, number])[]): ComparedBlock[] {
  return rows.map(([base, copy, head]) => ({
    base: bytes(base),
    copy: bytes(copy),
    head: bytes(head),
  }));
}

test('the judge needs the whole interval beyond the floor, whatever the figures', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -0.2, max: 0.2, noNaN: true }), { minLength: 2, maxLength: 40 }),
      fc.double({ min: 0, max: 0.1, noNaN: true }),
      (logarithms, floor) => {
        const { ratio, interval, verdict } = judge(logarithms, floor);
        assert.ok(interval.low <= ratio * 1.000001 && ratio <= interval.high * 1.000001);
        if (verdict === 'regressed') assert.ok(interval.low > 1 + floor - 1e-9);
        if (verdict === 'improved') assert.ok(interval.high < 1 / (1 + floor) + 1e-9);
        // What is worse one way is better the other way round.
        const opposite = { regressed: 'improved', improved: 'regressed' } as Record<string, string>;
        const other = judge(
          logarithms.map((value) => -value),
          floor,
        ).verdict;
        assert.equal(other, opposite[verdict] ?? verdict);
      },
    ),
  );
});

test('a slower head is accused, and regressed only when fresh processes say so too', () => {
  const slower = blocksOf(1.05);
  assert.ok(isAccused(compareCell(slower)));
  const confirmed = cellOf(slower, blocksOf(1.05, { seed: 2 }));
  assert.equal(finalCosts(confirmed)[0]!.final, 'regressed');
  assert.equal(outcomeOf([confirmed]), 'regressed');
  const acquitted = cellOf(slower, blocksOf(1, { seed: 2 }));
  assert.deepEqual(
    finalCosts(acquitted).map(({ final, acquitted: is }) => [final, is]),
    [['undecided', true]],
  );
  assert.equal(outcomeOf([acquitted]), 'fine');
  assert.equal(outcomeOf([acquitted], true), 'undecided');
});

test('the same and a faster head are fine', () => {
  const same = cellOf(blocksOf(1));
  assert.equal(finalCosts(same)[0]!.final, 'unchanged');
  const faster = cellOf(blocksOf(0.9));
  assert.equal(finalCosts(faster)[0]!.final, 'improved');
  assert.equal(outcomeOf([same, faster]), 'fine');
});

test('copies of the base that differ raise the floor, and beyond twice the declared nothing is green', () => {
  const { costs } = compareCell(blocksOf(1.03, { copy: 1.05 }));
  assert.ok(costs[0]!.measuredFloor > 0.045);
  assert.equal(costs[0]!.verdict, 'undecided');
  assert.equal(outcomeOf([cellOf(blocksOf(1, { copy: 1.05 }))]), 'too-noisy');
  // A regression that is larger than all that noise still is one.
  const large = (seed: number): ComparedBlock[] => blocksOf(2, { copy: 1.05, seed });
  assert.equal(outcomeOf([cellOf(large(1), large(2))]), 'regressed');
});

test('the smallest difference that can be shown is printed, and larger ones are shown', () => {
  const { smallest } = compareCell(blocksOf(1)).costs[0]!;
  assert.ok(smallest > 0.01 && smallest < 0.02, String(smallest));
  const rates = [0, 0.01].map((more) => {
    const seeds = Array.from({ length: 40 }, (_, seed) => seed + 10);
    const hits = seeds.filter((seed) =>
      isAccused(compareCell(blocksOf(1 + smallest + more, { seed }))),
    );
    return hits.length;
  });
  assert.ok(rates[0]! >= 8 && rates[1]! >= 36, String(rates));
});

test('with no difference hardly a comparison is called', () => {
  const seeds = Array.from({ length: 200 }, (_, seed) => seed);
  const called = seeds.filter((seed) => {
    const { costs } = compareCell(blocksOf(1, { seed, deviation: 0.024 }));
    return costs[0]!.verdict === 'regressed';
  });
  assert.ok(called.length <= 2, `${called.length} of 200`);
});

test('of a rate more is better', () => {
  const more = { direction: 'higher' } as const;
  const { costs } = compareCell(blocksOf(1.2, { more }, 'throughput'));
  assert.deepEqual([costs[0]!.verdict, costs[0]!.decides], ['improved', false]);
  const { costs: fewer } = compareCell(blocksOf(0.8, { more }, 'throughput'));
  assert.equal(fewer[0]!.verdict, 'regressed');
  assert.equal(isAccused({ costs: fewer, changed: [], exactCount: 0, varying: [] }), false);
});

function decides(samplesBeyond: number, asked: boolean): boolean | undefined {
  const blocks = blocksOf(1, { more: { samplesBeyond } }, 'latency send p99');
  return compareCell(blocks, asked).costs[0]?.decides;
}

test('percentiles decide only when asked to, and with enough samples', () => {
  assert.deepEqual(
    [decides(125, true), decides(124, true), decides(125, false)],
    [true, false, false],
  );
});

test('exact figures: any change is named, beyond 0.2 % it counts, by its direction', () => {
  const verdicts = (...rows: Parameters<typeof exact>): string[] =>
    compareCell(exact(...rows)).changed.map(({ verdict }) => verdict);
  assert.deepEqual(verdicts([1000, 1000, 1000], [900, 900, 900]), []);
  assert.deepEqual(verdicts([1000, 1000, 1001], [1000, 1000, 1001]), ['named']);
  assert.deepEqual(verdicts([1000, 1000, 1003], [1000, 1000, 1003]), ['regressed']);
  assert.deepEqual(verdicts([1000, 1000, 997], [1000, 1000, 997]), ['improved']);
  assert.deepEqual(verdicts([0, 0, 1], [0, 0, 1]), ['regressed']);
  // Two copies that differ by more are not exact, and say so.
  const varying = compareCell(exact([1000, 1010, 1003], [1000, 1000, 1003]));
  assert.deepEqual([varying.changed, varying.varying], [[], ['wire-bytes']]);
  const cell = cellOf(exact([1000, 1010, 1003], [1000, 1000, 1003]));
  assert.equal(outcomeOf([cell]), 'too-noisy');
  // Nor does what lies within their difference, or goes both ways, count.
  assert.deepEqual(verdicts([1000, 1001, 1001], [1000, 1000, 1000]), []);
  assert.deepEqual(verdicts([1000, 1000, 1003], [1000, 1000, 997]), ['named']);
});

test('a count that only one side has is a change', () => {
  const call = figure('primitive-calls send sha256:64', 7);
  const without: ComparedBlock = { base: [], copy: [], head: [call] };
  const cell = { ...cellOf([without, without]) };
  assert.deepEqual(
    changedBeyond(cell).map(({ name, base, head }) => [name, base, head]),
    [['primitive-calls send sha256:64', 0, 7]],
  );
  assert.equal(outcomeOf([cell]), 'regressed');
});

function failed(side: 'base' | 'head'): ComparedCell {
  const failure = { side, status: 'error', reason: 'wrong plaintext' };
  return { cell: 'made up', failure };
}

test('a head that fails is a failure; a base that fails leaves the others to decide', () => {
  assert.equal(outcomeOf([cellOf(blocksOf(1)), failed('head')]), 'failed');
  assert.equal(outcomeOf([cellOf(blocksOf(1)), failed('base')]), 'fine');
  assert.equal(outcomeOf([failed('base')]), 'nothing');
  assert.equal(outcomeOf([]), 'nothing');
});
