import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import type { RepeatSpec } from '../../src/engine/spec.ts';
import { loadWorkload, type LoadedSuite } from '../../src/suite/parse.ts';
import { planSuite, repeatSeed, type Known, type PlanOptions } from '../../src/suite/plan.ts';
import { REPEATS_MAX, type Suite } from '../../src/suite/suite.ts';

const hop = { title: 'Hop', values: ['tls', 'none'], default: 'tls' };
const known: Known = {
  pipelines: new Map([
    ['plaintext', { options: {} }],
    ['double-ratchet', { options: { hop, skip: { values: { min: 1, max: 99 }, default: '10' } } }],
    ['./a/my.ts', { options: {} }],
    ['./b/my.ts', { options: {} }],
    ['ratchet.libx', { options: { hop }, foreign: { implementation: 'libx' } }],
    ['box.liby', { options: {}, foreign: { implementation: 'liby', asynchronous: true } }],
  ]),
  providers: ['native', 'noble'],
};
const options: PlanOptions = { budget: 'quick', seed: 7 };

const group: Suite['matrix'][number] = {
  pipelines: ['plaintext', 'double-ratchet'],
  implementations: ['native', 'noble'],
  workloads: ['chat', 'chat:sessions=4'],
  threads: [1, 2],
};

async function suiteOf(
  matrix: readonly Partial<Suite['matrix'][number]>[],
  change: Partial<Suite> = {},
): Promise<LoadedSuite> {
  const groups = matrix.map((one) => ({ ...group, ...one }));
  const texts = new Set(groups.flatMap(({ workloads }) => workloads));
  const workloads = new Map(
    await Promise.all([...texts].map(async (text) => [text, await loadWorkload(text)] as const)),
  );
  const suite = {
    name: 'x/mine',
    title: 't',
    question: 'q',
    analysis: [],
    matrix: groups,
    ...change,
  };
  return { suite, file: 'mine.json', digest: '', workloads };
}

void test('each group is crossed, and no group with another', async () => {
  const loaded = await suiteOf([
    { pipelines: ['plaintext'], workloads: ['chat'], threads: [1] },
    { implementations: ['native'], workloads: ['chat:sessions=4'], threads: [2] },
  ]);
  assert.deepEqual(
    planSuite(loaded, known, options).cells.map(({ name }) => name),
    [
      'mine/plaintext/native/chat/t1',
      'mine/plaintext/noble/chat/t1',
      'mine/plaintext/native/chat:sessions=4/t2',
      'mine/double-ratchet/native/chat:sessions=4/t2',
    ],
  );
});

void test('a cell that is written in several ways or groups is one cell', async () => {
  const loaded = await suiteOf([
    {
      pipelines: ['double-ratchet', 'double-ratchet:hop=tls', 'double-ratchet:skip=010'],
      implementations: ['native', 'native'],
      workloads: ['chat', 'chat:sessions=400'],
      threads: [1, 1],
    },
    {
      pipelines: ['double-ratchet'],
      implementations: ['native'],
      workloads: ['chat'],
      threads: [1],
    },
  ]);
  const { cells } = planSuite(loaded, known, options);
  assert.deepEqual(
    cells.map(({ name }) => name),
    ['mine/double-ratchet/native/chat/t1'],
  );
});

void test('a repeat is told everything: options filled in, workload, seed and warm-up', async () => {
  const loaded = await suiteOf(
    [
      {
        pipelines: ['double-ratchet:hop=none'],
        implementations: ['noble'],
        workloads: ['chat:sessions=4'],
        threads: [2],
      },
    ],
    { baseline: 'double-ratchet:skip=10,hop=none' },
  );
  const { order, baseline } = planSuite(loaded, known, { ...options, repeats: 2 });
  // The engine's own type: the shapes must not drift apart.
  const spec: RepeatSpec = order[1]!.spec;
  assert.equal(order[1]!.order, 1);
  assert.equal(baseline, 'double-ratchet:hop=none');
  assert.deepEqual(spec, {
    cell: 'mine/double-ratchet:hop=none/noble/chat:sessions=4/t2',
    pipeline: 'double-ratchet',
    options: { hop: 'none', skip: '10' },
    provider: 'noble',
    workload: (await loadWorkload('chat:sessions=4')).workload,
    threads: 2,
    seed: 7 * REPEATS_MAX + 1,
    repeat: 1,
    randomness: 'os',
    purpose: 'measure',
    warmupMs: 500,
  });
});

void test('every block holds every cell once, with one seed, in an order of its own', async () => {
  const loaded = await suiteOf([{}]);
  const counted = fc.record({
    seed: fc.nat(0xffff_ffff),
    repeats: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(counted, ({ seed, repeats }) => {
      const plan = planSuite(loaded, known, { ...options, seed, repeats });
      assert.deepEqual(planSuite(loaded, known, { ...options, seed, repeats }), plan);
      assert.equal(plan.order.length, plan.cells.length * repeats);
      const names = plan.cells.map(({ name }) => name).sort();
      for (let repeat = 0; repeat < repeats; repeat++) {
        const from = repeat * plan.cells.length;
        const block = plan.order.slice(from, from + plan.cells.length);
        assert.deepEqual(block.map(({ cell }) => cell.name).sort(), names);
        assert.deepEqual(
          block.map(({ order }) => order),
          names.map((_, index) => from + index),
        );
        for (const { spec } of block) {
          assert.deepEqual([spec.repeat, spec.seed], [repeat, repeatSeed(seed, repeat)]);
        }
      }
    }),
    { numRuns: 20 },
  );
  const { order, cells } = planSuite(loaded, known, { ...options, repeats: 2 });
  const first = order.slice(0, cells.length).map(({ cell }) => cell.name);
  const second = order.slice(cells.length).map(({ cell }) => cell.name);
  assert.notDeepEqual(first, second);
});

void test('no two repeats of any two runs share a seed', () => {
  const run = fc.nat(0xffff_ffff);
  const repeat = fc.nat(REPEATS_MAX - 1);
  fc.assert(
    fc.property(run, repeat, run, repeat, (runA, repeatA, runB, repeatB) => {
      const same = runA === runB && repeatA === repeatB;
      assert.equal(repeatSeed(runA, repeatA) === repeatSeed(runB, repeatB), same);
      assert.ok(Number.isSafeInteger(repeatSeed(runA, repeatA)));
    }),
  );
  assert.notEqual(repeatSeed(0, REPEATS_MAX - 1), repeatSeed(1, 0));
});

async function repeatsOf(change: Partial<Suite>, more: Partial<PlanOptions>): Promise<number> {
  const plan = planSuite(await suiteOf([{}], change), known, { ...options, ...more });
  return plan.order.length / plan.cells.length;
}

void test('budgets, suites and options decide in that order how often a cell is repeated', async () => {
  assert.equal(await repeatsOf({}, {}), 3);
  assert.equal(await repeatsOf({}, { budget: 'standard' }), 10);
  assert.equal(await repeatsOf({}, { budget: 'thorough' }), 40);
  assert.equal(await repeatsOf({ repeats: { quick: 5 } }, {}), 5);
  assert.equal(await repeatsOf({ repeats: { quick: 5 } }, { repeats: 8 }), 8);
  assert.equal(await repeatsOf({ purpose: 'verify' }, {}), 1);
});

void test('verification is seeded and not warmed up', async () => {
  const loaded = await suiteOf([{}]);
  const { spec } = planSuite(loaded, known, { ...options, purpose: 'verify' }).order[0]!;
  assert.deepEqual([spec.purpose, spec.randomness, spec.warmupMs], ['verify', 'seeded', 0]);
});

void test('threads can be set for all cells', async () => {
  const { cells } = planSuite(await suiteOf([{}]), known, { ...options, threads: 8 });
  assert.equal(cells.length, 8);
  assert.ok(cells.every(({ threads, name }) => threads === 8 && name.endsWith('/t8')));
});

void test('a filter is a regular expression over the full name', async () => {
  const loaded = await suiteOf([{}]);
  const plan = planSuite(loaded, known, { ...options, filter: '^mine/.*/noble/chat/t1$' });
  assert.deepEqual(
    plan.cells.map(({ name }) => name),
    ['mine/plaintext/noble/chat/t1', 'mine/double-ratchet/noble/chat/t1'],
  );
});

void test('a filter that matches nothing or is none is refused with names to choose from', async () => {
  const loaded = await suiteOf([{}]);
  assert.throws(() => planSuite(loaded, known, { ...options, filter: 'libsodium' }), {
    code: 'BAD_INPUT',
    message: /"libsodium" matches none of 16; .*\n {2}mine\/plaintext\/native\/chat\/t1\n/,
  });
  assert.throws(() => planSuite(loaded, known, { ...options, filter: '(' }), {
    code: 'BAD_INPUT',
    message: /expected a regular expression, found "\("/,
  });
});

void test('unknown pipelines, options and values are refused with their place in the file', async () => {
  const loaded = await suiteOf([
    {
      pipelines: [
        'double-ratched',
        'double-ratchet:hopp=none',
        'double-ratchet:hop=non',
        'double-ratchet:skip=100',
        'double-ratchet:skip=1.5',
        'plaintext:hop=none',
        'double-ratchet:constructor=1',
      ],
      implementations: ['nativ'],
      workloads: ['chat'],
    },
  ]);
  assert.throws(
    () => planSuite(loaded, known, options),
    (error: Error & { code?: unknown }) => {
      assert.equal(error.code, 'BAD_INPUT');
      for (const pattern of [
        /^mine\.json: 8 problems/,
        /matrix\[0\]\.pipelines\[0\]: unknown pipeline .*did you mean "double-ratchet"\?/,
        /pipelines\[1\]: unknown option "hopp" of double-ratchet; did you mean "hop"\?/,
        /pipelines\[2\]: option "hop".* expected one of tls, none, found "non"; .*"none"/,
        /pipelines\[3\]: option "skip".* expected an integer from 1 to 99, found "100"/,
        /pipelines\[4\]: .* found "1\.5"/,
        /pipelines\[5\]: unknown option "hop" of plaintext; there are none/,
        /pipelines\[6\]: unknown option "constructor"/,
        /implementations\[0\]: unknown implementation "nativ"; did you mean "native"\?/,
      ]) {
        assert.match(error.message, pattern);
      }
      return true;
    },
  );
});

void test('what a library computes is one cell, whoever computes the others', async () => {
  const loaded = await suiteOf([
    { pipelines: ['plaintext', 'ratchet.libx:hop=none'], workloads: ['chat'], threads: [1] },
    { pipelines: ['ratchet.libx:hop=none'], workloads: ['chat'], threads: [1] },
  ]);
  const { cells, order } = planSuite(loaded, known, options);
  assert.deepEqual(
    cells.map(({ name }) => name),
    [
      'mine/plaintext/native/chat/t1',
      'mine/plaintext/noble/chat/t1',
      'mine/ratchet.libx:hop=none/libx/chat/t1',
    ],
  );
  const foreign = order.find(({ cell }) => cell.implementation === 'libx')!.spec;
  assert.deepEqual([foreign.pipeline, foreign.provider], ['ratchet.libx', 'native']);
  assert.deepEqual(foreign.options, { hop: 'none' });
});

void test("a library's own name stands for it, and for no provider of ours", async () => {
  const named = await suiteOf([
    { pipelines: ['ratchet.libx', 'plaintext'], implementations: ['libx', 'noble'] },
  ]);
  const filter = '/chat/t1$';
  assert.deepEqual(
    planSuite(named, known, { ...options, filter }).cells.map(({ name }) => name),
    ['mine/ratchet.libx/libx/chat/t1', 'mine/plaintext/noble/chat/t1'],
  );
  const wrong = await suiteOf([{ pipelines: ['plaintext'], implementations: ['libx'] }]);
  assert.throws(() => planSuite(wrong, known, options), {
    code: 'BAD_INPUT',
    message: /implementations\[0\]: unknown implementation "libx"/,
  });
});

void test('a suite says whose CPU is read, and repeats are told when it is not usual', async () => {
  const specOf = async (change: Partial<Suite>): Promise<RepeatSpec> =>
    planSuite(await suiteOf([{ threads: [1] }], change), known, options).order[0]!.spec;
  assert.equal((await specOf({ cpu: 'process' })).cpu, 'process');
  for (const change of [{}, { cpu: 'thread' } as const]) {
    assert.ok(!Object.hasOwn(await specOf(change), 'cpu'));
  }
  const loaded = await suiteOf([{ threads: [1] }], { cpu: 'process' });
  assert.throws(() => planSuite(loaded, known, { ...options, threads: 2 }), {
    code: 'BAD_INPUT',
    message: /threads: expected 1, as x\/mine reads the CPU of the process, found 2/,
  });
});

void test('asynchronous calls are measured by the CPU of the process only', async () => {
  const matrix = [{ pipelines: ['plaintext', 'box.liby'], threads: [1] }];
  const loaded = await suiteOf(matrix);
  assert.throws(() => planSuite(loaded, known, options), {
    code: 'BAD_INPUT',
    message: /^mine\.json: box\.liby has asynchronous calls.*"cpu": "process"/,
  });
  // Untimed, or left out by a filter, it is no matter.
  assert.equal(planSuite(loaded, known, { ...options, purpose: 'verify' }).cells.length, 6);
  assert.equal(planSuite(loaded, known, { ...options, filter: 'plaintext' }).cells.length, 4);
  assert.equal(
    planSuite(await suiteOf(matrix, { cpu: 'process' }), known, options).cells.length,
    6,
  );
});

void test('two files of one name cannot share a cell', async () => {
  const loaded = await suiteOf([{ pipelines: ['./a/my.ts', './b/my.ts'] }]);
  assert.throws(() => planSuite(loaded, known, options), {
    code: 'BAD_INPUT',
    message: /two files of one name/,
  });
  const { cells, order } = planSuite(await suiteOf([{ pipelines: ['./a/my.ts'] }]), known, options);
  assert.equal(cells[0]!.name, 'mine/my.ts/native/chat/t1');
  assert.equal(order[0]!.spec.pipeline, './a/my.ts');
});

void test('numbers outside their bounds are refused', async () => {
  const loaded = await suiteOf([{}]);
  for (const bad of [
    { repeats: 0 },
    { repeats: 1_001 },
    { repeats: 1.5 },
    { threads: 0 },
    { threads: 1e9 },
    { seed: -1 },
    { seed: 2 ** 32 },
    { seed: Number.NaN },
  ]) {
    assert.throws(() => planSuite(loaded, known, { ...options, ...bad }), {
      code: 'BAD_INPUT',
      message: /expected an integer from/,
    });
  }
});
