/** The dense table of primitives, and what is said under it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveCells, type CellResult } from '../../src/report/cells.ts';
import {
  cpuTable,
  primitivesSummary,
  rateTable,
  wallTable,
  type OperationSummaryInput,
} from '../../src/report/primitives.ts';
import { renderSummary, renderSummaryMarkdown } from '../../src/report/summary.ts';
import { renderMarkdown, renderTable, type TableRow } from '../../src/report/table.ts';
import type { RepeatRecord } from '../../src/results/record.ts';
import { operationOf, operationRecord } from './operation-fixtures.ts';

const SUITE = { title: 'Primitives', question: 'What?', analysis: ['So.'] };
const IMPLEMENTATIONS = [
  { name: 'node', title: 'OpenSSL', caveats: ['It copies.'] },
  { name: 'unused', title: 'nobody', caveats: [] },
];

/** Three repeats of a cell that takes `ns` in each, and so much longer in the second and third. */
function repeatsOf(
  primitive: string,
  implementation: string,
  bytes: number,
  ns: number,
  facts: Parameters<typeof operationOf>[2] = {},
  timed: Parameters<typeof operationOf>[1] = {},
): RepeatRecord[] {
  return [0, 1, 2].map((repeat) => {
    const sampleNs = ns * (1 + repeat / 200);
    const window = { samplesNs: [sampleNs], calls: 1, cpuNs: sampleNs + 1 };
    return operationRecord({ primitive, implementation, workload: `${bytes}B` }, repeat, {
      operation: operationOf(
        Array.from({ length: 15 }, () => window),
        timed,
        {
          primitive,
          bytes,
          ...facts,
        },
      ),
    });
  });
}

/** A cell of a table as it is printed. */
function textIn(cell: TableRow['cells'][number]): string {
  assert.equal(typeof cell, 'string');
  return cell as string;
}

const refused = (
  primitive: string,
  implementation: string,
  bytes: number,
  changes: Partial<RepeatRecord>,
): RepeatRecord =>
  operationRecord({ primitive, implementation, workload: `${bytes}B` }, 0, changes);

async function inputOf(records: readonly RepeatRecord[]): Promise<OperationSummaryInput> {
  const planned = [...new Set(records.map(({ cell }) => cell))];
  const cells = await deriveCells(records, planned);
  return { suite: SUITE, cells, records, implementations: IMPLEMENTATIONS };
}

async function cellsOf(records: readonly RepeatRecord[]): Promise<readonly CellResult[]> {
  return (await inputOf(records)).cells;
}

test('rows are primitives and lengths, columns implementations, each row in its own unit', async () => {
  const cells = await cellsOf([
    ...repeatsOf('sha256', 'node', 16, 500),
    ...repeatsOf('sha256', 'noble', 16, 900),
    ...repeatsOf('sha256', 'null', 16, 10),
    ...repeatsOf('sha256', 'node', 65_536, 40_000),
    ...repeatsOf('sha256', 'noble', 65_536, 400_000),
    ...repeatsOf('x25519', 'noble', 32, 1_000_000),
  ]);
  const text = renderTable(wallTable(cells));
  const lines = text.split('\n').map((line) => line.trim().replace(/ {2,}/g, ' | '));
  assert.deepEqual(
    lines.filter((line) => /^(?:primitive|sha256|x25519|\d)/.test(line)),
    [
      'primitive | node | noble | null',
      'sha256',
      '16 B, ns | 502 [490, 516] x1 | 904 [881, 928] x1.80 | 10',
      '65536 B, us | 40.2 [39.2, 41.2] x1 | 402 [392, 413] x10.0 | -',
      'x25519',
      '32 B, ms | - | 1.01 [0.98, 1.03] x1 | -',
    ],
  );
});

test('null is never the fastest', async () => {
  const cells = await cellsOf([
    ...repeatsOf('sha256', 'null', 16, 10),
    ...repeatsOf('sha256', 'noble', 16, 1_000),
  ]);
  const [, row] = wallTable(cells).rows;
  assert.match(textIn(row!.cells[2]), / x1$/);
  assert.doesNotMatch(textIn(row!.cells[1]), / x/);
});

test('a cell without a number has a letter, and the reason stands under the table once', async () => {
  const reason = 'libsodium has no aes-256-gcm';
  const cells = await cellsOf([
    ...repeatsOf('aes-256-gcm-seal', 'node', 64, 500),
    refused('aes-256-gcm-seal', 'libsodium', 64, { status: 'unsupported', reason }),
    ...repeatsOf('aes-256-gcm-open', 'node', 64, 500),
    refused('aes-256-gcm-open', 'libsodium', 64, { status: 'unsupported', reason }),
    refused('aes-256-gcm-open', 'planted', 64, { status: 'error', reason: 'it was wrong' }),
  ]);
  const { rows, notes } = wallTable(cells);
  assert.deepEqual(rows[1]!.cells.slice(2), ['unsupported (a)', undefined]);
  assert.deepEqual(rows[3]!.cells.slice(2), ['unsupported (a)', 'error (b)']);
  assert.ok(notes.includes(`(a) unsupported: ${reason} (aes-256-gcm-seal, aes-256-gcm-open)`));
  assert.ok(notes.includes('(b) error: it was wrong (aes-256-gcm-open)'));
});

test('CPU of a process is pointed out, and rates are per second', async () => {
  const cells = await cellsOf([
    ...repeatsOf('sha256', 'node', 16, 1_000),
    ...repeatsOf('sha256', 'webcrypto', 16, 20_000, { cpuBasis: 'process' }),
  ]);
  const cpu = cpuTable(cells);
  assert.deepEqual(cpu.rows[1]!.cells, ['  16 B, us', '1.01', '20.1']);
  assert.match(cpu.notes[0]!, /^webcrypto: CPU of the process/);
  const [, rate] = rateTable(cells).rows;
  assert.match(textIn(rate!.cells[0]), /k\/s$/);
  assert.match(textIn(rate!.cells[1]), /^996 \[/);
});

test('the summary says who computes what, and what was checked', async () => {
  const summary = primitivesSummary(
    await inputOf([
      ...repeatsOf('hkdf-sha256', 'node', 64, 2_000),
      ...repeatsOf('hkdf-sha256', 'libsodium', 64, 3_000, { source: 'composed' }),
    ]),
  );
  assert.deepEqual(summary.topics[0]!.sentences, [
    'libsodium, composed by sealbench over its SHA-256 or HMAC: hkdf-sha256.',
  ]);
  assert.deepEqual(summary.pipelines, ['node: OpenSSL. It copies.']);
  const text = summary.precision.join('\n');
  assert.match(text, /median over 3 repeats, each in a fresh process/);
  assert.match(text, /same from all implementations.*3 comparisons/);
  assert.match(text, /From the first repeat to the last it took 60 s/);
  assert.match(text, /All cells reached a steady speed/);
  assert.equal(summary.judgement.verdict, 'fine');
});

test('outputs that differ between implementations are called wrong', async () => {
  const records = [
    ...repeatsOf('sha256', 'node', 64, 2_000, { outputs: 1 }),
    ...repeatsOf('sha256', 'noble', 64, 2_000, { outputs: 2 }),
    // It computes nothing and is not asked.
    ...repeatsOf('sha256', 'null', 64, 10, { outputs: 3 }),
  ];
  const { precision } = primitivesSummary(await inputOf(records));
  assert.ok(
    precision.includes('WRONG: sha256 of 64 B, seed 0: node gives other outputs than noble.'),
    precision.join('\n'),
  );
});

test('clock, loop and calls that never settle are pointed out', async () => {
  const falling = operationRecord(
    { primitive: 'sha256', implementation: 'noble', workload: '16B' },
    0,
    {
      operation: operationOf(
        Array.from({ length: 15 }, (_, window) => ({
          samplesNs: [1_000],
          calls: 1,
          cpuNs: 1_000 / (window + 1),
        })),
        { timerOverheadNs: 20, timerWarnings: ['zero-mad'] },
      ),
    },
  );
  const { precision } = primitivesSummary(
    await inputOf([falling, ...repeatsOf('sha256', 'null', 16, 60)]),
  );
  const text = precision.join('\n');
  assert.match(text, /reading the clock is more than 1 % of a sample of sha256 16 B by noble/);
  assert.match(text, /tinybench found samples of 1 cell too coarse/);
  assert.match(text, /the loop around the call, which null shows, is more than 5 %.*\(6 %\)/);
  assert.match(text, /1 cell of 2 never settled.*sha256 16 B by noble/);
});

test('it prints as text and as Markdown', async () => {
  const input = await inputOf(repeatsOf('sha256', 'node', 16, 500));
  const summary = primitivesSummary(input);
  assert.match(renderSummary(summary), /Time of one call, median/);
  assert.match(renderSummaryMarkdown(summary), /\| primitive \| node \|/);
  assert.match(renderMarkdown(wallTable(input.cells)), /\| {3}16 B, ns \| 502 \\\[/);
});

test('a run without a finished repeat is a table of reasons', async () => {
  const cells = await deriveCells([], ['mine/sha256/node/16B/t1']);
  const summary = primitivesSummary({ suite: SUITE, cells, records: [], implementations: [] });
  assert.match(renderSummary(summary), /invalid \(a\)/);
  assert.deepEqual(summary.precision, []);
});
