/**
 * The figures that the project sets itself, measured on this machine and judged.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import type { Pairs } from '../engine/raw-pairs.ts';
import type { GrowthSamples } from '../engine/recorder-growth.ts';
import type { RepeatSpec } from '../engine/spec.ts';
import { medianInterval } from '../stats/interval.ts';
import { median } from '../stats/quantile.ts';
import { leastSquaresSlope } from '../stats/slope.ts';
import { loadWorkload } from '../suite/parse.ts';
import { calibrateOverhead } from './calibrate.ts';
import { ATTACK_BOUND, ATTACK_TARGET, attackQuestion } from './attack-target.ts';
import { askChild } from './child.ts';
import { isolatedRatchetSpec } from './isolated-spec.ts';
import type { RepeatReport } from './repeat-report.ts';
import {
  RELAY_TARGETS,
  measureRelayPairs,
  type RelayPairs,
  type RelayTargetName,
} from './relay-target.ts';
import { runRepeat } from './repeat.ts';
import {
  sampleWorkers,
  WORKER_BOUNDS,
  WORKER_TARGETS,
  type WorkerSamples,
  type WorkerTargetName,
} from './worker-targets.ts';

/** In the order in which they are measured: the slow one last. */
export const TARGET_NAMES = [
  'ratchet',
  'hpke',
  'escrow-context',
  ATTACK_TARGET,
  'overhead-cpu',
  'overhead-latency',
  'recorder',
  ...RELAY_TARGETS,
  ...WORKER_TARGETS,
  'retained',
] as const;
export type TargetName = (typeof TARGET_NAMES)[number];

/** At most this many times the library's functions alone. */
const RATIO_BOUNDS = {
  ratchet: 1.6,
  hpke: 1.8,
  'escrow-context': 3,
  [ATTACK_TARGET]: ATTACK_BOUND,
} as const;
type PairsName = keyof typeof RATIO_BOUNDS;
/** At most this many times the base: a bare server, and the relay in memory. */
const RELAY_BOUNDS: Readonly<Record<RelayTargetName, number>> = {
  'relay-memory': 1.25,
  'relay-durable': 3,
};
const OVERHEAD_CPU_BOUND_NS = 20;
/** Beyond one reading of the clock, which a latency cannot do without. */
export const OVERHEAD_LATENCY_BOUND_NS = 30;
const RECORDER_BOUND_BYTES = 1_000_000;
const RETAINED_BOUND_BYTES = 600;

export const RECORDED_MESSAGES = 10_000_000;
/** What warm-up chooses for a Double Ratchet; larger batches have fewer readings to keep. */
const RECORDED_BATCH = 50;
const RECORDED_POINTS = 10;

/** With fewer, the interval of a median says little. */
const PAIRS_MIN = 20;

/** The same in every population, so that only sessions are added. */
const USERS = 2_000;
/** The smallest population, a quarter, then gives each user a session, as workloads require. */
export const SESSIONS_MIN = 4_000;
/** Beyond it, users per session fall below what workloads allow. */
export const SESSIONS_MAX = 2_000_000;
export const SESSIONS_DEFAULT = 400_000;
/** The handshake and one more: every session is open at both ends. */
const MESSAGES = 2;

/** A value with its 95 % interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Ours against the library's functions, in pairs in one process. */
export interface PairEvidence {
  readonly kind: 'pairs';
  /** Of CPU, per message or per seal. */
  readonly oursNs: Estimate;
  readonly rawNs: Estimate;
  readonly samples: {
    /** One entry per pair. */
    readonly oursNs: readonly number[];
    readonly rawNs: readonly number[];
    /** Of each call by itself, one entry per batch. */
    readonly eachNs: Readonly<Record<string, readonly number[]>>;
  };
  /** What the raw side called for one message or seal. */
  readonly calls: readonly {
    /** As in src/crypto/counting.ts. */
    readonly name: string;
    readonly count: number;
    /** What of `rawNs` falls to one call; null for what is composed of the other calls. */
    readonly eachNs: number | null;
  }[];
}

/** One server against another, in pairs of time slots. */
export interface ServerEvidence extends RelayPairs {
  readonly kind: 'servers';
}

export interface OverheadEvidence {
  readonly kind: 'overhead';
  readonly clockReadNs: number;
}

/** As the process that recorded tells it. */
export interface GrowthEvidence extends GrowthSamples {
  readonly kind: 'growth';
}

export interface PopulationEvidence {
  readonly kind: 'populations';
  /** Growth from before the first to after the last message, each in a process of its own. */
  readonly populations: readonly {
    readonly sessions: number;
    readonly heapBytes: number;
    /** Array buffers included. */
    readonly externalBytes: number;
  }[];
  /** Of the line through the populations at no sessions: what does not grow with them. */
  readonly fixedBytes: number;
}

/** Of workers: shares, one per pair or repeat. */
export interface WorkerEvidence extends WorkerSamples {
  readonly kind: 'workers';
}

export interface JudgedTarget {
  readonly name: TargetName;
  readonly verdict: 'met' | 'missed';
  /** `ratio` is times the raw functions. */
  readonly unit: 'ratio' | 'ns' | 'B' | 'share';
  /** At most. */
  readonly bound: number;
  readonly measured: Estimate;
  readonly evidence:
    | PairEvidence
    | ServerEvidence
    | OverheadEvidence
    | GrowthEvidence
    | PopulationEvidence
    | WorkerEvidence;
}

export interface FailedTarget {
  readonly name: TargetName;
  readonly verdict: 'failed';
  readonly reason: string;
}

export type TargetResult = JudgedTarget | FailedTarget;

/** What measures; tests give others. */
export interface Instruments {
  readonly askChild: typeof askChild;
  readonly calibrateOverhead: typeof calibrateOverhead;
  readonly runRepeat: typeof runRepeat;
  readonly measureRelayPairs: typeof measureRelayPairs;
}

export interface MeasureOptions {
  /** Measured in the order of TARGET_NAMES. */
  readonly names: readonly TargetName[];
  /** The largest population of `retained`, SESSIONS_MIN to SESSIONS_MAX. */
  readonly sessions: number;
  readonly signal: AbortSignal;
  /** @param sessions Of the population that is opened next; only for `retained`. */
  readonly onStart: (name: TargetName, sessions?: number) => void;
  readonly instruments?: Instruments;
}

/** What workers/target.ts answers, if not `{ failure }` with a message. */
export interface TargetSamples extends Pairs {
  /** For each call that the raw side makes: ns of CPU, one entry per batch of calls. */
  readonly eachNs: Readonly<Record<string, readonly number[]>>;
}

/**
 * A target that cannot be measured has failed, and the others are measured all the same. When
 * `signal` aborts, what is finished is returned.
 */
export async function measureTargets(options: MeasureOptions): Promise<TargetResult[]> {
  const { names, signal, onStart } = options;
  const instruments = options.instruments ?? {
    askChild,
    calibrateOverhead,
    runRepeat,
    measureRelayPairs,
  };
  // One process samples what both targets of overhead are judged by.
  let overhead: ReturnType<typeof calibrateOverhead> | undefined;
  const measure = async (name: TargetName): Promise<JudgedTarget> => {
    if (name === 'retained') return measureRetained(options, instruments);
    onStart(name);
    if (name === 'ratchet' || name === 'hpke' || name === 'escrow-context') {
      return judgePairs(
        name,
        await askTarget<TargetSamples>({ target: name }, instruments, signal),
      );
    }
    if (name === ATTACK_TARGET) {
      const question = await attackQuestion();
      return judgePairs(name, await askTarget<TargetSamples>(question, instruments, signal));
    }
    if (name === 'relay-memory' || name === 'relay-durable') {
      return judgeRelay(name, await instruments.measureRelayPairs(name, signal));
    }
    if (name === 'scaling' || name === 'live-view') {
      return judgeWorkers(name, await sampleWorkers(name, instruments.runRepeat, signal));
    }
    if (name === 'recorder') {
      const question = {
        target: name,
        messages: RECORDED_MESSAGES,
        batch: RECORDED_BATCH,
        points: RECORDED_POINTS,
      };
      return judgeRecorder(await askTarget<GrowthSamples>(question, instruments, signal));
    }
    overhead ??= instruments.calibrateOverhead(signal);
    return judgeOverhead(name, await overhead);
  };
  const results: TargetResult[] = [];
  for (const name of TARGET_NAMES.filter((known) => names.includes(known))) {
    if (signal.aborted) break;
    try {
      results.push(await measure(name));
    } catch (error) {
      // The child was killed: no failure of the target.
      if (signal.aborted) break;
      if (!(error instanceof HarnessError)) throw error;
      results.push({ name, verdict: 'failed', reason: error.message });
    }
  }
  return results;
}

/** The populations of `retained`: a quarter, a half and the whole of the largest. */
export function populationsOf(sessions: number): number[] {
  return [sessions / 4, sessions / 2, sessions].map(Math.round);
}

/** @param question As workers/target.ts takes it. */
async function askTarget<Samples extends object>(
  question: unknown,
  instruments: Instruments,
  signal: AbortSignal,
): Promise<Samples> {
  const result = await instruments.askChild('target', question, signal);
  if ('died' in result) throw notMeasured(`its process ${result.died}`);
  const answer = result.answer as Samples | { readonly failure: string };
  if ('failure' in answer) throw notMeasured(answer.failure);
  return answer;
}

/**
 * By the median of the pairs' ratios: within a pair both sides met the same neighbours.
 *
 * @throws HarnessError for samples that cannot decide.
 */
export function judgePairs(name: PairsName, samples: TargetSamples): JudgedTarget {
  const { oursNs, rawNs, calls, eachNs } = samples;
  const complete = oursNs.filter((ns, pair) => isCost(ns) && isCost(rawNs[pair])).length;
  if (complete < PAIRS_MIN || complete !== oursNs.length || complete !== rawNs.length) {
    const found = `${complete} of ${Math.max(oursNs.length, rawNs.length)}`;
    throw notMeasured(`expected at least ${PAIRS_MIN} pairs, all above 0 ns, found ${found}`);
  }
  const uneven = Object.keys(calls).find((call) => !Number.isInteger(calls[call]));
  if (uneven !== undefined) {
    throw notMeasured(
      `expected the same calls for each message, found ${calls[uneven]} of ${uneven} on average`,
    );
  }
  const bound = RATIO_BOUNDS[name];
  const measured = estimate(oursNs.map((ns, pair) => ns / rawNs[pair]!));
  const raw = estimate(rawNs);
  const shares = sharesOf(samples);
  return {
    name,
    verdict: measured.value <= bound ? 'met' : 'missed',
    unit: 'ratio',
    bound,
    measured,
    evidence: {
      kind: 'pairs',
      oursNs: estimate(oursNs),
      rawNs: raw,
      samples: { oursNs, rawNs, eachNs },
      calls: Object.entries(calls).map(([call, count]) => {
        const share = shares.get(call);
        return {
          name: call,
          count,
          eachNs: share === undefined ? null : (raw.value * share) / count,
        };
      }),
    },
  };
}

/** By the median of the pairs' ratios. */
export function judgeRelay(name: RelayTargetName, pairs: RelayPairs): JudgedTarget {
  const measured = estimate(pairs.oursNs.map((ns, pair) => ns / pairs.rawNs[pair]!));
  const bound = RELAY_BOUNDS[name];
  return {
    name,
    verdict: measured.value <= bound ? 'met' : 'missed',
    unit: 'ratio',
    bound,
    measured,
    evidence: { kind: 'servers', ...pairs },
  };
}

/**
 * How the raw side's CPU divides among its calls. Only shares are taken from the batches of single
 * calls: the machine may have become faster or slower since the pairs.
 *
 * @returns By call; together 1.
 */
function sharesOf({ calls, eachNs }: TargetSamples): Map<string, number> {
  const timed = Object.entries(eachNs).map(([name, samples]) => ({
    name,
    samples: samples.map((ns) => ns * calls[name]!),
  }));
  const totals = timed[0]?.samples.map((_, batch) =>
    timed.reduce((sum, { samples }) => sum + samples[batch]!, 0),
  );
  const shares = timed.map(({ name, samples }) => ({
    name,
    share: median(samples.map((ns, batch) => ns / totals![batch]!)),
  }));
  // Medians of shares need not add up to the whole.
  const whole = shares.reduce((sum, { share }) => sum + share, 0);
  return new Map(shares.map(({ name, share }) => [name, share / whole]));
}

/** By the upper end of the interval, for the stage that is worst. */
export function judgeOverhead(
  name: 'overhead-cpu' | 'overhead-latency',
  { cpuNs, latencyNs, clockReadNs }: Awaited<ReturnType<typeof calibrateOverhead>>,
): JudgedTarget {
  const isCpu = name === 'overhead-cpu';
  const measured = isCpu ? cpuNs : latencyNs;
  const bound = isCpu ? OVERHEAD_CPU_BOUND_NS : clockReadNs + OVERHEAD_LATENCY_BOUND_NS;
  return {
    name,
    verdict: measured.high <= bound ? 'met' : 'missed',
    unit: 'ns',
    bound,
    measured,
    evidence: { kind: 'overhead', clockReadNs },
  };
}

/**
 * By the largest growth seen on the way: heap and array buffers together, so that nothing is hidden
 * in a buffer outside the heap.
 *
 * @throws HarnessError for samples of fewer messages.
 */
export function judgeRecorder(samples: GrowthSamples): JudgedTarget {
  const { points } = samples;
  const recorded = points.at(-1)?.messages ?? 0;
  if (recorded < RECORDED_MESSAGES) {
    throw notMeasured(`expected ${RECORDED_MESSAGES} recorded messages, found ${recorded}`);
  }
  const value = Math.max(
    ...points.map(({ heapBytes, externalBytes }) => heapBytes + externalBytes),
  );
  return {
    name: 'recorder',
    verdict: value < RECORDER_BOUND_BYTES ? 'met' : 'missed',
    unit: 'B',
    bound: RECORDER_BOUND_BYTES,
    measured: { value, low: value, high: value },
    evidence: { kind: 'growth', ...samples },
  };
}

/** By the median of the shares. */
export function judgeWorkers(name: WorkerTargetName, samples: WorkerSamples): JudgedTarget {
  const bound = WORKER_BOUNDS[name];
  const measured = estimate(samples.shares);
  return {
    name,
    verdict: measured.value <= bound ? 'met' : 'missed',
    unit: 'share',
    bound,
    measured,
    evidence: { kind: 'workers', ...samples },
  };
}

async function measureRetained(
  { sessions, signal, onStart }: MeasureOptions,
  instruments: Instruments,
): Promise<JudgedTarget> {
  const populations: PopulationEvidence['populations'][number][] = [];
  for (const population of populationsOf(sessions)) {
    onStart('retained', population);
    const report = await instruments.runRepeat(await retainedSpec(population), signal);
    if (signal.aborted) throw notMeasured('it was interrupted');
    if (report.status !== 'ok') {
      throw notMeasured(
        `with ${population} sessions: ${report.status}: ${report.reason ?? 'no reason'}`,
      );
    }
    populations.push({ sessions: population, ...growth(report) });
  }
  return judgeRetained(populations);
}

async function retainedSpec(sessions: number): Promise<RepeatSpec> {
  const { workload } = await loadWorkload('chat');
  const sized = { ...workload, sessions, messages: MESSAGES, usersPerSession: USERS / sessions };
  return isolatedRatchetSpec(sized, `chat:messages=${MESSAGES},sessions=${sessions}`);
}

function growth({ shards }: RepeatReport): { heapBytes: number; externalBytes: number } {
  let heapBytes = 0;
  let externalBytes = 0;
  for (const { memory } of shards) {
    heapBytes += memory.after.heapUsedBytes - memory.before.heapUsedBytes;
    externalBytes += memory.after.externalBytes - memory.before.externalBytes;
  }
  return { heapBytes, externalBytes };
}

/** By the slope over the populations: what there is once, such as compiled code, drops out. */
export function judgeRetained(populations: PopulationEvidence['populations']): JudgedTarget {
  const line = leastSquaresSlope(
    populations.map(({ sessions }) => sessions),
    populations.map(({ heapBytes, externalBytes }) => heapBytes + externalBytes),
  );
  if (line?.interval === undefined) {
    throw new RangeError(`"populations" expected at least three, got ${populations.length}`);
  }
  const { slope, intercept, interval } = line;
  return {
    name: 'retained',
    verdict: slope <= RETAINED_BOUND_BYTES ? 'met' : 'missed',
    unit: 'B',
    bound: RETAINED_BOUND_BYTES,
    measured: { value: slope, ...interval },
    evidence: { kind: 'populations', populations, fixedBytes: intercept },
  };
}

function isCost(ns: number | undefined): boolean {
  return ns !== undefined && ns > 0 && ns < Infinity;
}

function estimate(values: readonly number[]): Estimate {
  const value = median(values);
  return { value, ...(medianInterval(values) ?? { low: value, high: value }) };
}

function notMeasured(reason: string): HarnessError {
  return new HarnessError('WRONG_RESULT', reason);
}
