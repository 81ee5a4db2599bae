import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadByName } from '../../src/core/discover.ts';
import { HarnessError } from '../../src/core/errors.ts';
import { PIPELINES_DIR } from '../../src/core/paths.ts';
import type { RepeatSpec } from '../../src/engine/spec.ts';
import type { ShardFacts } from '../../src/measure/facts.ts';
import { Histogram } from '../../src/measure/histogram.ts';
import type { Pipeline } from '../../src/pipelines/_pipeline.ts';
import { loadProvider, loadWorkload, runHere } from '../conformance/_parts.ts';

const native = await loadProvider('native');
const closed = await loadWorkload('chat', { sessions: 6, usersPerSession: 1, messages: 6 });
/** So fast that nothing waits. */
const arrivals = { pattern: 'poisson', perSecond: 1_000_000 } as const;

async function measured(name: string, changes: Partial<RepeatSpec>): Promise<ShardFacts> {
  const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline');
  const timed = { purpose: 'measure', randomness: 'os', ...changes } as const;
  return runHere(pipeline, native, changes.workload ?? closed, timed);
}

for (const name of [
  'plaintext',
  'at-rest-scoped',
  'double-ratchet',
  'pq-rekey',
  'length-hiding',
  'sealed-sender',
  'escrow-ghost',
  'escrow-message-key',
  'escrow-seed',
  'triple-ratchet.libsignal',
]) {
  test(`an open loop carries what a closed one carries: ${name}`, async (t) => {
    try {
      const cpu = name.includes('libsignal') ? 'process' : 'thread';
      const open = await measured(name, { workload: { ...closed, arrivals }, cpu });
      const before = await measured(name, { cpu });
      assert.deepEqual([open.faults.first, before.faults.first], [[], []]);
      // Recoveries are in the digest, and there are none in an open loop.
      if (before.recovery === undefined) assert.equal(open.digest, before.digest);
      assert.deepEqual([open.wire, open.storedBytes], [before.wire, before.storedBytes]);
      assert.deepEqual(open.messages, { ...before.messages, recovered: 0 });
      assert.deepEqual(open.handshake, before.handshake);
      // All but the first message of each session come by the schedule.
      assert.equal(open.open!.messages, 30);
      for (const times of ['service', 'response', 'lag', 'unlagged'] as const) {
        assert.equal(Histogram.decode(open.open![times]).count, 30, times);
      }
      assert.equal(before.open, undefined);
      assert.equal(open.recovery, undefined);
    } catch (error) {
      if (!(error instanceof HarnessError && error.code === 'UNAVAILABLE')) throw error;
      t.skip(error.message);
    }
  });
}

test('the schedule is that of the seed and the shard', async () => {
  const workload = { ...closed, arrivals };
  const facts = await measured('plaintext', { workload });
  const again = await measured('plaintext', { workload });
  const other = await measured('plaintext', { workload, seed: 77 });
  assert.equal(again.open!.scheduledNs, facts.open!.scheduledNs);
  assert.notEqual(other.open!.scheduledNs, facts.open!.scheduledNs);
});

test('a search for saturation tells each window, and facts that do not depend on the machine', async () => {
  const saturation = {
    p99Ms: 1,
    minPerSecond: 1_000_000,
    startPerSecond: 1_000_000,
    maxPerSecond: 1_000_000,
    windowSeconds: 0.05,
    resolution: 1,
  };
  const facts = await measured('plaintext', { saturation });
  const again = await measured('plaintext', { saturation });
  assert.equal(facts.digest, again.digest);
  assert.equal(facts.faults.count, 0);
  const { windows, end, boundNs } = facts.saturation!;
  assert.equal(boundNs, 1e6);
  assert.ok(windows.load.length >= 3);
  for (const column of Object.values(windows)) assert.equal(column.length, windows.load.length);
  const { sent, delivered } = facts.messages;
  assert.ok(sent >= 6 + 4_000 * windows.load.length && delivered === sent);
  assert.equal(facts.open === undefined, end.kind === 'gave-up');
  if (facts.open !== undefined) assert.ok(facts.open.messages >= 3 * 4_000);
});
