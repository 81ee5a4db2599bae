/** When two tools agree, when they differ, and when nothing can be said. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BatchColumns } from '../../src/measure/operation-facts.ts';
import { deriveCells, type CellResult } from '../../src/report/cells.ts';
import { compare, crossChecksSummary, crossCheckTable } from '../../src/report/cross-checks.ts';
import { renderTable } from '../../src/report/table.ts';
import type { RepeatRecord } from '../../src/results/record.ts';
import { crossCheckOf, operationRecord } from './operation-fixtures.ts';

interface Pair {
  readonly ours: number;
  readonly theirs: number;
}

function recordsOf(
  pairs: readonly Pair[],
  tool = 'mitata',
  changes: Parameters<typeof crossCheckOf>[2] = {},
): RepeatRecord[] {
  const names = {
    primitive: 'x25519',
    implementation: 'node',
    workload: `32B:against=${tool}`,
  };
  return pairs.map(({ ours, theirs }, repeat) =>
    operationRecord(names, repeat, {
      crossCheck: crossCheckOf(ours, theirs, { tool, ...changes }),
    }),
  );
}

async function cellOf(pairs: readonly Pair[], tool?: string): Promise<CellResult> {
  const [cell] = await deriveCells(recordsOf(pairs, tool));
  return cell!;
}

/** Six repeats in which ours is `factor` times theirs, give or take a thousandth. */
function near(factor: number, ns = 30_000): Pair[] {
  return [-1, 1, 0, 1, -1, 0].map((off) => ({ ours: ns * (factor + off / 1_000), theirs: ns }));
}

test('a pair agrees when the whole interval is within the bound', async () => {
  for (const factor of [0.98, 1, 1.02]) {
    const { agreement, text } = compare(await cellOf(near(factor)));
    assert.deepEqual([agreement, text], ['agrees', 'agrees'], `${factor}`);
  }
});

test('it differs when the whole interval is beyond, and says by how much', async () => {
  const above = compare(await cellOf(near(1.05)));
  assert.equal(above.agreement, 'differs');
  assert.match(above.text, /^differs by 5\.0 % \[4\.9, 5\.1\]$/);
  assert.match(compare(await cellOf(near(0.9))).text, /^differs by -10\.0 % \[/);
});

test('it is undecided when the interval straddles the bound', async () => {
  const wide = near(1).map((pair, repeat) => ({ ...pair, ours: pair.ours * (1 + repeat / 100) }));
  assert.deepEqual(compare(await cellOf(wide)).text, 'undecided');
});

test('openssl may be further off than a harness in the same process', async () => {
  assert.equal(compare(await cellOf(near(1.1), 'openssl')).agreement, 'agrees');
  assert.equal(compare(await cellOf(near(1.1), 'tinybench')).agreement, 'differs');
  assert.equal(compare(await cellOf(near(1.2), 'openssl')).agreement, 'differs');
});

test('two repeats are too few, and what is too fast is not judged', async () => {
  assert.equal(compare(await cellOf(near(1).slice(0, 2))).text, 'undecided: too few repeats');
  assert.equal(compare(await cellOf(near(1, 4_000))).text, 'not judged: under 5 us');
});

test('the table has a line for every tool, for one that is missing the way to get it', async () => {
  const reason = 'mitata does not load; install it with: npm install';
  const missing = operationRecord(
    { primitive: 'x25519', implementation: 'node', workload: '32B:against=mitata' },
    0,
    { status: 'unavailable', reason },
  );
  const records = [...recordsOf(near(1), 'tinybench'), missing];
  const cells = await deriveCells(records, [...new Set(records.map(({ cell }) => cell))]);
  const table = crossCheckTable(cells, records);
  const lines = renderTable(table, { width: 200 })
    .split('\n')
    .map((line) => line.trim().replace(/ {2,}/g, ' | '));
  assert.ok(lines.includes('x25519 32 B by node'), lines.join('\n'));
  assert.ok(
    lines.some((line) =>
      /^tinybench \| 30\.0 \[.*\| 30\.0 \| 0 \[-0\.1, 0\.1\] \| 6 \| agrees$/.test(line),
    ),
    lines.join('\n'),
  );
  assert.ok(lines.includes(`mitata | unavailable: ${reason}`), lines.join('\n'));
  assert.ok(table.notes.some((note) => note.startsWith('tinybench (1.0.34): p50 of something')));
});

function batchOf(ns: number): BatchColumns {
  return { callsPerBatch: 1, wallNs: [], cpuNs: [ns] };
}

test('where parts were measured, the difference is taken apart', async () => {
  const parts = { derivation: batchOf(31_000), import: batchOf(2_000) };
  const records = recordsOf(near(1.1), 'openssl', { parts });
  const cells = await deriveCells(records);
  const { topics } = crossChecksSummary({
    suite: { title: 't', question: 'q', analysis: [] },
    cells,
    records,
    implementations: [],
  });
  assert.equal(
    topics[0]!.sentences[0],
    'x25519 32 B by node, 33.0 us, is made of derivation, 31.0 us and import, 2.00 us; the rest, which ' +
      'is calls, a copy and collecting their garbage together, is 0 ns. Of these, derivation is what ' +
      'openssl does too, in 30.0 us: agrees.',
  );
});

test('the summary counts the verdicts', async () => {
  const records = [...recordsOf(near(1), 'tinybench'), ...recordsOf(near(1.2), 'mitata')];
  const cells = await deriveCells(records);
  const { judgement } = crossChecksSummary({
    suite: { title: 't', question: 'q', analysis: [] },
    cells,
    records,
    implementations: [],
  });
  assert.deepEqual(judgement, {
    verdict: 'fine',
    because: '1 of 2 pairs agree, 1 differ, 0 are undecided.',
  });
});
