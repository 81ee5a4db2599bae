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
import type { MemoryNeeds, Options, Pipeline } from '../pipelines/_pipeline.ts';
import { messagesPerSession } from '../workload/activity.ts';
import { windowMessages, type Saturation } from '../workload/saturation.ts';
import type { Workload } from '../workload/workload.ts';

/** Speaker 1, length 4, fate 1, delay 2, place in the order 4, flag of what was recovered 1. */
const MESSAGE_BYTES = 13;
/** Members 8, arrivals 8, where its messages begin 8, sent so far 4, accepted 1; its graph at first 20. */
const ENGINE_SESSION_BYTES = 49;
/** By a schedule: when it is due 8, session 4, number 4. */
const SCHEDULED_BYTES = 16;
/** Record and link, in a table that may just have grown by half, old and new side by side. */
const SKIPPED_KEY_BYTES = 190;
/** Keys that both ends of a session keep at most, as the table bounds them. */
const SKIPPED_KEYS_MAX = 4_000;
/** Of an end that keeps any: where its list begins and how long it is. */
const SKIPPED_LIST_BYTES = 80;
/** Of a pipeline that says nothing: the dearest rung of the ladder retains two thirds of it. */
const USUAL_NEEDS: MemoryNeeds = { sessionBytes: 4_096, userBytes: 4_096 };
/** Node, libraries and buffers of each thread. */
const THREAD_BYTES = 200 * 2 ** 20;
/** The rest is the system's. */
const USABLE_SHARE = 0.8;

interface Sized {
  readonly cell: string;
  readonly pipeline: string;
  readonly options: Options;
  readonly workload: Pick<
    Workload,
    'sessions' | 'messages' | 'activity' | 'trace' | 'usersPerSession' | 'network' | 'arrivals'
  >;
  readonly threads: number;
  readonly saturation?: Saturation | undefined;
}

/** By the name that specs use. */
export type NeedsByPipeline = ReadonlyMap<string, Needing>;

type Needing = Pick<Pipeline, 'memory' | 'skipLimit'>;

/** Bytes that one more session takes, with its messages and its share of users. */
export function bytesPerSession(
  workload: Sized['workload'],
  pipeline: Needing,
  options: Options,
): number {
  const { sessionBytes, userBytes } = needsOf(pipeline, options);
  const ofUsers = userBytes * workload.usersPerSession;
  const messageBytes = MESSAGE_BYTES + (workload.arrivals === undefined ? 0 : SCHEDULED_BYTES);
  const ofMessages = messagesPerSession(workload) * messageBytes;
  return (
    sessionBytes +
    ofUsers +
    ENGINE_SESSION_BYTES +
    ofMessages +
    skippedBytes(workload, pipeline.skipLimit)
  );
}

function needsOf({ memory = USUAL_NEEDS }: Needing, options: Options): MemoryNeeds {
  return typeof memory === 'function' ? memory(options) : memory;
}

/**
 * What a session keeps of keys of messages that were passed over: of all that are lost or late, though
 * those that are late give theirs back.
 */
function skippedBytes(workload: Sized['workload'], skipLimit: number): number {
  // Messages in any order skip no keys.
  if (skipLimit === Infinity) return 0;
  const { loss, reorder, outage } = workload.network;
  const messages = messagesPerSession(workload);
  const passedOver = Math.min(outage, skipLimit, messages) + messages * (loss + reorder);
  const keys = Math.min(SKIPPED_KEYS_MAX, passedOver);
  return keys * SKIPPED_KEY_BYTES + Math.min(2, keys) * SKIPPED_LIST_BYTES;
}

/** Why a cell does not fit, naming how many sessions would; undefined when it does. */
export function beyondMemory(
  { pipeline, options, workload, threads, saturation }: Sized,
  pipelines: NeedsByPipeline,
  memoryBytes: number,
): string | undefined {
  const needing = pipelines.get(pipeline)!;
  const perSession = bytesPerSession(workload, needing, options);
  const windowBytes =
    saturation === undefined
      ? 0
      : windowMessages(saturation.maxPerSecond, saturation.windowSeconds) * SCHEDULED_BYTES;
  const atOnceBytes = threads * THREAD_BYTES + windowBytes;
  const needed = perSession * workload.sessions + atOnceBytes;
  const usable = memoryBytes * USABLE_SHARE - atOnceBytes;
  const { addressed } = needsOf(needing, options);
  const addressable =
    addressed === undefined
      ? Infinity
      : threads * (addressed.threadBytesMax / addressed.sessionBytes);
  const fitting = Math.max(0, Math.floor(Math.min(usable / perSession, addressable)));
  if (workload.sessions <= fitting) return undefined;
  const room =
    addressed !== undefined && addressable < usable / perSession
      ? `its library can address ${gibibytes(threads * addressed.threadBytesMax)}`
      : `of ${gibibytes(memoryBytes)} a run may use ${gibibytes(memoryBytes * USABLE_SHARE)}`;
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

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
