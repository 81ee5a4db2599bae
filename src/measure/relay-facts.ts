/**
 * The raw facts of a repeat that puts a relay server under load, over real connections: what
 * workers/relay-load.ts reports and `cells.ndjson` stores. Times are nanoseconds.
 *
 * @module
 */

import { z } from 'zod';
import { openFacts, saturationFacts } from './facts.ts';

const count = z.number().int().nonnegative();
const ns = z.number();

/** What the server's process used between two moments, as it read itself. */
const serverUse = z.object({
  requests: count,
  /** Of the process, with all its threads. */
  cpuNs: ns,
  wallNs: ns,
  /** Time in which its event loop was not waiting for something to do. */
  loopActiveNs: ns,
  bytesIn: count,
  bytesOut: count,
});
export type ServerUse = z.infer<typeof serverUse>;

/** A closed loop of another process, as fast as the server answers. */
const closedLoopFacts = z.object({
  /** With its version. */
  generator: z.string(),
  connections: count,
  /** Frames that were made beforehand, and cycled through. */
  distinctFrames: count,
  /** An append, and its share of a fetch and an acknowledgement. */
  requestsPerMessage: z.number().positive(),
  completed: count,
  /** Requests that got no answer, or another than was expected. */
  errors: z.object({
    connection: count,
    timeouts: count,
    mismatches: count,
    non2xx: count,
    unanswered: count,
  }),
  /** By status code. */
  statuses: z.record(z.string(), count),
  bytesRead: count,
  durationNs: ns,
  /** In the middle of that, when everything was warm. */
  server: serverUse,
});
export type ClosedLoopFacts = z.infer<typeof closedLoopFacts>;

/** Requests of one kind that were due by a schedule; nothing but the driver is between them. */
const requestFacts = openFacts.omit({ unlagged: true, stoodStillNs: true });
export type RequestFacts = z.infer<typeof requestFacts>;

/** Requests by a schedule, of the process that generates the load. */
const openLoopFacts = z.object({
  /** Messages per second that the schedule was computed for. */
  offeredPerSecond: z.number().positive(),
  /** Windows that were timed until the driver kept up; this is the last of them. */
  windows: count.optional(),
  append: requestFacts,
  /** What devices fetched, each by a schedule, and acknowledged as soon as they had it. */
  fetch: requestFacts,
  acknowledge: requestFacts,
  /** Must not have been the bottleneck. */
  generator: z.object({
    wallNs: ns,
    /** Share of the time in which it did something else than to look at the clock. */
    busyShare: z.number(),
    cpuNs: ns,
    /** Ready but not running; -1 where it cannot be read. */
    runDelayNs: ns,
  }),
  server: serverUse,
});
export type RelayOpenFacts = z.infer<typeof openLoopFacts>;

/** Connections that carried so many messages each, in a mode. Columns of equal length. */
const connectionFacts = z.object({
  /** Whether a connection resumed an earlier session of TLS. */
  resumed: z.boolean(),
  messagesPerConnection: z.array(count),
  connections: z.array(count),
  serverCpuNs: z.array(ns),
  clientCpuNs: z.array(ns),
  wallNs: z.array(ns),
  serverLoopActiveNs: z.array(ns),
});
export type ConnectionFacts = z.infer<typeof connectionFacts>;

/** The stream of what was intercepted, while traffic went on. */
const handOverFacts = z.object({
  users: count,
  /** Users under a warrant. */
  targets: count,
  /** Messages that the authority was due, was handed, and made something of. */
  due: count,
  handed: count,
  recovered: count,
  /** What it saw of them: plaintexts it read, fields it opened, or frames that nobody but the ends opens. */
  sees: z.enum(['plaintext', 'recovered', 'opaque']),
  /** From the moment when the sender began to send to the moment when the authority had it. */
  latency: z.string(),
  /** From the relay's acknowledgement to the sender to that moment; where the authority was first, 1 ns. */
  afterAcknowledgement: z.string(),
});
export type HandOverFacts = z.infer<typeof handOverFacts>;

/** Every message that was sent over the relay and accounted for, one by one. */
const deliveryFacts = z.object({
  sent: count,
  /** Opened by their receivers and found to be what was sent. */
  delivered: count,
});

export const relayFacts = z.object({
  load: z.enum(['saturation', 'knee', 'hand-over', 'connections']),
  /** Key exchange of TLS 1.3: `x25519`, `x25519-mlkem768`, or `none` where there is no TLS. */
  tls: z.string(),
  /** Where the relay kept messages: `memory`, `sqlite-full` or `sqlite-normal`. */
  store: z.string(),
  /** How long a message of the store outlives a crash, in the server's words. */
  durability: z.string(),
  delivery: deliveryFacts,
  /** At saturation. */
  closedLoop: closedLoopFacts.optional(),
  /** The search for the knee; `openLoop` is then at half of what was found. */
  knee: saturationFacts.optional(),
  openLoop: openLoopFacts.optional(),
  connections: connectionFacts.optional(),
  handOver: handOverFacts.optional(),
});
export type RelayFacts = z.infer<typeof relayFacts>;
