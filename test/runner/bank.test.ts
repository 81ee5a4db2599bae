/** The bank with processes that are made up: no time is measured here. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile, appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
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
import { armsOf, calibrate, logRatios, type BankBlock } from '../../src/runner/bank-arms.ts';
import { fillBlocks, SPARE_PER_ARM, type Arm, type FillOptions } from '../../src/runner/blocks.ts';
import type { RepeatReport, RunRepeat } from '../../src/runner/repeat-report.ts';
import { shard, type BlockFixture } from '../report/fixtures.ts';

type BankOptions = FillOptions<ProcessFigures>;

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

function fillOptions(changes: Partial<BankOptions> = {}): BankOptions {
  let nowMs = 0;
  return {
    arms: ARMS,
    blocks: 3,
    seed: 7,
    done: [],
    signal: new AbortController().signal,
    runRepeat: () => Promise.resolve(reportOf(1)),
    read: figuresOf,
    now: () => (nowMs += 10),
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

/** What is said of A'. */
function bankOf(
  blocks: readonly BankBlock[],
  blocksPerComparison: number,
  floor = 0.01,
): ReturnType<typeof judgeBank>[number] {
  const comparisons = Math.floor(blocks.length / blocksPerComparison);
  const shape = { arms: ARMS, comparisons, blocksPerComparison, floor };
  return judgeBank(shape, blocks, 'lower-quartile')[0]!;
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

test('a process that a neighbour slowed for most of its time is run again at once', async () => {
  const reports = [reportOf(1, [100, 103]), reportOf(1, [100, 101.9]), reportOf(1, [101, 104])];
  const blocks = await filled({
    blocks: 1,
    runRepeat: () => Promise.resolve(reports.shift() ?? reportOf(1)),
  });
  const [{ processes, kept, disturbed }] = blocks as [BankBlock];
  assert.deepEqual([blocks.length, kept, disturbed], [1, true, false]);
  const [first, second] = [processes[0]!.arm, processes[2]!.arm];
  assert.notEqual(first, second);
  assert.deepEqual(
    processes.map(({ arm }) => arm),
    [first, first, second, second],
  );
});

test('on a restless machine the last attempt counts as it is, with a process of each arm', async () => {
  for (const restless of [
    (): RepeatReport => reportOf(1, [100, 300]),
    // Steady, but another machine each time.
    (
      (at = 1) =>
      (): RepeatReport =>
        reportOf(1, [(at *= 1.1), at])
    )(),
  ]) {
    const blocks = await filled({ blocks: 1, runRepeat: () => Promise.resolve(restless()) });
    const last = blocks.at(-1)!;
    assert.deepEqual([last.kept, last.disturbed], [true, true]);
    assert.equal(new Set(last.processes.map(({ arm }) => arm)).size, 2);
    assert.ok(blocks.slice(0, -1).every(({ kept }) => !kept));
    const all = blocks.flatMap(({ processes }) => processes).length;
    assert.equal(all, (SPARE_PER_ARM + 1) * ARMS.length);
  }
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
  const again = bankOf([...blocksOf([5, 5], false), ...blocksOf(ratios)], 2);
  assert.deepEqual(again.comparisons, result.comparisons);
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
      wallMs: 1,
      kernelNs: KERNEL,
      cpuNs: cpuOf(ns),
    }));
    return { block, attempt: 0, disturbed: false, kept: true, processes };
  });
}

test('planted slowdowns are caught, unless the copies differ by as much', async () => {
  const shape = {
    arms: await armsOf({ added: 0.3 }),
    comparisons: 2,
    blocksPerComparison: 10,
    floor: 0.01,
  };
  const calm = judgeBank(shape, fourArmed(20, 0.002, 0.002), 'lower-quartile');
  assert.deepEqual(
    calm.map(({ arm, called, calledByDeclaredFloor }) => [arm, called, calledByDeclaredFloor]),
    [
      ["A'", 0, 0],
      ['A+3%', 2, 2],
      ['A+5%', 2, 2],
    ],
  );
  assert.ok(Math.abs(calm[2]!.measured!.share - 0.05) < 1e-4);
  const restless = judgeBank(shape, fourArmed(20, 0.002, 0.05), 'lower-quartile');
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
  const { seed, signal, now } = fillOptions();
  const options = { seed, signal, now };
  const found = await calibrate('lower-quartile', { ...options, runRepeat: costing(0.3) });
  assert.ok(found !== undefined);
  assert.equal(found.blocks, 20);
  for (const share of [found.added, found.low, found.high]) {
    assert.ok(Math.abs(share - 0.3) < 1e-9, String(share));
  }
  await assert.rejects(
    calibrate('lower-quartile', { ...options, runRepeat: costing(0) }),
    /this machine is too noisy to tell/,
  );
});

test('of an arm that ran more than once the last process counts', () => {
  const [block] = blocksOf([2]);
  const early = { ...block!.processes[0]!, cpuNs: cpuOf(7) };
  const again = { ...block!, processes: [early, ...block!.processes] };
  assert.deepEqual(logRatios([again], 'A', "A'", 'lower-quartile'), [Math.log(2)]);
});

async function manifestOf(changes: Partial<BankManifest> = {}): Promise<BankManifest> {
  return {
    format: 2,
    calibration: { extraCalls: 2, blocks: 20, added: 0.3, low: 0.29, high: 0.31 },
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
