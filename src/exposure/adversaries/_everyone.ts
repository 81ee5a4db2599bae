/**
 * What mountings share: whose messages count, and which frames the relay still has.
 *
 * @module
 */

import type { Mount } from '../adversary.ts';
import { evidenceOf, type Evidence, type Message, type RecorderName } from '../evidence.ts';
import { innerKindOf } from '../frame-profile.ts';
import type { Town } from '../town.ts';

export const DAY_MS = 86_400_000;

export const everyone = (): boolean => true;
export const nobody = (): boolean => false;

/** Messages sent after the compromise. */
export function isFuture({ plan }: Town): (message: Message) => boolean {
  return ({ step }) => step > plan.seizedAfter;
}

/** Messages sent before it. */
export function isPast({ plan }: Town): (message: Message) => boolean {
  return ({ step }) => step <= plan.seizedAfter;
}

/** Whether the provider reads what passes. */
export function isReadable({ plan }: Town): boolean {
  return innerKindOf(plan.pipeline) === 'clear';
}

/** What the relay keeps of the days before the compromise, and of all after it. */
export function retained(town: Town, recorder: RecorderName = 'relay-retention'): Evidence {
  const { seizedAfter, retentionDays } = town.plan;
  const fromMs = town.seizedAtMs - retentionDays * DAY_MS;
  return evidenceOf(town.recording, recorder, { step: seizedAfter, fromMs });
}

/** Whether the relay keeps a message's frame. */
export function isRetained(town: Town): (message: Message) => boolean {
  const fromMs = town.seizedAtMs - town.plan.retentionDays * DAY_MS;
  return ({ atMs }) => atMs >= fromMs;
}

/** A mounting that reads everyone's messages. */
export function massMount(
  label: string,
  evidence: Evidence,
  leak: Mount['leak'],
  isExpected: Mount['isExpected'],
): Mount {
  return { label, evidence, leak, isInScope: everyone, isExpected };
}
