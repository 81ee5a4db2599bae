/** One repeat of an operation in a child process: what comes back when it works, and when not. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import { operationFacts } from '../../src/measure/operation-facts.ts';
import type { OperationSpec } from '../../src/primitives/spec.ts';
import type { RepeatRecord } from '../../src/results/record.ts';
import { execute } from '../../src/runner/execute.ts';
import { runOperation, type RunOperation } from '../../src/runner/operation.ts';
import type { PlannedOperation } from '../../src/suite/plan-operations.ts';

const planted = (name: string): string => join(PACKAGE_ROOT, 'test', 'planted', name);
const SPEC: OperationSpec = {
  kind: 'operation',
  cell: 'mine/sha256/node/16B/t1',
  primitive: 'sha256',
  provider: 'node',
  bytes: 16,
  seed: 3,
  repeat: 0,
  purpose: 'verify',
  warmupMs: 1,
  timedMs: 2,
};
const never = (): AbortSignal => new AbortController().signal;

test('a repeat that works reports ok, with facts as the schema says', async () => {
  const { status, reason, operation } = await runOperation(
    { ...SPEC, purpose: 'measure' },
    never(),
  );
  assert.deepEqual([status, reason], ['ok', undefined]);
  operationFacts.parse(operation);
  assert.deepEqual([operation!.primitive, operation!.bytes], ['sha256', 16]);
  assert.equal(operation!.timed!.windows.calls.length, 15);
});

test('a provider with a wrong hash is an error and never a number', async () => {
  const spec = { ...SPEC, provider: planted('wrong-hash.ts') };
  const { status, reason, operation } = await runOperation(spec, never());
  assert.equal(status, 'error');
  assert.match(reason!, /wrong-hash does not reproduce FIPS 180-4.* it was not timed/);
  assert.equal(operation, undefined);
});

test('a library that is missing is unavailable, a primitive that is missing unsupported', async () => {
  const missing = await runOperation({ ...SPEC, provider: planted('missing-library.ts') }, never());
  assert.equal(missing.status, 'unavailable');
  const spec = { ...SPEC, primitive: 'aes-256-gcm-seal', provider: 'libsodium' };
  const { status, reason } = await runOperation(spec, never());
  assert.deepEqual([status, reason], ['unsupported', 'libsodium has no aes-256-gcm']);
});

async function recordOf(run: RunOperation): Promise<RepeatRecord> {
  const records: RepeatRecord[] = [];
  const { cell: name, ...spec } = SPEC;
  const cell = { name, suite: 'mine', pipeline: 'sha256', implementation: 'node', workload: '16B' };
  const planned: PlannedOperation = {
    order: 4,
    cell: { ...cell, threads: 1 },
    spec: { ...spec, cell: name },
  };
  await execute({
    plan: { order: [planned] },
    run: { append: (record) => records.push(record) },
    suiteName: 'x/mine',
    signal: never(),
    onStart: () => undefined,
    onEnd: () => undefined,
    runOperation: run,
  });
  return records[0]!;
}

test('its record names the primitive in the place of the pipeline and carries no messages', async () => {
  const record = await recordOf(runOperation);
  const { pipeline, family, rung, workload, threads, order, messagesPerSession } = record;
  assert.deepEqual(
    [pipeline, family, rung, workload, threads, order, messagesPerSession],
    ['sha256', 'operation', '', '16B', 1, 4, undefined],
  );
  assert.equal(record.operation!.primitive, 'sha256');
});

test('what its runner throws is an error record', async () => {
  const record = await recordOf(() => Promise.reject(new Error('it broke')));
  assert.deepEqual([record.status, record.reason], ['error', 'it broke']);
});
