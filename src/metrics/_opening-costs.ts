/**
 * What is done once per session or per connection, in nanoseconds of CPU.
 *
 * @module
 */

import type { ShardFacts, TimedId } from '../measure/facts.ts';
import { cpuIsReadable, cpuPerCall, EVERY_BLOCK } from './_batches.ts';

export interface OpeningCosts {
  /** One prekey bundle. */
  readonly publish: number;
  readonly initiate: number;
  /** With opening the message that the handshake came with. */
  readonly accept: number;
  /** Of one end of a connection to the relay. */
  readonly connectClient: number;
  readonly connectRelay: number;
  /** Connections that a user opens where one would do: 2 where it sends over another. */
  readonly connectionsPerUser: number;
}

/**
 * A stage that the pipeline does not have costs nothing.
 *
 * @returns undefined where nothing was read, or a stage was called but never in a block whose CPU
 *   was read: such a repeat cannot tell what opening costs.
 */
export function openingCosts(shards: readonly ShardFacts[]): OpeningCosts | undefined {
  if (!shards.some(({ blocks }) => blocks.mode.includes('cpu'))) return undefined;
  const publish = costOf(shards, 'publish');
  const initiate = costOf(shards, 'initiate');
  const accept = costOf(shards, 'accept');
  const connectClient = costOf(shards, 'connect-client');
  const connectRelay = costOf(shards, 'connect-relay');
  if (
    publish === undefined ||
    initiate === undefined ||
    accept === undefined ||
    connectClient === undefined ||
    connectRelay === undefined ||
    !cpuIsReadable(shards)
  ) {
    return undefined;
  }
  const connectionsPerUser = perUser(shards);
  return { publish, initiate, accept, connectClient, connectRelay, connectionsPerUser };
}

function perUser(shards: readonly ShardFacts[]): number {
  const users = shards.reduce((sum, shard) => sum + shard.users, 0);
  const connections = shards.reduce((sum, shard) => sum + shard.connections, 0);
  return users === 0 ? 1 : connections / users;
}

function costOf(shards: readonly ShardFacts[], id: TimedId): number | undefined {
  const cost = cpuPerCall(shards, id, EVERY_BLOCK);
  if (cost !== undefined) return cost;
  const wasCalled = shards.some(({ stages }) =>
    stages.some((stage) => stage.id === id && stage.latency.calls > 0),
  );
  return wasCalled ? undefined : 0;
}
