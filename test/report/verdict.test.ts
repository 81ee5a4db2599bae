import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveCells } from '../../src/report/cells.ts';
import { judgeRun, verdictText } from '../../src/report/verdict.ts';
import { L3, L4, L6, record, recordsOfCosts, type Costs } from './fixtures.ts';

/** Repeats that cost so many times 3,000 ns. */
const times = (...factors: number[]): Costs[] =>
  factors.map((factor) => ({
    sender: 1_000 * factor,
    relay: 1_000 * factor,
    receiver: 1_000 * factor,
  }));

async function judged(...records: ReturnType<typeof recordsOfCosts>[]): Promise<string> {
  return verdictText(judgeRun(await deriveCells(records.flat())));
}

test('narrow ratios are fine', async () => {
  assert.equal(
    await judged(
      recordsOfCosts(L3, times(1, 1.01, 1)),
      recordsOfCosts(L4, times(2, 2.01, 2)),
      recordsOfCosts(L6, times(4, 4.01, 4)),
    ),
    'Verdict: fine. Ratios of cells are known to 0.7 % (0.4 to 1.1 %) either way; 3 of 3 pairs of ' +
      'cells can be told apart.',
  );
});

test('wide ratios that still order cells are noisy', async () => {
  assert.match(
    await judged(recordsOfCosts(L3, times(1, 1.2, 1.1)), recordsOfCosts(L6, times(40, 41, 39))),
    /^Verdict: noisy\. Ratios of cells are known to 2\d(?:\.\d)? % either way; 1 of 1 pair of cells can be told apart\.$/,
  );
});

test('useless widths are no reason against a run that still tells cells apart', async () => {
  assert.match(
    await judged(recordsOfCosts(L3, times(1, 1.4, 1)), recordsOfCosts(L6, times(60, 60, 70))),
    /^Verdict: noisy\. Ratios of cells are known to [4-9]\d(?:\.\d)? % either way; 1 of 1 pair /,
  );
});

test('a run is too noisy when it tells nothing apart and knows no ratio to a quarter', async () => {
  assert.match(
    await judged(recordsOfCosts(L3, times(1, 2, 1.5)), recordsOfCosts(L6, times(2, 1, 1.8))),
    /^Verdict: too noisy\. .*; 0 of 1 pair of cells can be told apart\. Nothing can be decided from this run: repeat it with --budget/,
  );
});

test('cells that cost the same are not noise', async () => {
  assert.match(
    await judged(recordsOfCosts(L3, times(1, 1.05, 1)), recordsOfCosts(L6, times(1.05, 1, 1))),
    /^Verdict: noisy\. .* 0 of 1 pair of cells can be told apart\.$/,
  );
});

test('a cell that can be compared with nothing is judged by its cost', async () => {
  const alone = recordsOfCosts(L6, times(1, 1.001, 1.002));
  assert.match(await judged(alone), /^Verdict: fine\. Costs are known to 0\.\d % either way\.$/);
  const elsewhere = recordsOfCosts({ ...L3, workload: 'sizes' }, times(1, 1.2, 1));
  assert.match(await judged(elsewhere), /^Verdict: noisy\. Costs are known to/);
  const wild = recordsOfCosts(L6, times(1, 5, 3));
  assert.match(await judged(wild), /^Verdict: too noisy\. Costs are known to .* Nothing can be/);
});

test('without intervals or figures there is no verdict', async () => {
  assert.match(
    await judged(recordsOfCosts(L3, times(1, 2)), recordsOfCosts(L6, times(3, 4))),
    /^Verdict: unjudged\. Fewer than 3 repeats give no intervals/,
  );
  assert.match(await judged([record({ status: 'error' })]), /^Verdict: unjudged\. No message was/);
});
