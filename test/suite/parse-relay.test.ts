import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { HarnessError } from '../../src/core/errors.ts';
import { SUITES_DIR } from '../../src/core/paths.ts';
import { loadPipelines } from '../../src/runner/pipelines-info.ts';
import { parseName } from '../../src/suite/names.ts';
import { parseRelay, type LoadedRelay } from '../../src/suite/parse-relay.ts';
import { planRelay, type RelayPlan } from '../../src/suite/plan-relay.ts';
import type { PlanOptions } from '../../src/suite/plan.ts';

const FILE = '/somewhere/own.json';
const GROUP = {
  pipelines: ['plaintext'],
  implementations: ['null'],
  workloads: ['one-way'],
  tls: ['none'],
  stores: ['memory'],
};
const SUITE = {
  kind: 'relay',
  load: 'saturation',
  name: 'own',
  title: 'One line',
  question: 'What?',
  analysis: [],
  matrix: [GROUP],
};

async function planned(json: object, options: Partial<PlanOptions> = {}): Promise<RelayPlan> {
  const loaded = await parseRelay(json, FILE);
  return planRelay(
    loaded,
    { pipelines: await pipelinesOf(loaded) },
    {
      budget: 'quick',
      seed: 1,
      ...options,
    },
  );
}

function pipelinesOf({ suite }: LoadedRelay): ReturnType<typeof loadPipelines> {
  const names = suite.matrix.flatMap(({ pipelines }) => pipelines);
  return loadPipelines(names.map((text) => parseName(text).name));
}

async function refusal(json: object, options?: Partial<PlanOptions>): Promise<string> {
  try {
    await planned(json, options);
  } catch (error) {
    assert.ok(error instanceof HarnessError && error.code === 'BAD_INPUT', String(error));
    return error.message;
  }
  return assert.fail('it was taken');
}

test('cells are named by pipeline, implementation, workload, store and key exchange', async () => {
  const { cells, order } = await planned({
    ...SUITE,
    matrix: [{ ...GROUP, tls: ['none', 'x25519-mlkem768'], stores: ['memory', 'sqlite-full'] }],
  });
  assert.deepEqual(
    cells.map(({ name }) => name),
    [
      'own/plaintext/null/one-way:store=memory,tls=none/t1',
      'own/plaintext/null/one-way:store=sqlite-full,tls=none/t1',
      'own/plaintext/null/one-way:store=memory,tls=x25519-mlkem768/t1',
      'own/plaintext/null/one-way:store=sqlite-full,tls=x25519-mlkem768/t1',
    ],
  );
  assert.equal(order.length, 12, 'three repeats of each');
  assert.equal(order[0]!.spec.kind, 'relay');
});

test('options of a workload stay in the name, beside those of the load', async () => {
  const { cells } = await planned({
    ...SUITE,
    load: 'hand-over',
    matrix: [{ ...GROUP, workloads: ['one-way:sessions=50'], rates: [100] }],
  });
  assert.equal(
    cells[0]!.name,
    'own/plaintext/null/one-way:rate=100,sessions=50,store=memory,tls=none/t1',
  );
});

const REFUSED: readonly [string, object, RegExp][] = [
  ['an unknown load', { load: 'flood' }, /load: expected one of saturation, knee, .*found "flood"/],
  ['a word too much', { loads: 'knee' }, /unknown key "loads"|"loads"/],
  ['an unknown store', { matrix: [{ ...GROUP, stores: ['redis'] }] }, /matrix\[0\]\.stores\[0\]/],
  ['an unknown group of TLS', { matrix: [{ ...GROUP, tls: ['p256'] }] }, /matrix\[0\]\.tls\[0\]/],
  [
    'an unknown pipeline',
    { matrix: [{ ...GROUP, pipelines: ['plaintxt'] }] },
    /matrix\[0\]\.pipelines\[0\]: unknown pipeline "plaintxt"; did you mean "plaintext"/,
  ],
  [
    'an unknown workload',
    { matrix: [{ ...GROUP, workloads: ['one-wai'] }] },
    /matrix\[0\]\.workloads\[0\]: unknown workload/,
  ],
  [
    'an unknown implementation',
    { matrix: [{ ...GROUP, implementations: ['nul'] }] },
    /matrix\[0\]\.implementations\[0\]: unknown implementation/,
  ],
  [
    'a pipeline that seals hops of its own',
    { matrix: [{ ...GROUP, pipelines: ['transport'] }] },
    /pipelines\[0\]: expected "hop=none".*write "transport:hop=none"/,
  ],
  [
    'a pipeline of a library',
    { matrix: [{ ...GROUP, pipelines: ['double-ratchet.libolm'] }] },
    /is computed by a library/,
  ],
  [
    'rates of another load',
    { matrix: [{ ...GROUP, rates: [5] }] },
    /only with the load "hand-over"/,
  ],
  ['a hand-over without rates', { load: 'hand-over' }, /matrix\[0\]: expected "rates"/],
  ['a bound of another load', { boundMs: 5 }, /boundMs: expected only with the load "knee"/],
  [
    'resumption without TLS',
    { load: 'connections', matrix: [{ ...GROUP, resumption: ['yes'] }] },
    /without TLS nothing is resumed/,
  ],
  [
    'a baseline that is no pipeline of it',
    { baseline: 'at-rest' },
    /baseline: expected a pipeline/,
  ],
  ['a timed phase of nothing', { timedMs: 0 }, /timedMs/],
];
for (const [what, changes, expected] of REFUSED) {
  test(`a suite with ${what} is refused, with the place`, async () => {
    assert.match(await refusal({ ...SUITE, ...changes }), expected);
  });
}

test('more threads and a filter that matches nothing are refused', async () => {
  assert.match(await refusal(SUITE, { threads: 2 }), /threads: expected 1/);
  assert.match(await refusal(SUITE, { filter: 'nothing' }), /matches none of 1/);
});

test('all problems of a suite are told at once', async () => {
  const message = await refusal({
    ...SUITE,
    boundMs: 5,
    matrix: [{ ...GROUP, pipelines: ['plaintxt'], workloads: ['x'] }],
  });
  assert.match(message, /^\/somewhere\/own\.json: 3 problems/);
});

for (const name of ['curated/relay', 'load/knee', 'load/hand-over', 'load/connections']) {
  test(`${name} can be planned, and its digest is that of its numbers`, async () => {
    const file = join(SUITES_DIR, `${name}.json`);
    const json = JSON.parse(await readFile(file, 'utf8')) as object;
    const loaded = await parseRelay(json, file);
    const plan = planRelay(
      loaded,
      { pipelines: await pipelinesOf(loaded) },
      { budget: 'quick', seed: 1 },
    );
    assert.ok(plan.cells.length > 0);
    const other = await parseRelay({ ...json, warmupMs: 77 }, file);
    assert.notEqual(other.digest, loaded.digest);
  });
}
