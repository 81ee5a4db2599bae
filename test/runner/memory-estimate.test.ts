import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadByName } from '../../src/core/discover.ts';
import { PIPELINES_DIR } from '../../src/core/paths.ts';
import type { Options, Pipeline } from '../../src/pipelines/_pipeline.ts';
import { STORED_PER_END } from '../../src/pipelines/_skipped-store.ts';
import { runRepeat } from '../../src/runner/repeat.ts';
import { loadWorkload, optionsOf, specOf } from '../conformance/_parts.ts';
import { beyondMemory, bytesPerSession, requireMemory } from '../../src/runner/memory-estimate.ts';

const GIB = 2 ** 30;

function cell(
  sessions: number,
  messages: number,
  threads = 1,
  pipeline = 'usual',
): { cell: string; pipeline: string; options: Options; workload: Sizes; threads: number }[] {
  const workload = { sessions, messages, usersPerSession: 0.2, network: NETWORK };
  return [{ cell: 'a/b/c/d/t1', pipeline, options: {}, workload, threads }];
}

interface Sizes {
  readonly sessions: number;
  readonly messages: number;
  readonly usersPerSession: number;
  readonly network: typeof NETWORK;
}

const NETWORK = { loss: 0, reorder: 0, reorderDepth: 3, duplicate: 0, outage: 0 };
const ANY_ORDER = { skipLimit: Infinity };

const PIPELINES = new Map<string, Pick<Pipeline, 'memory' | 'skipLimit'>>([
  ['usual', ANY_ORDER],
  ['small', { ...ANY_ORDER, memory: { sessionBytes: 500, userBytes: 100 } }],
  [
    'library',
    {
      ...ANY_ORDER,
      memory: {
        sessionBytes: 20_000,
        userBytes: 0,
        addressed: { sessionBytes: 10_000, threadBytesMax: 2 ** 31 },
      },
    },
  ],
]);

function require(specs: Parameters<typeof requireMemory>[0], memoryBytes: number): void {
  requireMemory(specs, PIPELINES, memoryBytes);
}

function perSession(workload: Parameters<typeof bytesPerSession>[0], needing = ANY_ORDER): number {
  return bytesPerSession(workload, needing, {});
}

const ONE = { sessions: 1, messages: 3, usersPerSession: 0, network: NETWORK };

void test('what fits is not refused', () => {
  require(cell(500_000, 3), 4 * GIB);
  require(cell(400, 40, 2), GIB);
});

void test('what does not fit is refused with the number that would', () => {
  let fitting = 0;
  assert.throws(
    () => require(cell(10_000_000, 40), 8 * GIB),
    (error: Error & { code?: unknown }) => {
      assert.equal(error.code, 'BAD_INPUT');
      const said =
        /a\/b\/c\/d\/t1: .*of 8\.0 GiB a run may use 6\.4 GiB; about (\d+) sessions/.exec(
          error.message,
        );
      fitting = Number(said?.[1]);
      return true;
    },
  );
  assert.ok(fitting > 1_000_000);
  require(cell(fitting, 40), 8 * GIB);
  assert.throws(() => require(cell(fitting + 1000, 40), 8 * GIB));
});

void test('a window of a search counts', () => {
  const saturation = {
    p99Ms: 10,
    minPerSecond: 10,
    startPerSecond: 1_000,
    maxPerSecond: 1_000_000,
    windowSeconds: 50,
    resolution: 0.05,
  };
  const [searched] = cell(1_000, 3);
  assert.equal(beyondMemory({ ...searched!, saturation }, PIPELINES, 2 * GIB), undefined);
  assert.match(beyondMemory({ ...searched!, saturation }, PIPELINES, GIB)!, /about 0 sessions/);
});

void test('threads and messages count', () => {
  assert.throws(() => require(cell(1000, 40, 99), 8 * GIB));
  assert.throws(() => require(cell(100_000, 100_000), 8 * GIB));
});

void test('what a pipeline says of itself counts, and what a library can address', () => {
  require(cell(5_000_000, 3, 1, 'small'), 4 * GIB);
  assert.throws(() => require(cell(5_000_000, 3), 4 * GIB));
  const [library] = cell(400_000, 3, 1, 'library');
  assert.match(
    beyondMemory(library!, PIPELINES, 1000 * GIB)!,
    /its library can address 2\.0 GiB; about 21\d{4} sessions would fit/,
  );
  assert.equal(beyondMemory({ ...library!, threads: 2 }, PIPELINES, 1000 * GIB), undefined);
});

void test('sessions that differ count by their mean', () => {
  const activity = { distribution: 'zipf', exponent: 1, mostExtra: 100 } as const;
  const more = perSession({ ...ONE, activity }) - perSession(ONE);
  assert.ok(more > 2 * 13 && more < 4 * 13, `${more} B for 3.2 messages more`);
});

void test('a schedule counts', () => {
  const arrivals = { pattern: 'poisson', perSecond: 1 } as const;
  const more = perSession({ ...ONE, arrivals }) - perSession(ONE);
  assert.equal(more, ONE.messages * 16);
});

void test('keys of lost messages count where there are any, up to what the table keeps', () => {
  const ratchet = { skipLimit: 1_000 };
  const more = (network: Partial<typeof NETWORK>, messages: number, pipeline = ratchet): number => {
    const workload = { ...ONE, messages };
    const lossy = { ...workload, network: { ...NETWORK, ...network } };
    return perSession(lossy, pipeline) - perSession(workload, pipeline);
  };
  assert.equal(more({ loss: 0.5 }, 1_000, ANY_ORDER), 0);
  assert.ok(more({ loss: 0.01 }, 1_000) >= 10 * 72);
  assert.ok(more({ outage: 500 }, 1_000) >= 500 * 72);
  assert.equal(more({ outage: 100_000 }, 10), more({ outage: 10 }, 10));
  // Both ends are full.
  const full = more({ loss: 0.5 }, 4 * STORED_PER_END);
  assert.equal(full, more({ loss: 0.5 }, 100_000));
  assert.ok(full > more({ loss: 0.49 }, 4 * STORED_PER_END));
});

/**
 * What worlds of `name` keep of a session, its users included, between two populations. The estimate
 * has what the engine keeps as well.
 */
async function retainedPerSession(
  name: string,
  some: Options,
): Promise<{ found: number; estimated: number }> {
  const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline');
  const options = optionsOf(pipeline, some);
  const populations = [2_000, 10_000] as const;
  const bytes: number[] = [];
  for (const sessions of populations) {
    const spec = specOf({
      pipeline: name,
      provider: 'null',
      options,
      workload: await loadWorkload('chat', { sessions, messages: 2 }),
      purpose: 'measure',
      randomness: 'os',
    });
    const { status, reason, shards } = await runRepeat(spec, new AbortController().signal);
    assert.deepEqual([status, reason], ['ok', undefined]);
    const { before, after } = shards[0]!.memory;
    const heapBytes = after.heapUsedBytes - before.heapUsedBytes;
    bytes.push(heapBytes + after.externalBytes - before.externalBytes);
  }
  const workload = await loadWorkload('chat', { sessions: 1, messages: 2 });
  return {
    found: (bytes[1]! - bytes[0]!) / (populations[1] - populations[0]),
    estimated: bytesPerSession(workload, pipeline, options),
  };
}

/** What is dearest of a pipeline is not in each of its cells. */
const FAR = 2.5;

const SCALE = { hop: 'none', rest: 'none' };
const RECORDS = { persist: 'record' };

for (const [name, options] of [
  ['at-rest-scoped', {}],
  ['double-ratchet', RECORDS],
  ['double-ratchet', SCALE],
  ['escrow-message-key', RECORDS],
  ['escrow-message-key', SCALE],
  ['escrow-message-key', { ...SCALE, ratchet: 'pqxdh-ratchet' }],
  ['pq-rekey', RECORDS],
] as const) {
  const what = [name, ...Object.values(options)].join(' ');
  void test(`the estimate of ${what} is no less than what a session keeps, and not far from it`, async () => {
    const { found, estimated } = await retainedPerSession(name, options);
    assert.ok(estimated >= found, `${estimated} B are estimated, ${found} B kept`);
    assert.ok(estimated < found * FAR, `${estimated} B are estimated, ${found} B kept`);
  });
}
