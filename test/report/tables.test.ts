import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveCells } from '../../src/report/cells.ts';
import type { Estimate } from '../../src/report/estimates.ts';
import { inRungOrder } from '../../src/report/pairing.ts';
import { renderTable, type Table } from '../../src/report/table.ts';
import {
  bytesTable,
  indexTable,
  latencyTable,
  messageTable,
  openingTable,
} from '../../src/report/tables.ts';
import { E3, L3, L4, L6, record, recordsOfCosts, shard, SIDE, type Costs } from './fixtures.ts';

const readable: Costs = { sender: 1_000, relay: 4_000, receiver: 1_000 };
const encrypted: Costs = { sender: 6_000, relay: 2_000, receiver: 4_000 };

/** The values of a column by its title. */
function column(table: Table, title: string, over?: string): (number | string | undefined)[] {
  const index = table.columns.findIndex(
    (candidate) => candidate.title === title && candidate.over === over,
  );
  assert.notEqual(index, -1, title);
  return table.rows.map(({ cells }) => {
    const cell = cells[index];
    return typeof cell === 'object' ? cell.value : cell;
  });
}

function labels(table: Table): unknown[] {
  return table.rows.map(({ cells, heading }) => heading ?? cells[0]);
}

test('cells are in the order of the ladder, then what stands beside it, then escrow', async () => {
  const rungs = [
    E3,
    { pipeline: 'sealed-sender', rung: 'L11' },
    { pipeline: 'provider-backup', rung: 'C7' },
    SIDE,
    { pipeline: 'header-encryption', rung: 'L9' },
    L3,
  ];
  const records = rungs.flatMap((rung) => recordsOfCosts(rung, [encrypted]));
  const never = 'ladder/static-e2e/native/chat/t1';
  const cells = await deriveCells(records, [...records.map(({ cell }) => cell), never]);
  const note = { name: 'static-e2e', rung: 'L4', family: 'ratchet', title: '', caveats: [] };
  assert.deepEqual(labels(messageTable(inRungOrder(cells, [note]), undefined)), [
    'L3 at-rest-scoped',
    'L4 static-e2e',
    'L9 header-encryption',
    'L11 sealed-sender',
    'sealed-box',
    'E3 escrow-message-key',
    'C7 provider-backup',
  ]);
});

test('an interval that reaches below zero is printed from zero', async () => {
  const cells = await deriveCells(
    recordsOfCosts(L6, [encrypted, { ...encrypted, sender: 60_000 }, encrypted]),
  );
  const [row] = messageTable(cells, undefined).rows;
  const sender = row!.cells[1] as Estimate;
  assert.equal(sender.low, 0);
  assert.ok(sender.high! > 0);
});

/** Five repeats of a cell, of which the first so many never settle. */
function repeatsOf(rung: typeof L3, unsettled: number): ReturnType<typeof record>[] {
  return [0, 1, 2, 3, 4].map((repeat) => {
    const blocks = Array.from({ length: 20 }, (_, block) => {
      const factor = repeat < unsettled ? 1 + block / 10 : 1;
      return { messages: 10, kernelCpuNs: 1, cpu: { send: [10, 9_000 * factor] as const } };
    });
    return record({ ...rung, repeat, shards: [shard(blocks)] });
  });
}

test('a cell of which more than a fifth of the repeats never settled is marked, with how many', async () => {
  const cells = await deriveCells([...repeatsOf(L3, 1), ...repeatsOf(L6, 2)]);
  const table = messageTable(cells, undefined);
  assert.deepEqual(labels(table), ['L3 at-rest-scoped', 'L6 double-ratchet *']);
  assert.deepEqual(table.notes, ['* never settled: L6 double-ratchet in 2 of 5 repeats.']);
});

test('the ratio is to the baseline of the same group, and a cell without one has none', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, [readable]),
    ...recordsOfCosts(L6, [encrypted]),
    ...recordsOfCosts({ ...L6, workload: 'one-way' }, [encrypted]),
  ]);
  const table = messageTable(cells, 'at-rest-scoped');
  assert.deepEqual(labels(table), [
    'chat',
    'L3 at-rest-scoped',
    'L6 double-ratchet',
    'one-way',
    'L6 double-ratchet',
  ]);
  assert.deepEqual(column(table, 'ratio'), [undefined, 1, 2, undefined, undefined]);
});

test('there is no column of ratios of cells to themselves', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L6, [encrypted]),
    ...recordsOfCosts({ ...L6, implementation: 'noble' }, [encrypted]),
  ]);
  const table = messageTable(cells, 'double-ratchet');
  assert.ok(!table.columns.some(({ title }) => title === 'ratio'));
  assert.deepEqual(labels(table), ['L6 double-ratchet / native', 'L6 double-ratchet / noble']);
});

test('a missing baseline leaves no ratio and says so', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L6, [encrypted]),
    record({ ...L3, status: 'error', reason: 'wrong plaintext' }),
  ]);
  const table = messageTable(inRungOrder(cells, []), 'at-rest-scoped');
  assert.ok(!table.columns.some(({ title }) => title === 'ratio'));
  assert.equal(table.rows[0]?.remark, 'error: wrong plaintext');
  assert.ok(
    table.notes.includes('There are no ratios: at-rest-scoped has no figures in this run.'),
  );
});

test('a foreign library is compared with the only baseline there is, and that is said', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, [readable]),
    ...recordsOfCosts({ ...L6, implementation: 'libolm' }, [encrypted]),
  ]);
  const table = messageTable(cells, 'at-rest-scoped');
  assert.deepEqual(column(table, 'ratio'), [1, 2]);
  assert.ok(
    table.notes.includes('double-ratchet of libolm is compared with at-rest-scoped of native.'),
  );
});

test('the authority has a column exactly when a cell has one', async () => {
  const without = await deriveCells(recordsOfCosts(L6, [encrypted]));
  assert.ok(!messageTable(without, undefined).columns.some(({ title }) => title === 'authority'));
  const withOne = await deriveCells([
    ...recordsOfCosts(L6, [encrypted]),
    ...recordsOfCosts(E3, [{ ...encrypted, authority: 30_000 }]),
  ]);
  const table = messageTable(withOne, undefined);
  assert.deepEqual(column(table, 'authority'), [undefined, 30_000]);
  assert.ok(table.notes.some((note) => note.includes('one message in 10,000')));
});

test('opening and connecting are told stage by stage, with the lengths that share them', async () => {
  const opening = { publish: 3_000, initiate: 8_000, accept: 12_000 };
  const cells = await deriveCells(recordsOfCosts(L6, [{ ...encrypted, opening, connect: 20_000 }]));
  const table = openingTable(cells);
  assert.match(table.title, /\(40 messages per session, 20 per connection\)$/);
  const [row] = table.rows;
  assert.deepEqual(
    row!.cells.map((cell) => (typeof cell === 'object' ? cell.value : cell)),
    [
      'L6 double-ratchet',
      20_000,
      20_000,
      3_000,
      8_000,
      12_000,
      12_000,
      // (3,000 + 8,000 + 12,000 - 4,000) / 40 and 4 times 20,000 / 20 more.
      12_000 + 475 + 4_000,
    ],
  );
});

test('bytes have a column for escrow and for kept keys exactly when there are any', async () => {
  const changes = {
    messages: { sent: 10, delivered: 10, refused: {}, lost: 0, recovered: 0 },
    plaintextBytes: 100,
    wire: { message: { frames: 10, bytes: 900 }, bundle: { frames: 1, bytes: 264 } },
    storedBytes: 1_200,
    handshake: { frames: 1, bytes: 150 },
  };
  const plain = bytesTable(await deriveCells([record({ shards: [shard([], {}, changes)] })]));
  assert.deepEqual(
    plain.columns.map(({ title }) => title),
    ['pipeline', 'added', 'stored', 'prekey bundle', 'first frames'],
  );
  assert.deepEqual(column(plain, 'added', 'per message'), [80]);
  assert.deepEqual(column(plain, 'stored', 'per message'), [120]);
  assert.deepEqual(column(plain, 'prekey bundle', 'per session'), [264]);
  assert.deepEqual(column(plain, 'first frames', 'per session'), [150]);
  const wire = { ...changes.wire, escrow: { frames: 10, bytes: 300 } };
  const more = shard([], {}, { ...changes, wire, storedKeys: 4 });
  const table = bytesTable(await deriveCells([record({ ...E3, shards: [more] })]));
  assert.deepEqual(column(table, 'for escrow', 'per message'), [30]);
  assert.deepEqual(column(table, 'kept', 'per session'), [4]);
});

test('latencies have a column where there is a percentile', async () => {
  const latencies = { send: Array.from({ length: 100 }, (_, i) => 1_000 + i) };
  const cells = await deriveCells([record({ shards: [shard([], latencies)] })]);
  const table = latencyTable(cells);
  assert.deepEqual(
    table.columns.map(({ over, title }) => [over, title]),
    [
      [undefined, 'pipeline'],
      ['send', 'p50'],
    ],
  );
  assert.deepEqual(column(table, 'p50', 'send'), [1_049]);
});

const thrice = (costs: Costs): Costs[] => [costs, costs, costs];

test('what an n-th message costs stands beside the break-even with the rung below', async () => {
  const dear = { publish: 0, initiate: 50_000, accept: 10_000 };
  const cheap = { publish: 0, initiate: 1_000, accept: 10_000 };
  const cells = await deriveCells([
    ...recordsOfCosts(L3, thrice({ ...readable, opening: cheap })),
    ...recordsOfCosts(L4, thrice({ ...encrypted, opening: dear })),
    ...recordsOfCosts(
      L6,
      thrice({ ...encrypted, sender: 1_000, opening: { ...dear, initiate: 60_000 } }),
    ),
  ]);
  const table = indexTable(cells);
  assert.deepEqual(column(table, '1', 'message'), [10_000, 10_000, 10_000]);
  assert.deepEqual(column(table, 'rung below', 'break-even with'), [undefined, 'never', 2]);
});

test('cells of several groups stand under a heading with what differs', async () => {
  const sizes = ['sizes:bytes=16', 'sizes:bytes=256'];
  const cells = await deriveCells(
    sizes.flatMap((workload) =>
      [L3, L6].flatMap((rung) => recordsOfCosts({ ...rung, workload }, [readable])),
    ),
  );
  assert.deepEqual(labels(messageTable(cells, undefined)), [
    'sizes:bytes=16',
    'L3 at-rest-scoped',
    'L6 double-ratchet',
    'sizes:bytes=256',
    'L3 at-rest-scoped',
    'L6 double-ratchet',
  ]);
});

test('a cell without figures is a line of dashes in the first table and in no other', async () => {
  const cells = await deriveCells([record()]);
  assert.match(renderTable(messageTable(cells, undefined)), /^L6 double-ratchet( +-)+$/m);
  for (const make of [openingTable, bytesTable, latencyTable, indexTable]) {
    assert.deepEqual(make(cells).rows, []);
  }
});
