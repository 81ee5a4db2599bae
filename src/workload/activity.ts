/**
 * How many messages each session has, where they are not equally many.
 *
 * Zipf's law: G. K. Zipf, Human Behavior and the Principle of Least Effort (1949). Drawn session by
 * session, by inversion of the distribution of sizes that a law of ranks implies, so that a session
 * has as many messages whatever shard it falls into.
 *
 * @module
 */

import { SeededRandom } from '../core/random.ts';
import type { Activity, Workload } from './workload.ts';

const STREAM = 0x6163_7469;

/**
 * @param least Messages that every session has.
 * @param first Number of the first session, when a workload is split over shards.
 */
export function drawMessageCounts(
  { exponent, mostExtra }: Activity,
  least: number,
  seed: number,
  first: number,
  sessions: number,
): Uint32Array {
  const counts = new Uint32Array(sessions);
  // Sizes of mostExtra + 1 and more are cut off, and the rest keeps its proportions.
  const smallest = (mostExtra + 2) ** (-1 / exponent);
  for (let session = 0; session < sessions; session++) {
    const random = new SeededRandom(seed, first + session, STREAM);
    const uniform = 1 - random.fraction() * (1 - smallest);
    const extra = Math.floor(uniform ** -exponent) - 1;
    counts[session] = least + Math.min(mostExtra, extra);
  }
  return counts;
}

/** What `drawMessageCounts` gives on average. */
export function meanMessages({ exponent, mostExtra }: Activity, least: number): number {
  const smallest = (mostExtra + 2) ** (-1 / exponent);
  let mean = least;
  for (let extra = 1; extra <= mostExtra; extra++) {
    mean += ((extra + 1) ** (-1 / exponent) - smallest) / (1 - smallest);
  }
  return mean;
}

/** Messages of a session, on average where they differ. */
export function messagesPerSession({
  messages,
  activity,
  trace,
}: Pick<Workload, 'messages' | 'activity' | 'trace'>): number {
  if (trace !== undefined) return trace.messages / trace.sessions;
  return activity === undefined ? messages : meanMessages(activity, messages);
}
