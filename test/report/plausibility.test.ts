import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import type { TimedId } from '../../src/measure/facts.ts';
import { deriveCells } from '../../src/report/cells.ts';
import { implausibleStage } from '../../src/report/plausibility.ts';
import type { RepeatRecord } from '../../src/results/record.ts';
import { runRepeat } from '../../src/runner/repeat.ts';
import { loadWorkload, specOf } from '../conformance/_parts.ts';
import { record, shard } from './fixtures.ts';

/** Three repeats of two sessions of ten messages, in which one stage costs so much per call. */
function repeats(
  id: TimedId,
  costNs: number,
  counted: Readonly<Record<string, number>>,
  implementation = 'native',
): RepeatRecord[] {
  const changes = { counted: { sessions: 2, messages: 20, calls: { [id]: counted } } };
  return [0, 1, 2].map((repeat) =>
    record({
      implementation,
      repeat,
      shards: [shard([{ messages: 10, cpu: { [id]: [10, 10 * costNs] } }], {}, changes)],
    }),
  );
}

const SEAL = { 'chacha20-poly1305-seal:0+28': 20 };
const EMPTY = { send: 170, receive: 80 };

test('a stage that claims a primitive and costs no more than an empty call makes the cell invalid', async () => {
  const records = repeats('send', 165, SEAL);
  const [cell] = await deriveCells(records, [], EMPTY);
  assert.equal(cell!.status, 'invalid');
  assert.equal(
    cell!.reason,
    'send claims 1.0 calls of primitives and costs 165 ns of CPU, no more than a call that does ' +
      'nothing (170 ns): they were optimised away or not made',
  );
  assert.equal(cell!.series.size, 0);
});

test('what costs more than an empty call, or claims nothing, is believed', () => {
  assert.equal(implausibleStage(repeats('send', 400, SEAL), EMPTY), undefined);
  assert.equal(implausibleStage(repeats('send', 165, {}), EMPTY), undefined);
  // Once in 40 messages, as a key for the day: most calls are empty by right.
  assert.equal(implausibleStage(repeats('send', 165, { 'hkdf-sha256:32': 1 }), EMPTY), undefined);
  assert.equal(implausibleStage([], EMPTY), undefined);
});

test('without a calibration an empty call is one in and out of a function', () => {
  assert.equal(implausibleStage(repeats('send', 165, SEAL), {}), undefined);
  assert.match(implausibleStage(repeats('send', 15, SEAL), {})!, /does nothing \(20 ns\)/);
});

test('a session that is opened faster than its curve operations can be is not believed', () => {
  // Four shared secrets, two keys and a verified signature in each of two sessions: 33 us at least.
  const claimed = { x25519: 8, 'x25519-base': 4, 'ed25519-verify:32': 2, 'sha256:64': 40 };
  assert.equal(implausibleStage(repeats('initiate', 150_000, claimed), EMPTY), undefined);
  assert.match(
    implausibleStage(repeats('initiate', 30_000, claimed), EMPTY)!,
    /^initiate claims 27\.0 calls of primitives and costs 30 us of CPU, less than half of what/,
  );
});

test('the curve operations of messages are not held against them, for messages differ', () => {
  const claimed = { x25519: 20 };
  assert.equal(implausibleStage(repeats('receive', 900, claimed), EMPTY), undefined);
});

test('the implementation that says that it computes nothing is believed', () => {
  assert.equal(implausibleStage(repeats('send', 15, SEAL, 'null'), EMPTY), undefined);
});

test('a provider that computes nothing under another name is caught in a real repeat', async () => {
  const planted = join(PACKAGE_ROOT, 'test', 'planted', 'idle-provider.ts');
  const spec = specOf({
    pipeline: 'double-ratchet',
    provider: planted,
    options: { hop: 'none', rest: 'none' },
    workload: await loadWorkload('chat', { sessions: 20, messages: 4 }),
    purpose: 'measure',
    randomness: 'os',
    warmupMs: 300,
  });
  const { status, shards } = await runRepeat(spec, new AbortController().signal);
  assert.equal(status, 'ok');
  const implementation = 'idle-provider.ts';
  const [cell] = await deriveCells([record({ implementation, shards: [...shards] })]);
  assert.equal(cell!.status, 'invalid');
  assert.match(cell!.reason!, /they were optimised away or not made$/);
});
