/**
 * A against A: one cell in pairs of fresh processes, to see how far apart the same can seem here.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import { SeededRandom } from '../core/random.ts';
import type { RepeatSpec } from '../engine/spec.ts';
import cpuPerMessage from '../metrics/cpu-per-message.ts';
import { loadPipelines } from '../runner/pipelines-info.ts';
import type { RepeatReport } from '../runner/repeat-report.ts';
import { runRepeat } from '../runner/repeat.ts';
import { loadWorkload } from '../suite/parse.ts';

const PIPELINE = 'double-ratchet';
/** Bare, so that a process has little to do beside what is read. */
const OPTIONS = { hop: 'none', rest: 'none' };
/** A ratchet that never turns: every message costs the same. */
const WORKLOAD = 'one-way:sessions=200';
/** The second is part of Node, for where the library of the first is not installed. */
const PROVIDERS = ['native', 'node'] as const;
/** That of a repeat with the budgets quick and standard. */
const WARMUP_MS = 500;

/** What is run, and how fast it is here. */
export interface TrialRun {
  readonly spec: RepeatSpec;
  readonly wallMs: number;
}

/** CPU per message of two processes that did the same, in ns. */
export interface SamePair {
  readonly aNs: number;
  readonly bNs: number;
  /** Which ran first. */
  readonly first: 'a' | 'b';
}

/**
 * Runs the cell once, with the first provider that loads; also so that what is compiled and cached at
 * first is so for all pairs.
 *
 * @throws HarnessError when no provider gives a figure; undefined when `signal` aborts.
 */
export async function tryCell(signal: AbortSignal): Promise<TrialRun | undefined> {
  const { workload, segment } = await loadWorkload(WORKLOAD);
  const { options } = (await loadPipelines([PIPELINE])).get(PIPELINE)!;
  const defaults = Object.entries(options).map(([name, option]) => [name, option.default] as const);
  let reason = '';
  for (const provider of PROVIDERS) {
    const spec: RepeatSpec = {
      cell: `doctor/${PIPELINE}:hop=none,rest=none/${provider}/${segment}/t1`,
      pipeline: PIPELINE,
      options: { ...Object.fromEntries(defaults), ...OPTIONS },
      provider,
      workload,
      threads: 1,
      seed: 1,
      repeat: 0,
      randomness: 'os',
      purpose: 'measure',
      warmupMs: WARMUP_MS,
    };
    const startMs = performance.now();
    const report = await ask(spec, signal);
    if (report === undefined) return undefined;
    if (report.status === 'ok') return { spec, wallMs: performance.now() - startMs };
    reason = report.reason ?? report.status;
    if (report.status !== 'unavailable') break;
  }
  throw new HarnessError('WRONG_RESULT', `doctor: the cell that it measures failed: ${reason}`);
}

/**
 * Pairs in blocks of two, A B B A or B A A B by a seed, so that neither side comes first more often.
 *
 * @param onStart Called before each process, `onEnd` after it.
 * @returns The pairs that were finished before `signal` aborted.
 */
export async function runSamePairs(
  spec: RepeatSpec,
  pairs: number,
  { signal, onStart, onEnd }: { signal: AbortSignal; onStart: () => void; onEnd: () => void },
): Promise<SamePair[]> {
  const done: SamePair[] = [];
  let first: SamePair['first'] = 'a';
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 0) first = new SeededRandom(spec.seed, pair).fraction() < 0.5 ? 'a' : 'b';
    else first = first === 'a' ? 'b' : 'a';
    const costs: number[] = [];
    for (let side = 0; side < 2; side++) {
      onStart();
      const cost = await costOf({ ...spec, seed: spec.seed + pair, repeat: pair }, signal);
      if (cost === undefined) return done;
      onEnd();
      costs.push(cost);
    }
    const [one, other] = costs as [number, number];
    done.push(first === 'a' ? { aNs: one, bNs: other, first } : { aNs: other, bNs: one, first });
  }
  return done;
}

/** CPU per message in all roles, as `run` reports it; undefined when `signal` aborts. */
async function costOf(spec: RepeatSpec, signal: AbortSignal): Promise<number | undefined> {
  const report = await ask(spec, signal);
  if (report === undefined) return undefined;
  const cost = cpuPerMessage.derive(report).find(({ role }) => role === 'all')?.value;
  if (report.status === 'ok' && cost !== undefined && cost > 0) return cost;
  const reason = report.reason ?? 'it has no CPU per message';
  throw new HarnessError('WRONG_RESULT', `doctor: the cell that it measures failed: ${reason}`);
}

/** Undefined when `signal` aborts, whatever becomes of the process then. */
async function ask(spec: RepeatSpec, signal: AbortSignal): Promise<RepeatReport | undefined> {
  try {
    const report = await runRepeat(spec, signal);
    return signal.aborted ? undefined : report;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}
