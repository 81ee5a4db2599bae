/**
 * Sums of messages and bytes over the shards of a repeat.
 *
 * @module
 */

import type { ShardFacts } from '../measure/facts.ts';

export function sumSent(shards: readonly ShardFacts[]): number {
  return shards.reduce((sum, shard) => sum + shard.messages.sent, 0);
}

export function sumSessions(shards: readonly ShardFacts[]): number {
  return shards.reduce((sum, shard) => sum + shard.sessions, 0);
}

/** Bytes by kind of frame, kinds sorted. */
export function sumWire(shards: readonly ShardFacts[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const shard of shards) {
    for (const [kind, { bytes }] of Object.entries(shard.wire)) {
      sums.set(kind, (sums.get(kind) ?? 0) + bytes);
    }
  }
  return new Map([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}
