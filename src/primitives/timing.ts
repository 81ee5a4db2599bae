/**
 * Times prepared calls with tinybench, in windows, with the reference kernel between them.
 *
 * tinybench reads the clock around each call of a function. A call of some hundred ns would be
 * mostly clock, so that function makes a fixed number of calls, a power of two found before the
 * timed phase: a sample then lasts {@link SAMPLE_NS}, and one of a longer call is that call alone.
 *
 * CPU is read around each window. What tinybench does between two samples, some 100 ns, is in it;
 * what it does with the samples at the end is not.
 *
 * @module
 */

import { Bench, calibrateTimerOverhead, type TimestampProvider } from 'tinybench';
import { Histogram } from '../measure/histogram.ts';
import type { OperationFacts, WindowColumns } from '../measure/operation-facts.ts';
import type { Clocks } from './clocks.ts';
import type { Turns } from './turns.ts';

/** A thousand times what reading the clock costs. */
const SAMPLE_NS = 50_000;
const CALLS_PER_SAMPLE_MAX = 2 ** 20;
/** As many as it takes to tell whether times still change (see src/stats/steady-state.ts). */
const WINDOWS = 15;
/** A window of a slow operation is as long as these take. */
const SAMPLES_MIN = 2;
/** A quarter of the warm-up is left to tinybench, whose own loop must be compiled too. */
const OWN_WARMUP = 0.75;
/** Where another process has the core, warming up takes at most so many times as long. */
const WARMUP_WALL_MAX = 5;

export interface TimingPlan {
  readonly warmupMs: number;
  readonly timedMs: number;
  readonly awaited: boolean;
}

export type Timed = NonNullable<OperationFacts['timed']>;

/** @throws What a call throws. */
export async function timeCalls(turns: Turns, plan: TimingPlan, clocks: Clocks): Promise<Timed> {
  const warmupStartMs = clocks.nowMs();
  const callsPerSample = await warmUp(turns, plan, clocks);
  const timer: TimestampProvider = {
    name: 'performanceNow',
    fn: clocks.nowMs,
    toMs: Number,
    fromMs: (ms) => ms,
  };
  const timerOverheadNs = calibrateTimerOverhead(timer) * 1e6;
  clocks.collectGarbage();
  const windows = new Windows(turns, clocks);
  const warnings = new Set<string>();
  const bench = new Bench({
    timestampProvider: timer,
    time: plan.timedMs / WINDOWS,
    iterations: SAMPLES_MIN,
    warmupTime: (plan.warmupMs * (1 - OWN_WARMUP)) / WINDOWS,
    warmupIterations: 1,
    retainSamples: true,
    throws: true,
    setup: (_, mode) => (mode === 'run' ? windows.open() : undefined),
    teardown: (_, mode) => (mode === 'run' ? windows.close() : undefined),
  });
  bench.addEventListener('warning', ({ reason }) => {
    if (reason !== undefined) warnings.add(reason);
  });
  let warmupEndMs = warmupStartMs;
  bench.addEventListener('start', () => {
    warmupEndMs = clocks.nowMs();
  });
  for (let window = 0; window < WINDOWS; window++) {
    if (plan.awaited) {
      bench.add(`${window}`, () => turns.makeAwaited(callsPerSample), { async: true });
    } else {
      bench.add(`${window}`, () => turns.make(callsPerSample), { async: false });
    }
  }
  const tasks = plan.awaited ? await bench.run() : bench.runSync();
  for (const { result } of tasks) {
    if (result.state !== 'completed') throw new Error(`tinybench ended as ${result.state}`);
    windows.add(result.latency.samples ?? []);
  }
  return {
    callsPerSample,
    timerOverheadNs,
    timerWarnings: [...warnings].sort(),
    warmupNs: (warmupEndMs - warmupStartMs) * 1e6,
    windows: windows.columns,
  };
}

/**
 * Makes calls for most of the warm-up, in ever longer runs: when it ends, the last run says how many
 * calls a sample takes. The warm-up is counted in CPU, because code is not compiled by waiting for a
 * core.
 */
async function warmUp(
  turns: Turns,
  { warmupMs, awaited }: TimingPlan,
  clocks: Clocks,
): Promise<number> {
  const endCpuNs = clocks.readCpuNs() + warmupMs * OWN_WARMUP * 1e6;
  const endMs = clocks.nowMs() + warmupMs * WARMUP_WALL_MAX;
  let calls = 1;
  for (;;) {
    const startMs = clocks.nowMs();
    if (awaited) await turns.makeAwaited(calls);
    else turns.make(calls);
    const afterMs = clocks.nowMs();
    const lastsNs = (afterMs - startMs) * 1e6;
    if (lastsNs < SAMPLE_NS && calls < CALLS_PER_SAMPLE_MAX) calls *= 2;
    // What was slow while it was compiled may need more calls now, never fewer.
    else if (afterMs >= endMs || clocks.readCpuNs() >= endCpuNs) return calls;
  }
}

/** Readings around each window. */
class Windows {
  readonly columns: WindowColumns = {
    samples: [],
    calls: [],
    wallNs: [],
    cpuNs: [],
    runDelayNs: [],
    stealTicks: [],
    kernelCpuNs: [],
  };
  readonly #turns: Turns;
  readonly #clocks: Clocks;
  #before = { made: 0, nowMs: 0, cpuNs: 0, runDelayNs: 0, stealTicks: 0 };

  constructor(turns: Turns, clocks: Clocks) {
    this.#turns = turns;
    this.#clocks = clocks;
  }

  open(): void {
    // The clock and the CPU last: what is read before them is not in them.
    const stealTicks = this.#clocks.readStealTicks();
    const runDelayNs = this.#clocks.readRunDelayNs();
    const { made } = this.#turns;
    const nowMs = this.#clocks.nowMs();
    this.#before = { made, nowMs, runDelayNs, stealTicks, cpuNs: this.#clocks.readCpuNs() };
  }

  close(): void {
    const cpuNs = this.#clocks.readCpuNs();
    const nowMs = this.#clocks.nowMs();
    const { columns } = this;
    const before = this.#before;
    columns.cpuNs.push(cpuNs - before.cpuNs);
    columns.wallNs.push((nowMs - before.nowMs) * 1e6);
    columns.runDelayNs.push(grown(before.runDelayNs, this.#clocks.readRunDelayNs()));
    columns.stealTicks.push(grown(before.stealTicks, this.#clocks.readStealTicks()));
    columns.calls.push(this.#turns.made - before.made);
    columns.kernelCpuNs.push(this.#clocks.runKernel());
  }

  /** @param samples Of one window, in ms. */
  add(samples: readonly number[]): void {
    const histogram = new Histogram();
    for (const ms of samples) histogram.record(ms * 1e6);
    this.columns.samples.push(histogram.encode());
  }
}

/** -1 where it was unknown. */
export function grown(before: number, after: number): number {
  return before < 0 || after < 0 ? -1 : after - before;
}
