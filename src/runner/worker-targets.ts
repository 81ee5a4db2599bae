/**
 * Targets of the workers of a repeat: what two of them lose in one process, and what the view of
 * progress takes from them.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import { loadWorkload } from '../suite/parse.ts';
import { isolatedRatchetSpec } from './isolated-spec.ts';
import type { RepeatReport, RunRepeat } from './repeat-report.ts';

export const WORKER_TARGETS = ['scaling', 'live-view'] as const;
export type WorkerTargetName = (typeof WORKER_TARGETS)[number];

/** At most. */
export const WORKER_BOUNDS: Readonly<Record<WorkerTargetName, number>> = {
  scaling: 0.05,
  'live-view': 0.01,
};

/** Of `scaling`: each is a repeat with two workers and two processes with one, in turn first. */
export const SCALING_PAIRS = 10;
const LIVE_REPEATS = 3;
/** Of a worker: some seconds of work, long beside a second between two looks. */
const SESSIONS = 3_000;

/** Shares, one per pair or repeat. */
export interface WorkerSamples {
  readonly shares: readonly number[];
  /** Messages per second, one per pair; only of `scaling`. */
  readonly together?: readonly number[];
  readonly apart?: readonly number[];
}

/** @throws HarnessError when a repeat fails. */
export async function sampleWorkers(
  name: WorkerTargetName,
  runRepeat: RunRepeat,
  signal: AbortSignal,
): Promise<WorkerSamples> {
  return name === 'scaling' ? sampleScaling(runRepeat, signal) : sampleLive(runRepeat, signal);
}

/** ABBA: together, apart, apart, together, so that a machine that becomes slower does so for both. */
async function sampleScaling(runRepeat: RunRepeat, signal: AbortSignal): Promise<WorkerSamples> {
  const together: number[] = [];
  const apart: number[] = [];
  for (let pair = 0; pair < SCALING_PAIRS; pair++) {
    const sides = [
      async () => together.push(rateOf([await run(runRepeat, 2, pair, signal)])),
      async () => {
        const processes = [0, 1].map((half) => run(runRepeat, 1, pair * 2 + half, signal));
        apart.push(rateOf(await Promise.all(processes)));
      },
    ];
    for (const side of pair % 2 === 0 ? sides : sides.toReversed()) await side();
  }
  const shares = together.map((rate, pair) => 1 - rate / apart[pair]!);
  return { shares, together, apart };
}

async function sampleLive(runRepeat: RunRepeat, signal: AbortSignal): Promise<WorkerSamples> {
  const shares: number[] = [];
  for (let repeat = 0; repeat < LIVE_REPEATS; repeat++) {
    let seen = 0;
    const { shards, process } = await run(runRepeat, 2, repeat, signal, () => (seen += 1));
    if (seen === 0) throw notMeasured('the repeat ended before it was looked at');
    shares.push(process!.mainCpuNs / shards.reduce((sum, { cpuNs }) => sum + cpuNs, 0));
  }
  return { shares };
}

async function run(
  runRepeat: RunRepeat,
  threads: number,
  seed: number,
  signal: AbortSignal,
  onLive?: () => void,
): Promise<RepeatReport> {
  const sessions = SESSIONS * threads;
  const { workload, segment } = await loadWorkload(`social:sessions=${sessions}`);
  const spec = await isolatedRatchetSpec(workload, segment, threads, seed + 1);
  const report = await runRepeat(spec, signal, { onLive });
  if (signal.aborted) throw notMeasured('it was interrupted');
  if (report.status === 'ok') return report;
  throw notMeasured(`t${threads}: ${report.status}: ${report.reason ?? 'no reason'}`);
}

/** Messages per second of all workers, each over its own timed phase. */
function rateOf(reports: readonly RepeatReport[]): number {
  let rate = 0;
  for (const { messages, startedNs, endedNs } of reports.flatMap(({ shards }) => shards)) {
    rate += (messages.delivered * 1e9) / (endedNs - startedNs);
  }
  return rate;
}

function notMeasured(reason: string): HarnessError {
  return new HarnessError('WRONG_RESULT', reason);
}
