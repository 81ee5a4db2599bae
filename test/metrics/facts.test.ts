import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadMetrics } from '../../src/metrics/_registry.ts';
import type { Figure, Metric, MetricInput } from '../../src/metrics/_metric.ts';
import contaminatedShare from '../../src/metrics/contaminated-share.ts';
import gcShare from '../../src/metrics/gc-share.ts';
import handshakeBytes from '../../src/metrics/handshake-bytes.ts';
import latency from '../../src/metrics/latency.ts';
import overheadBytes from '../../src/metrics/overhead-bytes.ts';
import retainedBytes from '../../src/metrics/retained-bytes.ts';
import runDelayShare from '../../src/metrics/run-delay-share.ts';
import storedBytes from '../../src/metrics/stored-bytes.ts';
import throughput from '../../src/metrics/throughput.ts';
import wireBytes from '../../src/metrics/wire-bytes.ts';
import { shard, type BlockFixture } from '../report/fixtures.ts';

function derive(metric: Metric, ...shards: MetricInput['shards']): Figure[] {
  return metric.derive({ shards, messagesPerSession: 40, messagesPerConnection: 20 });
}

/** Kind to value. */
function byKind(metric: Metric, ...shards: MetricInput['shards']): Record<string, number> {
  return Object.fromEntries(derive(metric, ...shards).map(({ kind, value }) => [kind, value]));
}

const sent = (count: number): MetricInput['shards'][number]['messages'] => ({
  sent: count,
  delivered: count,
  refused: {},
  lost: 0,
  recovered: 0,
});

test('every metric of the folder loads under its own name and gives nothing for no shards', async () => {
  const metrics = await loadMetrics();
  const names = metrics.map(({ name }) => name);
  for (const name of ['cpu', 'cpu-per-message', 'latency', 'retained-bytes', 'throughput']) {
    assert.ok(names.includes(name), name);
  }
  for (const metric of metrics) assert.deepEqual(derive(metric), [], metric.name);
});

/** Of a stage that was called so many times. */
function statistics(count: number): string[] {
  const values = Array.from({ length: count }, (_, index) => index + 1);
  return derive(latency, shard([], { send: values })).map(({ statistic }) => statistic);
}

test('a percentile is printed with 30 samples beyond it and not with 29', () => {
  assert.deepEqual(statistics(1), ['max']);
  assert.deepEqual(statistics(59), ['max']);
  assert.deepEqual(statistics(60), ['p50', 'max']);
  assert.deepEqual(statistics(299), ['p50', 'max']);
  assert.deepEqual(statistics(300), ['p50', 'p90', 'max']);
  assert.deepEqual(statistics(2_999), ['p50', 'p90', 'max']);
  assert.deepEqual(statistics(3_000), ['p50', 'p90', 'p99', 'max']);
});

test('latencies of all threads are one distribution', () => {
  const low = Array.from({ length: 50 }, (_, index) => index + 1);
  const high = Array.from({ length: 50 }, (_, index) => index + 51);
  assert.deepEqual(derive(latency, shard([], { receive: high }), shard([], { receive: low })), [
    {
      stage: 'receive',
      role: 'receiver',
      kind: '',
      statistic: 'p50',
      value: 50,
      samplesBeyond: 50,
    },
    {
      stage: 'receive',
      role: 'receiver',
      kind: '',
      statistic: 'max',
      value: 100,
      samplesBeyond: 0,
    },
  ]);
});

test("the relay's two halves are kinds of one stage", () => {
  const figures = derive(latency, shard([], { 'relay-store': [5], 'relay-fetch': [7] }));
  assert.deepEqual(
    figures.map(({ stage, kind, value }) => [stage, kind, value]),
    [
      ['relay', 'store', 5],
      ['relay', 'fetch', 7],
    ],
  );
});

const WIRE = shard(
  [],
  {},
  {
    sessions: 2,
    messages: sent(10),
    plaintextBytes: 300,
    wire: {
      message: { frames: 10, bytes: 1_000 },
      escrow: { frames: 10, bytes: 480 },
      bundle: { frames: 2, bytes: 260 },
      connect: { frames: 4, bytes: 400 },
    },
    storedBytes: 1_600,
    handshake: { frames: 3, bytes: 200 },
  },
);

test('bytes on the wire are per message sent and by kind', () => {
  assert.deepEqual(byKind(wireBytes, WIRE), { bundle: 26, connect: 40, escrow: 48, message: 100 });
  assert.deepEqual(byKind(wireBytes, WIRE, WIRE), {
    bundle: 26,
    connect: 40,
    escrow: 48,
    message: 100,
  });
});

test('added bytes are all but the plaintext, the bundles and the connections', () => {
  assert.deepEqual(byKind(overheadBytes, WIRE), { escrow: 48, message: 70, all: 118 });
});

test('opening costs the bytes of the bundle and of the handshake, per session', () => {
  assert.deepEqual(byKind(handshakeBytes, WIRE), { bundle: 130, frames: 100, all: 230 });
});

test('stored bytes are per message', () => {
  assert.deepEqual(byKind(storedBytes, WIRE), { '': 160 });
});

test('a shard that sent nothing has no bytes per message', () => {
  for (const metric of [wireBytes, overheadBytes, storedBytes]) {
    assert.deepEqual(derive(metric, shard()), [], metric.name);
  }
});

test('retained bytes count array buffers once and leave the rest of the process to native', () => {
  const before = {
    heapUsedBytes: 1_000,
    externalBytes: 500,
    arrayBufferBytes: 200,
    wasmBytes: 64,
    rssBytes: 10_000,
  };
  const after = {
    heapUsedBytes: 1_400,
    externalBytes: 1_700,
    arrayBufferBytes: 1_200,
    wasmBytes: 164,
    rssBytes: 14_000,
  };
  const kept = shard([], {}, { sessions: 10, memory: { before, after } });
  assert.deepEqual(byKind(retainedBytes, kept), {
    heap: 40,
    external: 20,
    arraybuffer: 100,
    wasm: 10,
    native: (4_000 - 400 - 1_200 - 100) / 10,
  });
  // Two threads see the same resident set.
  assert.equal(byKind(retainedBytes, kept, kept)['native'], (4_000 - 2 * 1_700) / 20);
});

test('pages of the heap that hold nothing are told apart from native memory', () => {
  const before = {
    heapUsedBytes: 1_000,
    heapResidentBytes: 2_000,
    externalBytes: 0,
    arrayBufferBytes: 0,
    wasmBytes: 0,
    rssBytes: 10_000,
  };
  const after = { ...before, heapUsedBytes: 1_400, heapResidentBytes: 3_000, rssBytes: 14_000 };
  const kept = shard([], {}, { sessions: 10, memory: { before, after } });
  const { heap, native, ...others } = byKind(retainedBytes, kept);
  assert.deepEqual([heap, others['heap-free'], native], [40, 60, 300]);
});

test('with one worker throughput is its messages over its timed phase', () => {
  const one = shard([], {}, { messages: sent(500), startedNs: 1e9, endedNs: 3e9 });
  assert.deepEqual(byKind(throughput, one), { '': 250 });
});

test('with several workers only what all did side by side counts', () => {
  const blocks: BlockFixture[] = [
    { phase: 'open', messages: 7, wallNs: 1e8 },
    { messages: 100, wallNs: 1e8 },
    { messages: 100, wallNs: 2e8 },
  ];
  // Stretched by 10 to 4 s: an opening of 1 s, 100 messages in 1 s, 100 messages in 2 s.
  const long = shard(blocks, {}, { messages: sent(200), startedNs: 0, endedNs: 4e9 });
  const short = shard([], {}, { messages: sent(60), startedNs: 1e9, endedNs: 3e9 });
  assert.deepEqual(byKind(throughput, long, short), { '': (100 + 50 + 60) / 2 });
});

test('workers that never ran side by side have no throughput', () => {
  const early = shard([], {}, { messages: sent(1), startedNs: 0, endedNs: 1 });
  const late = shard([], {}, { messages: sent(1), startedNs: 1, endedNs: 2 });
  assert.deepEqual(derive(throughput, early, late), []);
});

test('collection is a share of the time of all workers', () => {
  const paused = shard([], {}, { gc: { count: 2, pauseNs: 30 }, startedNs: 0, endedNs: 100 });
  const other = shard([], {}, { startedNs: 0, endedNs: 200 });
  assert.deepEqual(byKind(gcShare, paused, other), { '': 0.1 });
});

test('waiting for a core is a share of waiting and running, where it can be read', () => {
  const blocks: BlockFixture[] = [
    { cpuNs: 900, runDelayNs: 100 },
    { cpuNs: 5_000, runDelayNs: -1 },
  ];
  assert.deepEqual(byKind(runDelayShare, shard(blocks)), { '': 0.1 });
  assert.deepEqual(derive(runDelayShare, shard([{ cpuNs: 5_000, runDelayNs: -1 }])), []);
});

test('a block is contaminated by waiting, by steal and by a kernel that is off, and only then', () => {
  const clean: BlockFixture = {
    cpuNs: 9_900,
    runDelayNs: 100,
    stealTicks: 0,
    kernelCpuNs: 200_000,
  };
  const share = (...changes: BlockFixture[]): number | undefined =>
    derive(contaminatedShare, shard(changes.map((change) => Object.assign({}, clean, change))))[0]
      ?.value;
  assert.equal(share({}, {}, {}, {}), 0);
  assert.equal(share({}, {}, {}, { runDelayNs: 101 }), 0.25);
  assert.equal(share({}, {}, {}, { stealTicks: 1 }), 0.25);
  assert.equal(share({}, {}, {}, { kernelCpuNs: 210_000 }), 0);
  assert.equal(share({}, {}, {}, { kernelCpuNs: 210_001 }), 0.25);
  assert.equal(share({}, {}, {}, { kernelCpuNs: 189_999 }), 0.25);
  assert.equal(share({}, {}, {}, { runDelayNs: -1, stealTicks: -1, kernelCpuNs: 0 }), 0);
});
