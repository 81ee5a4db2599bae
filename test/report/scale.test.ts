/** Tables and sentences about many sessions. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveCells, type CellResult } from '../../src/report/cells.ts';
import { growthTable, scaleTable, scaleTopics } from '../../src/report/scale.ts';
import { renderMarkdown, renderTable } from '../../src/report/table.ts';
import type { RepeatRecord } from '../../src/results/record.ts';
import { record, shard } from './fixtures.ts';

const MEMORY = {
  heapUsedBytes: 0,
  heapResidentBytes: 0,
  externalBytes: 0,
  arrayBufferBytes: 0,
  wasmBytes: 0,
  rssBytes: 0,
};

/** A repeat whose messages cost `cpuNs` each and whose sessions keep `bytes` each. */
function recordOf(sessions: number, repeat: number, cpuNs: number, bytes: number): RepeatRecord {
  const blocks = [
    { phase: 'open', wallNs: sessions * 1e6 },
    { messages: 10, cpu: { send: [10, cpuNs * 10] } },
  ] as const;
  const grown = { ...MEMORY, externalBytes: sessions * bytes, arrayBufferBytes: sessions * bytes };
  return record({
    workload: `social:sessions=${sessions}`,
    repeat,
    shards: [shard(blocks, {}, { sessions, memory: { before: MEMORY, after: grown } })],
    process: {
      cpuNs: 1,
      mainCpuNs: 0,
      helperCpuNs: 0,
      wallNs: 1,
      rssPeakBytes: 100 * 2 ** 20 + sessions * bytes,
    },
  });
}

function cellsOf(records: readonly RepeatRecord[]): Promise<CellResult[]> {
  return deriveCells(records);
}

const GROWN = [0, 1, 2, 3].flatMap((repeat) => [
  recordOf(1_000, repeat, 10_000 + repeat * 10, 900),
  recordOf(100_000, repeat, 12_000 + repeat * 50, 600),
]);

test('growth is told against the smallest number of sessions, with an interval', async () => {
  const text = renderTable(growthTable(await cellsOf(GROWN)), { width: 200 });
  assert.match(text, /100,000 .* 1\.21 \[1\.20, 1\.21\] .* 600/);
  assert.match(text, /\n1,000 .* 900/);
  assert.match(renderMarkdown(growthTable(await cellsOf(GROWN))), /\| 100,000 \|/);
  const [topic] = scaleTopics(await cellsOf(GROWN));
  assert.match(
    topic!.sentences[0]!,
    /^With 100,000 sessions a message of \S+ takes 1\.21 times the CPU that it takes with 1,000 \(95 % interval 1\.20 to 1\.21\): 2\.06 us more\.$/,
  );
});

test('cells that differ in something else, or in too few sessions, say nothing of growth', async () => {
  const few = [recordOf(1_000, 0, 10_000, 900), recordOf(50_000, 0, 12_000, 600)];
  assert.equal(growthTable(await cellsOf(few)).rows.length, 0);
  const other = recordOf(100_000, 0, 12_000, 600);
  const apart = [
    recordOf(1_000, 0, 10_000, 900),
    { ...other, implementation: 'noble', cell: 'x/y/noble/z/t1' },
  ];
  assert.equal(growthTable(await cellsOf(apart)).rows.length, 0);
});

test('many sessions: rates and memory; few have no such table', async () => {
  const table = scaleTable(await cellsOf(GROWN));
  assert.equal(table.rows.length, 1);
  assert.match(renderTable(table, { width: 200 }), /100,000 +1000 .* 600/);
  const few = await cellsOf([recordOf(4_999, 0, 1, 1)]);
  assert.equal(scaleTable(few).rows.length, 0);
  assert.deepEqual(scaleTopics(few), []);
});
