/** Synthetic facts and records of loads of a relay. */

import type { ClosedLoopFacts, RelayFacts, RelayOpenFacts } from '../../src/measure/relay-facts.ts';
import type { RepeatRecord } from '../../src/results/record.ts';
import { histogramOf } from './operation-fixtures.ts';

export function relayFactsOf(facts: Partial<RelayFacts>): RelayFacts {
  return {
    load: 'saturation',
    tls: 'none',
    store: 'memory',
    durability: 'nothing outlives the process',
    delivery: { sent: 400, delivered: 400 },
    ...facts,
  };
}

export function closedLoopOf(
  server: Pick<ClosedLoopFacts['server'], 'requests' | 'cpuNs' | 'wallNs'>,
): ClosedLoopFacts {
  return {
    generator: 'autocannon 9.0.0, 1 process',
    connections: 32,
    distinctFrames: 10_000,
    requestsPerMessage: 1.4,
    completed: 2_000,
    errors: { connection: 0, timeouts: 0, mismatches: 0, non2xx: 0, unanswered: 0 },
    statuses: { 201: 2_000 },
    bytesRead: 1,
    durationNs: 2e9,
    server: { ...server, loopActiveNs: server.wallNs * 0.95, bytesIn: 1, bytesOut: 1 },
  };
}

/** So many messages in a second that took two; a service time of 1 ms, twice that from when it was due. */
export function openLoopOf(messages: number): RelayOpenFacts {
  const times = {
    messages,
    queued: 0,
    scheduledNs: 1e9,
    elapsedNs: 2e9,
    service: histogramOf(Array<number>(messages).fill(1e6)),
    response: histogramOf(Array<number>(messages).fill(2e6)),
    lag: histogramOf(Array<number>(messages).fill(1e4)),
  };
  return {
    offeredPerSecond: messages,
    append: times,
    fetch: times,
    acknowledge: times,
    generator: { wallNs: 2e9, busyShare: 0.3, cpuNs: 1e9, runDelayNs: 0 },
    server: { requests: 1, cpuNs: 1, wallNs: 1, loopActiveNs: 1, bytesIn: 1, bytesOut: 1 },
  };
}

/** A record of one repeat; its cell is named after the pipeline and the workload's segment. */
export function relayRecordOf(
  pipeline: string,
  workload: string,
  repeat: number,
  facts: Partial<RelayFacts>,
  changes: Partial<RepeatRecord> = {},
): RepeatRecord {
  return {
    format: 1,
    cell: `relay/${pipeline}/native/${workload}/t1`,
    suite: 'curated/relay',
    pipeline,
    family: 'ratchet',
    rung: 'L6',
    implementation: 'native',
    workload,
    threads: 1,
    repeat,
    order: repeat,
    seed: 1_000 + repeat,
    startedAt: '2026-01-31T12:00:00.000Z',
    status: 'ok',
    shards: [],
    relay: relayFactsOf(facts),
    ...changes,
  };
}
