/** The bank with processes that are made up: no time is measured here. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile, appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { SeededRandom } from '../../src/core/random.ts';
import type { RepeatSpec } from '../../src/engine/spec.ts';
import { readEnvironment } from '../../src/results/environment.ts';
import { figuresOf, type FigureName } from '../../src/runner/bank-figures.ts';
import {
  appendBlock,
  createBank,
  openBank,
  requireSameBank,
  type BankManifest,
} from '../../src/runner/bank-store.ts';
import {
  armsOfSame,
  ATTEMPTS_MAX,
  fillBank,
  judgeBank,
  type Arm,
  type BankBlock,
  type FillOptions,
} from '../../src/runner/bank.ts';
import type { RepeatReport } from '../../src/runner/repeat-report.ts';
import { shard, type BlockFixture } from '../report/fixtures.ts';

const SPEC = { cell: 'made up', seed: 0, repeat: 0 } as RepeatSpec;
const KERNEL = { tenth: 100, quarter: 101 };
const ARMS: readonly Arm[] = ['A', "A'"].map((name) => ({ name, spec: SPEC }));

/**
 * A process of 40 blocks of 10 messages, whose CPU per message is 100, 101, ... of these ns.
 *
 * @param kernelNs In the first 8 of the blocks, and in the rest.
 */
function reportOf(unitNs: number, kernelNs: readonly [number, number] = [100, 100]): RepeatReport {
  const blocks = Array.from({ length: 40 }, (_, at): BlockFixture => {
    const costNs = unitNs * (100 + at) * 10;
    const kernelCpuNs = kernelNs[at < 8 ? 0 : 1];
    return {
      messages: 10,
      kernelCpuNs,
      cpu: { send: [10, costNs / 4], receive: [10, costNs * 0.75] },
    };
  });
  return { status: 'ok', shards: [shard(blocks)] };
}

function fillOptions(changes: Partial<FillOptions> = {}): FillOptions {
  let nowMs = 0;
  return {
    arms: ARMS,
    blocks: 3,
    seed: 7,
    done: [],
    signal: new AbortController().signal,
    runRepeat: () => Promise.resolve(reportOf(1)),
    now: () => (nowMs += 10),
    onBlock: () => {},
    ...changes,
  };
}

async function filled(changes: Partial<FillOptions> = {}): Promise<BankBlock[]> {
  const blocks: BankBlock[] = [];
  await fillBank(fillOptions({ onBlock: (block) => blocks.push(block), ...changes }));
  return blocks;
}

/** Blocks in which A' is `ratios` times A. */
function blocksOf(ratios: readonly number[], kept = true): BankBlock[] {
  return ratios.map((ratio, block) => ({
    block,
    attempt: 0,
    disturbed: false,
    kept,
    processes: [
      { arm: "A'", wallMs: 1, kernelNs: KERNEL, cpuNs: cpuOf(50 * ratio) },
      { arm: 'A', wallMs: 1, kernelNs: KERNEL, cpuNs: cpuOf(50) },
    ],
  }));
}

function cpuOf(ns: number): Record<FigureName, number> {
  return { 'lower-quartile': ns, median: 1, mean: 1 };
}

/** Of one comparison: on which side of the floor its interval lies. */
function judged(ratios: readonly number[], floor = 0.01): readonly string[] {
  const names = ['A', "A'"];
  const [result] = judgeBank(blocksOf(ratios), names, ratios.length, floor, 'lower-quartile');
  return result!.comparisons.map(({ beyond }) => beyond);
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
  assert.deepEqual(figures?.cpuNs, { 'lower-quartile': 109.75, median: 119.5, mean: 119.5 });
});

test('a neighbour on some blocks moves the lower quartile least', () => {
  const { shards } = reportOf(1);
  const { blocks, stages } = shards[0]!;
  for (const { cpu } of stages) {
    for (const [entry, block] of cpu.block.entries()) {
      if (block >= 24) cpu.cpuNs[entry]! *= 2;
    }
  }
  assert.equal(blocks.mode.length, 40);
  assert.equal(figuresOf({ status: 'ok', shards })?.cpuNs['lower-quartile'], 109.75);
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
    fillBank(fillOptions({ runRepeat, onBlock: (block) => blocks.push(block) })),
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

test('a pair is run again when the kernel differs between its processes', async () => {
  const kernels = [200, 205, 200, 207, 100, 102];
  const blocks = await filled({
    blocks: 2,
    runRepeat: () => {
      const kernelNs = kernels.shift() ?? 100;
      return Promise.resolve(reportOf(1, [kernelNs, kernelNs]));
    },
  });
  assert.deepEqual(
    blocks.map(({ block, attempt, disturbed, kept }) => [block, attempt, disturbed, kept]),
    [
      [0, 0, false, true],
      [1, 0, true, false],
      [1, 1, false, true],
    ],
  );
});

test('a pair is given up at the first process that a neighbour slowed for most of its time', async () => {
  const reports = [reportOf(1, [100, 103]), reportOf(1, [100, 101.9]), reportOf(1, [104, 104])];
  const blocks = await filled({
    blocks: 1,
    runRepeat: () => Promise.resolve(reports.shift() ?? reportOf(1, [102, 102])),
  });
  assert.deepEqual(
    blocks.map(({ kept, disturbed, processes }) => [kept, disturbed, processes.length]),
    [
      [false, true, 1],
      [false, true, 2],
      [true, false, 2],
    ],
  );
});

test('on a restless machine the last attempt counts as it is, with a process of each arm', async () => {
  const blocks = await filled({
    blocks: 1,
    runRepeat: () => Promise.resolve(reportOf(1, [100, 300])),
  });
  assert.deepEqual(
    blocks.map(({ disturbed, kept, processes }) => [disturbed, kept, processes.length]),
    Array.from({ length: ATTEMPTS_MAX }, (_, at) =>
      at < ATTEMPTS_MAX - 1 ? [true, false, 1] : [true, true, 2],
    ),
  );
});

test('what is done is not done again, and an attempt counts on', async () => {
  const [kept, other] = blocksOf([1, 1]);
  const done: BankBlock[] = [kept!, { ...other!, disturbed: true, kept: false }];
  const blocks = await filled({ done });
  assert.deepEqual(
    blocks.map(({ block, attempt }) => [block, attempt]),
    [
      [1, 1],
      [2, 0],
    ],
  );
});

test('an interrupted block is dropped', async () => {
  const controller = new AbortController();
  let runs = 0;
  const blocks = await filled({
    signal: controller.signal,
    runRepeat: () => {
      runs += 1;
      if (runs === 4) controller.abort();
      // As a killed child reports.
      const killed: RepeatReport = { status: 'error', reason: 'killed', shards: [] };
      return Promise.resolve(runs === 4 ? killed : reportOf(1));
    },
  });
  assert.deepEqual(
    blocks.map(({ block }) => block),
    [0],
  );
});

test('an interval counts as beyond only when all of it lies beyond the floor', () => {
  assert.deepEqual(judged(around(1)), ['no']);
  assert.deepEqual(judged(around(1.012)), ['slower']);
  assert.deepEqual(judged(around(1.011)), ['no']);
  assert.deepEqual(judged(around(1 / 1.012)), ['faster']);
  assert.deepEqual(judged(around(1.012), 0.02), ['no']);
});

test('comparisons are disjoint, and one that is not complete is not judged', () => {
  const ratios = [1, 1.001, 2, 2.001, 3];
  const [result] = judgeBank(blocksOf(ratios), ['A', "A'"], 2, 0.01, 'lower-quartile');
  assert.deepEqual(
    result!.comparisons.map(({ ratio }) => Math.round(ratio)),
    [1, 2],
  );
  assert.equal(result!.beyond, 1);
  assert.deepEqual(
    [result!.beyondShare!.low, result!.beyondShare!.high].map((share) => share.toFixed(4)),
    ['0.0126', '0.9874'],
  );
  const again = [...blocksOf([5, 5], false), ...blocksOf(ratios)];
  const [same] = judgeBank(again, ['A', "A'"], 2, 0.01, 'lower-quartile');
  assert.deepEqual(same, result);
});

test('further arms are each compared with the first', () => {
  const names = ['A', "A'", 'A+3%', 'A+5%'];
  const blocks = [0, 1, 2].map((block): BankBlock => {
    const processes = names.map((arm, at) => {
      const ns = 100 * (1 + [0, 0, 0.03, 0.05][at]!) * (1 + block * 1e-4 * at);
      return { arm, wallMs: 1, kernelNs: KERNEL, cpuNs: cpuOf(ns) };
    });
    return { block, attempt: 0, disturbed: false, kept: true, processes };
  });
  const results = judgeBank(blocks, names, 3, 0.01, 'lower-quartile');
  assert.deepEqual(
    results.map(({ arm, beyond }) => [arm, beyond]),
    [
      ["A'", 0],
      ['A+3%', 1],
      ['A+5%', 1],
    ],
  );
});

test('with no difference and normal noise about 5 in 100 intervals lie beyond no floor', () => {
  const random = new SeededRandom(3);
  const ratios = Array.from({ length: 20 * 1_000 }, () => Math.exp(0.05 * random.normal()));
  const [none] = judgeBank(blocksOf(ratios), ['A', "A'"], 20, 0, 'lower-quartile');
  assert.ok(none!.beyond > 30 && none!.beyond < 70, `${none!.beyond} of 1,000`);
  const [floored] = judgeBank(blocksOf(ratios), ['A', "A'"], 20, 0.01, 'lower-quartile');
  assert.ok(floored!.beyond < none!.beyond, `${floored!.beyond} of 1,000`);
});

test('the arms of the bank are the same work under two names', async () => {
  const [first, second, ...others] = await armsOfSame();
  assert.deepEqual(others, []);
  assert.notEqual(first!.name, second!.name);
  assert.deepEqual(first!.spec, second!.spec);
  assert.deepEqual([first!.spec.purpose, first!.spec.randomness], ['measure', 'os']);
});

async function manifestOf(changes: Partial<BankManifest> = {}): Promise<BankManifest> {
  return {
    format: 1,
    figure: 'lower-quartile',
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
  await appendFile(file, '{"block":2,"att');
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
