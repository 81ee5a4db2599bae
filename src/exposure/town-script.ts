/**
 * The seeded script of one town of a run.
 *
 * @module
 */

import type { Behaviour } from '../workload/behaviour.ts';
import { writeScript, type Script } from '../workload/script.ts';
import type { Workload } from '../workload/workload.ts';

/** Conversations of a town; what is held in memory at once. */
export const TOWN_SESSIONS = 50;
/** Every fifth conversation of a town opens only after the compromise. */
const LATE_EVERY = 5;

export interface TownScript {
  readonly script: Script;
  readonly isLate: (session: number) => boolean;
  /** The step after which devices are copied and keys leak: half of a conversation. */
  readonly seizedAfter: number;
}

/** How many towns the conversations of a workload fill; the last may be smaller. */
export function countTowns({ sessions }: Workload): number {
  return Math.ceil(sessions / TOWN_SESSIONS);
}

/** Town number `town`, from 0. */
export function writeTownScript(
  workload: Workload,
  behaviour: Behaviour,
  seed: number,
  town: number,
): TownScript {
  const first = town * TOWN_SESSIONS;
  const sessions = Math.min(TOWN_SESSIONS, workload.sessions - first);
  const script = writeScript(workload, behaviour, seed, first, sessions);
  return {
    script,
    isLate: (session) => session % LATE_EVERY === LATE_EVERY - 1,
    seizedAfter: Math.floor(workload.messages / 2) - 1,
  };
}

/** The first sessions of a script, as they are; all where there are no more. */
export function firstSessions(script: Script, count: number): Script {
  const sessions = Math.min(count, script.sessions);
  const messages = sessions * script.messages;
  return {
    ...script,
    sessions,
    members: script.members.subarray(0, sessions * 2),
    speakers: script.speakers.subarray(0, messages),
    lengths: script.lengths.subarray(0, messages),
    fates: script.fates.subarray(0, messages),
    delays: script.delays.subarray(0, messages),
  };
}
