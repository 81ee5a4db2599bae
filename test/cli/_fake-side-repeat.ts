/**
 * Stands in for src/runner/repeat.ts: a process whose cost is `cost N` in the text of the provider's
 * file, or a failure where that says `wrong`.
 */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFileName } from '../../src/suite/names.ts';
import type { RepeatReport, RunRepeat } from '../../src/runner/repeat-report.ts';
import { shard } from '../report/fixtures.ts';

const repeatMs = Number(process.env['FAKE_REPEAT_MS'] ?? '0');
const noise = Number(process.env['FAKE_NOISE'] ?? '0');
let runs = 0;

export const runRepeat: RunRepeat = async (spec, signal): Promise<RepeatReport> => {
  await sleep(repeatMs, undefined, { signal }).catch(() => undefined);
  if (signal.aborted) return { status: 'error', reason: 'its process was killed', shards: [] };
  const text = isFileName(spec.provider) ? readFileSync(spec.provider, 'utf8') : 'cost 1';
  if (text.includes('wrong')) {
    return { status: 'error', reason: 'session 0, message 1: wrong plaintext', shards: [] };
  }
  runs += 1;
  const cost = Number(/cost (?<n>[\d.]+)/.exec(text)!.groups!['n']) * (1 + noise * (runs % 3));
  const block = { messages: 10, kernelCpuNs: 200_000, cpu: { send: [10, 10_000 * cost] } } as const;
  return { status: 'ok', shards: [shard(Array.from({ length: 30 }, () => block))] };
};
