/** Suites of single operations: what is refused, and what is planned. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { listNames, loadByName } from '../../src/core/discover.ts';
import { OPERATIONS_DIR } from '../../src/core/paths.ts';
import type { Operation } from '../../src/primitives/operation.ts';
import type { OperationSpec } from '../../src/primitives/spec.ts';
import {
  isOfOperations,
  loadAnySuite,
  parseOperations,
  type LoadedOperations,
} from '../../src/suite/operations.ts';
import {
  planOperations,
  type OperationInfo,
  type OperationPlan,
} from '../../src/suite/plan-operations.ts';
import type { PlanOptions } from '../../src/suite/plan.ts';
import { REPEATS_MAX } from '../../src/suite/suite.ts';

const folder = await mkdtemp(join(tmpdir(), 'sealbench-operations-'));
after(() => rm(folder, { recursive: true }));

const known = {
  primitives: ['sha256', 'x25519', 'hkdf-sha256'],
  implementations: ['node', 'noble', 'webcrypto'],
  tools: ['mitata'],
};
const lengths = new Map<string, OperationInfo>([
  ['sha256', { length: {} }],
  ['x25519', { length: { fixedBytes: 32 } }],
  ['hkdf-sha256', { length: { bytesMax: 100 } }],
]);
const options: PlanOptions = { budget: 'quick', seed: 7 };
const group = { primitives: ['sha256'], implementations: ['node', 'noble'], bytes: [16, 64] };
const good = {
  kind: 'primitives',
  name: 'x/mine',
  title: 'A title',
  question: 'A question?',
  analysis: [],
  matrix: [group],
};

async function parse(changes: Record<string, unknown> = {}): Promise<LoadedOperations> {
  return parseOperations({ ...good, ...changes }, 'mine.json', {}, known);
}

async function plan(
  matrix: readonly Record<string, unknown>[],
  more: Partial<PlanOptions> = {},
  changes: Record<string, unknown> = {},
): Promise<OperationPlan> {
  const loaded = await parse({ matrix, ...changes });
  return planOperations(loaded, lengths, { ...options, ...more });
}

test('the committed suites of operations load and can be planned', async () => {
  const operations = new Map<string, Operation>();
  for (const name of await listNames(OPERATIONS_DIR)) {
    operations.set(name, await loadByName<Operation>(OPERATIONS_DIR, name, 'primitive'));
  }
  for (const name of ['curated/primitives', 'curated/cross-checks']) {
    const loaded = await loadAnySuite(name);
    assert.ok(isOfOperations(loaded));
    assert.equal(loaded.suite.name, name);
    assert.ok(planOperations(loaded, operations, options).cells.length > 10);
  }
});

test('the curated primitives have every operation', async () => {
  const loaded = await loadAnySuite('curated/primitives');
  assert.ok(isOfOperations(loaded));
  const named = new Set(loaded.suite.matrix.flatMap(({ primitives }) => primitives));
  assert.deepEqual([...named].sort(), await listNames(OPERATIONS_DIR));
});

test('a suite of messages is still one', async () => {
  const loaded = await loadAnySuite('curated/ladder');
  assert.equal(isOfOperations(loaded), false);
});

test('everything in a group is crossed, and a primitive of one length has that', async () => {
  const { cells } = await plan([group, { primitives: ['x25519'], implementations: ['webcrypto'] }]);
  assert.deepEqual(
    cells.map(({ name }) => name),
    [
      'mine/sha256/node/16B/t1',
      'mine/sha256/noble/16B/t1',
      'mine/sha256/node/64B/t1',
      'mine/sha256/noble/64B/t1',
      'mine/x25519/webcrypto/32B/t1',
    ],
  );
});

test('a cross-check has a cell for each tool', async () => {
  const matrix = [{ primitives: ['x25519'], implementations: ['node'], against: ['mitata'] }];
  const { cells, order } = await plan(matrix, {}, { kind: 'cross-checks' });
  assert.deepEqual(
    cells.map(({ name, workload }) => [name, workload]),
    [['mine/x25519/node/32B:against=mitata/t1', '32B:against=mitata']],
  );
  assert.equal(order[0]!.spec.against, 'mitata');
});

test('a repeat is told everything, in the shape that its process takes', async () => {
  const { order } = await plan([{ ...group, implementations: ['noble'], bytes: [64] }]);
  const spec: OperationSpec = order[1]!.spec;
  assert.deepEqual(spec, {
    kind: 'operation',
    cell: 'mine/sha256/noble/64B/t1',
    primitive: 'sha256',
    provider: 'noble',
    bytes: 64,
    seed: 7 * REPEATS_MAX + 1,
    repeat: 1,
    purpose: 'measure',
    warmupMs: 100,
    timedMs: 120,
  });
});

test('every block holds every cell once, in an order of its own', async () => {
  const { cells, order } = await plan([{ ...group, bytes: [1, 2, 3, 4, 5, 6] }], { repeats: 4 });
  const blocks = [0, 1, 2, 3].map((block) =>
    order.slice(block * cells.length, (block + 1) * cells.length).map(({ cell }) => cell.name),
  );
  const all = cells.map(({ name }) => name).sort();
  for (const block of blocks) assert.deepEqual([...block].sort(), all);
  assert.equal(new Set(blocks.map(String)).size, 4);
});

test('filters, repeats and times are those of the command line, the suite or the budget', async () => {
  const filtered = await plan([group], { filter: 'noble/16B' });
  assert.equal(filtered.cells.length, 1);
  const repeats = { quick: 2 };
  const own = await plan([group], {}, { repeats, warmupMs: 3, timedMs: 4 });
  assert.equal(own.order.length, 2 * 4);
  assert.deepEqual([own.order[0]!.spec.warmupMs, own.order[0]!.spec.timedMs], [3, 4]);
  assert.equal((await plan([group], { repeats: 5 })).order.length, 5 * 4);
  assert.equal((await plan([group], { budget: 'standard' })).order.length, 10 * 4);
});

const BAD: readonly [what: string, changes: Record<string, unknown>, message: RegExp][] = [
  [
    'an unknown primitive',
    { matrix: [{ ...group, primitives: ['sha265'] }] },
    /primitives\[0\]: unknown primitive "sha265".*sha256/,
  ],
  [
    'an unknown implementation',
    { matrix: [{ ...group, implementations: ['nobl'] }] },
    /implementations\[0\]: unknown implementation "nobl".*"noble"/,
  ],
  [
    'an unknown tool',
    { kind: 'cross-checks', matrix: [{ ...group, against: ['mitat'] }] },
    /against\[0\]: unknown tool "mitat".*mitata/,
  ],
  [
    'a cross-check of nothing',
    { kind: 'cross-checks' },
    /expected "against" with mitata, found none/,
  ],
  [
    'a tool where there is no cross-check',
    { matrix: [{ ...group, against: ['mitata'] }] },
    /against: expected only in a suite of the kind "cross-checks"/,
  ],
  ['a pipeline', { matrix: [{ ...group, pipelines: ['plaintext'] }] }, /pipelines/],
  ['a length of nothing', { matrix: [{ ...group, bytes: [0] }] }, /bytes/],
];
for (const [what, changes, message] of BAD) {
  test(`a suite with ${what} is refused`, async () => {
    await assert.rejects(parse(changes), { code: 'BAD_INPUT', message });
  });
}

test('lengths that a primitive cannot have are refused', async () => {
  for (const [matrix, message] of [
    [[{ ...group, primitives: ['x25519'] }], /x25519 has one length only/],
    [[{ ...group, bytes: undefined }], /sha256 has any length; expected "bytes"/],
    [
      [{ ...group, primitives: ['hkdf-sha256'], bytes: [100, 101] }],
      /at most 100 bytes, found 101/,
    ],
  ] as const) {
    await assert.rejects(plan(matrix), { code: 'BAD_INPUT', message });
  }
});

test('threads, filters that match nothing, pipelines and workloads are refused', async () => {
  await assert.rejects(plan([group], { threads: 2 }), { message: /one thread, found 2/ });
  await assert.rejects(plan([group], { filter: 'sodium' }), { message: /matches none of 4/ });
  for (const instead of [{ pipelines: ['plaintext'] }, { workloads: ['chat'] }]) {
    await assert.rejects(parseOperations(good, 'mine.json', instead, known), {
      code: 'BAD_INPUT',
      message: /have no pipelines and no workloads; choose among its cells by --filter/,
    });
  }
});

test('a provider of the command line stands in for those of the suite, and counts as its own', async () => {
  const suite = await parse();
  const instead = await parseOperations(
    good,
    'mine.json',
    { implementations: ['webcrypto'] },
    known,
  );
  assert.deepEqual(instead.suite.matrix[0]!.implementations, ['webcrypto']);
  assert.notEqual(instead.digest, suite.digest);
  await assert.rejects(parseOperations(good, 'mine.json', { implementations: ['nobel'] }, known), {
    code: 'BAD_INPUT',
    message: /^--provider.*unknown implementation "nobel"/,
  });
});

test("a file of the user's of either kind is found by its path", async () => {
  const file = join(folder, 'mine.json');
  await writeFile(file, JSON.stringify({ ...good, name: 'mine' }));
  const loaded = await loadAnySuite(file);
  assert.ok(isOfOperations(loaded));
  assert.match(loaded.digest, /^[0-9a-f]{64}$/);
  await writeFile(file, JSON.stringify({ ...good, name: 'mine', kind: 'primitive' }));
  await assert.rejects(loadAnySuite(file), { code: 'BAD_INPUT', message: /kind/ });
});
