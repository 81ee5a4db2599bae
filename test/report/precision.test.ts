import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveCells } from '../../src/report/cells.ts';
import { precisionNotes } from '../../src/report/precision.ts';
import { L3, L6, record, recordsOfCosts, shard, type BlockFixture } from './fixtures.ts';

const cost = (sender: number): { sender: number; relay: number; receiver: number } => ({
  sender,
  relay: 1_000,
  receiver: 1_000,
});

test('each ratio is told with half its width, and a wide one with reason and advice', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, [cost(1_000), cost(1_000), cost(1_000)]),
    ...recordsOfCosts(L6, [cost(4_000), cost(4_600), cost(4_300)]),
  ]);
  const notes = precisionNotes({ cells, baseline: 'at-rest-scoped' });
  assert.match(notes[0]!, /^Each value is the median over 3 repeats, .* begins at 0, /);
  assert.equal(
    notes[1],
    'Half the width of the interval of the ratio to at-rest-scoped: L6 double-ratchet 11.9 %.',
  );
  assert.equal(
    notes[2],
    '1 of 1 ratio has more than 3 %, likely because there are only 3 repeats; more repeats ' +
      '(--budget standard or thorough) and a quieter machine (sealbench doctor judges it) would ' +
      'narrow them.',
  );
});

test('a narrow ratio needs no reason', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, [cost(1_000), cost(1_000), cost(1_000)]),
    ...recordsOfCosts(L6, [cost(4_000), cost(4_010), cost(4_020)]),
  ]);
  const notes = precisionNotes({ cells, baseline: 'at-rest-scoped' });
  assert.match(notes[1]!, /L6 double-ratchet 0\.\d+ %\.$/);
  assert.ok(!notes.some((note) => note.includes('narrow them')));
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
    notes[2]!,
    /likely because there are only 3 repeats, other work disturbed 100 % of the blocks of work and threads waited for a core 10 % of the time; /,
  );
});

test('many repeats on a quiet machine leave a wide ratio unexplained', async () => {
  const repeats = Array.from({ length: 10 }, (_, repeat) => repeat);
  const cells = await deriveCells([
    ...recordsOfCosts(
      L3,
      repeats.map(() => cost(1_000)),
    ),
    ...recordsOfCosts(
      L6,
      repeats.map((repeat) => cost(1_000 + 900 * repeat)),
    ),
  ]);
  const notes = precisionNotes({ cells, baseline: 'at-rest-scoped' });
  assert.match(notes[2]!, /neither the number of repeats nor the machine explains that/);
});

test('fewer than three repeats have no intervals, and that is said', async () => {
  const one = await deriveCells(recordsOfCosts(L6, [cost(1_000)]));
  assert.match(precisionNotes({ cells: one })[0]!, /over 1 repeat, .* there are no intervals\.$/);
  const mixed = await deriveCells([
    ...recordsOfCosts(L3, [cost(1_000)]),
    ...recordsOfCosts(L6, [cost(1), cost(1), cost(1)]),
  ]);
  assert.match(
    precisionNotes({ cells: mixed })[0]!,
    /over 1 to 3 repeats, .*Where there are fewer/,
  );
});

test('disturbed blocks, helper threads and repeats left out are pointed out', async () => {
  const process = { cpuNs: 100, mainCpuNs: 0, helperCpuNs: 12, wallNs: 1, rssPeakBytes: 1 };
  const clean = { messages: 1, cpu: { send: [1, 1_000] }, kernelCpuNs: 100 } as const;
  const cells = await deriveCells([
    record({ shards: [shard([clean, clean, clean, { ...clean, stealTicks: 1 }])], process }),
    record({ repeat: 1, status: 'invalid' }),
  ]);
  const text = precisionNotes({ cells }).join('\n');
  assert.match(text, /at most 25 % of a cell \(L6 double-ratchet\)/);
  assert.match(text, /In 1 of 1 cell more than 5 % .* at most 12 % \(L6 double-ratchet\)/);
  assert.match(text, /L6 double-ratchet: left out as invalid: 1 repeat\./);
});

test("the harness's own cost is told, and a run without figures says so", async () => {
  const cells = await deriveCells(recordsOfCosts(L6, [cost(1_000)]));
  const overhead = {
    cpuNs: { value: 90, low: 80, high: 110, repeats: 3 },
    latencyNs: { value: 130, low: undefined, high: undefined, repeats: 1 },
  };
  assert.match(
    precisionNotes({ cells, overhead }).at(-1)!,
    /costs 90\.0 \[80\.0, 110\] ns of CPU per call and adds 130 ns to a latency/,
  );
  assert.deepEqual(precisionNotes({ cells: [] }), ['No cell has figures.']);
});
