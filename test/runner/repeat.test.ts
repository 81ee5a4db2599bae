/** One repeat in a child process: what comes back when it works, and when it does not. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import { shardFacts } from '../../src/measure/facts.ts';
import type { LiveReport } from '../../src/measure/live.ts';
import { hostRepeat } from '../../src/runner/host.ts';
import { runRepeat } from '../../src/runner/repeat.ts';
import { loadWorkload, specOf } from '../conformance/_parts.ts';

const TOY = join(PACKAGE_ROOT, 'test', 'planted', 'toy-escrow.ts');
const WORKLOAD = await loadWorkload('chat', { sessions: 5, usersPerSession: 1, messages: 8 });
const GOOD = specOf({
  pipeline: 'plaintext',
  provider: 'null',
  options: { hop: 'none', rest: 'none' },
  workload: WORKLOAD,
});
const toy = (fault: string): typeof GOOD => ({ ...GOOD, pipeline: TOY, options: { fault } });

const never = (): AbortSignal => new AbortController().signal;

test('a repeat that works reports ok, with facts as the schema says', async () => {
  const report = await runRepeat(GOOD, never());
  assert.deepEqual([report.status, report.reason], ['ok', undefined]);
  assert.equal(report.shards.length, 1);
  const [shard] = report.shards;
  shardFacts.parse(shard);
  const { sent, delivered } = shard!.messages;
  assert.deepEqual([sent, delivered], [40, 40]);
  assert.ok(report.process!.rssPeakBytes > 0);
});

test('a measured repeat reads its clocks and warms up first', async () => {
  const spec = { ...GOOD, purpose: 'measure', randomness: 'os', warmupMs: 5 } as const;
  const report = await runRepeat(spec, never());
  assert.equal(report.status, 'ok');
  assert.ok(report.shards[0]!.warmup.rounds >= 2);
});

test('with two threads the sessions are dealt to two shards and none is lost', async () => {
  const report = await runRepeat({ ...GOOD, threads: 2 }, never());
  assert.equal(report.status, 'ok');
  const dealt = report.shards.map(({ shard, sessions }) => `${shard}: ${sessions}`);
  assert.deepEqual(dealt.sort(), ['0: 2', '1: 3']);
  const sent = report.shards.map(({ messages }) => messages.sent);
  assert.equal(sent[0]! + sent[1]!, 40);
});

/** What somebody sees who looks at a measured repeat every few ms. */
async function watched(changes: Partial<typeof GOOD>): Promise<readonly LiveReport[]> {
  const spec = { ...GOOD, purpose: 'measure', randomness: 'os', provider: 'native' } as const;
  const seen: LiveReport[] = [];
  const report = await hostRepeat({ ...spec, ...changes }, (live) => seen.push(live), 2);
  // On a busy machine the generator of an open loop may fall behind.
  assert.ok(report.status !== 'error', String(report.reason));
  for (const [at, { workDone, work, messagesSent }] of seen.entries()) {
    assert.ok(workDone <= work * 1.000_001, `${workDone} of ${work}`);
    assert.ok(messagesSent >= (seen[at - 1]?.messagesSent ?? 0));
  }
  return seen;
}

test('of a closed loop the sessions, messages and single calls are seen while it runs', async () => {
  const workload = { ...WORKLOAD, sessions: 200, messages: 40 };
  const options = { hop: 'none', rest: 'none', persist: 'packed', turn: 'eager' };
  const seen = await watched({ pipeline: 'double-ratchet', options, workload, threads: 2 });
  const before = seen.filter(({ phase }) => phase === 'opening');
  assert.ok(before.some(({ sessionsOpened }) => sessionsOpened > 0 && sessionsOpened <= 200));
  const during = seen.filter(({ phase }) => phase === 'traffic');
  assert.ok(during.some(({ messagesSent }) => messagesSent > 0 && messagesSent < 8_000));
  const last = seen.at(-1)!;
  assert.deepEqual([last.sessions, last.messages], [200, 8_000]);
  assert.ok(last.send!.p50Ns > 0 && last.receive!.p99Ns >= last.receive!.p50Ns);
  assert.equal(last.cpuMs.length, 2);
  assert.ok(last.rssBytes > 0);
});

test('of an open loop messages and response times are seen while it runs', async () => {
  const arrivals = { pattern: 'constant', perSecond: 1_000 } as const;
  const workload = { ...WORKLOAD, sessions: 50, messages: 9, arrivals };
  const seen = await watched({ workload });
  const during = seen.filter(({ messagesSent }) => messagesSent > 50 && messagesSent < 450);
  assert.ok(during.length > 0);
  assert.ok(during.every(({ response }) => response!.p99Ns > 0));
});

async function digestOf(seed: number): Promise<string> {
  const { shards } = await hostRepeat({ ...GOOD, seed });
  return shards[0]!.digest;
}

test('the same repeat gives the same digest of its facts, another seed another', async () => {
  const first = await digestOf(1);
  assert.equal(await digestOf(1), first);
  assert.notEqual(await digestOf(2), first);
});

test('a process that is killed is an error that says so', async () => {
  const report = await runRepeat(toy('dies'), never());
  assert.equal(report.status, 'error');
  assert.equal(
    report.reason,
    'its process was killed by SIGKILL, which the system does when memory runs out; ' +
      'try a smaller cell',
  );
  assert.deepEqual(report.shards, []);
});

test('a pipeline that throws is an error that says so in one sentence', async () => {
  const report = await runRepeat(toy('throws'), never());
  assert.equal(report.status, 'error');
  assert.equal(report.reason, 'it threw Error: the toy was told to throw');
});

test('when one of two threads fails the other does not wait for it, and the cause is reported', async () => {
  const report = await runRepeat({ ...toy('message-refused'), threads: 2 }, never());
  assert.equal(report.status, 'error');
  const missing = await runRepeat({ ...GOOD, provider: 'no-such-provider', threads: 2 }, never());
  assert.match(missing.reason ?? '', /^unknown provider/);
});

test('an unknown provider or pipeline is an error that names the known ones', async () => {
  const provider = await runRepeat({ ...GOOD, provider: 'nodes' }, never());
  assert.equal(provider.status, 'error');
  assert.equal(provider.reason, 'unknown provider "nodes"; did you mean "node"?');
  const pipeline = await runRepeat({ ...GOOD, pipeline: 'x'.repeat(20) }, never());
  assert.match(pipeline.reason ?? '', /^unknown pipeline "x{20}"; there are: .*double-ratchet/);
});

test('a provider whose library is not installed is unavailable, not an error', async () => {
  const file = join(PACKAGE_ROOT, 'test', 'planted', 'missing-library.ts');
  const report = await runRepeat({ ...GOOD, provider: file }, never());
  assert.equal(report.status, 'unavailable');
  assert.match(report.reason ?? '', /does not load: Cannot find package 'not-installed-anywhere'/);
});

test('a primitive that a library lacks makes the repeat unsupported', async () => {
  const options = { ...GOOD.options, aead: 'aes-256-gcm' };
  const report = await runRepeat({ ...GOOD, provider: 'libsodium', options }, never());
  assert.equal(report.status, 'unsupported');
  assert.equal(report.reason, 'libsodium has no aes-256-gcm');
});

test('an abort kills the process, also one that hangs', async () => {
  const abort = new AbortController();
  const before = new Set(childrenOfThis());
  const running = runRepeat(toy('hangs'), abort.signal);
  const child = childrenOfThis().find((pid) => !before.has(pid));
  // Until the worker has had time to hang: whenever the abort comes, the outcome is the same.
  await sleep(700);
  abort.abort();
  const report = await running;
  assert.equal(report.status, 'error');
  assert.equal(report.reason, 'its process was killed by SIGKILL');
  if (child !== undefined) assert.ok(!existsSync(`/proc/${child}`), 'the process is gone');
});

test('a signal that has aborted already lets nothing run', async () => {
  const aborted = new AbortController();
  aborted.abort();
  const report = await runRepeat(GOOD, aborted.signal);
  assert.equal(report.status, 'error');
  assert.match(report.reason ?? '', /^its process was killed by SIGKILL/);
  assert.doesNotMatch(report.reason ?? '', /memory/);
});

/** Process ids, from /proc; none where there is no /proc. */
function childrenOfThis(): string[] {
  const tasks = '/proc/self/task';
  if (!existsSync(tasks)) return [];
  return readdirSync(tasks).flatMap((task) => {
    const file = join(tasks, task, 'children');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split(/\s+/).filter(Boolean) : [];
  });
}
