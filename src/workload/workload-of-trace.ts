/**
 * The workload that carries a trace, with numbers of its own for where a few sessions are made up.
 *
 * @module
 */

import type { PackedTrace, Trace } from './trace.ts';
import type { Workload } from './workload.ts';

const DAY_MS = 86_400_000;
/** Nothing in a trace says when devices connect: as in `chat`. */
const MESSAGES_PER_CONNECTION = 20;

/** @param speed Left out for a closed loop. */
export function workloadOfTrace(
  name: string,
  trace: Trace,
  packed: PackedTrace,
  speed: number | undefined,
): Workload {
  const { messages, sessions } = packed;
  const users = new Set(trace.users).size;
  const days = trace.atMs.at(-1)! / DAY_MS;
  const perUserDay = days === 0 ? Infinity : (2 * messages) / users / days;
  return {
    $schema: '../workload.schema.json',
    name,
    title: `A trace of ${messages} messages in ${sessions} sessions, sizes and times only`,
    source: 'Imported by sealbench import-trace.',
    behaviour: 'bursts',
    parameters: { meanBurst: Math.min(1_000, meanBurst(trace)), maxBurst: 1_000 },
    sessions,
    messages: fewestMessages(trace, sessions),
    usersPerSession: Math.min(2, Math.max(0.001, users / sessions)),
    size: sizesOf(trace.bytes),
    network: { loss: 0, reorder: 0, reorderDepth: 1, duplicate: 0, outage: 0 },
    ...(speed === undefined ? {} : { arrivals: { pattern: 'recorded' as const, speed } }),
    messagesPerUserDay: Math.min(1_000_000, Math.max(0.01, perUserDay)),
    messagesPerConnection: MESSAGES_PER_CONNECTION,
    trace: packed,
  };
}

/** Messages of one member in a row. */
function meanBurst({ sessions, members, users }: Trace): number {
  const speakers = new Int8Array(users.length / 2).fill(-1);
  let bursts = 0;
  for (const [i, session] of sessions.entries()) {
    if (speakers[session] === members[i]) continue;
    speakers[session] = members[i]!;
    bursts += 1;
  }
  return sessions.length / bursts;
}

function fewestMessages({ sessions }: Trace, count: number): number {
  const messages = new Uint32Array(count);
  for (const session of sessions) messages[session]! += 1;
  return Math.min(
    100_000,
    messages.reduce((fewest, one) => Math.min(fewest, one), Infinity),
  );
}

/** A log-normal distribution with the median and the spread of the trace. */
function sizesOf(bytes: Uint32Array): Workload['size'] {
  const sorted = bytes.toSorted();
  const medianBytes = sorted[sorted.length >> 1]!;
  let squares = 0;
  for (const size of sorted) squares += Math.log(size / medianBytes) ** 2;
  return {
    distribution: 'log-normal',
    medianBytes,
    sigma: Math.min(4, Math.sqrt(squares / sorted.length)),
    minBytes: sorted[0]!,
    maxBytes: sorted.at(-1)!,
  };
}
