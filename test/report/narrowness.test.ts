import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveCells } from '../../src/report/cells.ts';
import {
  isWide,
  NARROWNESS_METRICS,
  narrownessNotes,
  narrownessOf,
} from '../../src/report/narrowness.ts';
import { L3, L4, L6, recordsOfCosts, type Costs } from './fixtures.ts';

/** Costs around 3,000 ns in all; `step` is how far they are apart. */
const costs = (step: number, repeats = 10): Costs[] =>
  Array.from({ length: repeats }, (_, repeat) => ({
    sender: 1_000 + step * ((repeat * 7) % 10),
    relay: 1_000,
    receiver: 1_000,
  }));

test('cells are judged by their ratio to the baseline, and the baseline is not judged', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, costs(0)),
    ...recordsOfCosts(L4, costs(100)),
    ...recordsOfCosts(L6, costs(5)),
  ]);
  const judged = narrownessOf(cells, 'at-rest-scoped');
  assert.deepEqual(
    judged.map(({ cell, base }) => [cell.pipeline, base?.pipeline]),
    [
      ['static-e2e', 'at-rest-scoped'],
      ['double-ratchet', 'at-rest-scoped'],
    ],
  );
  assert.deepEqual(
    judged.map((one) => isWide(one, 0.03)),
    [true, false],
  );
});

test('without a baseline cells are judged by their own cost', async () => {
  const records = [...recordsOfCosts(L3, costs(5)), ...recordsOfCosts(L4, costs(100))];
  const cells = await deriveCells(records, [], {}, NARROWNESS_METRICS);
  const judged = narrownessOf(cells, undefined);
  assert.deepEqual(
    judged.map((one) => [one.base, isWide(one, 0.03)]),
    [
      [undefined, false],
      [undefined, true],
    ],
  );
  // A baseline that nothing refers to is a cell like others.
  const alone = narrownessOf(cells.slice(0, 1), 'at-rest-scoped');
  assert.deepEqual(
    alone.map(({ cell, base }) => [cell.pipeline, base]),
    [['at-rest-scoped', undefined]],
  );
});

test('a cell without an interval is never narrow, and one without figures is not judged', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, costs(0, 2)),
    ...recordsOfCosts({ ...L4, status: 'error', reason: 'wrong' }, costs(0, 2)),
  ]);
  const judged = narrownessOf(cells, undefined);
  assert.deepEqual(
    judged.map(({ cell, halfWidth }) => [cell.pipeline, halfWidth]),
    [['at-rest-scoped', undefined]],
  );
  assert.ok(isWide(judged[0]!, 0.5));
});

test('what was reached is told, cell by cell where it is not enough', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, costs(0, 40)),
    ...recordsOfCosts(L4, costs(500, 40)),
    ...recordsOfCosts(L6, costs(5)),
  ]);
  const [note, ...others] = narrownessNotes(cells, 'at-rest-scoped', 0.03);
  assert.deepEqual(others, []);
  assert.match(
    note!,
    /^Repeats were added.* known to 3 % either way: 1 of 2 cells are\. Not narrow enough: L4 static-e2e [\d.]+ % after 40 repeats\.$/,
  );
  assert.match(narrownessNotes(cells, 'at-rest-scoped', 0.5)[0]!, /2 of 2 cells are\.$/);
  assert.deepEqual(narrownessNotes([], 'at-rest-scoped', 0.03), []);
});
