/**
 * Runs a plan: one repeat after the other, each recorded as it ends.
 *
 * @module
 */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { HarnessError } from '../core/errors.ts';
import type { Pipeline } from '../pipelines/_pipeline.ts';
import { FORMAT, type RepeatRecord } from '../results/record.ts';
import { repeatKey, type Run } from '../results/store.ts';
import type { PlannedOperation } from '../suite/plan-operations.ts';
import type { PlannedRelay } from '../suite/plan-relay.ts';
import type { PlannedRepeat } from '../suite/plan.ts';
import { messagesPerSession } from '../workload/activity.ts';
import type { Workload } from '../workload/workload.ts';
import { beyondMemory } from './memory-estimate.ts';
import { runOperation, type RunOperation } from './operation.ts';
import type { LiveReport } from '../measure/live.ts';
import { loadPipelines } from './pipelines-info.ts';
import { runRelay, type RunRelay } from './relay-load.ts';
import type { RepeatReport, RunRepeat } from './repeat-report.ts';
import { runRepeat } from './repeat.ts';

/** A repeat that carries messages, calls one operation, or puts a relay under load. */
export type Planned = PlannedRepeat | PlannedOperation | PlannedRelay;

export interface ExecuteOptions {
  readonly plan: { readonly order: readonly Planned[] };
  readonly run: Pick<Run, 'append'>;
  readonly suiteName: string;
  readonly signal: AbortSignal;
  /** What an earlier attempt finished, by `repeatKey`. */
  readonly skip?: ReadonlySet<string>;
  readonly onStart: (planned: Planned) => void;
  readonly onEnd: (planned: Planned, record: RepeatRecord) => void;
  /** How far the repeat is that was started last, about once a second; only with messages. */
  readonly onLive?: ((report: LiveReport) => void) | undefined;
  /** Memory of the machine, in bytes: repeats beyond it are recorded as unsupported, not run. */
  readonly memoryBytes?: number | undefined;
  /** Repeats under way at once: 1 for whatever is timed. */
  readonly concurrency?: number;
  /** For tests: instead of a child process. */
  readonly runRepeat?: RunRepeat;
  readonly runOperation?: RunOperation;
  readonly runRelay?: RunRelay;
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
  const { memoryBytes } = options;
  const runners = {
    onLive: options.onLive,
    runRepeat: options.runRepeat ?? runRepeat,
    runOperation: options.runOperation ?? runOperation,
    runRelay: options.runRelay ?? runRelay,
  };
  const pipelines = await loadPipelines(
    plan.order.flatMap(({ spec }) => ('primitive' in spec ? [] : [spec.pipeline])),
  );
  const impossible = new Set<string>();

  const runPlanned = async (planned: Planned): Promise<void> => {
    const { cell, spec, order } = planned;
    if (skip?.has(repeatKey(cell.name, spec.repeat)) === true) return;
    if (impossible.has(cell.name)) return;

    onStart(planned);
    const startedAt = new Date().toISOString();
    const tooLarge =
      'kind' in spec || memoryBytes === undefined
        ? undefined
        : beyondMemory(spec, pipelines, memoryBytes);
    const report: RepeatReport =
      tooLarge === undefined
        ? await reportOf(runners, planned, signal)
        : { status: 'unsupported', reason: tooLarge, shards: [] };
    // A terminal interrupts the child too, whose death must not be taken for a failure of the cell.
    await nextTurn();
    if (signal.aborted) return;

    const record: RepeatRecord = {
      format: FORMAT,
      cell: cell.name,
      suite: suiteName,
      pipeline: cell.pipeline,
      ...('primitive' in spec ? OF_OPERATIONS : placeOf(pipelines.get(spec.pipeline)!)),
      implementation: cell.implementation,
      workload: cell.workload,
      threads: cell.threads,
      repeat: spec.repeat,
      order,
      seed: spec.seed,
      startedAt,
      status: report.status,
      ...(report.reason === undefined ? {} : { reason: report.reason }),
      ...('kind' in spec ? {} : messagesOf(spec.workload)),
      shards: [...report.shards],
      ...(report.process === undefined ? {} : { process: report.process }),
      ...(report.operation === undefined ? {} : { operation: report.operation }),
      ...(report.crossCheck === undefined ? {} : { crossCheck: report.crossCheck }),
      ...(report.relay === undefined ? {} : { relay: report.relay }),
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

/** What stands in the place of a pipeline's family and rung. */
const OF_OPERATIONS = { family: 'operation', rung: '' } as const;

function placeOf({ family, rung }: Pipeline): Pick<RepeatRecord, 'family' | 'rung'> {
  return { family, rung };
}

function messagesOf(workload: Workload): Partial<RepeatRecord> {
  const { messagesPerConnection, messagesPerUserDay } = workload;
  return {
    messagesPerSession: messagesPerSession(workload),
    messagesPerConnection,
    messagesPerUserDay,
  };
}

/** Whether a cell of this status is not tried again. */
export function isImpossible(status: RepeatRecord['status']): boolean {
  return status === 'unavailable' || status === 'unsupported';
}

async function reportOf(
  runners: Required<Pick<ExecuteOptions, 'runRepeat' | 'runOperation' | 'runRelay'>> &
    Pick<ExecuteOptions, 'onLive'>,
  { spec }: Planned,
  signal: AbortSignal,
): Promise<RepeatReport> {
  try {
    if (!('kind' in spec)) return await runners.runRepeat(spec, signal, { onLive: runners.onLive });
    if (spec.kind === 'relay') return await runners.runRelay(spec, signal);
    return await runners.runOperation(spec, signal);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const code = error instanceof HarnessError ? error.code : undefined;
    if (code === 'UNAVAILABLE') return { status: 'unavailable', reason, shards: [] };
    if (code === 'UNSUPPORTED') return { status: 'unsupported', reason, shards: [] };
    return { status: 'error', reason, shards: [] };
  }
}
