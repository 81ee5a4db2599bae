/**
 * Whether the sessions of a plan fit into this machine's memory: asked before work starts.
 *
 * What a pipeline keeps of a session and of a user, its own file says (`Pipeline.memory`); what the
 * engine keeps of a session and of a message stands here. Both are rather too high than too low: a
 * test holds them to what is retained.
 *
 * @module
 */

import { badInput } from '../core/errors.ts';
import type { MemoryNeeds, Pipeline } from '../pipelines/_pipeline.ts';
import { messagesPerSession } from '../workload/activity.ts';
import type { Workload } from '../workload/workload.ts';

/** Speaker 1, length 4, fate 1, delay 2, place in the order 4, flag of what was recovered 1. */
const MESSAGE_BYTES = 13;
/** Members 8, arrivals 8, where its messages begin 8, sent so far 4, accepted 1; its graph at first 20. */
const ENGINE_SESSION_BYTES = 49;
/** Of a pipeline that says nothing: the dearest rung of the ladder retains two thirds of it. */
const USUAL_NEEDS: MemoryNeeds = { sessionBytes: 4_096, userBytes: 4_096 };
/** Node, libraries and buffers of each thread. */
const THREAD_BYTES = 200 * 2 ** 20;
/** The rest is the system's. */
const USABLE_SHARE = 0.8;

interface Sized {
  readonly cell: string;
  readonly pipeline: string;
  readonly workload: Pick<
    Workload,
    'sessions' | 'messages' | 'activity' | 'trace' | 'usersPerSession'
  >;
  readonly threads: number;
}

/** By the name that specs use. */
export type NeedsByPipeline = ReadonlyMap<string, Pick<Pipeline, 'memory'>>;

/** Bytes that one more session takes, with its messages and its share of users. */
export function bytesPerSession(
  workload: Sized['workload'],
  { sessionBytes, userBytes }: MemoryNeeds = USUAL_NEEDS,
): number {
  const ofUsers = userBytes * workload.usersPerSession;
  return (
    sessionBytes + ofUsers + ENGINE_SESSION_BYTES + messagesPerSession(workload) * MESSAGE_BYTES
  );
}

/** Why a cell does not fit, naming how many sessions would; undefined when it does. */
export function beyondMemory(
  { pipeline, workload, threads }: Sized,
  pipelines: NeedsByPipeline,
  memoryBytes: number,
): string | undefined {
  const needs = pipelines.get(pipeline)?.memory;
  const perSession = bytesPerSession(workload, needs);
  const needed = perSession * workload.sessions + threads * THREAD_BYTES;
  const usable = memoryBytes * USABLE_SHARE - threads * THREAD_BYTES;
  const addressable = threads * (needs?.threadBytesMax ?? Infinity);
  if (perSession * workload.sessions <= Math.min(usable, addressable)) return undefined;
  const fitting = Math.max(0, Math.floor(Math.min(usable, addressable) / perSession));
  const room =
    addressable < usable
      ? `its library can address ${gibibytes(addressable)}`
      : `this machine has ${gibibytes(memoryBytes)}`;
  return (
    `${workload.sessions} sessions of ${Math.round(messagesPerSession(workload) * 10) / 10} messages on ` +
    `${threads} thread${threads === 1 ? '' : 's'} need about ${gibibytes(needed)} of memory, ${room}; ` +
    `about ${fitting} sessions would fit`
  );
}

/** @throws HarnessError BAD_INPUT for the first cell that does not fit, naming what would. */
export function requireMemory(
  specs: Iterable<Sized>,
  pipelines: NeedsByPipeline,
  memoryBytes: number,
): void {
  for (const spec of specs) {
    const reason = beyondMemory(spec, pipelines, memoryBytes);
    if (reason !== undefined) throw badInput(`${spec.cell}: ${reason}`);
  }
}

/** Of a session, on average. */

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
