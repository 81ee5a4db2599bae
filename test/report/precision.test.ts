import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveCells } from '../../src/report/cells.ts';
import { precisionNotes } from '../../src/report/precision.ts';
import {
  L3,
  L6,
  record,
  recordsOfCosts,
  shard,
  type BlockFixture,
  type Costs,
} from './fixtures.ts';

const cost = (sender: number): Costs => ({ sender, relay: 1_000, receiver: 1_000 });
const same = (sender: number, repeats: number): Costs[] =>
  Array.from({ length: repeats }, () => cost(sender));

test('how well ratios are known is told, and of wide ones reason and advice', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, same(1_000, 3)),
    ...recordsOfCosts(L6, [cost(4_600), cost(4_000), cost(4_300)]),
  ]);
  const notes = precisionNotes({ cells, baseline: 'at-rest-scoped' });
  assert.match(
    notes[0]!,
    /^Each value is the median of 3 repeats in fresh processes, in brackets /,
  );
  assert.equal(
    notes[1],
    'Ratios to at-rest-scoped are known to 11.9 % either way, 1 of 1 to more than 3 %, likely ' +
      'because there are only 3 repeats; more repeats (--budget standard or thorough) or a quieter ' +
      'machine (see sealbench doctor) narrow them.',
  );
});

test('a narrow ratio needs no reason', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, same(1_000, 3)),
    ...recordsOfCosts(L6, [cost(4_010), cost(4_000), cost(4_020)]),
  ]);
  const notes = precisionNotes({ cells, baseline: 'at-rest-scoped' });
  assert.equal(notes[1], 'Ratios to at-rest-scoped are known to 0.4 % either way.');
});

function delayedBlock(sender: number): BlockFixture {
  return { messages: 1, cpu: { send: [1, sender] }, cpuNs: 90, runDelayNs: 10 };
}

test('what disturbed the machine is among the reasons', async () => {
  const records = [1, 2, 3].flatMap((factor, repeat) => [
    record({ ...L3, repeat, shards: [shard([delayedBlock(1_000)])] }),
    record({ ...L6, repeat, shards: [shard([delayedBlock(1_000 * factor)])] }),
  ]);
  const notes = precisionNotes({ cells: await deriveCells(records), baseline: 'at-rest-scoped' });
  assert.match(
    notes[1]!,
    /likely because there are only 3 repeats, other work disturbed the machine and threads waited for a core 10 % of the time; /,
  );
});

test('many repeats on a quiet machine leave a wide ratio unexplained', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, same(1_000, 10)),
    ...recordsOfCosts(
      L6,
      same(0, 10).map((_, repeat) => cost(1_000 + 900 * repeat)),
    ),
  ]);
  const notes = precisionNotes({ cells, baseline: 'at-rest-scoped' });
  assert.match(notes[1]!, /neither the number of repeats nor the machine explains/);
});

test('fewer than three repeats have no intervals, and that is said', async () => {
  const one = await deriveCells(recordsOfCosts(L6, [cost(1_000)]));
  assert.match(precisionNotes({ cells: one })[0]!, /of 1 repeat in .* there are no intervals\.$/);
  const mixed = await deriveCells([
    ...recordsOfCosts(L3, [cost(1_000)]),
    ...recordsOfCosts(L6, same(1, 3)),
  ]);
  assert.match(
    precisionNotes({ cells: mixed })[0]!,
    /of 1 to 3 repeats in .*Where there are fewer/,
  );
});

test('repeats that were alike because they ran close in time are told, and so are few cells', async () => {
  const rising = same(0, 10).map((_, repeat) => cost(1_000 + 10 * repeat));
  const records = Array.from({ length: 8 }, (_, cell) =>
    recordsOfCosts({ pipeline: `p${cell}` }, rising),
  );
  const [many] = precisionNotes({ cells: await deriveCells(records.flat()) });
  assert.match(
    many!,
    /Repeats close in time were alike: .* are widened by \d+(?:\.\d)? % for it\.$/,
  );
  const [few] = precisionNotes({ cells: await deriveCells(records.slice(1).flat()) });
  assert.match(few!, /With fewer than 8 cells .* ratios and differences hold\.$/);
});

test('disturbed blocks, helper threads and repeats left out are pointed out', async () => {
  const process = { cpuNs: 100, mainCpuNs: 0, helperCpuNs: 12, wallNs: 1, rssPeakBytes: 1 };
  const clean = { messages: 1, cpu: { send: [1, 1_000] }, kernelCpuNs: 100 } as const;
  const cells = await deriveCells([
    record({ shards: [shard([clean, clean, clean, { ...clean, stealTicks: 1 }])], process }),
    record({ repeat: 1, status: 'invalid' }),
  ]);
  const text = precisionNotes({ cells }).join('\n');
  assert.match(text, /disturbed 25 % of the blocks .* at most 25 % \(L6 double-ratchet\)/);
  assert.match(text, /used at most 12 % of a process's CPU .*, more than 5 % in 1 of 1 cell; /);
  assert.match(text, /L6 double-ratchet: left out as invalid: 1 repeat\./);
});

test('helper threads that use little are told without a flag', async () => {
  const process = { cpuNs: 100, mainCpuNs: 0, helperCpuNs: 4, wallNs: 1, rssPeakBytes: 1 };
  const block = { messages: 1, cpu: { send: [1, 1_000] } } as const;
  const cells = await deriveCells([record({ shards: [shard([block])], process })]);
  const text = precisionNotes({ cells }).join('\n');
  assert.match(text, /used at most 4 % of a process's CPU .*\(L6 double-ratchet\); that is in no/);
});

/** 20 blocks of messages whose cost goes on rising, or does not. */
function conversation(rises: boolean): BlockFixture[] {
  return Array.from({ length: 20 }, (_, block) => ({
    messages: 10,
    kernelCpuNs: 180_000,
    cpu: { send: [10, 10_000 * (rises ? 1 + block / 10 : 1)] },
  }));
}

test('how many repeats settled is told, and what to do about a cell that did not', async () => {
  const settled = [0, 1, 2].map((repeat) =>
    record({ ...L3, repeat, shards: [shard(conversation(false))] }),
  );
  const unsettled = [true, false, false].map((rises, repeat) =>
    record({ ...L6, repeat, shards: [shard(conversation(rises))] }),
  );
  const notes = precisionNotes({ cells: await deriveCells([...settled, ...unsettled]) });
  assert.match(notes[1]!, /^5 of 6 repeats reached a steady speed\. What is marked \* did not /);
  assert.match(notes[1]!, /longer "warmupMs" in the suite, let it settle, unless /);
  const fine = precisionNotes({ cells: await deriveCells(settled) });
  assert.equal(fine[1], '3 of 3 repeats reached a steady speed.');
});

test("the harness's own cost is told with the figures that it is a large part of", async () => {
  const cells = await deriveCells(recordsOfCosts(L6, [cost(1_000)]));
  const overhead = {
    cpuNs: { value: 9, low: 8, high: 11, repeats: 6 },
    latencyNs: { value: 130, low: undefined, high: undefined, repeats: 1 },
    emptyCallNs: {},
  };
  assert.match(
    precisionNotes({ cells, overhead }).at(-1)!,
    /costs 9\.00 \[8\.00, 11\.0\] ns of CPU per call and adds 130 ns to a latency, which is in the figures\.$/,
  );
  const larger = { ...overhead, cpuNs: { ...overhead.cpuNs, value: 90 } };
  assert.match(
    precisionNotes({ cells, overhead: larger }).at(-1)!,
    /the figures: more than 5 % of \d+ figures of L6 double-ratchet, at most \d+(?:\.\d)? %; sealbench rows /,
  );
  assert.deepEqual(precisionNotes({ cells: [] }), ['No cell has figures.']);
});
