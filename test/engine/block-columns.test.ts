/** Joining of blocks against the plain list of rounds: what is summed up must not change. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, boolean, integer, property, record } from 'fast-check';
import { BlockColumns, BLOCKS_MAX, EXACT_INDICES } from '../../src/engine/block-columns.ts';
import type { BlockFacts, StageFacts } from '../../src/measure/facts.ts';
import cpuByIndex from '../../src/metrics/cpu-by-index.ts';
import cpuPerMessage from '../../src/metrics/cpu-per-message.ts';
import { shard } from '../report/fixtures.ts';

interface Round {
  readonly phase: 'open' | 'traffic';
  readonly mode: 'cpu' | 'latency';
  readonly messageIndex: number;
  readonly messages: number;
  /** One entry per batch of the stage in this round. */
  readonly batches: readonly { readonly calls: number; readonly cpuNs: number }[];
  readonly runDelayNs: number;
  readonly kernelCpuNs: number;
}

/** C L L C, as the recorder reads them. */
const MODES = ['cpu', 'latency', 'latency', 'cpu'] as const;

/** @param index Message index of a round. */
function roundsOf(count: number, index: (round: number) => number): Round[] {
  return Array.from({ length: count }, (_, round) => {
    const mode = MODES[round % 4]!;
    return {
      phase: round < 3 ? 'open' : 'traffic',
      mode,
      messageIndex: round < 3 ? 0 : index(round),
      messages: round < 3 ? 0 : 10 + (round % 3),
      batches: mode === 'cpu' ? [{ calls: 10, cpuNs: 1_000 + (round % 7) * 100 }] : [],
      runDelayNs: round % 5,
      kernelCpuNs: 200_000 + (round % 11) * 1_000,
    };
  });
}

interface Kept {
  readonly blocks: BlockFacts;
  readonly stage: StageFacts['cpu'];
}

function keep(rounds: readonly Round[], blocksMax?: number): Kept {
  const columns = new BlockColumns(blocksMax);
  const stage = columns.addStage();
  for (const { phase, mode, messageIndex, messages, batches, runDelayNs, kernelCpuNs } of rounds) {
    columns.begin(phase, mode, messageIndex, messages);
    for (const { calls, cpuNs } of batches) columns.addCpu(stage, calls, cpuNs);
    columns.end({ wallNs: 3, cpuNs: 2, runDelayNs, stealTicks: 1, kernelCpuNs });
  }
  return { blocks: columns.facts(), stage: columns.stageFacts(stage) };
}

/** Sums by phase, mode and message index as far as it is told. */
function sumsOf({ blocks, stage }: Kept): Map<string, Record<string, number>> {
  const sums = new Map<string, Record<string, number>>();
  const keyOf = (at: number): string =>
    `${blocks.phase[at]} ${blocks.mode[at]} ${Math.min(blocks.messageIndex[at]!, EXACT_INDICES)}`;
  const add = (at: number, values: Record<string, number>): void => {
    const sum = sums.get(keyOf(at)) ?? {};
    for (const [name, value] of Object.entries(values)) sum[name] = (sum[name] ?? 0) + value;
    sums.set(keyOf(at), sum);
  };
  for (const at of blocks.phase.keys()) {
    const rounds = blocks.rounds?.[at] ?? 1;
    add(at, {
      rounds,
      messages: blocks.messages[at]!,
      wallNs: blocks.wallNs[at]!,
      cpuNs: blocks.cpuNs[at]!,
      runDelayNs: blocks.runDelayNs[at]!,
      stealTicks: blocks.stealTicks[at]!,
      kernelCpuNs: Math.round(blocks.kernelCpuNs[at]! * rounds),
    });
  }
  for (const [entry, block] of stage.block.entries()) {
    add(block, {
      calls: stage.calls[entry]!,
      stageNs: stage.cpuNs[entry]!,
      readings: stage.readings?.[entry] ?? 1,
    });
  }
  return sums;
}

test('what fits is kept round by round', () => {
  const rounds = roundsOf(100, (round) => Math.floor(round / 8));
  const { blocks, stage } = keep(rounds, 100);
  assert.deepEqual(
    blocks.messageIndex,
    rounds.map(({ messageIndex }) => messageIndex),
  );
  assert.deepEqual(
    blocks.mode,
    rounds.map(({ mode }) => mode),
  );
  assert.deepEqual(
    blocks.kernelCpuNs,
    rounds.map(({ kernelCpuNs }) => kernelCpuNs),
  );
  assert.equal(blocks.rounds, undefined);
  assert.equal(stage.readings, undefined);
  assert.equal(stage.block.length, 50);
});

test('joining keeps the bound, and every sum by phase, mode and message', () => {
  for (const count of [101, 400, 5_000, 40_000]) {
    const rounds = roundsOf(count, (round) => Math.floor(round / 40));
    const joined = keep(rounds, 400);
    assert.ok(joined.blocks.phase.length <= 400, `${joined.blocks.phase.length}`);
    assert.deepEqual(sumsOf(joined), sumsOf(keep(rounds, count)), `${count} rounds`);
  }
});

test('joining keeps sums whatever the phases, batches and indices', () => {
  const round = record({
    batches: array(
      record({ calls: integer({ min: 0, max: 9 }), cpuNs: integer({ min: 0, max: 99 }) }),
      {
        maxLength: 3,
      },
    ),
    next: boolean(),
    messages: integer({ min: 0, max: 100 }),
    runDelayNs: integer({ min: 0, max: 100 }),
  });
  check(
    property(
      array(round, { minLength: 200, maxLength: 600, size: 'max' }),
      integer({ min: 0, max: 200 }),
      (made, from) => {
        let messageIndex = from;
        const rounds: Round[] = made.map(({ batches, next, messages, runDelayNs }, at) => {
          // A few changes only: joining needs rounds of one message in a row.
          if (next && at % 16 === 0) messageIndex += 1;
          const mode = MODES[at % 4]!;
          return {
            phase: at < 9 ? 'open' : 'traffic',
            mode,
            messageIndex,
            messages,
            batches,
            runDelayNs,
            kernelCpuNs: 5,
          };
        });
        const joined = keep(rounds, 128);
        assert.ok(joined.blocks.phase.length <= 128);
        if (joined.blocks.rounds !== undefined) {
          assert.equal(new Set(joined.stage.block).size, joined.stage.block.length);
        }
        assert.deepEqual(sumsOf(joined), sumsOf(keep(rounds, 1_000)));
      },
    ),
  );
});

test('blocks stay in the order of time, and hold about as many rounds each', () => {
  const rounds = roundsOf(20_000, (round) => Math.floor(round / 100));
  const { blocks } = keep(rounds, 512);
  for (const mode of ['cpu', 'latency']) {
    const indices = blocks.messageIndex.filter((_, at) => blocks.mode[at] === mode);
    assert.deepEqual(
      indices,
      indices.toSorted((a, b) => a - b),
    );
  }
  const late = blocks.rounds!.filter((_, at) => blocks.messageIndex[at]! > EXACT_INDICES);
  assert.ok(late.length > 100);
  // The last of each mode may still grow.
  assert.equal(new Set(late.slice(0, -2)).size, 1);
});

/** Of one stage, with readings subtracted. */
function figuresOf({ blocks, stage }: Kept): unknown {
  const latency = { calls: 0, histogram: '' };
  const made = shard([], {}, { blocks, stages: [{ id: 'send', cpu: stage, latency }] });
  const clocks = { ...made.clocks, cpuReadNs: 100 };
  const input = {
    shards: [{ ...made, shortBatches: true, clocks }],
    messagesPerSession: 250,
    messagesPerConnection: 20,
  };
  const figures = [...cpuPerMessage.derive(input), ...cpuByIndex.derive(input)];
  return figures.map(({ role, kind, value }) => [role, kind, value.toFixed(6)]);
}

test('figures per message, and of the messages that are asked for, do not change', () => {
  const rounds = roundsOf(10_000, (round) => Math.floor(round / 40));
  const joined = keep(rounds, 1_024);
  assert.ok(joined.blocks.rounds !== undefined);
  assert.deepEqual(figuresOf(joined), figuresOf(keep(rounds, rounds.length)));
});

test('what is unknown of one round is unknown of its block', () => {
  const columns = new BlockColumns(4);
  for (let round = 0; round < 16; round++) {
    columns.begin('traffic', 'cpu', 100, 1);
    const unknown = round === 5 ? -1 : 7;
    columns.end({ wallNs: 1, cpuNs: 1, runDelayNs: unknown, stealTicks: unknown, kernelCpuNs: 1 });
  }
  const { rounds, runDelayNs, stealTicks } = columns.facts();
  const at = runDelayNs.indexOf(-1);
  assert.ok(at >= 0);
  assert.equal(stealTicks[at], -1);
  for (const [other, delay] of runDelayNs.entries()) {
    if (other !== at) assert.equal(delay, 7 * rounds![other]!);
  }
});

test('rounds that cannot be joined are refused and not joined wrongly', () => {
  const columns = new BlockColumns(16);
  assert.throws(() => {
    for (let round = 0; round < 100; round++) {
      columns.begin(round % 2 === 0 ? 'open' : 'traffic', 'cpu', 0, 1);
      columns.end({ wallNs: 1, cpuNs: 1, runDelayNs: 0, stealTicks: 0, kernelCpuNs: 1 });
    }
  }, /"messageIndex" expected the rounds of a phase and a message in a row/);
});

test('every message whose index a figure names is told apart', () => {
  const named = cpuByIndex.title.matchAll(/\d+/g);
  for (const [number] of named) assert.ok(Number(number) <= EXACT_INDICES);
  assert.ok(BLOCKS_MAX > 4 * EXACT_INDICES * 2);
});
