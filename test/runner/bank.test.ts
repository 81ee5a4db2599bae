/** The bank with processes that are made up: no time is measured here. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile, appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { judgeBank } from '../../src/cli/bank-verdicts.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { RepeatSpec } from '../../src/engine/spec.ts';
import { readEnvironment } from '../../src/results/environment.ts';
import { figuresOf, type FigureName, type ProcessFigures } from '../../src/runner/bank-figures.ts';
import {
  appendBlock,
  createBank,
  openBank,
  requireSameBank,
  type BankManifest,
} from '../../src/runner/bank-store.ts';
import { armsOf, calibrate, type BankBlock } from '../../src/runner/bank-arms.ts';
import { fillBlocks, type Arm, type FillOptions } from '../../src/runner/blocks.ts';
import { pinnableCores } from '../../src/core/cores.ts';
import type { RepeatReport, RunRepeat } from '../../src/runner/repeat-report.ts';
import { shard, type BlockFixture } from '../report/fixtures.ts';

type BankOptions = FillOptions<ProcessFigures>;

const SPEC = { cell: 'made up', seed: 0, repeat: 0, threads: 1 } as RepeatSpec;
const ARMS: readonly Arm[] = ['A', "A'"].map((name) => ({ name, spec: SPEC }));

/** A process of 40 blocks of 10 messages, whose CPU per message is 100, 101, ... of these ns. */
function reportOf(unitNs: number): RepeatReport {
  const blocks = Array.from({ length: 40 }, (_, at): BlockFixture => {
    const costNs = unitNs * (100 + at) * 10;
    return {
      messages: 10,
      cpu: { send: [10, costNs / 4], receive: [10, costNs * 0.75] },
    };
  });
  return { status: 'ok', shards: [shard(blocks)] };
}

function fillOptions(changes: Partial<BankOptions> = {}): BankOptions {
  return {
    arms: ARMS,
    blocks: 3,
    seed: 7,
    signal: new AbortController().signal,
    runRepeat: () => Promise.resolve(reportOf(1)),
    read: figuresOf,
    onBlock: () => {},
    ...changes,
  };
}

async function filled(changes: Partial<BankOptions> = {}): Promise<BankBlock[]> {
  const blocks: BankBlock[] = [];
  await fillBlocks(fillOptions({ onBlock: (block) => blocks.push(block), ...changes }));
  return blocks;
}

/** Blocks in which A' is `ratios` times A. */
function blocksOf(ratios: readonly number[]): BankBlock[] {
  return ratios.map((ratio, block) => ({
    block,
    processes: [
      { arm: "A'", cpuNs: cpuOf(50 * ratio) },
      { arm: 'A', cpuNs: cpuOf(50) },
    ],
  }));
}

function cpuOf(ns: number): Record<FigureName, number> {
  return { mean: ns, median: 1, 'lower-quartile': 1 };
}

/** What is said of A'. */
function bankOf(
  blocks: readonly BankBlock[],
  blocksPerComparison: number,
  floor = 0.01,
): ReturnType<typeof judgeBank>[number] {
  const comparisons = Math.floor(blocks.length / blocksPerComparison);
  const shape = { arms: ARMS, comparisons, blocksPerComparison, floor };
  return judgeBank(shape, blocks, 'mean')[0]!;
}

/** Of one comparison: on which side of the floor its interval lies. */
function judged(ratios: readonly number[], floor = 0.01): readonly string[] {
  return bankOf(blocksOf(ratios), ratios.length, floor).comparisons.map(({ verdict }) => verdict);
}

/** Their interval is 0.13 % to either side. */
function around(centre: number): number[] {
  return [0.999, 1, 1.001, 1].map((by) => centre * by);
}

test('the figures of a process are those of its steady blocks that were read by CPU', () => {
  const { shards } = reportOf(1);
  const others: BlockFixture[] = [
    { phase: 'open', messages: 1, cpu: { initiate: [1, 9e9] } },
    { messageIndex: 0, messages: 10, cpu: { accept: [1, 9e9] } },
    { mode: 'latency', messages: 10 },
  ];
  const noise = shard(others);
  const figures = figuresOf({ status: 'ok', shards: [...shards, noise] });
  assert.deepEqual(figures?.cpuNs, { mean: 119.5, median: 119.5, 'lower-quartile': 109.75 });
});

test('a process of too few blocks has no figures, and is no block of a bank', async () => {
  const few: RepeatReport = {
    status: 'ok',
    shards: [shard([{ messages: 1, cpu: { send: [1, 5] } }])],
  };
  assert.equal(figuresOf(few), undefined);
  await assert.rejects(filled({ runRepeat: () => Promise.resolve(few) }), {
    name: 'HarnessError',
    message: /block 0, arm A'?: it has too few blocks/,
  });
});

test('a process that fails ends the bank with its reason, and what was finished is kept', async () => {
  let runs = 0;
  const blocks: BankBlock[] = [];
  const runRepeat = (): Promise<RepeatReport> => {
    runs += 1;
    if (runs < 3) return Promise.resolve(reportOf(1));
    return Promise.resolve({ status: 'error', reason: 'out of memory', shards: [] });
  };
  await assert.rejects(
    fillBlocks(fillOptions({ runRepeat, onBlock: (block) => blocks.push(block) })),
    /block 1, arm A'?: out of memory/,
  );
  assert.equal(blocks.length, 1);
});

test('a block has a process of each arm on the same input, in an order that varies', async () => {
  const asked: RepeatSpec[] = [];
  const blocks = await filled({
    blocks: 40,
    runRepeat: (spec) => {
      asked.push(spec);
      return Promise.resolve(reportOf(1));
    },
  });
  const orders = blocks.map(({ processes }) => processes.map(({ arm }) => arm).join());
  const first = orders.filter((order) => order === "A,A'").length;
  assert.ok(first > 8 && first < 32, `${first} of 40 begin with A`);
  assert.equal(orders.filter((order) => order === "A',A").length, 40 - first);
  for (let block = 0; block < 40; block++) {
    const pair = asked.slice(2 * block, 2 * block + 2);
    for (const { seed, repeat } of pair) assert.deepEqual([seed, repeat], [7 + block, block]);
  }
  // The same seed gives the same orders.
  const again = await filled({ blocks: 40 });
  assert.deepEqual(
    again.map(({ processes }) => processes.map(({ arm }) => arm).join()),
    orders,
  );
});

test('processes of a block run side by side on one core, and one after the other when alone', async () => {
  for (const [alone, most] of [
    [false, ARMS.length],
    [true, 1],
  ] as const) {
    let running = 0;
    let atOnce = 0;
    const cores = new Map<number, Set<number | undefined>>();
    await filled({
      blocks: 1,
      alone,
      runRepeat: async ({ repeat }, _signal, { core } = {}) => {
        running += 1;
        atOnce = Math.max(atOnce, running);
        cores.set(repeat, (cores.get(repeat) ?? new Set()).add(core));
        await setImmediate();
        running -= 1;
        return reportOf(1);
      },
    });
    assert.equal(atOnce, most);
    for (const ofBlock of cores.values()) assert.equal(ofBlock.size, 1);
    const isPinned = !alone && pinnableCores().length > 0;
    assert.equal(cores.get(0)!.has(undefined), !isPinned);
  }
});

test('processes of a block begin what they measure together, whoever ended before', async () => {
  const events: string[] = [];
  await filled({
    blocks: 1,
    arms: ['A', "A'", 'A+3%'].map((name) => ({ name, spec: { ...SPEC, cell: name } })),
    runRepeat: async ({ cell, gate }) => {
      const [folder, name] = [gate!, cell.replace('+', '')];
      // One never comes to the gate, as one that fails does.
      if (cell === 'A+3%') {
        events.push('ended');
        return reportOf(1);
      }
      if (cell === "A'") await sleep(20);
      events.push('ready');
      await writeFile(join(folder, name), '');
      while (!existsSync(join(folder, 'go'))) await sleep(1);
      events.push('go');
      return reportOf(1);
    },
  });
  assert.deepEqual(events.toSorted(), ['ended', 'go', 'go', 'ready', 'ready']);
  assert.deepEqual(events.slice(-2), ['go', 'go']);
});

test('without a gate that all versions know none waits', async () => {
  await filled({
    meets: false,
    runRepeat: ({ gate }) => {
      assert.equal(gate, undefined);
      return Promise.resolve(reportOf(1));
    },
  });
});

test('cells of several threads are not kept on one core', async () => {
  const arms = ARMS.map((arm) => ({ ...arm, spec: { ...SPEC, threads: 2 } }));
  await filled({
    arms,
    runRepeat: (_spec, _signal, { core } = {}) => {
      assert.equal(core, undefined);
      return Promise.resolve(reportOf(1));
    },
  });
});

test('where all arms fail the base is named, and whoever ran beside has ended', async () => {
  let ended = 0;
  const runRepeat: RunRepeat = async ({ repeat }) => {
    await setImmediate();
    ended += 1;
    return { status: 'error', reason: `no ${repeat}`, shards: [] };
  };
  for (let seed = 0; seed < 8; seed++) {
    ended = 0;
    await assert.rejects(filled({ seed, blocks: 1, runRepeat }), /block 0, arm A: no 0/);
    assert.equal(ended, ARMS.length);
  }
});

test('what is done is not done again', async () => {
  const blocks = await filled({ done: new Set([0, 2]), blocks: 4 });
  assert.deepEqual(
    blocks.map(({ block }) => block),
    [1, 3],
  );
});

test('an interrupted block is dropped', async () => {
  const controller = new AbortController();
  const blocks = await filled({
    signal: controller.signal,
    runRepeat: ({ repeat }) => {
      if (repeat === 2) controller.abort();
      // As a killed child reports.
      const killed: RepeatReport = { status: 'error', reason: 'killed', shards: [] };
      return Promise.resolve(repeat === 2 ? killed : reportOf(1));
    },
  });
  assert.ok(blocks.length > 0);
  assert.ok(blocks.every(({ block }) => block < 2));
});

test('an interval counts as beyond only when all of it lies beyond the floor', () => {
  assert.deepEqual(judged(around(1)), ['unchanged']);
  assert.deepEqual(judged(around(1.012)), ['regressed']);
  assert.deepEqual(judged(around(1.011)), ['undecided']);
  assert.deepEqual(judged(around(1 / 1.012)), ['improved']);
  assert.deepEqual(judged(around(1.012), 0.02), ['unchanged']);
});

test('comparisons are disjoint, and one that is not complete is not judged', () => {
  const ratios = [1, 1.001, 2, 2.001, 3];
  const result = bankOf(blocksOf(ratios), 2);
  assert.deepEqual(
    result.comparisons.map(({ ratio }) => Math.round(ratio)),
    [1, 2],
  );
  assert.equal(result.called, 1);
  assert.deepEqual(
    [result.calledShare!.low, result.calledShare!.high].map((share) => share.toFixed(4)),
    ['0.0126', '0.9874'],
  );
  // Two cores end them in another order.
  const shuffled = bankOf(blocksOf(ratios).toReversed(), 2);
  assert.deepEqual(shuffled.comparisons, result.comparisons);
});

/** Blocks of all four arms; A' and the slow ones deviate from what they should be by turns. */
function fourArmed(blocks: number, deviation: number, copyDeviation: number): BankBlock[] {
  return Array.from({ length: blocks }, (_, block): BankBlock => {
    const sign = block % 2 === 0 ? 1 : -1;
    const costs = {
      A: 100,
      "A'": 100 * (1 + sign * copyDeviation),
      'A+3%': 103 * (1 + sign * deviation),
      'A+5%': 105 * (1 + sign * deviation),
    };
    const processes = Object.entries(costs).map(([arm, ns]) => ({
      arm,
      cpuNs: cpuOf(ns),
    }));
    return { block, processes };
  });
}

test('planted slowdowns are caught, unless the copies differ by as much', async () => {
  const shape = {
    arms: await armsOf({ added: 0.3 }),
    comparisons: 2,
    blocksPerComparison: 10,
    floor: 0.01,
  };
  const calm = judgeBank(shape, fourArmed(20, 0.002, 0.002), 'mean');
  assert.deepEqual(
    calm.map(({ arm, called, calledByDeclaredFloor }) => [arm, called, calledByDeclaredFloor]),
    [
      ["A'", 0, 0],
      ['A+3%', 2, 2],
      ['A+5%', 2, 2],
    ],
  );
  assert.ok(Math.abs(calm[2]!.measured!.share - 0.05) < 1e-4);
  const restless = judgeBank(shape, fourArmed(20, 0.002, 0.05), 'mean');
  assert.deepEqual(
    restless.map(({ arm, called, calledByDeclaredFloor }) => [arm, called, calledByDeclaredFloor]),
    [
      ["A'", 0, 0],
      ['A+3%', 0, 2],
      ['A+5%', 2, 2],
    ],
  );
});

test('with no difference and normal noise about 5 in 100 intervals lie beyond no floor', () => {
  const random = new SeededRandom(3);
  const ratios = Array.from({ length: 20 * 1_000 }, () => Math.exp(0.05 * random.normal()));
  const none = bankOf(blocksOf(ratios), 20, 0);
  assert.ok(none.called > 30 && none.called < 70, `${none.called} of 1,000`);
  const floored = bankOf(blocksOf(ratios), 20);
  assert.ok(floored.called < none.called, `${floored.called} of 1,000`);
});

test('all arms go through the wrapper, and differ in nothing but the extra calls', async () => {
  const arms = await armsOf({ added: 0.25 });
  assert.deepEqual(
    arms.map(({ name, spec }) => [name, spec.extraCalls]),
    [
      ['A', 0],
      ["A'", 0],
      ['A+3%', 0.12],
      ['A+5%', 0.2],
    ],
  );
  const [first, ...others] = arms.map(({ spec }) => ({ ...spec, extraCalls: 0 }));
  for (const other of others) assert.deepEqual(other, first);
  assert.deepEqual([first!.purpose, first!.randomness], ['measure', 'os']);
});

function costing(share: number): RunRepeat {
  return ({ extraCalls = 0 }) => Promise.resolve(reportOf(1 + share * extraCalls));
}

test('what an extra call costs is measured, and a machine that cannot tell is refused', async () => {
  const { seed, signal } = fillOptions();
  const options = { seed, signal };
  const found = await calibrate('mean', { ...options, runRepeat: costing(0.3) });
  assert.ok(found !== undefined);
  assert.equal(found.blocks, 40);
  for (const share of [found.added, found.low, found.high]) {
    assert.ok(Math.abs(share - 0.3) < 1e-9, String(share));
  }
  await assert.rejects(
    calibrate('mean', { ...options, runRepeat: costing(0) }),
    /this machine is too noisy to tell/,
  );
});

async function manifestOf(changes: Partial<BankManifest> = {}): Promise<BankManifest> {
  return {
    format: 3,
    calibration: { extraCalls: 2, blocks: 20, added: 0.3, low: 0.29, high: 0.31 },
    figure: 'mean',
    floor: 0.01,
    comparisons: 40,
    blocksPerComparison: 20,
    seed: 1,
    arms: ARMS.map(({ name, spec }) => ({ name, spec: { ...spec } })),
    codeDigest: 'c0de',
    git: null,
    environment: await readEnvironment(),
    startedAt: '2026-11-02T12:00:00.000Z',
    argv: ['bank'],
    ...changes,
  };
}

async function emptyFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sealbench-bank-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('a bank is read back as it was written, without a torn last line', async (t) => {
  const folder = await emptyFolder(t);
  const manifest = await manifestOf();
  const { directory } = createBank(folder, manifest);
  const blocks = blocksOf([1, 1.5]);
  for (const block of blocks) appendBlock(directory, block);
  const file = join(folder, 'blocks.ndjson');
  const whole = await readFile(file, 'utf8');
  await appendFile(file, '{"block":2,"pro');
  const opened = await openBank(folder);
  assert.deepEqual(opened.manifest, manifest);
  assert.deepEqual(opened.blocks, blocks);
  // So that what follows stands on a line of its own.
  assert.equal(await readFile(file, 'utf8'), whole);
});

test('a folder in use, one that holds no bank and a damaged bank are refused', async (t) => {
  const folder = await emptyFolder(t);
  await assert.rejects(openBank(folder), { name: 'HarnessError', code: 'BAD_INPUT' });
  createBank(folder, await manifestOf());
  const again = await manifestOf();
  assert.throws(() => createBank(folder, again), /expected a new or empty folder/);
  await writeFile(join(folder, 'blocks.ndjson'), '{"block":-1}\n');
  await assert.rejects(openBank(folder), /blocks\.ndjson:1: .*problems[^]*block/);
});

test('a bank goes on only with the same work, code and machine', async () => {
  const before = await manifestOf();
  const same = await manifestOf({
    startedAt: '2026-11-03T12:00:00.000Z',
    argv: ['bank', '--resume', 'there'],
    environment: { ...before.environment, memoryBytes: 1 },
  });
  requireSameBank('there', before, same);
  const others: [Partial<BankManifest>, RegExp][] = [
    [{ seed: 2 }, /but seed of bank\.json changed/],
    [{ codeDigest: 'other', comparisons: 2 }, /but comparisons, codeDigest of/],
    [{ arms: [] }, /but arms of/],
    [{ environment: { ...before.environment, node: '1.0.0' } }, /but environment of/],
  ];
  for (const [changes, message] of others) {
    assert.throws(() => requireSameBank('there', before, { ...before, ...changes }), message);
  }
});
