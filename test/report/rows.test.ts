import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as check, property, string } from 'fast-check';
import { HarnessError } from '../../src/core/errors.ts';
import { repeatInterval } from '../../src/stats/interval.ts';
import { overheadOf } from '../../src/report/overhead.ts';
import {
  deriveRows,
  ROW_COLUMNS,
  rowsToCsv,
  rowsToJson,
  type Row,
  type RunFacts,
} from '../../src/report/rows.ts';
import { L3, record, recordsOfCosts, shardOfCosts } from './fixtures.ts';

const MANIFEST: RunFacts = {
  suite: { name: 'curated/ladder' },
  startedAt: '2026-11-02T12:00:00.123Z',
  git: { revision: '0123456789abcdef' },
  cells: [],
};

const CELL = 'ladder/double-ratchet/native/chat/t1';

function senderRow(rows: readonly Row[]): Row | undefined {
  return rows.find(({ metric, role }) => metric === 'cpu-per-message' && role === 'sender');
}

const cost = (sender: number): { sender: number; relay: number; receiver: number } => ({
  sender,
  relay: 1_000,
  receiver: 2_000,
});

test('a row is the median over repeats with the interval of the repeats', async () => {
  const rows = await deriveRows(
    MANIFEST,
    recordsOfCosts({}, [cost(5_000), cost(9_000), cost(4_000)]),
  );
  const interval = repeatInterval([4_000, 5_000, 9_000])!;
  assert.deepEqual(senderRow(rows), {
    run: '20261102T120000Z-0123456',
    suite: 'curated/ladder',
    cell: CELL,
    pipeline: 'double-ratchet',
    implementation: 'native',
    workload: 'chat',
    threads: 1,
    params: '',
    stage: '',
    role: 'sender',
    kind: '',
    metric: 'cpu-per-message',
    statistic: 'median',
    unit: 'ns',
    value: 5_000,
    ...interval,
    repeats: 3,
    status: 'ok',
    reason: '',
  });
});

test('fewer than three repeats have no interval, and what never varies has one of no width', async () => {
  const two = senderRow(await deriveRows(MANIFEST, recordsOfCosts({}, [cost(4), cost(6)])));
  assert.deepEqual([two?.value, two?.low, two?.high, two?.repeats], [5, undefined, undefined, 2]);
  const same = senderRow(
    await deriveRows(MANIFEST, recordsOfCosts({}, [cost(7), cost(7), cost(7)])),
  );
  assert.deepEqual([same?.value, same?.low, same?.high], [7, 7, 7]);
});

test('one wrong repeat makes the cell an error without a number', async () => {
  const records = [
    ...recordsOfCosts({}, [cost(4_000), cost(5_000), cost(6_000)]),
    record({ repeat: 3, status: 'error', reason: 'message 2 of session 1 was not delivered' }),
  ];
  const rows = await deriveRows(MANIFEST, records);
  assert.equal(rows.length, 1);
  assert.equal(rows[0]?.status, 'error');
  assert.equal(rows[0].value, undefined);
  assert.equal(rows[0].reason, 'message 2 of session 1 was not delivered');
});

test('repeats of one seed that did different work make the cell an error', async () => {
  const [first, second] = recordsOfCosts({}, [cost(4_000), cost(5_000)]) as [
    ReturnType<typeof record>,
    ReturnType<typeof record>,
  ];
  const other = { ...second, shards: [shardOfCosts(cost(5_000), { digest: 'd1' })] };
  const sameSeed = await deriveRows(MANIFEST, [first, { ...other, seed: first.seed }]);
  assert.deepEqual(
    sameSeed.map(({ status, value }) => [status, value]),
    [['error', undefined]],
  );
  assert.match(sameSeed[0]!.reason, /seed 1000/);
  assert.equal(senderRow(await deriveRows(MANIFEST, [first, other]))?.status, 'ok');
});

test('every cell has a row: unavailable, unsupported, invalid and planned but never finished', async () => {
  const rows = await deriveRows(
    { ...MANIFEST, cells: ['ladder/transport:hop=none/noble/chat:loss=0.1/t2', CELL] },
    [
      record({ status: 'unavailable', reason: 'libsignal is not installed' }),
      record({ ...L3, status: 'unsupported', reason: 'no AES-256-GCM' }),
      record({ pipeline: 'noisy', status: 'invalid' }),
    ],
  );
  assert.deepEqual(
    rows.map(({ pipeline, status, reason, value }) => [pipeline, status, reason, value]),
    [
      ['transport', 'invalid', 'no repeat was finished', undefined],
      ['double-ratchet', 'unavailable', 'libsignal is not installed', undefined],
      ['at-rest-scoped', 'unsupported', 'no AES-256-GCM', undefined],
      ['noisy', 'invalid', 'the cell is invalid', undefined],
    ],
  );
  const { implementation, workload, threads, params } = rows[0]!;
  assert.deepEqual([implementation, workload, threads], ['noble', 'chat', 2]);
  assert.equal(params, 'pipeline.hop=none,workload.loss=0.1');
});

test('an ok cell without any figure still has a row', async () => {
  const rows = await deriveRows(MANIFEST, [record()]);
  assert.deepEqual(
    rows.map(({ status, value, repeats }) => [status, value, repeats]),
    [['ok', undefined, 1]],
  );
});

test('no records and no plan give no rows', async () => {
  assert.deepEqual(await deriveRows(MANIFEST, []), []);
});

test('invalid repeats are left out of a cell that has others', async () => {
  const records = [
    ...recordsOfCosts({}, [cost(4), cost(5), cost(6)]),
    record({ repeat: 3, status: 'invalid', shards: [shardOfCosts(cost(900))] }),
  ];
  const row = senderRow(await deriveRows(MANIFEST, records));
  assert.deepEqual([row?.value, row?.repeats, row?.status], [5, 3, 'ok']);
});

test('without a plan cells are in the order of the ladder', async () => {
  const records = [
    record({ pipeline: 'a-high-rung', rung: 'L11' }),
    record({ pipeline: 'escrow-seed', rung: 'E7', family: 'escrow-wrapped' }),
    record({ pipeline: 'header-encryption', rung: 'L9' }),
    record({ ...L3 }),
  ];
  const rows = await deriveRows(MANIFEST, records);
  assert.deepEqual(
    rows.map(({ pipeline }) => pipeline),
    ['at-rest-scoped', 'header-encryption', 'a-high-rung', 'escrow-seed'],
  );
});

test("the harness's overhead is rows of the run", async () => {
  const calibration = {
    overhead: {
      cpuNs: { value: 90, low: 80, high: 110 },
      latencyNs: { value: 130, low: null, high: null },
    },
  };
  const rows = await deriveRows({ ...MANIFEST, calibration }, []);
  assert.deepEqual(
    rows.map(({ metric, kind, value, low, cell, threads }) => {
      return { metric, kind, value, low, cell, threads };
    }),
    [
      {
        metric: 'harness-overhead',
        kind: 'cpu',
        value: 90,
        low: 80,
        cell: '',
        threads: undefined,
      },
      {
        metric: 'harness-overhead',
        kind: 'latency',
        value: 130,
        low: undefined,
        cell: '',
        threads: undefined,
      },
    ],
  );
});

test('a calibration of another shape is refused, and none is fine', () => {
  assert.equal(overheadOf({}), undefined);
  assert.equal(overheadOf({ calibration: null }), undefined);
  assert.equal(overheadOf({ calibration: { other: 1 } }), undefined);
  assert.throws(
    () => overheadOf({ calibration: { overhead: { cpuNs: 12 } } }),
    (error) => error instanceof HarnessError && error.code === 'BAD_INPUT',
  );
});

test('CSV has every column, quotes what needs it and disarms formulas but not numbers', async () => {
  const [blank] = await deriveRows(MANIFEST, [record()]);
  const csv = rowsToCsv([
    {
      ...blank!,
      cell: '=HYPERLINK("http://x")',
      pipeline: '+1',
      implementation: '-1',
      workload: '@x',
      kind: 'a,b',
      reason: 'two\nlines',
      value: -12.5,
    },
  ]);
  assert.equal(
    csv,
    `${ROW_COLUMNS.join(',')}\r\n20261102T120000Z-0123456,curated/ladder,` +
      `"'=HYPERLINK(""http://x"")",'+1,'-1,'@x,1,,,,"a,b",,,,-12.5,,,1,ok,"two\nlines"\r\n`,
  );
});

test('any text survives CSV as one field', async () => {
  const [blank] = await deriveRows(MANIFEST, [record()]);
  check(
    property(string({ unit: 'binary' }), (reason) => {
      const [, line] = /^[^\r]*\r\n([\s\S]*)\r\n$/.exec(rowsToCsv([{ ...blank!, reason }]))!;
      const field = /,ok,([\s\S]*)$/.exec(line!)![1]!;
      const read = field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field;
      assert.ok(read === reason || read === `'${reason}`);
      assert.ok(!/^[=+\-@\t\r]/.test(read));
      assert.ok(field.startsWith('"') || !/[",\r\n]/.test(field));
    }),
  );
});

test('JSON has every column in every row, with null for what is not there', async () => {
  const rows = await deriveRows(MANIFEST, [record(), record({ ...L3, status: 'error' })]);
  const parsed: unknown = JSON.parse(rowsToJson(rows));
  assert.ok(Array.isArray(parsed) && parsed.length === 2);
  for (const row of parsed as Record<string, unknown>[]) {
    assert.deepEqual(Object.keys(row), ROW_COLUMNS);
    assert.equal(row['value'], null);
  }
  assert.deepEqual(JSON.parse(rowsToJson([])), []);
});
