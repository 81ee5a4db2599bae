/**
 * Sums over the batches whose CPU was read.
 *
 * @module
 */

import type { BlockFacts, ShardFacts, TimedId } from '../measure/facts.ts';

/**
 * A clock that moves in larger steps cannot tell the stages of a batch apart: a batch's cheapest
 * stage is made to last 150 us, so a step of 50 us would already be a third of it.
 */
const COARSEST_STEP_NS = 50_000;

/** Which blocks to count. */
export type BlockFilter = (blocks: BlockFacts, index: number) => boolean;

export const EVERY_BLOCK: BlockFilter = () => true;

/** Past a session's first message, so that no handshake is in it. */
export const STEADY: BlockFilter = (blocks, index) =>
  blocks.phase[index] === 'traffic' && blocks.messageIndex[index]! >= 1;

/** Blocks of the `number`-th message of their sessions, counted from 1. */
export function messageNumber(number: number): BlockFilter {
  return (blocks, index) =>
    blocks.phase[index] === 'traffic' && blocks.messageIndex[index] === number - 1;
}

export interface BatchSum {
  readonly calls: number;
  readonly cpuNs: number;
}

/** CPU and calls of one timed stage over all shards. */
export function sumBatches(
  shards: readonly ShardFacts[],
  id: TimedId,
  counts: BlockFilter,
): BatchSum {
  let calls = 0;
  let cpuNs = 0;
  for (const shard of shards) {
    // Each batch holds a reading; it only matters where batches are short.
    const readingNs = shard.shortBatches ? shard.clocks.cpuReadNs : 0;
    for (const stage of shard.stages) {
      if (stage.id !== id) continue;
      for (const [batch, block] of stage.cpu.block.entries()) {
        if (!counts(shard.blocks, block)) continue;
        calls += stage.cpu.calls[batch]!;
        const readings = stage.cpu.readings?.[batch] ?? 1;
        cpuNs += Math.max(0, stage.cpu.cpuNs[batch]! - readingNs * readings);
      }
    }
  }
  return { calls, cpuNs };
}

/** Nanoseconds per call; undefined where nothing was called. */
export function cpuPerCall(
  shards: readonly ShardFacts[],
  id: TimedId,
  counts: BlockFilter,
): number | undefined {
  const { calls, cpuNs } = sumBatches(shards, id, counts);
  return calls === 0 ? undefined : cpuNs / calls;
}

/** Messages of the blocks whose CPU was read. */
export function sumMessages(shards: readonly ShardFacts[], counts: BlockFilter): number {
  let messages = 0;
  for (const { blocks } of shards) {
    for (const [index, mode] of blocks.mode.entries()) {
      if (mode === 'cpu' && counts(blocks, index)) messages += blocks.messages[index]!;
    }
  }
  return messages;
}

/** Whether the CPU clock of every thread was fine enough for figures per stage. */
export function cpuIsReadable(shards: readonly ShardFacts[]): boolean {
  return shards.every((shard) => shard.clocks.cpuStepNs <= COARSEST_STEP_NS);
}
