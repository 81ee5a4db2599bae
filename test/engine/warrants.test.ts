/** What reaches the authority, from whom, and what must come of it. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadByName } from '../../src/core/discover.ts';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import type { ShardFacts } from '../../src/measure/facts.ts';
import type { Options, Pipeline } from '../../src/pipelines/_pipeline.ts';
import { hostRepeat } from '../../src/runner/host.ts';
import type { RepeatReport } from '../../src/runner/repeat-report.ts';
import type { Workload } from '../../src/workload/workload.ts';
import { loadProvider, loadWorkload, runHere, specOf } from '../conformance/_parts.ts';

const planted = (name: string): string => join(PACKAGE_ROOT, 'test', 'planted', `${name}.ts`);
const GOOD = await loadWorkload('ping-pong', { sessions: 5, usersPerSession: 1, messages: 6 });
const BAD: Workload = {
  ...GOOD,
  messages: 40,
  network: { ...GOOD.network, loss: 0.1, reorder: 0.2, reorderDepth: 4, duplicate: 0.2 },
};

async function repeat(
  name: string,
  options: Options,
  workload: Workload = GOOD,
): Promise<RepeatReport> {
  return hostRepeat(specOf({ pipeline: planted(name), provider: 'null', options, workload }));
}

async function factsOf(...given: Parameters<typeof repeat>): Promise<ShardFacts> {
  const { status, reason, shards } = await repeat(...given);
  assert.deepEqual([status, reason], ['ok', undefined]);
  return shards[0]!;
}

/** Calls of a stage, in both modes together. */
function callsOf({ stages }: ShardFacts, id: string): number {
  const stage = stages.find((one) => one.id === id);
  if (stage === undefined) return 0;
  return stage.cpu.calls.reduce((sum, calls) => sum + calls, 0) + stage.latency.calls;
}

/** Options of the toy with a mailbox. */
function mailbox(changes: Options = {}): Options {
  return { targets: '2', copies: 'targets', copy: 'same', ...changes };
}

describe('evidence in a mailbox of the authority', () => {
  test('is stored and handed over, never delivered, and of sessions under a warrant only', async () => {
    const facts = await factsOf('toy-mailbox', mailbox());
    assert.deepEqual(facts.wire['escrow']?.frames, 12);
    assert.deepEqual(facts.wire['message']?.frames, 30);
    assert.equal(callsOf(facts, 'relay-store'), 42);
    assert.equal(callsOf(facts, 'relay-fetch'), 30);
    assert.equal(callsOf(facts, 'hand-over'), 12);
    assert.equal(callsOf(facts, 'recover'), 12);
    assert.equal(facts.messages.delivered, 30);
    assert.equal(facts.messages.recovered, 12);
    assert.deepEqual(facts.recovery, {
      sessions: 2,
      due: 12,
      evidence: 12,
      valid: 12,
      decoy: 0,
      failed: 0,
      delivered: 12,
      deliveredRecovered: 12,
    });
  });

  test('of a session without a warrant stays at the relay', async () => {
    const facts = await factsOf('toy-mailbox', mailbox({ copies: 'all' }));
    assert.equal(facts.wire['escrow']?.frames, 30);
    assert.equal(callsOf(facts, 'hand-over'), 12);
  });

  test('is not lost with what the network loses on the way to the receiver', async () => {
    const facts = await factsOf('toy-mailbox', mailbox(), BAD);
    const { lost, delivered, sent } = facts.messages;
    assert.ok(lost > 0);
    assert.equal(delivered + lost, sent, 'a copy that nobody fetches is no message that is lost');
    assert.equal(facts.recovery?.valid, 80);
    assert.ok(facts.recovery.delivered < 80);
    assert.equal(facts.recovery.deliveredRecovered, facts.recovery.delivered);
  });

  test('that is not there is an error', async () => {
    const { status, reason } = await repeat('toy-mailbox', mailbox({ copies: 'one-less' }));
    assert.equal(status, 'error');
    assert.equal(reason, 'the authority was handed evidence of 6 of 12 messages');
  });

  test('that says something else is a decoy, counted and an error', async () => {
    const { status, reason, shards } = await repeat('toy-mailbox', mailbox({ copy: 'other' }));
    assert.equal(status, 'error');
    assert.match(reason ?? '', /^session 0, message 0: the authority recovered another plaintext/);
    const { valid, decoy, failed, deliveredRecovered } = shards[0]!.recovery!;
    assert.deepEqual([valid, decoy, failed, deliveredRecovered], [0, 12, 0, 0]);
  });

  test('without any warrant there is none, and nothing is wrong', async () => {
    const facts = await factsOf('toy-mailbox', mailbox({ targets: '0' }));
    assert.equal(facts.wire['escrow'], undefined);
    assert.deepEqual(Object.values(facts.recovery!), [0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('more warrants than sessions are all sessions', async () => {
    const facts = await factsOf('toy-mailbox', mailbox({ targets: '100' }));
    assert.equal(facts.recovery?.sessions, 5);
    assert.equal(facts.recovery.valid, 30);
  });

  test('gives the same digest for the same seed', async () => {
    const { digest } = await factsOf('toy-mailbox', mailbox(), BAD);
    assert.equal((await factsOf('toy-mailbox', mailbox(), BAD)).digest, digest);
    assert.notEqual((await factsOf('toy-mailbox', mailbox({ targets: '3' }), BAD)).digest, digest);
  });
});

describe('a pipeline that promises that its escrow recovers nothing', () => {
  test('is fine when every recovery fails', async () => {
    const facts = await factsOf('toy-root-only', { authority: 'silent' });
    assert.equal(facts.messages.recovered, 0);
    const { evidence, valid, decoy, failed } = facts.recovery!;
    assert.deepEqual([evidence, valid, decoy, failed], [30, 0, 0, 30]);
  });

  test('is an error when a recovery succeeds', async () => {
    const { status, reason } = await repeat('toy-root-only', { authority: 'reads' });
    assert.equal(status, 'error');
    assert.equal(
      reason,
      'session 0, message 0: the authority recovered a message of which it must recover nothing ' +
        '(and 29 more)',
    );
  });

  test('is an error when a recovery opens to something that was not sent', async () => {
    const { status, reason } = await repeat('toy-root-only', { authority: 'guesses' });
    assert.equal(status, 'error');
    assert.match(reason ?? '', /: the authority recovered another plaintext \(and 29 more\)$/);
  });
});

test('a pipeline without an authority has no facts of recoveries', async () => {
  const pipeline = await loadByName<Pipeline>('', planted('toy-async'), 'pipeline');
  const options = { fault: 'none' };
  const facts = await runHere(pipeline, await loadProvider('null'), GOOD, { options });
  assert.equal(facts.recovery, undefined);
  assert.equal(facts.messages.recovered, 0);
});
