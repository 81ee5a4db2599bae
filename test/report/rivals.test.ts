/** Libraries beside the pipelines of ours that they are compared with. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RepeatRecord } from '../../src/results/record.ts';
import { deriveCells } from '../../src/report/cells.ts';
import type { Estimate } from '../../src/report/estimates.ts';
import type { PipelineNote } from '../../src/report/pairing.ts';
import { libraryText, rivalsTable } from '../../src/report/rivals.ts';
import type { Table } from '../../src/report/table.ts';
import { record, recordsOfCosts, type Costs } from './fixtures.ts';

const note: PipelineNote = {
  name: 'ratchet.libx',
  title: 'theirs',
  family: 'ratchet',
  rung: 'side',
  caveats: [],
  foreign: {
    package: '@x/libx',
    recorded: '1.2.3',
    licence: 'MIT',
    comparedWith: 'double-ratchet:persist=record',
    differences: ['It is slower.', 'It is older.'],
  },
};
const theirs = { pipeline: 'ratchet.libx', implementation: 'libx', rung: 'side' };
const ours = { pipeline: 'double-ratchet:persist=record' };

const times = (factor: number): Costs[] =>
  [100, 110, 120].map((cost) => ({ sender: cost * factor, relay: 0, receiver: cost * factor }));

function value(cell: unknown): number {
  return (cell as Estimate).value;
}

async function tableOf(records: readonly RepeatRecord[]): Promise<Table> {
  return rivalsTable(await deriveCells(records, []), [note]);
}

test('a library stands beside ours on the same workload, with the ratio of paired repeats', async () => {
  const table = await tableOf([
    ...recordsOfCosts({ ...theirs, workload: 'chat' }, times(5)),
    ...recordsOfCosts({ ...ours, workload: 'chat' }, times(1)),
    ...recordsOfCosts({ ...theirs, workload: 'one-way' }, times(8)),
    ...recordsOfCosts({ ...ours, workload: 'one-way' }, times(2)),
  ]);
  const headings = table.rows.flatMap(({ heading }) => heading ?? []);
  assert.deepEqual(headings, ['chat, 1 thread', 'one-way, 1 thread']);
  const [chat, oneWay] = table.rows.filter(({ heading }) => heading === undefined);
  assert.equal(chat!.cells[0], 'ratchet.libx');
  assert.deepEqual(chat!.cells.slice(1, 5).map(value), [550, 550, 1100, 220]);
  // The machine drifted by a fifth; within pairs nothing did.
  const ratio = chat!.cells[5] as Estimate;
  assert.ok(Math.abs(ratio.value - 5) < 1e-9 && Math.abs(ratio.high! - ratio.low!) < 1e-9);
  assert.ok(Math.abs(value(oneWay!.cells[5]) - 4) < 1e-9);
  assert.match(
    table.notes.join(' '),
    /ratchet\.libx beside double-ratchet:persist=record of native/,
  );
});

test('there is no row without the other side, nor with other options, threads or failures', async () => {
  const cases: RepeatRecord[][] = [
    recordsOfCosts(theirs, times(5)),
    recordsOfCosts(ours, times(1)),
    [...recordsOfCosts(theirs, times(5)), ...recordsOfCosts({}, times(1))],
    [
      ...recordsOfCosts({ ...theirs, pipeline: 'ratchet.libx:persist=packed' }, times(5)),
      ...recordsOfCosts(ours, times(1)),
    ],
    [...recordsOfCosts(theirs, times(5)), ...recordsOfCosts({ ...ours, threads: 2 }, times(1))],
    [
      record({ ...theirs, status: 'unavailable', reason: 'not installed' }),
      ...recordsOfCosts(ours, times(1)),
    ],
  ];
  for (const records of cases) {
    const table = await tableOf(records);
    assert.deepEqual([table.rows, table.notes], [[], []]);
  }
});

test('among several of ours that of native is taken, and none when it is open which', async () => {
  const others = ['noble', 'node'].flatMap((implementation) =>
    recordsOfCosts({ ...ours, implementation }, times(3)),
  );
  const open = await tableOf([...recordsOfCosts(theirs, times(5)), ...others]);
  assert.deepEqual(open.rows, []);
  const native = recordsOfCosts({ ...ours, implementation: 'native' }, times(1));
  const table = await tableOf([...recordsOfCosts(theirs, times(5)), ...others, ...native]);
  assert.ok(Math.abs((table.rows[1]!.cells[5] as Estimate).value - 5) < 1e-9);
});

test('a library is printed with its version in the run, its licence and what differs', () => {
  const [by, compared] = libraryText(note);
  assert.equal(by, 'Computed by @x/libx 1.2.3 (MIT).');
  assert.equal(
    compared,
    'Compared with double-ratchet:persist=record; what differs: It is slower. It is older.',
  );
  const { recorded: _, ...unrecorded } = note.foreign!;
  assert.equal(libraryText({ ...note, foreign: unrecorded })[0], 'Computed by @x/libx (MIT).');
  assert.deepEqual(libraryText({ ...note, foreign: undefined }), []);
});
