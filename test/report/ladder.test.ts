import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveCells, seriesOf, type Series } from '../../src/report/cells.ts';
import { differenceOf, isUndecided, ratioOf, summarise } from '../../src/report/estimates.ts';
import { ladderTable } from '../../src/report/ladder.ts';
import type { PipelineNote } from '../../src/report/pairing.ts';
import { renderTable, type Table } from '../../src/report/table.ts';
import { E3, L3, L6, record, recordsOfCosts, shard, type Costs } from './fixtures.ts';

const NOTES: PipelineNote[] = [
  {
    name: 'at-rest-scoped',
    title: 'encrypted hops and a sealed store',
    family: 'plaintext-relay',
    rung: 'L3',
    adds: 'a data key for each user and day',
    caveats: ['The relay reads every message.'],
  },
];

const readable = (times: number): Costs => ({
  sender: 1_000 * times,
  relay: 4_000 * times,
  receiver: 1_000 * times,
});
const encrypted = (times: number): Costs => ({
  sender: 6_000 * times,
  relay: 2_000 * times,
  receiver: 4_000 * times,
});

/** The texts of a column by the heading it starts with. */
function column(table: Table, title: string): unknown[] {
  const index = table.columns.findIndex((candidate) => candidate.title === title);
  assert.notEqual(index, -1, title);
  return table.rows.map(({ cells }) => cells[index]);
}

function series(values: readonly number[]): Series {
  const at = { stage: '', role: 'all', kind: '', statistic: 'median' } as const;
  return { metric: 'm', unit: 'ns', ...at, values: new Map(values.entries()) };
}

test('the ladder as it is printed', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, [readable(1), readable(2), readable(3)]),
    ...recordsOfCosts(L6, [encrypted(1), encrypted(2), encrypted(3)]),
    record({ ...L6, implementation: 'libolm', status: 'unavailable', reason: 'not installed' }),
  ]);
  const overhead = {
    cpuNs: { value: 90, low: 80, high: 110, repeats: 3 },
    latencyNs: { value: 130, low: undefined, high: undefined, repeats: 1 },
  };
  const table = ladderTable({
    title: 'The ladder',
    cells,
    pipelines: NOTES,
    baseline: 'at-rest-scoped',
    overhead,
    notes: ['Of the caller.'],
  });
  const [title, , heading, rule, ...lines] = renderTable(table).split('\n');
  assert.equal(title, 'The ladder');
  assert.match(
    heading!,
    /^pipeline +sender \(us\) +relay \(us\) +receiver \(us\) +all \(us\) +times/,
  );
  assert.equal(rule!.replace(/[- ]/g, ''), '');
  const l6 = lines.find((line) => line.startsWith('L6 double-ratchet / native'))!;
  // The median repeat is twice the first: 12, 4, 8 and 24 us, and twice the baseline in each.
  assert.match(l6, /12\.0 \[.*?\] +4\.00 \[.*?\] +8\.00 \[.*?\] +24\.0 \[.*?\] +2 +/);
  assert.ok(lines.includes('L6 double-ratchet / libolm  unavailable: not installed'));
  const notes = lines.slice(lines.indexOf('') + 1).join('\n');
  assert.match(notes, /median over 3 repeats/);
  assert.match(notes, /costs 90\.0 \[80\.0, 110\] ns of CPU per call and adds 130 ns to a latency/);
  assert.match(notes, /^Of the caller\.$/m);
  assert.match(
    notes,
    /^at-rest-scoped: encrypted hops and a sealed store\. The relay reads every message\.$/m,
  );
});

test('ratios are taken repeat by repeat, so that drift of the machine drops out', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, [readable(1), readable(5), readable(9)]),
    ...recordsOfCosts(L6, [encrypted(1), encrypted(5), encrypted(9)]),
  ]);
  const table = ladderTable({ title: '', cells, pipelines: [], baseline: 'at-rest-scoped' });
  const [own, ratio] = column(table, 'times at-rest-scoped') as { value: number; low: number }[];
  assert.ok(Math.abs(own!.value - 1) < 1e-12);
  assert.ok(Math.abs(ratio!.value - 2) < 1e-12 && Math.abs(ratio!.low - 2) < 1e-9);
});

test('only repeats that both cells have are paired', async () => {
  const [base, candidate] = await deriveCells([
    ...recordsOfCosts(L3, [readable(1), readable(1)]),
    ...recordsOfCosts(L6, [encrypted(1), encrypted(1), encrypted(50)]),
  ]);
  const name = { metric: 'cpu-per-message', role: 'all' } as const;
  const ratio = ratioOf(seriesOf(candidate!, name), seriesOf(base!, name));
  assert.deepEqual([ratio?.value, ratio?.low, ratio?.repeats], [2, undefined, 2]);
  assert.equal(ratioOf(seriesOf(candidate!, name), undefined), undefined);
});

test('three differences of one sign are not enough to show a difference', () => {
  const difference = differenceOf(series([101, 110, 190]), series([100, 100, 100]))!;
  assert.ok(Math.abs(difference.value - 101 / 3) < 1e-9);
  assert.ok(isUndecided(difference, 0));
  const same = differenceOf(series([5, 6, 7]), series([5, 6, 7]))!;
  assert.deepEqual([same.low, same.high], [0, 0]);
  assert.ok(isUndecided(same, 0));
});

test('the interval of a difference is around its mean, whatever the number of repeats', () => {
  const base = series([0, 0, 0, 0, 0, 0, 0]);
  const { value, low, high } = differenceOf(series([1, 1, 2, 3, 5, 8, 90]), base)!;
  assert.ok(Math.abs(value - 110 / 7) < 1e-9);
  assert.ok(Math.abs((low! + high!) / 2 - value) < 1e-9);
});

test('the interval of a share stays within 0 and 1', () => {
  const share = (...values: number[]): unknown => {
    const { low, high } = summarise({ ...series(values), unit: 'share' })!;
    return [low, high];
  };
  assert.deepEqual(share(0, 0.5, 1), [0, 1]);
  assert.deepEqual(share(0.5, 0.5, 0.5), [0.5, 0.5]);
  assert.ok(summarise(series([0, 0.5, 1]))!.low! < 0);
});

test('a missing baseline leaves no ratio and says so', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L6, [encrypted(1)]),
    record({ ...L3, status: 'error', reason: 'wrong plaintext' }),
  ]);
  const table = ladderTable({ title: '', cells, pipelines: [], baseline: 'at-rest-scoped' });
  assert.deepEqual(column(table, 'times at-rest-scoped'), [undefined, undefined]);
  assert.equal(table.rows[0]?.remark, 'error: wrong plaintext');
  assert.ok(
    table.notes.includes('There are no ratios: at-rest-scoped has no figures in this run.'),
  );
  assert.ok(table.notes.some((note) => note.includes('fewer than 3 repeats')));
});

test('a foreign library is compared with the only baseline there is, and that is said', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, [readable(1)]),
    ...recordsOfCosts({ ...L6, implementation: 'libolm' }, [encrypted(1)]),
  ]);
  const table = ladderTable({ title: '', cells, pipelines: [], baseline: 'at-rest-scoped' });
  const [, ratio] = column(table, 'times at-rest-scoped') as { value: number }[];
  assert.equal(ratio?.value, 2);
  assert.ok(
    table.notes.includes('double-ratchet of libolm is compared with at-rest-scoped of native.'),
  );
});

test('the authority has a column exactly when a cell has one', async () => {
  const title = 'authority, per recovered';
  const without = await deriveCells(recordsOfCosts(L6, [encrypted(1)]));
  const plain = ladderTable({ title: '', cells: without, pipelines: [] });
  assert.ok(!plain.columns.some((candidate) => candidate.title === title));
  const withOne = await deriveCells([
    ...recordsOfCosts(L6, [encrypted(1)]),
    ...recordsOfCosts(E3, [{ ...encrypted(1), authority: 30_000 }]),
  ]);
  const table = ladderTable({ title: '', cells: withOne, pipelines: [] });
  const [none, authority] = column(table, title) as ({ value: number } | undefined)[];
  assert.deepEqual([none, authority?.value], [undefined, 30_000]);
  assert.ok(table.notes.some((note) => note.includes('one message in 10000')));
});

test('disturbed blocks, helper threads and repeats left out are pointed out', async () => {
  const process = { cpuNs: 100, mainCpuNs: 0, helperCpuNs: 12, wallNs: 1, rssPeakBytes: 1 };
  const clean = { messages: 1, cpu: { send: [1, 1_000] }, kernelCpuNs: 100 } as const;
  const cells = await deriveCells([
    record({ shards: [shard([clean, clean, clean, { ...clean, stealTicks: 1 }])], process }),
    record({ repeat: 1, status: 'invalid' }),
  ]);
  const { notes } = ladderTable({ title: '', cells, pipelines: [] });
  const text = notes.join('\n');
  assert.match(text, /at most 25% of a cell \(L6 double-ratchet\)/);
  assert.match(text, /12% of the process's CPU was spent off/);
  assert.match(text, /L6 double-ratchet: left out as invalid: 1 repeat\./);
});

test('a ladder without cells is printed', () => {
  const table = ladderTable({ title: 'Empty', cells: [], pipelines: [] });
  assert.match(renderTable(table), /^Empty\n\npipeline[\s\S]*No cell has figures\.\n$/);
});

test('a cell without figures is a line of dashes', async () => {
  const cells = await deriveCells([record()]);
  const table = ladderTable({ title: '', cells, pipelines: [] });
  assert.match(renderTable(table), /^L6 double-ratchet( +-)+$/m);
});
