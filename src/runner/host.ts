/**
 * Inside the child process of one repeat: hosts the pool, hands each worker its shard, and reads what
 * the process as a whole used.
 *
 * @module
 */

import { Piscina } from 'piscina';
import { workerFile } from '../core/paths.ts';
import type { ShardAnswer, ShardTask } from '../engine/shard.ts';
import type { RepeatSpec } from '../engine/spec.ts';
import { abandon, createBarrier } from '../measure/barrier.ts';
import { readThreadCpuNs } from '../measure/cpu.ts';
import type { ProcessFacts, ShardFacts } from '../measure/facts.ts';
import { fellBehind } from '../measure/generator.ts';
import { HIGHEST_NS, Histogram } from '../measure/histogram.ts';
import { createLive, readLive, type LiveReport } from '../measure/live.ts';
import { peakRssBytes } from '../measure/memory.ts';
import type { RepeatReport } from './repeat-report.ts';

/** How often somebody who watches is told how far the repeat is. */
const LIVE_MS = 1_000;

/**
 * Runs the shards of `spec`, one per thread. Every failure is a report, never a throw.
 *
 * @param watch Is told once in `everyMs` how far the repeat is, as the workers' shared memory says.
 */
export async function hostRepeat(
  spec: RepeatSpec,
  watch?: (report: LiveReport) => void,
  everyMs = LIVE_MS,
): Promise<RepeatReport> {
  const barrier = createBarrier();
  const live = Array.from({ length: spec.threads }, createLive);
  const pool = new Piscina<ShardTask, ShardAnswer>({
    filename: workerFile('shard'),
    minThreads: spec.threads,
    maxThreads: spec.threads,
    idleTimeout: Infinity,
    concurrentTasksPerWorker: 1,
    atomics: 'disabled',
    recordTiming: false,
  });
  const [seconds, nanoseconds] = process.hrtime();
  const originNs = seconds * 1e9 + nanoseconds;
  const mainBefore = readThreadCpuNs();
  let isWhole = false;
  const startedMs = performance.now();
  const timer =
    watch &&
    setInterval(() => {
      const elapsedMs = performance.now() - startedMs;
      watch({ ...readLive(live), elapsedMs, rssBytes: process.memoryUsage.rss() });
    }, everyMs);
  try {
    const answers = await Promise.all(
      shardRanges(spec).map(({ first, sessions }, shard) =>
        pool.run({
          spec,
          shard,
          firstSession: first,
          sessions,
          barrier,
          originNs,
          ...(watch && { live: live[shard]! }),
        }),
      ),
    );
    isWhole = true;
    return report(answers, spec, readThreadCpuNs() - mainBefore);
  } catch (error) {
    // A worker that died cannot release those that wait for it.
    abandon(barrier);
    const reason = error instanceof Error ? error.message : String(error);
    return { status: 'error', reason: `a worker died: ${reason}`, shards: [] };
  } finally {
    clearInterval(timer);
    // A pool of which a worker died may never close: it is left to the end of the process.
    if (isWhole) await pool.close({ force: true });
  }
}

/** Sessions dealt to the threads as evenly as they go. */
function shardRanges(spec: RepeatSpec): { readonly first: number; readonly sessions: number }[] {
  const { sessions } = spec.workload;
  return Array.from({ length: spec.threads }, (_, shard) => {
    const first = Math.floor((sessions * shard) / spec.threads);
    return { first, sessions: Math.floor((sessions * (shard + 1)) / spec.threads) - first };
  });
}

function report(
  answers: readonly ShardAnswer[],
  spec: RepeatSpec,
  mainCpuNs: number,
): RepeatReport {
  const failures = answers.flatMap((answer) => ('failure' in answer ? [answer.failure] : []));
  // A worker that waited for one that failed is not the cause.
  const cause = failures.find(({ code }) => code !== 'ABANDONED') ?? failures[0];
  if (cause !== undefined) {
    const status =
      cause.code === 'UNAVAILABLE'
        ? 'unavailable'
        : cause.code === 'UNSUPPORTED'
          ? 'unsupported'
          : 'error';
    return { status, reason: cause.message, shards: [] };
  }
  const shards = answers.flatMap((answer) => ('facts' in answer ? [answer.facts] : []));
  const process = processFacts(shards, mainCpuNs);
  const reason = shards.map((shard) => faultOf(shard, spec)).find((fault) => fault !== undefined);
  if (reason !== undefined) return { status: 'error', reason, shards, process };
  const invalid = invalidity(shards);
  if (invalid !== undefined) return { status: 'invalid', reason: invalid, shards, process };
  return { status: 'ok', shards, process };
}

function processFacts(shards: readonly ShardFacts[], mainCpuNs: number): ProcessFacts {
  const cpuNs =
    Math.max(...shards.map(({ processCpu }) => processCpu.endNs)) -
    Math.min(...shards.map(({ processCpu }) => processCpu.startNs));
  const workersNs = shards.reduce((sum, shard) => sum + shard.cpuNs, 0);
  return {
    cpuNs,
    mainCpuNs,
    helperCpuNs: Math.max(0, cpuNs - workersNs),
    wallNs:
      Math.max(...shards.map(({ endedNs }) => endedNs)) -
      Math.min(...shards.map(({ startedNs }) => startedNs)),
    rssPeakBytes: peakRssBytes(),
  };
}

/** Why what was read of an open loop says nothing about the system; undefined when it does. */
function invalidity(shards: readonly ShardFacts[]): string | undefined {
  for (const { saturation } of shards) {
    if (saturation?.end.kind === 'gave-up') return `no highest rate: ${saturation.end.reason}`;
  }
  const response = new Histogram();
  const unlagged = new Histogram();
  for (const { open } of shards) {
    if (open === undefined) continue;
    response.merge(Histogram.decode(open.response));
    unlagged.merge(Histogram.decode(open.unlagged));
  }
  if (response.clipped > 0) {
    return (
      `${response.clipped} of ${response.count} messages took ${HIGHEST_NS / 1e9} s or longer from ` +
      'their moment on, and longer times are not told apart; offer fewer messages a second, or a trace at a lower speed'
    );
  }
  return fellBehind(response, unlagged);
}

/** Why a shard's result is wrong, in one sentence; undefined when every message is accounted for. */
function faultOf(shard: ShardFacts, spec: RepeatSpec): string | undefined {
  const { count, first } = shard.faults;
  const fault = first[0];
  if (fault !== undefined) {
    const more = count > 1 ? ` (and ${count - 1} more)` : '';
    return `session ${fault.session}, message ${fault.message}: ${fault.reason}${more}`;
  }
  const { sent, delivered, lost, refused } = shard.messages;
  const tooFar = refused['TOO_FAR'] ?? 0;
  if (sent !== delivered + lost + tooFar) {
    return `${sent} messages were sent and ${delivered} delivered; the network lost ${lost}`;
  }
  const { evidence, due } = shard.recovery ?? { evidence: 0, due: 0 };
  if (evidence !== due) {
    return `the authority was handed evidence of ${evidence} of ${due} messages`;
  }
  if (shard.saturation !== undefined) return undefined;
  const scripted = shard.messages.scripted ?? shard.sessions * spec.workload.messages;
  return sent === scripted ? undefined : `${sent} messages were sent, the workload has ${scripted}`;
}
