/**
 * A workload and a seed, turned into a fixed list of commands before any clock runs.
 *
 * Packed: 1 byte for the speaker, 2 or 4 for the length, 2 for the delay and 1 for the fate of each
 * message, and 4 for its place where they come in random order, so that millions of sessions stay
 * small. The same workload and seed give the same script for every pipeline and provider. With more
 * threads speakers and lengths stay the same, but each thread has users of its own and numbers its
 * sessions from 0, so that sessions have other members and other texts, and an order of their own.
 *
 * @module
 */

import { SeededRandom } from '../core/random.ts';
import { drawMessageCounts } from './activity.ts';
import type { Behaviour } from './behaviour.ts';
import { drawMembers, usersOfGraph } from './graph.ts';
import { scriptOfTrace } from './script-of-trace.ts';
import { unpackTrace } from './trace.ts';
import type { LossPlace, Workload } from './workload.ts';

export const FATE = { delivered: 0, lost: 1, duplicated: 2 } as const;

/** The commands of sessions `first` to `first + sessions - 1` of a workload. */
export interface Script {
  readonly sessions: number;
  /** Messages of one session; where they differ, of the shortest. */
  readonly messages: number;
  /** Where each session begins in the columns, and the end of the last; only where they differ. */
  readonly offsets?: Uint32Array;
  /**
   * The session of every message, in the order in which they are sent: first the first of each
   * session, then all others. Where it is left out, sessions take turns.
   */
  readonly order?: Uint32Array;
  readonly users: number;
  /** Two users per session. */
  readonly members: Uint32Array;
  /** Per message, session-major: who sends it, 0 or 1. */
  readonly speakers: Uint8Array;
  /** Per message: plaintext bytes. */
  readonly lengths: Uint16Array | Uint32Array;
  /** Per message: one of FATE. */
  readonly fates: Uint8Array;
  /** Where the messages are lost that are. */
  readonly lossAt: LossPlace;
  /** Per message: how many messages later it is delivered. */
  readonly delays: Uint16Array;
  /** Virtual milliseconds between two messages of a session, on average where they differ. */
  readonly stepMs: number;
  /** Of a trace: ms from its first message to every message after the first ones, in their order. */
  readonly momentsMs?: Float64Array;
}

const DAY_MS = 86_400_000;
const ORDER_STREAM = 0x6f72_6465;

/** Where message `message` of `session` stands in the columns. */
export function indexOf(script: Script, session: number, message: number): number {
  const { offsets, messages } = script;
  return (offsets === undefined ? session * messages : offsets[session]!) + message;
}

/** Bytes of the longest message, 1 at least. */
export function longestMessage({ lengths }: Script): number {
  let longest = 1;
  for (let at = 0; at < lengths.length; at++) longest = Math.max(longest, lengths[at]!);
  return longest;
}

/** How many messages `session` has. */
export function messagesOf({ offsets, messages }: Script, session: number): number {
  return offsets === undefined ? messages : offsets[session + 1]! - offsets[session]!;
}

/** @param first Number of the first session, when a workload is split over shards. */
export function writeScript(
  workload: Workload,
  behaviour: Behaviour,
  seed: number,
  first: number,
  sessions: number,
): Script {
  const { messages, activity, graph, trace } = workload;
  // In a step every session has one message, which two users handle.
  const stepMs = (DAY_MS * 2) / workload.usersPerSession / workload.messagesPerUserDay;
  if (trace !== undefined) {
    const traced = scriptOfTrace(unpackTrace(trace), first, sessions);
    const total = traced.lengths.length;
    const fates = new Uint8Array(total);
    const delays = new Uint16Array(total);
    return { sessions, messages, ...traced, fates, lossAt: 'downlink', delays, stepMs };
  }
  const counts = activity && drawMessageCounts(activity, messages, seed, first, sessions);
  const offsets = counts && offsetsOf(counts);
  const total = offsets === undefined ? sessions * messages : offsets[sessions]!;
  const users =
    graph === undefined
      ? Math.max(2, Math.round(sessions * workload.usersPerSession))
      : usersOfGraph(sessions, workload.usersPerSession);
  const members =
    graph === undefined
      ? new Uint32Array(sessions * 2)
      : drawMembers(graph, seed, first, sessions, users);
  const speakers = new Uint8Array(total);
  const lengths =
    longestOf(workload.size) > 0xffff ? new Uint32Array(total) : new Uint16Array(total);
  const fates = new Uint8Array(total);
  const delays = new Uint16Array(total);
  const { loss, duplicate, reorder, reorderDepth, outage, lossAt = 'downlink' } = workload.network;

  let from = 0;
  for (let session = 0; session < sessions; session++) {
    const random = new SeededRandom(seed, first + session);
    if (graph === undefined) {
      const user = random.below(users);
      members[session * 2] = user;
      members[session * 2 + 1] = (user + 1 + random.below(users - 1)) % users;
    }
    const to = from + (counts === undefined ? messages : counts[session]!);
    behaviour.speak(speakers.subarray(from, to), workload.parameters, random);
    for (let i = from; i < to; i++) {
      lengths[i] = drawLength(workload.size, random);
      const luck = random.fraction();
      // What stays zero is not written, so that its pages need no memory.
      if (luck < loss) fates[i] = FATE.lost;
      else if (luck < loss + duplicate) fates[i] = FATE.duplicated;
      if (random.fraction() < reorder) delays[i] = 1 + random.below(reorderDepth);
    }
    // The first message opens the session at the other end, which could not speak without it.
    if (fates[from] !== FATE.delivered) fates[from] = FATE.delivered;
    if (delays[from] !== 0) delays[from] = 0;
    if (outage > 0) fates.fill(FATE.lost, from + 1, Math.min(to, from + 1 + outage));
    from = to;
  }
  return {
    sessions,
    messages,
    ...(counts && offsets && { offsets, order: drawOrder(counts, total, seed, first) }),
    users,
    members,
    speakers,
    lengths,
    fates,
    lossAt,
    delays,
    stepMs,
  };
}

function offsetsOf(counts: Uint32Array): Uint32Array {
  const offsets = new Uint32Array(counts.length + 1);
  for (let session = 0; session < counts.length; session++) {
    offsets[session + 1] = offsets[session]! + counts[session]!;
  }
  return offsets;
}

/**
 * A uniformly random order of all messages after the first ones: the same as drawing each next
 * message among all that are to come.
 */
function drawOrder(counts: Uint32Array, total: number, seed: number, first: number): Uint32Array {
  const random = new SeededRandom(seed, first, ORDER_STREAM);
  const sessions = counts.length;
  const order = new Uint32Array(total);
  let at = sessions;
  for (let session = 0; session < sessions; session++) {
    order[session] = session;
    const to = at + counts[session]! - 1;
    order.fill(session, at, to);
    at = to;
  }
  random.shuffle(order.subarray(0, sessions));
  random.shuffle(order.subarray(sessions));
  return order;
}

function longestOf(size: Workload['size']): number {
  return size.distribution === 'fixed' ? size.bytes : size.maxBytes;
}

function drawLength(size: Workload['size'], random: SeededRandom): number {
  if (size.distribution === 'fixed') return size.bytes;
  const drawn = Math.round(size.medianBytes * Math.exp(size.sigma * random.normal()));
  return Math.min(size.maxBytes, Math.max(size.minBytes, drawn));
}
