/**
 * Finds the highest rate that a pipeline carries with the 99th percentile of the response time under
 * a bound: windows of Poisson arrivals over the same live sessions, each at the rate that the search
 * asks for.
 *
 * Every window begins with no message waiting. How many messages that takes depends on how fast the
 * machine is, so beyond the first message of each session they are no deterministic facts; their
 * plaintexts are checked like all others.
 *
 * @module
 */

import type { OpenDrive } from './drive-open.ts';
import { LaterCommands } from './open-commands.ts';
import { OpenReadings } from './open-readings.ts';
import type { OpenFacts, SaturationFacts } from '../measure/facts.ts';
import { fellBehind } from '../measure/generator.ts';
import type { LiveWriter } from '../measure/live.ts';
import {
  observeWindow,
  startKneeSearch,
  type KneeOptions,
  type KneeState,
} from '../stats/knee-search.ts';
import { scheduleArrivals } from '../workload/arrivals.ts';
import type { Script } from '../workload/script.ts';
import { windowMessages, type Saturation } from '../workload/saturation.ts';

const PERCENTILE = 99;
const WINDOW_STREAM = 0x7769_6e64;
const SEARCH = { growth: 2, warmups: 1, confirmations: 3, windowsMax: 60 } as const;

/**
 * @returns With `open`, the windows that confirmed the rate that was found and for which the generator
 * kept up.
 */
export async function findKnee(
  drive: OpenDrive,
  script: Script,
  saturation: Saturation,
  seed: number,
  live?: LiveWriter,
): Promise<{ readonly saturation: SaturationFacts; readonly open?: OpenFacts }> {
  const options: KneeOptions = {
    ...SEARCH,
    start: saturation.startPerSecond,
    min: saturation.minPerSecond,
    max: saturation.maxPerSecond,
    bound: saturation.p99Ms * 1e6,
    resolution: saturation.resolution,
  };
  const windows: SaturationFacts['windows'] = {
    load: [],
    completedShare: [],
    responseNs: [],
    lagNs: [],
    isValid: [],
  };
  let confirming = new OpenReadings();
  let confirmed = false;
  const commands = new LaterCommands(script);
  let state: KneeState = startKneeSearch(options);
  while (state.end === undefined) {
    const { load, phase, discard } = state;
    const count = windowMessages(load, saturation.windowSeconds);
    const arrivals = { pattern: 'poisson', perSecond: load } as const;
    const offsetsNs = scheduleArrivals(arrivals, { count }, seed, WINDOW_STREAM, state.windows);
    const readings = new OpenReadings();
    live?.window(state.windows + 1, SEARCH.windowsMax, load);
    await drive.carry(commands.take(count), undefined, offsetsNs, readings);

    const { response, lag, unlagged } = readings;
    const observation = {
      latency: response.valueAtPercentile(PERCENTILE)!,
      completedShare: readings.scheduledNs / readings.elapsedNs,
      isValid: fellBehind(response, unlagged) === undefined,
    };
    windows.load.push(load);
    windows.completedShare.push(observation.completedShare);
    windows.responseNs.push(observation.latency);
    windows.lagNs.push(lag.valueAtPercentile(PERCENTILE)!);
    windows.isValid.push(observation.isValid);
    state = observeWindow(options, state, observation);
    if (phase === 'confirm-met' && discard === 0 && observation.isValid) {
      confirming.merge(readings);
      confirmed = true;
    }
    const isNew = phase !== 'confirm-met' || state.load !== load;
    if (state.phase === 'confirm-met' && isNew) {
      confirming = new OpenReadings();
      confirmed = false;
    }
  }
  const facts = { boundNs: options.bound, windows, end: endOf(state.end) };
  return state.end.kind === 'found' && confirmed
    ? { saturation: facts, open: confirming.facts() }
    : { saturation: facts };
}

function endOf(end: NonNullable<KneeState['end']>): SaturationFacts['end'] {
  if (end.kind === 'found') return end;
  const { kind, reason, met } = end;
  return met === undefined ? { kind, reason } : { kind, reason, met };
}
