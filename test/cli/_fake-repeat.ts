/** Stands in for src/runner/repeat.ts; see _fake-runner.ts. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { RepeatSpec } from '../../src/engine/spec.ts';
import type { Status } from '../../src/results/record.ts';
import type { RepeatReport } from '../../src/runner/repeat-report.ts';
import { shardOfCosts } from '../report/fixtures.ts';

const statuses = JSON.parse(process.env['FAKE_STATUSES'] ?? '{}') as Record<string, Status>;
const repeatMs = Number(process.env['FAKE_REPEAT_MS'] ?? '0');

export async function runRepeat(spec: RepeatSpec, signal: AbortSignal): Promise<RepeatReport> {
  // As a killed child would: it fails.
  await sleep(repeatMs, undefined, { signal });
  const status = statuses[spec.pipeline] ?? 'ok';
  if (status !== 'ok') return { status, reason: `made up to be ${status}`, shards: [] };
  const digest = `digest of seed ${spec.seed}`;
  const costs = { sender: 1000 + spec.repeat, relay: 500, receiver: 1000 };
  const counted = { sessions: 1, messages: 10, calls: { send: { 'sha256:32': 20 } } };
  return {
    status,
    shards: [shardOfCosts(costs, { digest, counted })],
  };
}
