/**
 * Small towns for tests of attacks, and what came of mounting an adversary on one.
 *
 * @module
 */

import { listNames, loadByName } from '../../src/core/discover.ts';
import { ADVERSARIES_DIR, PIPELINES_DIR } from '../../src/core/paths.ts';
import {
  isNotMounted,
  type Adversary,
  type Claims,
  type Mount,
  type NotMounted,
  type Played,
  type ReadingAdversary,
} from '../../src/exposure/adversary.ts';
import { addMount, newTally, type Tally } from '../../src/exposure/score.ts';
import { sharedOf, type SharedReadings } from '../../src/exposure/shared-readings.ts';
import { holdTown, type Town, type TownPlan } from '../../src/exposure/town.ts';
import { writeTownScript } from '../../src/exposure/town-script.ts';
import type { Options, Pipeline } from '../../src/pipelines/_pipeline.ts';
import type { Workload } from '../../src/workload/workload.ts';
import { loadBehaviour, loadProvider, loadWorkload, optionsOf } from '../conformance/_parts.ts';

export const native = await loadProvider('native');

export const adversaries: readonly Adversary[] = await Promise.all(
  (await listNames(ADVERSARIES_DIR)).map((name) =>
    loadByName<Adversary>(ADVERSARIES_DIR, name, 'adversary'),
  ),
);

export function readerOf(id: string): ReadingAdversary {
  const found = adversaries.find((one) => one.id === id);
  if (found?.kind !== 'reader') throw new RangeError(`"id" expected that of a reader, got ${id}`);
  return found;
}

export interface TownChanges {
  readonly options?: Options;
  readonly workload?: Parameters<typeof loadWorkload>[1];
  readonly retentionDays?: number;
  readonly seed?: number;
  readonly seizedAfter?: number;
}

/** Ten conversations of five users, two of which open after the compromise. */
export async function openTown(name: string, changes: TownChanges = {}): Promise<Town> {
  const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline');
  const workload: Workload = await loadWorkload('seizure', { sessions: 10, ...changes.workload });
  const behaviour = await loadBehaviour(workload.behaviour);
  const seed = changes.seed ?? 7;
  const script = writeTownScript(workload, behaviour, seed, 0);
  const plan: TownPlan = {
    pipeline,
    provider: native,
    options: optionsOf(pipeline, changes.options),
    seed,
    retentionDays: changes.retentionDays ?? 30,
    ...script,
    ...(changes.seizedAfter === undefined ? {} : { seizedAfter: changes.seizedAfter }),
  };
  return holdTown(plan);
}

/** By label: what an attack recovers, added up over its mountings; what is the same is opened once. */
export function mountReader(
  town: Town,
  adversary: ReadingAdversary,
): Map<string, Tally> | NotMounted {
  const mounts = adversary.mounts(town);
  if (isNotMounted(mounts)) return mounts;
  const tallies = new Map<string, Tally>();
  for (const mount of mounts) {
    const tally = tallies.get(mount.label) ?? newTally();
    tallies.set(mount.label, tally);
    addMount(
      tally,
      mount.town ?? town,
      mount,
      claimsOf(town, adversary, mount, sharedOf(mount.town ?? town)),
    );
  }
  return tallies;
}

export function claimsOf(
  town: Town,
  adversary: ReadingAdversary,
  mount: Mount,
  shared?: SharedReadings,
): Claims {
  const { facts } = (mount.town ?? town).recording;
  const given = shared === undefined ? facts : { ...facts, shared };
  return adversary.attack(given, mount.evidence, mount.leak);
}

/** `past recovered/of, future recovered/of`. */
export function shown({ past, future }: Tally): string {
  return `${past.recovered}/${past.of}, ${future.recovered}/${future.of}`;
}

export function differing({ past, future }: Tally): number {
  return past.missing + past.unexpected + future.missing + future.unexpected;
}

export function playedText({ label, rate, hits, of }: Played): string {
  return `${label} ${rate} ${hits}/${of}`;
}
