/** What a guess costs, and what is extrapolated from it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveCells, type CellResult } from '../../src/report/cells.ts';
import type { Estimate } from '../../src/report/estimates.ts';
import {
  expectedGuesses,
  guessCost,
  guessPriceTables,
  priceOf,
} from '../../src/report/guess-price.ts';
import { HARDWARE } from '../../src/report/hardware.ts';
import { E3, L6, record, recordsOfCosts } from './fixtures.ts';

const partial = (options: string) => ({
  pipeline: `escrow-partial${options}`,
  family: 'escrow-wrapped',
  rung: 'E6',
});

/** Repeats whose authority spends `ns` for each guess that it is expected to need. */
async function guessing(
  bits: number,
  perGuessNs: readonly number[],
  options = `:bits=${bits}`,
): Promise<CellResult[]> {
  const costs = perGuessNs.map((ns) => ({
    sender: 1_000,
    relay: 1_000,
    receiver: 1_000,
    authority: ns * expectedGuesses(bits),
  }));
  return deriveCells(recordsOfCosts(partial(options), costs));
}

test('the expected number of guesses is the mean over all keys', () => {
  for (const bits of [1, 2, 5]) {
    const tries = Array.from({ length: 2 ** bits }, (_, key) => key + 1);
    const mean = tries.reduce((sum, one) => sum + one, 0) / tries.length;
    assert.equal(expectedGuesses(bits), mean);
  }
});

test('a guess is what a recovered message costs over the guesses that it takes', async () => {
  const [cell] = await guessing(16, [2_000, 2_400, 2_600], ':bits=16,targets=1');
  const costs = [...guessCost(cell!)!.values.values()];
  assert.deepEqual(
    costs.map((cost) => Number(cost.toFixed(6))),
    [2_000, 2_400, 2_600],
  );
  const [measured, prices] = guessPriceTables([cell!]);
  const [, guesses, cost] = measured!.rows[0]!.cells;
  assert.equal(guesses, '32,768.5');
  assert.ok(Math.abs((cost as Estimate).value - 2_400) < 1e-6);
  assert.match(
    prices!.notes[0]!,
    /A guess is 2\.40 \[[\d., ]+\] us on a core, as in escrow-partial/,
  );
});

test('the bits that a cell does not name are the default', async () => {
  const [cell] = await guessing(8, [2_000, 2_000, 2_000], '');
  assert.ok(Math.abs([...guessCost(cell!)!.values.values()][0]! - 2_000) < 1e-6);
  // Too few to tell guessing from opening the field: measured, and no price is made of it.
  assert.equal(guessPriceTables([cell!]).length, 1);
});

test('nothing is said where nothing was guessed', async () => {
  const costs = { sender: 1, relay: 1, receiver: 1 };
  const cells = await deriveCells([
    ...recordsOfCosts(L6, [costs]),
    ...recordsOfCosts(E3, [{ ...costs, authority: 5 }]),
    ...recordsOfCosts(partial(':bits=16'), [costs]),
    record({ ...partial(':bits=20'), status: 'error', reason: 'wrong' }),
  ]);
  assert.deepEqual(guessPriceTables(cells), []);
});

test('of several cells the one that is known best makes the price', async () => {
  const wide = await guessing(20, [1_000, 3_000, 5_000]);
  const narrow = await guessing(18, [2_000, 2_001, 2_002]);
  const few = await guessing(8, [9_000, 9_000, 9_000]);
  const [measured, prices] = guessPriceTables([...wide, ...narrow, ...few]);
  assert.equal(measured!.rows.length, 3);
  assert.match(prices!.notes[0]!, /as in escrow-partial:bits=18 of native/);
  const single = [...(await guessing(16, [2_000])), ...(await guessing(18, [2_000]))];
  assert.match(guessPriceTables(single)[1]!.notes[0]!, /as in escrow-partial:bits=18 of native/);
});

test('prices follow from guesses, power and hourly price, and double with each bit', () => {
  const hardware = { ...HARDWARE[0]!, guessesPerSecond: 1e6, watts: 100, dollarsPerHour: 3.6 };
  const { hours, joules, dollars } = priceOf(hardware, 40, NaN);
  const seconds = 549_755.8138885; // (2^40 + 1) / 2 at a million a second.
  assert.ok(Math.abs(hours * 3600 - seconds) < 1e-3);
  assert.ok(Math.abs(joules - 100 * seconds) < 1e-1);
  assert.ok(Math.abs(dollars - seconds / 1000) < 1e-6);
  const core = { ...hardware, guessesPerSecond: 'measured' as const };
  assert.deepEqual(priceOf(core, 40, 1_000), priceOf(hardware, 40, NaN));
  assert.ok(Math.abs(priceOf(core, 41, 1_000).hours / hours - 2) < 1e-9);
});

test('the table has all bits on all hardware, and where each figure is from', async () => {
  const [, prices] = guessPriceTables(await guessing(16, [2_500, 2_500, 2_500]));
  assert.deepEqual(
    prices!.rows.map(({ cells }) => cells[0]),
    ['24', '32', '40', '48', '56', '64'],
  );
  const forty = prices!.rows[2]!.cells;
  // 2^39 guesses: of 2.5 us on a core, and at 21,975.5 million a second.
  assert.deepEqual(forty.slice(1, 4), ['382', '6.9e6', '15.3']);
  assert.deepEqual(forty.slice(4, 7), ['0.00695', '11,300', '0.00278']);
  assert.deepEqual(forty.slice(7), ['3.8e-7', '4.81', '1.8e-7']);
  assert.equal(forty.length, 1 + 3 * HARDWARE.length);
  for (const { name, date, source, assumption } of HARDWARE) {
    assert.match(date, /^\d{4}-\d{2}$/);
    const told = prices!.notes.find((text) => text.startsWith(name));
    assert.ok(told?.includes(date) && told.includes(source) && told.includes(assumption), name);
  }
});

test('every declared figure is above zero, and what is not verified says so', () => {
  for (const { guessesPerSecond, watts, dollarsPerHour, source } of HARDWARE) {
    assert.ok(guessesPerSecond === 'measured' || guessesPerSecond > 0);
    assert.ok(watts > 0 && dollarsPerHour > 0);
    assert.match(source, /unverified/);
  }
});
