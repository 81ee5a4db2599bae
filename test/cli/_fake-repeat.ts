/** Stands in for src/runner/repeat.ts; see _fake-runner.ts. */

import { setTimeout as sleep } from 'node:timers/promises';
import { SeededRandom } from '../../src/core/random.ts';
import type { RepeatSpec } from '../../src/engine/spec.ts';
import type { Status } from '../../src/results/record.ts';
import type { RepeatReport } from '../../src/runner/repeat-report.ts';
import { shardOfCosts } from '../report/fixtures.ts';

const statuses = JSON.parse(process.env['FAKE_STATUSES'] ?? '{}') as Record<string, Status>;
const repeatMs = Number(process.env['FAKE_REPEAT_MS'] ?? '0');
const spreads = JSON.parse(process.env['FAKE_SPREADS'] ?? '{}') as Record<string, number>;
let asked = 0;
const noise = Number(process.env['FAKE_NOISE'] ?? '0');

export async function runRepeat(spec: RepeatSpec, signal: AbortSignal): Promise<RepeatReport> {
  // As a killed child would: it fails.
  await sleep(repeatMs, undefined, { signal });
  const status = statuses[spec.pipeline] ?? 'ok';
  if (status !== 'ok') return { status, reason: `made up to be ${status}`, shards: [] };
  const digest = `digest of seed ${spec.seed}`;
  // The longer name first gains and then loses, so that no ratio is far from 1.
  const slower = 1 + noise * ((spec.repeat + spec.pipeline.length) % 2);
  const factor = factorOf(spec);
  const costs = {
    sender: (1000 + spec.repeat) * slower * factor,
    relay: 500 * factor,
    receiver: 1000 * slower * factor,
  };
  const counted = { sessions: 1, messages: 10, calls: { send: { 'sha256:32': 20 } } };
  return {
    status,
    shards: [shardOfCosts(costs, { digest, counted })],
  };
}

/** The same for the same repeat of the same pipeline; with FAKE_FRESH of no two. */
function factorOf({ pipeline, repeat }: RepeatSpec): number {
  const spread = spreads[pipeline];
  if (spread === undefined) return 1;
  asked += 1;
  const isFresh = process.env['FAKE_FRESH'] !== undefined;
  return Math.exp(spread * new SeededRandom(pipeline.length, isFresh ? asked : repeat).normal());
}
