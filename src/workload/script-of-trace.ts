/**
 * The commands of a trace: its sessions, speakers, sizes, order and moments.
 *
 * @module
 */

import type { Trace } from './trace.ts';

/** What a script takes from a trace; columns as in `Script`. */
export interface TracedScript {
  readonly offsets: Uint32Array;
  readonly order: Uint32Array;
  readonly users: number;
  readonly members: Uint32Array;
  readonly speakers: Uint8Array;
  readonly lengths: Uint32Array;
  /** Of every message after the first ones, in their order: ms since the first of the trace. */
  readonly momentsMs: Float64Array;
}

/** @param first Number of the first session, when a trace is split over shards. */
export function scriptOfTrace(trace: Trace, first: number, sessions: number): TracedScript {
  const isHere = (session: number): boolean => session >= first && session < first + sessions;
  const offsets = new Uint32Array(sessions + 1);
  for (const session of trace.sessions) if (isHere(session)) offsets[session - first + 1]! += 1;
  for (let session = 0; session < sessions; session++) {
    offsets[session + 1]! += offsets[session]!;
  }
  const total = offsets[sessions]!;
  const order = new Uint32Array(total);
  const speakers = new Uint8Array(total);
  const lengths = new Uint32Array(total);
  const momentsMs = new Float64Array(total - sessions);
  const written = new Uint32Array(sessions);
  let firsts = 0;
  let later = 0;
  for (const [i, number] of trace.sessions.entries()) {
    if (!isHere(number)) continue;
    const session = number - first;
    const place = offsets[session]! + written[session]!;
    speakers[place] = trace.members[i]!;
    lengths[place] = trace.bytes[i]!;
    if (written[session] === 0) order[firsts++] = session;
    else {
      order[sessions + later] = session;
      momentsMs[later++] = trace.atMs[i]!;
    }
    written[session]! += 1;
  }
  const { users, members } = renumbered(trace.users.subarray(first * 2, (first + sessions) * 2));
  return { offsets, order, users, members, speakers, lengths, momentsMs };
}

/** Users of a shard from 0 on, in the order in which they come. */
function renumbered(users: Uint32Array): { users: number; members: Uint32Array } {
  const numbers = new Map<number, number>();
  const members = users.map((user) => {
    const number = numbers.get(user) ?? numbers.size;
    numbers.set(user, number);
    return number;
  });
  return { users: numbers.size, members };
}
