/**
 * The target of attacks: what recovering a message with one authority key costs beside the open of its
 * field, which no attacker can do without.
 *
 * @module
 */

import type { Workload } from '../workload/workload.ts';
import { loadWorkload } from '../suite/parse.ts';

export const ATTACK_TARGET = 'attack-key';

/** 80 % of the rate is 1.25 times the cost. */
export const ATTACK_BOUND = 1.25;

/** Of one town; with the 40 messages of each some 50 ms of work a side. */
const SESSIONS = 25;

/** @returns As workers/target.ts takes it. */
export async function attackQuestion(): Promise<{
  readonly target: typeof ATTACK_TARGET;
  readonly workload: Workload;
}> {
  const { workload } = await loadWorkload(`seizure:sessions=${SESSIONS}`);
  return { target: ATTACK_TARGET, workload };
}
