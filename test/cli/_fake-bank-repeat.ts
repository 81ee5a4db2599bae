/** Stands in for src/runner/repeat.ts: processes with enough blocks for a bank, made up at once. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { RepeatSpec } from '../../src/engine/spec.ts';
import type { RepeatReport } from '../../src/runner/repeat-report.ts';
import { shard } from '../report/fixtures.ts';

const repeatMs = Number(process.env['FAKE_REPEAT_MS'] ?? '0');

export async function runRepeat(spec: RepeatSpec, signal: AbortSignal): Promise<RepeatReport> {
  await sleep(repeatMs, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return { status: 'error', reason: 'its process was killed', shards: [] };
  const block = {
    messages: 10,
    kernelCpuNs: 200_000,
    cpu: { send: [10, 10_000 * (1 + 0.25 * (spec.extraCalls ?? 0))] },
  } as const;
  return { status: 'ok', shards: [shard(Array.from({ length: 30 }, () => block))] };
}
