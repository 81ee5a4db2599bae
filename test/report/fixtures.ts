/** Synthetic facts, small enough to compute their figures by hand. */

import type { ShardFacts, StageFacts, TimedId } from '../../src/measure/facts.ts';
import { Histogram } from '../../src/measure/histogram.ts';
import type { RepeatRecord } from '../../src/results/record.ts';

export interface BlockFixture {
  readonly phase?: 'open' | 'traffic';
  readonly mode?: 'cpu' | 'latency';
  readonly messageIndex?: number;
  readonly messages?: number;
  /** Per stage: calls and their CPU together. */
  readonly cpu?: Partial<Record<TimedId, readonly [calls: number, cpuNs: number]>>;
  readonly wallNs?: number;
  readonly cpuNs?: number;
  readonly runDelayNs?: number;
  readonly stealTicks?: number;
  readonly kernelCpuNs?: number;
}

/** One shard of one session, with everything that is not given at nothing. */
export function shard(
  blocks: readonly BlockFixture[] = [],
  latencies: Partial<Record<TimedId, readonly number[]>> = {},
  changes: Partial<ShardFacts> = {},
): ShardFacts {
  const nothing = {
    heapUsedBytes: 0,
    externalBytes: 0,
    arrayBufferBytes: 0,
    wasmBytes: 0,
    rssBytes: 0,
  };
  return {
    shard: 0,
    sessions: 1,
    users: 2,
    connections: 2,
    batch: 1,
    shortBatches: false,
    messages: { sent: 0, delivered: 0, refused: {}, lost: 0, recovered: 0 },
    faults: { count: 0, first: [] },
    plaintextBytes: 0,
    wire: {},
    storedBytes: 0,
    storedKeys: 0,
    handshake: { frames: 0, bytes: 0 },
    counted: { sessions: 0, messages: 0, calls: {} },
    digest: 'd0',
    stages: stages(blocks, latencies),
    blocks: {
      phase: blocks.map(({ phase = 'traffic' }) => phase),
      mode: blocks.map(({ mode = 'cpu' }) => mode),
      messageIndex: blocks.map(({ messageIndex = 1 }) => messageIndex),
      messages: blocks.map(({ messages = 0 }) => messages),
      wallNs: blocks.map(({ wallNs = 0 }) => wallNs),
      cpuNs: blocks.map(({ cpuNs = 0 }) => cpuNs),
      runDelayNs: blocks.map(({ runDelayNs = -1 }) => runDelayNs),
      stealTicks: blocks.map(({ stealTicks = -1 }) => stealTicks),
      kernelCpuNs: blocks.map(({ kernelCpuNs = 0 }) => kernelCpuNs),
    },
    memory: { before: nothing, after: nothing },
    clocks: {
      cpuBasis: 'thread',
      cpuStepNs: 2_000,
      cpuReadNs: 1_400,
      clockStepNs: 30,
      clockReadNs: 40,
    },
    warmup: { rounds: 1, wallNs: 1 },
    gc: { count: 0, pauseNs: 0 },
    cpuNs: 0,
    processCpu: { startNs: 0, endNs: 0 },
    startedNs: 0,
    endedNs: 0,
    ...changes,
  };
}

function stages(
  blocks: readonly BlockFixture[],
  latencies: Partial<Record<TimedId, readonly number[]>>,
): StageFacts[] {
  const byId = new Map<TimedId, StageFacts>();
  const of = (id: TimedId): StageFacts => {
    let facts = byId.get(id);
    if (facts === undefined) {
      facts = {
        id,
        cpu: { block: [], calls: [], cpuNs: [] },
        latency: { calls: 0, histogram: '' },
      };
      byId.set(id, facts);
    }
    return facts;
  };
  for (const [index, { cpu = {} }] of blocks.entries()) {
    for (const [id, [calls, cpuNs]] of Object.entries(cpu)) {
      const columns = of(id as TimedId).cpu;
      columns.block.push(index);
      columns.calls.push(calls);
      columns.cpuNs.push(cpuNs);
    }
  }
  for (const [id, values] of Object.entries(latencies)) {
    const histogram = new Histogram();
    for (const value of values) histogram.record(value);
    of(id as TimedId).latency = { calls: values.length, histogram: histogram.encode() };
  }
  return [...byId.values()];
}

/** Costs of one message in ns, for a shard that sent ten messages past its session's first. */
export interface Costs {
  readonly sender: number;
  readonly relay: number;
  readonly receiver: number;
  readonly authority?: number;
  /** Of one session; accept holds the opening of its first message. */
  readonly opening?: {
    readonly publish: number;
    readonly initiate: number;
    readonly accept: number;
  };
  /** Of either end of a connection. */
  readonly connect?: number;
}

export function shardOfCosts(costs: Costs, changes: Partial<ShardFacts> = {}): ShardFacts {
  const { sender, relay, receiver, authority, opening, connect } = costs;
  const opened: BlockFixture[] =
    opening === undefined
      ? []
      : [
          {
            phase: 'open',
            messageIndex: 0,
            cpu: { publish: [1, opening.publish], initiate: [1, opening.initiate] },
          },
          { messageIndex: 0, messages: 1, cpu: { accept: [1, opening.accept] } },
        ];
  const connected: BlockFixture[] =
    connect === undefined
      ? []
      : [
          {
            phase: 'open',
            messageIndex: 0,
            cpu: { 'connect-client': [2, 2 * connect], 'connect-relay': [2, 2 * connect] },
          },
        ];
  return shard(
    [
      ...connected,
      ...opened,
      {
        messages: 10,
        cpu: {
          send: [10, 10 * sender],
          'relay-store': [10, 6 * relay],
          'relay-fetch': [10, 4 * relay],
          receive: [10, 10 * receiver],
          ...(authority === undefined ? {} : { recover: [5, 5 * authority] as const }),
        },
      },
    ],
    {},
    changes,
  );
}

export function record(changes: Partial<RepeatRecord> = {}): RepeatRecord {
  const { pipeline = 'double-ratchet', repeat = 0 } = changes;
  const { implementation = 'native', workload = 'chat', threads = 1 } = changes;
  return {
    format: 1,
    cell: `ladder/${pipeline}/${implementation}/${workload}/t${threads}`,
    suite: 'curated/ladder',
    pipeline,
    family: 'ratchet',
    rung: 'L6',
    implementation,
    workload,
    threads,
    repeat,
    order: repeat,
    seed: 1_000 + repeat,
    startedAt: '2026-11-02T12:00:00Z',
    status: 'ok',
    messagesPerSession: 40,
    messagesPerConnection: 20,
    messagesPerUserDay: 55,
    shards: [],
    ...changes,
  };
}

/** One repeat per item of `costs`. */
export function recordsOfCosts(
  changes: Partial<RepeatRecord>,
  costs: readonly Costs[],
): RepeatRecord[] {
  return costs.map((cost, repeat) => record({ ...changes, repeat, shards: [shardOfCosts(cost)] }));
}

export const L3 = { pipeline: 'at-rest-scoped', family: 'plaintext-relay', rung: 'L3' };
export const L4 = { pipeline: 'static-e2e', family: 'ratchet', rung: 'L4' };
export const L6 = { pipeline: 'double-ratchet', family: 'ratchet', rung: 'L6' };
export const L5 = { pipeline: 'forward-secrecy', family: 'ratchet', rung: 'L5' };
export const SIDE = { pipeline: 'sealed-box', family: 'ratchet', rung: 'side' };
export const E3 = { pipeline: 'escrow-message-key', family: 'escrow-wrapped', rung: 'E3' };
