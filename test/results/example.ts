/**
 * A valid manifest and record, for tests to change.
 *
 * @module
 */

import type { Manifest } from '../../src/results/manifest.ts';
import { FORMAT, type RepeatRecord } from '../../src/results/record.ts';

const CELL = 'mine/plaintext/null/chat/t1';
export const OTHER_CELL = 'mine/transport/native/chat:sessions=4/t2';

export function exampleManifest(change: Partial<Manifest> = {}): Manifest {
  return {
    format: FORMAT,
    suite: {
      name: 'x/mine',
      digest: 'a'.repeat(64),
      title: 'A title',
      question: 'A question?',
      analysis: [],
      baseline: 'plaintext',
    },
    codeDigest: 'b'.repeat(64),
    seed: 7,
    budget: 'quick',
    git: { revision: '0123456789'.repeat(4), dirty: false },
    environment: {
      cpuModel: 'A processor',
      logicalCores: 2,
      availableCores: 2,
      memoryBytes: 1_000_000,
      platform: 'linux',
      architecture: 'x64',
      kernel: '6.0',
      governor: null,
      virtualised: 'unknown',
      machine: null,
      node: '26.0.0',
      v8: '14',
      openssl: '3.5',
      packages: { zod: '4.0.0' },
    },
    startedAt: '2026-01-31T12:34:56.789Z',
    endedAt: null,
    argv: ['run', 'x/mine'],
    cells: [CELL, OTHER_CELL],
    interrupted: false,
    ...change,
  };
}

/** As of a repeat whose implementation is not installed, so that it needs no shards. */
export function exampleRecord(change: Partial<RepeatRecord> = {}): RepeatRecord {
  return {
    format: FORMAT,
    cell: CELL,
    suite: 'x/mine',
    pipeline: 'plaintext',
    family: 'plaintext-relay',
    rung: 'L0',
    implementation: 'null',
    workload: 'chat',
    threads: 1,
    repeat: 0,
    order: 0,
    seed: 7_000,
    startedAt: '2026-01-31T12:34:57.000Z',
    status: 'ok',
    messagesPerSession: 40,
    messagesPerConnection: 20,
    messagesPerUserDay: 55,
    shards: [],
    ...change,
  };
}
