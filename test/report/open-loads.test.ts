import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram } from '../../src/measure/histogram.ts';
import type { ShardFacts } from '../../src/measure/facts.ts';
import { deriveCells, type CellResult } from '../../src/report/cells.ts';
import { deriveRows } from '../../src/report/rows.ts';
import { renderSummary, summaryOf } from '../../src/report/summary.ts';
import { L3, L6, record, shard, shardOfCosts } from './fixtures.ts';

/** 4,000 times the same. */
function all(valueNs: number): string {
  const histogram = new Histogram();
  for (let i = 0; i < 4_000; i++) histogram.record(valueNs);
  return histogram.encode();
}

/** 4,000 messages of the same times in 2 s. */
function openShard(
  serviceNs: number,
  responseNs: number,
  changes: Partial<ShardFacts> = {},
): ShardFacts {
  const open = {
    messages: 4_000,
    queued: 10,
    scheduledNs: 2e9,
    elapsedNs: 2.5e9,
    service: all(serviceNs),
    response: all(responseNs),
    lag: all(40),
    unlagged: all(responseNs),
    stoodStillNs: 0,
  };
  return shard([], {}, { open, ...changes });
}

function searched(end: NonNullable<ShardFacts['saturation']>['end']): ShardFacts {
  const windows = { load: [], completedShare: [], responseNs: [], lagNs: [], isValid: [] };
  const saturation = { boundNs: 10e6, windows, end };
  return end.kind === 'found'
    ? openShard(100_000, 2e6, { saturation })
    : shard([], {}, { saturation });
}

const MANIFEST = {
  suite: { name: 'load/mine' },
  startedAt: '2026-11-02T12:00:00Z',
  git: null,
  cells: [],
} as const;

const repeats = [0, 1, 2];
const scheduled = repeats.flatMap((repeat) => [
  record({ ...L6, repeat, shards: [openShard(80_000, 400_000)] }),
  record({ ...L3, repeat, shards: [openShard(20_000, 21_000)] }),
]);
const knees = repeats.flatMap((repeat) => [
  record({
    ...L6,
    repeat,
    shards: [searched({ kind: 'found', load: 8_000 + repeat, above: 8_300 })],
  }),
  record({
    ...L3,
    repeat,
    shards: [searched({ kind: 'found', load: 24_000 + repeat, above: 25_000 })],
  }),
]);

function printed(cells: readonly CellResult[]): string {
  const suite = { title: 'Load', question: 'How much?', analysis: [], baseline: L6.pipeline };
  return renderSummary(summaryOf({ suite, cells, pipelines: [] }));
}

test('rows of an open loop have both times, lag and both rates, and no throughput', async () => {
  const rows = await deriveRows(MANIFEST, scheduled);
  const of = (pipeline: string, metric: string, statistic: string): number | undefined =>
    rows.find(
      (row) => row.pipeline === pipeline && row.metric === metric && row.statistic === statistic,
    )?.value;
  assert.ok(Math.abs(of('double-ratchet', 'service-time', 'p99')! / 80_000 - 1) < 0.001);
  assert.ok(Math.abs(of('double-ratchet', 'response-time', 'p50')! / 400_000 - 1) < 0.001);
  assert.equal(of('double-ratchet', 'schedule-lag', 'p99'), 40);
  assert.equal(of('double-ratchet', 'offered-rate', 'median'), 2_000);
  assert.equal(of('double-ratchet', 'completed-rate', 'median'), 1_600);
  // 4 of 4,000 lie beyond it.
  assert.equal(of('double-ratchet', 'response-time', 'p99.9'), undefined);
  assert.equal(of('double-ratchet', 'throughput', 'median'), undefined);
});

test('response times are printed beside service times, in a table of their own', async () => {
  const text = printed(await deriveCells(scheduled));
  assert.match(text, /Messages that do not wait for the system/);
  assert.match(text, /L6 double-ratchet +2000 +1600 +80\.1 +80\.1 +400 +400 +40\n/);
  assert.match(
    text,
    /1 in 100 is done 400 us after its moment or later; without\s+the wait 1 in 100 takes 80\.1 us/,
  );
  assert.doesNotMatch(text, /CPU per message of an open session/);
  assert.match(text, /Verdict: fine/);
});

test('the highest rates are rows, a table and sentences with ratios', async () => {
  const rows = await deriveRows(MANIFEST, knees);
  const knee = rows.find(
    ({ metric, pipeline }) => metric === 'knee-rate' && pipeline === L6.pipeline,
  );
  assert.deepEqual([knee?.value, knee?.kind, knee?.unit], [8_001, 'p99<=10ms', 'messages/s']);
  const text = printed(await deriveCells(knees));
  assert.match(text, /Highest rate with 99 of 100 messages done within 10 ms/);
  assert.match(text, /1 thread carries up to 24000 messages per second .* done\s+within 10 ms/);
  assert.match(text, /3\.00 times\s+the\s+rate\s+of\s+double-ratchet/);
});

test('a search that gave up and a generator that fell behind are invalid, with the reason', async () => {
  const reason = 'no highest rate: the bound was missed even at the lowest load, 10';
  const gaveUp = searched({ kind: 'gave-up', reason: 'the bound was missed' });
  const cells = await deriveCells([
    ...knees.filter(({ pipeline }) => pipeline === L3.pipeline),
    record({ ...L6, status: 'invalid', reason, shards: [gaveUp] }),
  ]);
  assert.equal(cells.find(({ pipeline }) => pipeline === L6.pipeline)?.status, 'invalid');
  const text = printed(cells);
  assert.match(text, /L6 double-ratchet +invalid: no highest rate: the bound was missed/);
  assert.match(text, /L3 at-rest-scoped +24000/);
});

test('closed and open loops of one run have a table each', async () => {
  const closed = repeats.map((repeat) =>
    record({
      ...L6,
      repeat,
      workload: 'ping-pong',
      shards: [shardOfCosts({ sender: 5_000, relay: 5_000, receiver: 5_000 })],
    }),
  );
  const text = printed(await deriveCells([...closed, ...scheduled]));
  assert.match(text, /CPU per message of an open session/);
  assert.match(text, /Messages that do not wait for the system/);
});
