/** Clients whose calls are asynchronous: awaited one by one, read by the CPU of the process. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadByName } from '../../src/core/discover.ts';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import { requireSynchronous } from '../../src/engine/async-client-loops.ts';
import { Recorder } from '../../src/engine/recorder.ts';
import type { RepeatSpec } from '../../src/engine/spec.ts';
import { shardFacts, type ShardFacts } from '../../src/measure/facts.ts';
import type { Clients, Pipeline } from '../../src/pipelines/_pipeline.ts';
import { hostRepeat } from '../../src/runner/host.ts';
import type { RepeatReport } from '../../src/runner/repeat-report.ts';
import { loadProvider, loadWorkload, runHere, specOf } from '../conformance/_parts.ts';
import type { ASYNC_FAULTS } from '../planted/toy-async.ts';

const TOY = join(PACKAGE_ROOT, 'test', 'planted', 'toy-async.ts');
const toy = await loadByName<Pipeline>('', TOY, 'pipeline');
const provider = await loadProvider('null');
/** Eight messages of eight sessions: of each stage both modes see some. */
const WORKLOAD = await loadWorkload('ping-pong', { sessions: 8, usersPerSession: 1, messages: 8 });
const MESSAGES = 64;
const MEASURED = { purpose: 'measure', randomness: 'os', cpu: 'process' } as const;

async function repeat(
  fault: (typeof ASYNC_FAULTS)[number],
  changes: Partial<RepeatSpec> = {},
): Promise<RepeatReport> {
  const given = { pipeline: TOY, provider: 'null', options: { fault }, workload: WORKLOAD };
  return hostRepeat(specOf({ ...given, ...changes }));
}

async function digestOf(seed: number): Promise<string> {
  return (await repeat('none', { seed })).shards[0]!.digest;
}

/** Calls of a stage, in both modes together. */
function callsOf({ stages }: ShardFacts, id: string): number {
  const stage = stages.find((one) => one.id === id)!;
  return stage.cpu.calls.reduce((sum, calls) => sum + calls, 0) + stage.latency.calls;
}

test('what asynchronous clients are sent arrives, over a bad network as well', async () => {
  const network = { loss: 0.1, reorder: 0.1, reorderDepth: 3, duplicate: 0.1 };
  const bad = { ...WORKLOAD, network: { ...WORKLOAD.network, ...network } };
  for (const workload of [WORKLOAD, bad]) {
    const facts = await runHere(toy, provider, workload, { options: { fault: 'none' } });
    assert.deepEqual(facts.faults, { count: 0, first: [] });
    assert.equal(facts.messages.delivered + facts.messages.lost, MESSAGES);
    assert.equal(facts.messages.lost > 0, workload === bad);
  }
});

test('a measured repeat times every call of every stage, by the CPU of the process', async () => {
  const report = await repeat('none', MEASURED);
  assert.deepEqual([report.status, report.reason], ['ok', undefined]);
  const facts = shardFacts.parse(report.shards[0]);
  assert.equal(facts.clocks.cpuBasis, 'process');
  assert.ok(facts.clocks.cpuStepNs > 0 && facts.clocks.cpuReadNs > 0, 'it was calibrated');
  assert.ok(facts.warmup.rounds >= 2);
  assert.deepEqual(
    ['publish', 'initiate', 'accept', 'send', 'relay-store', 'relay-fetch', 'receive'].map((id) =>
      callsOf(facts, id),
    ),
    [8, 8, 8, MESSAGES, MESSAGES, MESSAGES, MESSAGES - 8],
  );
  // Nothing connects, and nothing of a library's is a call of the provider's.
  assert.ok(facts.stages.every(({ id }) => !id.startsWith('connect')));
  assert.equal(facts.counted.messages, 16);
});

test('the same seed gives the same digest, another seed another', async () => {
  const first = await digestOf(1);
  assert.equal(await digestOf(1), first);
  assert.notEqual(await digestOf(2), first);
});

describe('a planted fault of an asynchronous library is an error', () => {
  for (const [fault, reason] of [
    ['flipped-bit', /: the receiver got a plaintext that was not sent$/],
    ['keeps-input', /: the receiver got a plaintext that was not sent/],
    ['writes-late', /: the receiver got a plaintext that was not sent/],
    ['rejects', /^it threw Error: the toy was told to reject$/],
  ] as const) {
    test(fault, async () => {
      const report = await repeat(fault);
      assert.equal(report.status, 'error');
      assert.match(report.reason ?? '', reason);
    });
  }
});

describe('the CPU of the process', () => {
  test('is demanded where calls are asynchronous, in one sentence that says what to do', async () => {
    const report = await repeat('none', { ...MEASURED, cpu: 'thread' });
    assert.equal(report.status, 'error');
    assert.match(
      report.reason ?? '',
      /^test: .*the calls of toy-async are asynchronous.*set "cpu": "process" and "threads": \[1\]/,
    );
  });

  test('is no concern of a run that only verifies', async () => {
    assert.equal((await repeat('none', { cpu: 'thread' })).status, 'ok');
    assert.equal((await repeat('none', { threads: 2 })).status, 'ok');
  });

  test('is that of one worker: two threads are refused, with the way out', async () => {
    const report = await repeat('none', { ...MEASURED, threads: 2 });
    assert.equal(report.status, 'error');
    assert.match(
      report.reason ?? '',
      /^test: expected 1 thread.*found 2; choose "threads": \[1\]$/,
    );
  });

  test('can be read of synchronous pipelines, and is not unless it is asked for', async () => {
    const spec = specOf({
      pipeline: 'plaintext',
      provider: 'null',
      options: { hop: 'none', rest: 'none' },
      workload: WORKLOAD,
      purpose: 'measure',
      randomness: 'os',
    });
    const basisOf = async (changes: Partial<RepeatSpec>): Promise<string> =>
      (await hostRepeat({ ...spec, ...changes })).shards[0]!.clocks.cpuBasis;
    assert.equal(await basisOf({ cpu: 'process' }), 'process');
    assert.equal(await basisOf({}), 'thread');
  });

  test('is what a recorder reads for stages and blocks', (t) => {
    t.mock.method(process, 'cpuUsage', () => ({ user: 40, system: 2 }));
    t.mock.method(process, 'threadCpuUsage', () => ({ user: 6, system: 1 }));
    assert.equal(new Recorder(0, 'process').readCpuNs(), 42_000);
    assert.equal(new Recorder(0, 'thread').readCpuNs(), 7_000);
    assert.equal(new Recorder(0).readCpuNs(), 7_000);
  });

  test('is the thread in results that do not say whose it was', async () => {
    const [shard] = (await repeat('none')).shards;
    const { cpuBasis: _, ...clocks } = shard!.clocks;
    assert.equal(shardFacts.parse({ ...shard, clocks }).clocks.cpuBasis, 'thread');
  });
});

test('where there is nothing to await calls, asynchronous clients are refused', async () => {
  const { clients } = await toy.open({ options: { fault: 'none' } } as never);
  assert.throws(() => requireSynchronous(clients), TypeError);
  const synchronous = {} as Clients;
  assert.equal(requireSynchronous(synchronous), synchronous);
});
