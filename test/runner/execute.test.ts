/** What becomes of each repeat of a plan, whatever its child process does. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HarnessError } from '../../src/core/errors.ts';
import type { RepeatRecord } from '../../src/results/record.ts';
import { repeatKey } from '../../src/results/store.ts';
import { execute } from '../../src/runner/execute.ts';
import type { RepeatReport, RunRepeat } from '../../src/runner/repeat-report.ts';
import { loadWorkload } from '../../src/suite/parse.ts';
import type { PlannedRepeat } from '../../src/suite/plan.ts';

const OK: RepeatReport = { status: 'ok', shards: [] };

/** Two cells, `plaintext` and `transport`, of two repeats each, in this order. */
async function plan(): Promise<PlannedRepeat[]> {
  const { workload } = await loadWorkload('chat');
  const order: PlannedRepeat[] = [];
  for (const repeat of [0, 1]) {
    for (const pipeline of ['plaintext', 'transport']) {
      const name = `mine/${pipeline}/null/chat/t1`;
      const cell = { name, suite: 'mine', pipeline, implementation: 'null', workload: 'chat' };
      const spec = {
        cell: name,
        pipeline,
        options: {},
        provider: 'null',
        workload,
        threads: 1,
        seed: repeat,
        repeat,
        warmupMs: 0,
        randomness: 'os',
        purpose: 'measure',
      } as const;
      order.push({ order: order.length, cell: { ...cell, threads: 1 }, spec });
    }
  }
  return order;
}

interface Executed {
  readonly interrupted: boolean;
  readonly records: readonly RepeatRecord[];
  readonly events: readonly string[];
}

async function run(
  runRepeat: RunRepeat,
  signal: AbortSignal = new AbortController().signal,
  skip: ReadonlySet<string> = new Set(),
): Promise<Executed> {
  const records: RepeatRecord[] = [];
  const events: string[] = [];
  const { interrupted } = await execute({
    plan: { order: await plan() },
    suiteName: 'mine',
    signal,
    skip,
    runRepeat,
    run: { append: (record) => records.push(record) },
    onStart: ({ order }) => events.push(`start ${order}`),
    onEnd: ({ order }, { status }) => events.push(`${status} ${order}`),
  });
  return { interrupted, records, events };
}

test('every repeat is recorded as it ends, in the order of the plan', async () => {
  const { interrupted, records, events } = await run(() => Promise.resolve(OK));
  assert.equal(interrupted, false);
  assert.deepEqual(
    records.map(({ order, pipeline, rung, repeat }) => [order, pipeline, rung, repeat]),
    [
      [0, 'plaintext', 'L0', 0],
      [1, 'transport', 'L1', 0],
      [2, 'plaintext', 'L0', 1],
      [3, 'transport', 'L1', 1],
    ],
  );
  assert.deepEqual(events.slice(0, 4), ['start 0', 'ok 0', 'start 1', 'ok 1']);
});

test('what a repeat throws becomes an error record, and the run goes on', async () => {
  const { records } = await run((spec) =>
    spec.pipeline === 'plaintext' ? Promise.reject(new Error('gone')) : Promise.resolve(OK),
  );
  assert.deepEqual(
    records.map(({ status, reason }) => [status, reason]),
    [
      ['error', 'gone'],
      ['ok', undefined],
      ['error', 'gone'],
      ['ok', undefined],
    ],
  );
});

for (const [code, status] of [
  ['UNAVAILABLE', 'unavailable'],
  ['UNSUPPORTED', 'unsupported'],
] as const) {
  test(`a cell that is ${status} is recorded once and not tried again`, async () => {
    const { records } = await run((spec) =>
      spec.pipeline === 'plaintext'
        ? Promise.reject(new HarnessError(code, 'not here'))
        : Promise.resolve(OK),
    );
    assert.deepEqual(
      records.map((record) => [record.status, record.repeat]),
      [
        [status, 0],
        ['ok', 0],
        ['ok', 1],
      ],
    );
  });
}

test('finished repeats are skipped', async () => {
  const finished = new Set([repeatKey('mine/plaintext/null/chat/t1', 0)]);
  const { events } = await run(() => Promise.resolve(OK), undefined, finished);
  assert.ok(!events.includes('start 0'));
  assert.equal(events.filter((event) => event.startsWith('ok')).length, 3);
});

test('the repeat under way when the run is interrupted is dropped, finished ones are kept', async () => {
  const controller = new AbortController();
  const { interrupted, records } = await run((spec) => {
    if (spec.pipeline === 'transport') controller.abort();
    // What a killed child gives.
    return Promise.resolve(
      controller.signal.aborted ? { status: 'error', reason: 'killed', shards: [] } : OK,
    );
  }, controller.signal);
  assert.equal(interrupted, true);
  assert.deepEqual(
    records.map(({ order, status }) => [order, status]),
    [[0, 'ok']],
  );
});

test('a record that cannot be kept stops the run', async () => {
  const full = new HarnessError('NOT_WRITTEN', 'the disk is full');
  const controller = new AbortController();
  const executing = execute({
    plan: { order: await plan() },
    suiteName: 'mine',
    signal: controller.signal,
    runRepeat: () => Promise.resolve(OK),
    run: {
      append: () => {
        throw full;
      },
    },
    onStart: () => {},
    onEnd: () => {},
  });
  await assert.rejects(executing, full);
});

test('what does not fit into memory is a row that says how many sessions would, and nothing is run', async () => {
  const records: RepeatRecord[] = [];
  await execute({
    plan: { order: await plan() },
    suiteName: 'mine',
    signal: new AbortController().signal,
    memoryBytes: 2 ** 20,
    runRepeat: () => assert.fail('a repeat was run that does not fit'),
    run: { append: (record) => void records.push(record) },
    onStart: () => undefined,
    onEnd: () => undefined,
  });
  assert.deepEqual(
    records.map(({ status }) => status),
    ['unsupported', 'unsupported'],
  );
  assert.match(records[0]!.reason!, /about 0 sessions would fit/);
});

test('who runs the plan is told how far each repeat is', async () => {
  const seen: unknown[] = [];
  await execute({
    plan: { order: (await plan()).slice(0, 1) },
    suiteName: 'mine',
    signal: new AbortController().signal,
    runRepeat(_spec, _signal, { onLive } = {}) {
      onLive?.({ phase: 'opening' } as never);
      return Promise.resolve(OK);
    },
    run: { append: () => undefined },
    onStart: () => undefined,
    onEnd: () => undefined,
    onLive: (report) => seen.push(report.phase),
  });
  assert.deepEqual(seen, ['opening']);
});
