import assert from 'node:assert/strict';
import { test } from 'node:test';
import cpuPerMessage from '../../src/metrics/cpu-per-message.ts';
import steadyState from '../../src/metrics/steady-state.ts';
import { shard, type BlockFixture } from '../report/fixtures.ts';

const messages = { messagesPerSession: 40, messagesPerConnection: 20 };

/** The class that has the share 1; undefined where there is no figure. */
function classOf(...shards: readonly ReturnType<typeof shard>[]): string | undefined {
  const figures = steadyState.derive({ shards, ...messages });
  if (figures.length === 0) return undefined;
  assert.deepEqual(
    figures.map(({ kind }) => kind),
    ['flat', 'warm-up', 'slowdown', 'never-settled'],
  );
  const [found, ...others] = figures.filter(({ value }) => value === 1);
  assert.deepEqual(others, []);
  return found?.kind;
}

/** 30 blocks of ten messages each; a send costs 4 us and a receive 6 us, times `slowness`. */
function conversation(slowness: (block: number) => number): BlockFixture[] {
  return Array.from({ length: 30 }, (_, block) => ({
    messageIndex: block + 1,
    messages: 10,
    kernelCpuNs: 180_000,
    cpu: { send: [10, 40_000 * slowness(block)], receive: [10, 60_000 * slowness(block)] },
  }));
}

test('a repeat of one speed is flat', () => {
  assert.equal(classOf(shard(conversation(() => 1))), 'flat');
});

test('a planted warm-up, slowdown and endless trend are told apart', () => {
  assert.equal(classOf(shard(conversation((block) => (block < 8 ? 2 : 1)))), 'warm-up');
  assert.equal(classOf(shard(conversation((block) => (block < 8 ? 1 : 2)))), 'slowdown');
  assert.equal(classOf(shard(conversation((block) => 1 + block / 10))), 'never-settled');
});

test('openings, first messages and latency blocks have no say', () => {
  const others: BlockFixture[] = Array.from({ length: 20 }, (_, block) => ({
    phase: block % 2 === 0 ? 'open' : 'traffic',
    messageIndex: 0,
    cpu: { send: [10, 9_000_000] },
  }));
  const latency: BlockFixture[] = Array.from({ length: 20 }, () => ({ mode: 'latency' }));
  assert.equal(classOf(shard([...others, ...conversation(() => 1), ...latency])), 'flat');
});

test('a block with more calls is no slower one', () => {
  const outage = Array.from({ length: 30 }, (_, block): BlockFixture => {
    const delivered = block < 20 ? 1 : 28;
    return {
      messages: 10,
      kernelCpuNs: 180_000,
      cpu: { send: [10, 40_000], receive: [delivered, 6_000 * delivered] },
    };
  });
  assert.equal(classOf(shard(outage)), 'flat');
});

test('where the reference kernel became slower alike, the machine did and not the code', () => {
  const slowed = conversation((block) => (block < 8 ? 1.5 : 1));
  const machine = slowed.map((block, index) => ({
    ...block,
    kernelCpuNs: index < 8 ? 270_000 : 180_000,
  }));
  assert.equal(classOf(shard(slowed)), 'warm-up');
  assert.equal(classOf(shard(machine)), 'flat');
});

test('a repeat is as good as its worst thread, and a short one is not judged', () => {
  const flat = shard(conversation(() => 1));
  assert.equal(classOf(flat, shard(conversation((block) => 1 + block / 10))), 'never-settled');
  assert.equal(classOf(flat, shard(conversation(() => 1).slice(0, 14))), undefined);
  assert.equal(classOf(), undefined);
});

test('figures hold the blocks before a repeat settled, for they may be dearer by design', () => {
  const warming = shard(conversation((block) => (block < 10 ? 2 : 1)));
  const all = cpuPerMessage.derive({ shards: [warming], ...messages }).at(-1)!;
  assert.equal(Math.round(all.value), Math.round((10_000 * (10 * 2 + 20)) / 30));
});
