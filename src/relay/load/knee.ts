/**
 * The knee of a relay: the highest rate at which the response time of an append keeps a bound; and
 * what an open loop reads at half of it.
 *
 * @module
 */

import { SeededRandom } from '../../core/random.ts';
import { Histogram } from '../../measure/histogram.ts';
import type { SaturationFacts } from '../../measure/facts.ts';
import type { RelayOpenFacts } from '../../measure/relay-facts.ts';
import { observeWindow, startKneeSearch, type KneeOptions } from '../../stats/knee-search.ts';
import { scheduleArrivals } from '../../workload/arrivals.ts';
import type { Courier } from './courier.ts';
import { generatorFault } from './generator-health.ts';
import { driveOpenLoop, scheduleWith, type OpenLoopResult } from './open-loop.ts';
import type { RelaySpec } from './spec.ts';
import { useBetween, type RelayUnderLoad } from './under-load.ts';

const START_PER_SECOND = 500;
const MIN_PER_SECOND = 20;
/** Beyond it one process of Node drives nothing. */
const MAX_PER_SECOND = 30_000;
const SEARCH = { growth: 1.6, resolution: 0.15, warmups: 0, confirmations: 2, windowsMax: 40 };
/** Windows at half of the knee, until the driver keeps up in one. */
const HALF_TRIES = 6;
const ARRIVALS_STREAM = 0x6172_7276;
const SESSIONS_STREAM = 0x7365_7373;

export type KneeResult =
  | { readonly knee: SaturationFacts; readonly openLoop: RelayOpenFacts }
  /** Why there is none, and how far it came. */
  | { readonly knee: SaturationFacts; readonly invalid: string };

/** One window after the other; what was sent in each is delivered and opened before the next. */
export async function findKnee(
  courier: Courier,
  relay: RelayUnderLoad,
  spec: RelaySpec,
): Promise<KneeResult> {
  const boundNs = spec.boundMs! * 1e6;
  const options: KneeOptions = {
    start: START_PER_SECOND,
    min: MIN_PER_SECOND,
    max: MAX_PER_SECOND,
    bound: boundNs,
    ...SEARCH,
  };
  await runWindow(courier, spec, START_PER_SECOND, spec.warmupMs, 0);
  let state = startKneeSearch(options);
  const windows: SaturationFacts['windows'] = {
    load: [],
    completedShare: [],
    responseNs: [],
    lagNs: [],
    isValid: [],
  };
  while (state.end === undefined) {
    const { load } = state;
    const result = await runWindow(courier, spec, load, spec.timedMs, state.windows + 1);
    if (courier.faults.count > 0) break;
    const isValid = generatorFault(result) === undefined;
    const { scheduledNs, elapsedNs } = result.append;
    const latency = p99Of(result.append.response);
    // A backlog of less than the bound is none.
    const completedShare = scheduledNs / Math.max(scheduledNs, elapsedNs - boundNs);
    windows.load.push(load);
    windows.completedShare.push(completedShare);
    windows.responseNs.push(latency);
    windows.lagNs.push(p99Of(result.append.lag));
    windows.isValid.push(isValid);
    state = observeWindow(options, state, { latency, completedShare, isValid });
  }
  const { end } = state;
  if (end === undefined) {
    const reason = 'messages were lost or wrong';
    return { knee: { boundNs, windows, end: { kind: 'gave-up', reason } }, invalid: reason };
  }
  if (end.kind === 'gave-up') {
    const { kind, reason, met } = end;
    const told = { kind, reason, ...(met === undefined ? {} : { met }) };
    return { knee: { boundNs, windows, end: told }, invalid: `there is no knee: ${reason}` };
  }
  const knee = { boundNs, windows, end };
  const openLoop = await openLoopAt(courier, relay, spec, end.load / 2, 2 * spec.timedMs);
  return 'invalid' in openLoop ? { knee, ...openLoop } : { knee, openLoop };
}

async function openLoopAt(
  courier: Courier,
  relay: RelayUnderLoad,
  spec: RelaySpec,
  perSecond: number,
  durationMs: number,
): Promise<RelayOpenFacts | { readonly invalid: string }> {
  let invalid: string | undefined;
  for (let attempt = 1; attempt <= HALF_TRIES; attempt++) {
    const before = await relay.snapshot();
    const result = await runWindow(courier, spec, perSecond, durationMs, -attempt);
    const after = await relay.snapshot();
    invalid = generatorFault(result);
    if (invalid === undefined || courier.faults.count > 0) {
      return openFactsOf(result, perSecond, useBetween(before, after), attempt);
    }
  }
  return { invalid: `at half of the knee, in ${HALF_TRIES} windows, ${invalid}` };
}

export function openFactsOf(
  { append, fetch, acknowledge, generator }: OpenLoopResult,
  offeredPerSecond: number,
  server: RelayOpenFacts['server'],
  windows: number,
): RelayOpenFacts {
  return { offeredPerSecond, windows, append, fetch, acknowledge, generator, server };
}

/** @param window Names the seeds: of the arrivals, and of who writes. */
async function runWindow(
  courier: Courier,
  { seed, messagesPerFetch }: RelaySpec,
  perSecond: number,
  durationMs: number,
  window: number,
): Promise<OpenLoopResult> {
  const { ends, client, tokens, faults } = courier;
  const count = Math.max(1, Math.round((perSecond * durationMs) / 1_000));
  const arrivals = { pattern: 'poisson', perSecond } as const;
  const dueNs = scheduleArrivals(arrivals, { count }, seed, ARRIVALS_STREAM, window + 1);
  const random = new SeededRandom(seed, SESSIONS_STREAM, window + 1);
  const frames = ends.makeBlock(Array.from({ length: count }, () => random.below(ends.sessions)));
  const appends = courier.appendsOf(frames);
  const first = frames[0]!.message;
  // Frames of one message are due together.
  const due = frames.map(({ message }) => dueNs[message - first]!);
  const schedule = scheduleWith(appends, due, messagesPerFetch);
  const result = await driveOpenLoop({ client, tokens, schedule, faults });
  await courier.settle(appends, result.fetched);
  return result;
}

function p99Of(histogram: string): number {
  return Histogram.decode(histogram).valueAtPercentile(99) ?? 0;
}
