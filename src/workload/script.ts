/**
 * A workload and a seed, turned into a fixed list of commands before any clock runs.
 *
 * Packed: 1 byte for the speaker, 4 for the length, 2 for the delay and 1 for the fate of each
 * message, so that a million sessions stay small. The same workload and seed give the same script
 * for every pipeline and provider. With more threads the messages stay the same, but each thread has
 * users of its own, so that sessions have other members.
 *
 * @module
 */

import { SeededRandom } from '../core/random.ts';
import type { Behaviour } from './behaviour.ts';
import type { LossPlace, Workload } from './workload.ts';

export const FATE = { delivered: 0, lost: 1, duplicated: 2 } as const;

/** The commands of sessions `first` to `first + sessions - 1` of a workload. */
export interface Script {
  readonly sessions: number;
  /** Messages of one session. */
  readonly messages: number;
  readonly users: number;
  /** Two users per session. */
  readonly members: Uint32Array;
  /** Per message, session-major: who sends it, 0 or 1. */
  readonly speakers: Uint8Array;
  /** Per message: plaintext bytes. */
  readonly lengths: Uint32Array;
  /** Per message: one of FATE. */
  readonly fates: Uint8Array;
  /** Where the messages are lost that are. */
  readonly lossAt: LossPlace;
  /** Per message: how many messages later it is delivered. */
  readonly delays: Uint16Array;
  /** Virtual milliseconds between two messages of a session. */
  readonly stepMs: number;
}

const DAY_MS = 86_400_000;

/** @param first Number of the first session, when a workload is split over shards. */
export function writeScript(
  workload: Workload,
  behaviour: Behaviour,
  seed: number,
  first: number,
  sessions: number,
): Script {
  const { messages } = workload;
  const total = sessions * messages;
  const users = Math.max(2, Math.round(sessions * workload.usersPerSession));
  const members = new Uint32Array(sessions * 2);
  const speakers = new Uint8Array(total);
  const lengths = new Uint32Array(total);
  const fates = new Uint8Array(total);
  const delays = new Uint16Array(total);
  const { loss, duplicate, reorder, reorderDepth, outage, lossAt = 'downlink' } = workload.network;

  for (let session = 0; session < sessions; session++) {
    const random = new SeededRandom(seed, first + session);
    const user = random.below(users);
    members[session * 2] = user;
    members[session * 2 + 1] = (user + 1 + random.below(users - 1)) % users;
    const from = session * messages;
    behaviour.speak(speakers.subarray(from, from + messages), workload.parameters, random);
    for (let i = from; i < from + messages; i++) {
      lengths[i] = drawLength(workload.size, random);
      const luck = random.fraction();
      if (luck < loss) fates[i] = FATE.lost;
      else if (luck < loss + duplicate) fates[i] = FATE.duplicated;
      if (random.fraction() < reorder) delays[i] = 1 + random.below(reorderDepth);
    }
    // The first message opens the session at the other end, which could not speak without it.
    fates[from] = FATE.delivered;
    delays[from] = 0;
    fates.fill(FATE.lost, from + 1, from + Math.min(messages, 1 + outage));
  }
  // In a step every session has one message, which two users handle.
  const messagesPerUserStep = 2 / workload.usersPerSession;
  const stepMs = (DAY_MS * messagesPerUserStep) / workload.messagesPerUserDay;
  return { sessions, messages, users, members, speakers, lengths, fates, lossAt, delays, stepMs };
}

function drawLength(size: Workload['size'], random: SeededRandom): number {
  if (size.distribution === 'fixed') return size.bytes;
  const drawn = Math.round(size.medianBytes * Math.exp(size.sigma * random.normal()));
  return Math.min(size.maxBytes, Math.max(size.minBytes, drawn));
}
