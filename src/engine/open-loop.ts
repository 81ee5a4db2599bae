/**
 * The traffic of one shard in an open loop: by the schedule of its workload, or in search of its
 * saturation.
 *
 * @module
 */

import type { OpenDrive } from './drive-open.ts';
import type { FactsDigest } from './digest.ts';
import { findKnee } from './find-knee.ts';
import { firstCommands, laterCount, LaterCommands, type Commands } from './open-commands.ts';
import { OpenReadings } from './open-readings.ts';
import type { RepeatSpec } from './spec.ts';
import type { OpenFacts, SaturationFacts } from '../measure/facts.ts';
import type { LiveWriter } from '../measure/live.ts';
import { scheduleArrivals } from '../workload/arrivals.ts';
import type { Script } from '../workload/script.ts';

const ARRIVALS_STREAM = 0x6172_7269;

/** What is known before any clock runs. */
export interface OpenPlan {
  /** The first message of every session: it opens the session at the other end, by no schedule. */
  readonly first: Commands;
  /** All others; undefined where a search decides how many there are. */
  readonly later: { readonly commands: Commands; readonly offsetsNs: Float64Array } | undefined;
}

/** @returns Undefined for a closed loop. */
export function planOpenLoop(
  spec: RepeatSpec,
  script: Script,
  shard: number,
): OpenPlan | undefined {
  if (!isOpenLoop(spec)) return undefined;
  const { arrivals } = spec.workload;
  const first = firstCommands(script);
  if (spec.saturation !== undefined || arrivals === undefined) return { first, later: undefined };
  const count = laterCount(script);
  const commands = new LaterCommands(script).take(count);
  const offsetsNs =
    arrivals.pattern === 'recorded'
      ? script.momentsMs!.map((momentMs) => Math.round((momentMs * 1e6) / arrivals.speed))
      : scheduleArrivals(arrivals, { count }, spec.seed, ARRIVALS_STREAM, shard);
  return { first, later: { commands, offsetsNs } };
}

/** A check is always a closed loop: it is not timed, and an authority takes part. */
export function isOpenLoop({ purpose, saturation, workload }: RepeatSpec): boolean {
  return purpose === 'measure' && (saturation ?? workload.arrivals) !== undefined;
}

/** Carries all messages of a shard whose sessions are open at one end. */
export async function runOpenLoop(
  drive: OpenDrive,
  { first, later }: OpenPlan,
  script: Script,
  { saturation, seed }: RepeatSpec,
  digest: FactsDigest,
  live?: LiveWriter,
): Promise<{ readonly open?: OpenFacts; readonly saturation?: SaturationFacts }> {
  await drive.carry(first, digest);
  if (saturation !== undefined) return findKnee(drive, script, saturation, seed, live);
  const { commands, offsetsNs } = later!;
  const readings = new OpenReadings();
  await drive.carry(commands, digest, offsetsNs, readings);
  return { open: readings.facts() };
}

/** The same messages one after the other, without a schedule: for warming up. */
export async function runWithoutSchedule(drive: OpenDrive, script: Script): Promise<void> {
  await drive.carry(firstCommands(script));
  await drive.carry(new LaterCommands(script).take(laterCount(script)));
}
