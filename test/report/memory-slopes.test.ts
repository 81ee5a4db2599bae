import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MemoryFacts } from '../../src/measure/facts.ts';
import { deriveCells, seriesOf, type CellResult } from '../../src/report/cells.ts';
import { summarise } from '../../src/report/estimates.ts';
import { memorySlopes, memoryTable } from '../../src/report/memory-slopes.ts';
import { deriveRows } from '../../src/report/rows.ts';
import { renderTable } from '../../src/report/table.ts';
import type { RepeatRecord } from '../../src/results/record.ts';
import { L3, L6, record, shard } from './fixtures.ts';

const POPULATIONS = [1_000, 2_000, 4_000];

/** Bytes that a session adds, by kind, on top of some that are there once. */
interface Added {
  readonly heap?: number;
  readonly external?: number;
  readonly arraybuffer?: number;
  readonly wasm?: number;
  readonly native?: number;
}

function memoryOf(sessions: number, added: Added): { before: MemoryFacts; after: MemoryFacts } {
  const { heap = 0, external = 0, arraybuffer = 0, wasm = 0, native = 0 } = added;
  const before = {
    heapUsedBytes: 5e6,
    heapResidentBytes: 9e6,
    externalBytes: 2e6,
    arrayBufferBytes: 1e6,
    wasmBytes: 4e6,
    rssBytes: 80e6,
  };
  const once = 700_000;
  const grown = (heap + external + arraybuffer + wasm + native) * sessions;
  const after = {
    heapUsedBytes: before.heapUsedBytes + once + heap * sessions,
    // The collector kept two megabytes of pages more.
    heapResidentBytes: before.heapResidentBytes + 2e6 + once + heap * sessions,
    externalBytes: before.externalBytes + (external + arraybuffer) * sessions,
    arrayBufferBytes: before.arrayBufferBytes + arraybuffer * sessions,
    wasmBytes: before.wasmBytes + wasm * sessions,
    rssBytes: before.rssBytes + 2e6 + once + grown,
  };
  return { before, after };
}

function recordOf(
  names: Partial<RepeatRecord>,
  sessions: number,
  repeat: number,
  added: Added,
): RepeatRecord {
  const memory = memoryOf(sessions, added);
  const workload = `chat:messages=2,sessions=${sessions}`;
  const shards = [shard([], {}, { sessions, memory })];
  return record({ ...names, workload, repeat, shards });
}

/** @param added For each repeat. */
function populations(names: Partial<RepeatRecord>, added: readonly Added[]): RepeatRecord[] {
  return POPULATIONS.flatMap((sessions) =>
    added.map((bytes, repeat) => recordOf(names, sessions, repeat, bytes)),
  );
}

function slopeOf(cell: CellResult, kind: string): readonly (number | undefined)[] {
  const estimate = summarise(seriesOf(cell, { metric: 'retained-bytes-slope', kind }));
  return [estimate?.value, estimate?.low, estimate?.high].map(
    (bytes) => bytes && Math.round(bytes),
  );
}

const L6_BYTES = { heap: 100, external: 20, arraybuffer: 400, wasm: 30, native: 50 };

test('a slope has what a session adds, by kind, and nothing of what is there once', async () => {
  const cells = await deriveCells(populations(L6, [L6_BYTES, L6_BYTES, L6_BYTES]));
  const [slope, ...others] = memorySlopes(cells);
  assert.ok(slope !== undefined && others.length === 0);
  assert.equal(slope.cell, 'ladder/double-ratchet/native/chat:messages=2/t1');
  assert.equal(slope.workload, 'chat:messages=2');
  assert.equal(slope.repeats, 3);
  for (const [kind, bytes] of Object.entries(L6_BYTES))
    assert.equal(slopeOf(slope, kind)[0], bytes);
  assert.equal(slopeOf(slope, 'all')[0], 600);
});

test('the interval is over the slopes of the repeats, and there is none for two', async () => {
  const three = [90, 100, 110].map((heap) => ({ heap }));
  const [slope] = memorySlopes(await deriveCells(populations(L6, three)));
  // Student: 100 and 4.303 times 10 over the root of 3.
  assert.deepEqual(slopeOf(slope!, 'heap'), [100, 75, 125]);
  const [few] = memorySlopes(await deriveCells(populations(L6, three.slice(0, 2))));
  assert.deepEqual(slopeOf(few!, 'heap'), [95, undefined, undefined]);
});

test('fewer than three populations have no slope, and cells of other work are not joined', async () => {
  const all = populations(L6, [L6_BYTES]);
  assert.deepEqual(memorySlopes(await deriveCells(all.slice(0, 2))), []);
  const other = recordOf({ ...L6, threads: 2 }, 4_000, 0, L6_BYTES);
  assert.deepEqual(memorySlopes(await deriveCells([...all.slice(0, 2), other])), []);
  const failed = all.with(1, { ...all[1]!, status: 'error', shards: [] });
  assert.deepEqual(memorySlopes(await deriveCells(failed)), []);
});

test('repeats that one population lacks are left out', async () => {
  const records = populations(L6, [{ heap: 100 }, { heap: 300 }]).filter(
    ({ repeat, workload }) => repeat === 0 || !workload.endsWith('=2000'),
  );
  const [slope] = memorySlopes(await deriveCells(records));
  assert.equal(slope!.repeats, 1);
  assert.equal(slopeOf(slope!, 'heap')[0], 100);
});

test('the table has a row per pipeline, and says which populations it is over', async () => {
  const cells = await deriveCells([
    ...populations(L6, [L6_BYTES, L6_BYTES, L6_BYTES]),
    ...populations(L3, [{ heap: 8 }, { heap: 9 }, { heap: 10 }]),
  ]);
  const text = renderTable(memoryTable(cells));
  assert.match(text, /^L3 at-rest-scoped +9\.0 \[6\.5, 11\.5\] +0 /m);
  assert.match(text, /^L6 double-ratchet +100 +20\.0 +400 +30\.0 +50\.0 +600$/m);
  assert.match(text, /over 1,000, 2,000 and 4,000 sessions/);
  assert.ok(!text.includes('in proportion'));
});

/** The table of one pipeline whose sessions take more bytes in the largest population. */
async function textWith(few: number, many: number): Promise<string> {
  const records = POPULATIONS.map((sessions) =>
    // As a table that doubles when it is full.
    recordOf(L6, sessions, 0, { heap: sessions === 4_000 ? many : few }),
  );
  return renderTable(memoryTable(await deriveCells(records)));
}

test('memory that does not grow in proportion is said not to', async () => {
  const bent = /L6 double-ratchet does not grow in proportion: with 2,000 sessions it keeps/;
  assert.match(await textWith(10_000, 30_000), bent);
  // Many megabytes, but few beside all; and many beside all, but hardly one.
  for (const bytes of [100_000, 100]) {
    const straight = await textWith(bytes, bytes === 100 ? 300 : 105_000);
    assert.ok(!straight.includes('in proportion'), straight);
  }
});

test('a run without populations has no such table, and rows have the slopes of one that has', async () => {
  const alone = await deriveCells([recordOf(L6, 1_000, 0, L6_BYTES)]);
  assert.deepEqual(memoryTable(alone).rows, []);
  const records = populations(L6, [L6_BYTES, L6_BYTES, L6_BYTES]);
  const cells = [...new Set(records.map(({ cell }) => cell))];
  const facts = { suite: { name: 'scale/memory' }, startedAt: '2026-11-02T12:00:00Z', git: null };
  const rows = await deriveRows({ ...facts, cells }, records);
  const slopes = rows.filter(({ metric }) => metric === 'retained-bytes-slope');
  assert.deepEqual(
    slopes.map(({ cell, params, kind, unit, repeats }) => [cell, params, kind, unit, repeats]),
    ['heap', 'external', 'arraybuffer', 'wasm', 'native', 'all'].map((kind) => [
      'ladder/double-ratchet/native/chat:messages=2/t1',
      'workload.messages=2',
      kind,
      'B',
      3,
    ]),
  );
});
