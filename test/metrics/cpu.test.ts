import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Metric, MetricInput } from '../../src/metrics/_metric.ts';
import cpu from '../../src/metrics/cpu.ts';
import cpuByIndex from '../../src/metrics/cpu-by-index.ts';
import cpuHelpers from '../../src/metrics/cpu-helpers.ts';
import cpuOpening from '../../src/metrics/cpu-opening.ts';
import cpuPerMessage from '../../src/metrics/cpu-per-message.ts';
import amortised from '../../src/metrics/cpu-per-message-amortised.ts';
import { shard, type BlockFixture } from '../report/fixtures.ts';

function input(shards: MetricInput['shards'], changes: Partial<MetricInput> = {}): MetricInput {
  return { shards, messagesPerSession: 40, messagesPerConnection: 20, ...changes };
}

/** `stage/role/kind` to value. */
function derived(metric: Metric, facts: MetricInput): Record<string, number> {
  const figures = metric.derive(facts);
  const byName = Object.fromEntries(
    figures.map(({ stage, role, kind, value }) => [[stage, role, kind].join('/'), value]),
  );
  assert.equal(Object.keys(byName).length, figures.length, 'two figures of one name');
  return byName;
}

const OPENING: BlockFixture = {
  phase: 'open',
  messageIndex: 0,
  messages: 2,
  cpu: {
    'connect-client': [2, 2_000],
    'connect-relay': [2, 3_000],
    publish: [2, 8_000],
    initiate: [2, 16_000],
  },
};
const FIRST: BlockFixture = {
  messageIndex: 0,
  messages: 2,
  cpu: {
    send: [2, 9_000],
    'relay-store': [2, 400],
    'relay-fetch': [2, 200],
    accept: [2, 24_000],
  },
};
const LATER: BlockFixture = {
  messageIndex: 1,
  messages: 2,
  cpu: {
    send: [2, 4_000],
    'relay-store': [2, 400],
    'relay-fetch': [2, 600],
    receive: [2, 5_000],
  },
};
const LATENCY: BlockFixture = { mode: 'latency', messageIndex: 2, messages: 1_000 };

test('the CPU of a stage is its CPU over its calls in all blocks that were read', () => {
  assert.deepEqual(derived(cpu, input([shard([OPENING, FIRST, LATER, LATENCY])])), {
    'connect/sender/': 1_000,
    'connect/relay/': 1_500,
    'publish/receiver/': 4_000,
    'initiate/sender/': 8_000,
    'send/sender/': 3_250,
    'relay/relay/store': 200,
    'relay/relay/fetch': 200,
    'accept/receiver/': 12_000,
    'receive/receiver/': 2_500,
  });
});

test('a stage that was never called has no figure', () => {
  const facts = input([shard([{ messages: 1, cpu: { send: [0, 500], receive: [1, 700] } }])]);
  assert.deepEqual(derived(cpu, facts), { 'receive/receiver/': 700 });
});

test('where batches are short the cost of one reading is taken off each, down to nothing', () => {
  const blocks: BlockFixture[] = [
    { messages: 1, cpu: { send: [1, 2_400] } },
    { messages: 1, cpu: { send: [1, 1_000] } },
  ];
  assert.deepEqual(derived(cpu, input([shard(blocks)])), { 'send/sender/': 1_700 });
  const short = input([shard(blocks, {}, { shortBatches: true })]);
  assert.deepEqual(derived(cpu, short), { 'send/sender/': 500 });
});

test('a clock with steps above 50 us gives no CPU per stage or message', () => {
  const clocks = {
    cpuBasis: 'thread' as const,
    cpuStepNs: 4_000_000,
    cpuReadNs: 0,
    clockStepNs: 1,
    clockReadNs: 1,
  };
  const coarse = input([shard([OPENING, FIRST, LATER], {}, { clocks })]);
  for (const metric of [cpu, cpuPerMessage, amortised, cpuOpening, cpuByIndex]) {
    assert.deepEqual(metric.derive(coarse), [], metric.name);
  }
});

test('the cost of a message leaves out openings, first messages and latency blocks', () => {
  assert.deepEqual(derived(cpuPerMessage, input([shard([OPENING, FIRST, LATER, LATENCY])])), {
    '/sender/': 2_000,
    '/relay/': 500,
    '/receiver/': 2_500,
    '/all/': 5_000,
  });
});

test('a message that needs two frames is charged for both', () => {
  const block: BlockFixture = {
    messages: 2,
    cpu: { send: [2, 2_000], 'relay-store': [4, 1_200], 'relay-fetch': [4, 800] },
  };
  assert.equal(derived(cpuPerMessage, input([shard([block])]))['/relay/'], 1_000);
});

test('shards are weighted by their messages', () => {
  const shards = [
    shard([{ messages: 1, cpu: { send: [1, 1_000] } }]),
    shard([{ messages: 3, cpu: { send: [3, 9_000] } }]),
  ];
  assert.equal(derived(cpuPerMessage, input(shards))['/sender/'], 2_500);
});

test("an authority's work enters the total for one message in ten thousand", () => {
  const recovering: BlockFixture = { ...LATER, cpu: { ...LATER.cpu, recover: [2, 60_000] } };
  const figures = derived(cpuPerMessage, input([shard([recovering])]));
  assert.equal(figures['/authority/per-recovered'], 30_000);
  assert.equal(figures['/authority/per-carried'], 3);
  assert.equal(figures['/all/'], 5_003);
});

test('handing over is paid for under a warrant, like recovering, and by the relay', () => {
  const recovering: BlockFixture = {
    ...LATER,
    cpu: { ...LATER.cpu, 'hand-over': [2, 20_000], recover: [2, 60_000] },
  };
  const figures = derived(cpuPerMessage, input([shard([recovering])]));
  assert.equal(figures['/relay/'], 500, 'what it does for every message is apart');
  assert.equal(figures['/relay/per-recovered'], 10_000);
  assert.equal(figures['/relay/per-carried'], 1);
  assert.equal(figures['/authority/per-recovered'], 30_000);
  assert.equal(figures['/authority/per-carried'], 3);
  assert.equal(figures['/all/'], 5_004);
  const opened = derived(amortised, input([shard([OPENING, FIRST, recovering])]));
  assert.equal(opened['/relay/per-recovered'], 10_000);
  assert.equal(opened['/authority/per-carried'], 3);
  assert.equal(derived(cpu, input([shard([recovering])]))['hand-over/relay/'], 10_000);
});

test('what recoveries cost that fail is paid by those that succeed, and by nobody if none does', () => {
  const recovering: BlockFixture = {
    ...LATER,
    cpu: { ...LATER.cpu, 'hand-over': [2, 20_000], recover: [2, 60_000] },
  };
  const costs = (valid: number, failed: number): Record<string, number> => {
    const evidence = valid + failed;
    const counts = { sessions: 1, due: evidence, evidence, valid, decoy: 0, failed };
    const recovery = { ...counts, delivered: evidence, deliveredRecovered: valid };
    return derived(cpuPerMessage, input([shard([recovering], {}, { recovery })]));
  };
  assert.equal(costs(10, 0)['/authority/per-recovered'], 30_000);
  assert.equal(costs(5, 5)['/authority/per-recovered'], 60_000);
  assert.equal(costs(5, 5)['/relay/per-recovered'], 20_000);
  assert.equal(costs(5, 5)['/authority/per-carried'], 3, 'evidence is tried, whatever comes of it');
  const none = costs(0, 10);
  assert.equal(none['/authority/per-recovered'], undefined);
  assert.equal(none['/relay/per-recovered'], undefined);
  assert.equal(none['/authority/per-carried'], 3);
  assert.equal(none['/all/'], 5_004);
});

test('a session of a single message has no steady state', () => {
  assert.deepEqual(cpuPerMessage.derive(input([shard([OPENING, FIRST])])), []);
  assert.deepEqual(amortised.derive(input([shard([OPENING, FIRST])])), []);
});

test('no shards give no figures', () => {
  for (const metric of [cpu, cpuPerMessage, amortised, cpuByIndex]) {
    assert.deepEqual(metric.derive(input([])), [], metric.name);
  }
});

test('the amortised cost spreads opening over the session and connecting over the connection', () => {
  const facts = input([shard([OPENING, FIRST, LATER])]);
  // Per session of 40: initiate 8,000; publish 4,000 and accept 12,000 instead of a receive of
  // 2,500. Per connection of 20: 1,000 at either client, twice 1,500 at the relay.
  assert.deepEqual(derived(amortised, facts), {
    '/sender/': 2_000 + 200 + 50,
    '/relay/': 500 + 150,
    '/receiver/': 2_500 + 337.5 + 50,
    '/all/': 2_250 + 650 + 2_887.5,
  });
});

test('without openings and connections the amortised cost is the steady cost', () => {
  const facts = input([shard([LATER])]);
  assert.deepEqual(derived(amortised, facts), derived(cpuPerMessage, facts));
});

test('opening a session is publish, initiate and accept', () => {
  assert.deepEqual(derived(cpuOpening, input([shard([OPENING, FIRST])])), {
    '/sender/': 8_000,
    '/receiver/': 16_000,
    '/all/': 24_000,
  });
});

test('a repeat that read no accepting block cannot tell what opening costs', () => {
  const facts = input([shard([OPENING, LATER], { accept: [9_000] })]);
  assert.deepEqual(cpuOpening.derive(facts), []);
  assert.deepEqual(amortised.derive(facts), []);
});

test('the cost by index counts messages from 1 and has acceptance in it', () => {
  const third: BlockFixture = { messageIndex: 2, messages: 1, cpu: { send: [1, 70] } };
  const fourth: BlockFixture = { messageIndex: 3, messages: 1, cpu: { send: [1, 80] } };
  const fortieth: BlockFixture = { messageIndex: 39, messages: 1, cpu: { receive: [1, 90] } };
  const facts = input([shard([OPENING, FIRST, LATER, third, fourth, fortieth])]);
  assert.deepEqual(derived(cpuByIndex, facts), {
    '/all/1': 16_800,
    '/all/2': 5_000,
    '/all/3': 70,
    '/all/40': 90,
  });
});

test('helpers are a share of the CPU of the process, and unknown without it', () => {
  const process = { cpuNs: 400, mainCpuNs: 0, helperCpuNs: 30, wallNs: 1, rssPeakBytes: 1 };
  assert.deepEqual(derived(cpuHelpers, input([], { process })), { '//': 0.075 });
  assert.deepEqual(cpuHelpers.derive(input([])), []);
});

test('a user who sends over a connection apart pays for both, and so does the relay', () => {
  const twice = input([shard([OPENING, FIRST, LATER], {}, { users: 2, connections: 4 })]);
  assert.deepEqual(derived(amortised, twice), {
    '/sender/': 2_000 + 200 + 100,
    '/relay/': 500 + 300,
    '/receiver/': 2_500 + 337.5 + 100,
    '/all/': 2_300 + 800 + 2_937.5,
  });
});
