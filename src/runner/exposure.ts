/**
 * Cells under attack, each in a fresh child process: a task in, a report out.
 *
 * @module
 */

import type { ExposureTask } from '../exposure/spec.ts';
import type { Pipeline } from '../pipelines/_pipeline.ts';
import { FORMAT, type RepeatRecord } from '../results/record.ts';
import type { PlannedRepeat } from '../suite/plan.ts';
import { askChild } from './child.ts';
import type { RepeatReport } from './repeat-report.ts';

export interface MountOptions {
  readonly order: readonly PlannedRepeat[];
  /** By the name or path that the suite uses. */
  readonly pipelines: ReadonlyMap<string, Pipeline>;
  readonly suiteName: string;
  readonly adversaries: readonly string[];
  readonly retentionDays: number;
  /** Cells at once. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly onEnd: (record: RepeatRecord, tookMs: number) => void;
}

/** A cell that fails is an error record, and the others go on. */
export async function mountCells(options: MountOptions): Promise<void> {
  const { order, pipelines, concurrency, signal, onEnd } = options;
  // Threshold decryption takes by far the longest: begun last, it would run on alone.
  const takesLong = ({ spec }: PlannedRepeat): boolean =>
    (pipelines.get(spec.pipeline)?.needs ?? []).includes('ristretto255');
  const waiting = order.toSorted((a, b) => Number(takesLong(b)) - Number(takesLong(a))).values();
  const work = async (): Promise<void> => {
    for (const planned of waiting) {
      if (signal.aborted) return;
      const startedAt = new Date().toISOString();
      const startedMs = performance.now();
      const report = await runExposure(taskOf(planned, options), signal);
      if (signal.aborted) return;
      onEnd(recordOf(planned, options, report, startedAt), performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
}

function taskOf({ spec }: PlannedRepeat, options: MountOptions): ExposureTask {
  const { adversaries, retentionDays } = options;
  const { pipeline, provider, options: chosen, workload, seed } = spec;
  const named = { pipeline, provider, options: chosen, workload, seed };
  return { kind: 'exposure', ...named, retentionDays, adversaries };
}

function recordOf(
  { cell, spec, order }: PlannedRepeat,
  { pipelines, suiteName }: MountOptions,
  { status, reason, exposure }: RepeatReport,
  startedAt: string,
): RepeatRecord {
  const { family, rung } = pipelines.get(spec.pipeline)!;
  const { pipeline, implementation, workload, threads } = cell;
  return {
    format: FORMAT,
    cell: cell.name,
    suite: suiteName,
    pipeline,
    family,
    rung,
    implementation,
    workload,
    threads,
    repeat: spec.repeat,
    order,
    seed: spec.seed,
    startedAt,
    status,
    ...(reason === undefined ? {} : { reason }),
    shards: [],
    ...(exposure === undefined ? {} : { exposure }),
  };
}

/** Never throws: when the child dies, or `signal` aborts, the report's status is `error`. */
async function runExposure(task: ExposureTask, signal: AbortSignal): Promise<RepeatReport> {
  const result = await askChild('exposure', task, signal);
  if ('died' in result) {
    return { status: 'error', reason: `its process ${result.died}`, shards: [] };
  }
  return result.answer as RepeatReport;
}
