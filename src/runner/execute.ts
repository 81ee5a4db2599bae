/**
 * Runs a plan: one repeat after the other, each recorded as it ends.
 *
 * @module
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { HarnessError } from '../core/errors.ts';
import { FORMAT, type RepeatRecord } from '../results/record.ts';
import { repeatKey, type Run } from '../results/store.ts';
import type { PlannedRepeat } from '../suite/plan.ts';
import { loadPipelines } from './pipelines-info.ts';
import type { RepeatReport, RunRepeat } from './repeat-report.ts';
import { runRepeat } from './repeat.ts';

export interface ExecuteOptions {
  readonly plan: { readonly order: readonly PlannedRepeat[] };
  readonly run: Pick<Run, 'append'>;
  readonly suiteName: string;
  readonly signal: AbortSignal;
  /** What an earlier attempt finished, by `repeatKey`. */
  readonly skip?: ReadonlySet<string>;
  readonly onStart: (planned: PlannedRepeat) => void;
  readonly onEnd: (planned: PlannedRepeat, record: RepeatRecord) => void;
  /** Repeats under way at once: 1 for whatever is timed. */
  readonly concurrency?: number;
  /** For tests: instead of a child process. */
  readonly runRepeat?: RunRepeat;
}

/**
 * A cell that fails is an error record and the run goes on. One that cannot run here is recorded
 * once: trying it again would give the same.
 *
 * @returns Whether `signal` stopped it; the repeat that was under way is then dropped.
 * @throws HarnessError NOT_WRITTEN when a record cannot be kept.
 */
export async function execute(options: ExecuteOptions): Promise<{ interrupted: boolean }> {
  const { plan, run, suiteName, signal, skip, onStart, onEnd, concurrency = 1 } = options;
  const runOnce = options.runRepeat ?? runRepeat;
  const pipelines = await loadPipelines(plan.order.map(({ spec }) => spec.pipeline));
  const impossible = new Set<string>();

  const runPlanned = async (planned: PlannedRepeat): Promise<void> => {
    const { cell, spec, order } = planned;
    if (skip?.has(repeatKey(cell.name, spec.repeat)) === true) return;
    if (impossible.has(cell.name)) return;

    onStart(planned);
    const startedAt = new Date().toISOString();
    const report = await reportOf(runOnce, planned, signal);
    // A terminal interrupts the child too, whose death must not be taken for a failure of the cell.
    await nextTurn();
    if (signal.aborted) return;

    const { family, rung } = pipelines.get(spec.pipeline)!;
    const record: RepeatRecord = {
      format: FORMAT,
      cell: cell.name,
      suite: suiteName,
      pipeline: cell.pipeline,
      family,
      rung,
      implementation: cell.implementation,
      workload: cell.workload,
      threads: cell.threads,
      repeat: spec.repeat,
      order,
      seed: spec.seed,
      startedAt,
      status: report.status,
      ...(report.reason === undefined ? {} : { reason: report.reason }),
      messagesPerSession: spec.workload.messages,
      messagesPerConnection: spec.workload.messagesPerConnection,
      messagesPerUserDay: spec.workload.messagesPerUserDay,
      shards: [...report.shards],
      ...(report.process === undefined ? {} : { process: report.process }),
    };
    run.append(record);
    if (isImpossible(record.status)) impossible.add(cell.name);
    onEnd(planned, record);
  };

  const waiting = plan.order.values();
  const work = async (): Promise<void> => {
    for (const planned of waiting) {
      if (signal.aborted) return;
      await runPlanned(planned);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return { interrupted: signal.aborted };
}

/** Whether a cell of this status is not tried again. */
export function isImpossible(status: RepeatRecord['status']): boolean {
  return status === 'unavailable' || status === 'unsupported';
}

async function reportOf(
  runOnce: RunRepeat,
  { spec }: PlannedRepeat,
  signal: AbortSignal,
): Promise<RepeatReport> {
  try {
    return await runOnce(spec, signal);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const code = error instanceof HarnessError ? error.code : undefined;
    if (code === 'UNAVAILABLE') return { status: 'unavailable', reason, shards: [] };
    if (code === 'UNSUPPORTED') return { status: 'unsupported', reason, shards: [] };
    return { status: 'error', reason, shards: [] };
  }
}
