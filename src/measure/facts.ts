/**
 * The raw facts of a repeat, as schemas: what a worker reports and what `cells.ndjson` stores.
 *
 * Facts are stored, figures are derived. Everything here is a count, a reading or a digest; nothing
 * is a mean or a percentile. Times are nanoseconds, sizes bytes.
 *
 * @module
 */

import { z } from 'zod';

export const ROLES = ['sender', 'relay', 'receiver', 'authority'] as const;
export type Role = (typeof ROLES)[number];

export const STAGES = [
  'connect',
  'publish',
  'initiate',
  'accept',
  'send',
  'relay',
  'receive',
  'recover',
] as const;
export type Stage = (typeof STAGES)[number];

/**
 * What is timed apart: a stage, the role that pays, and for the relay which half of its work.
 * The order is the order of a message's journey.
 */
export const TIMED = [
  { id: 'connect-client', stage: 'connect', role: 'sender' },
  { id: 'connect-relay', stage: 'connect', role: 'relay' },
  { id: 'publish', stage: 'publish', role: 'receiver' },
  { id: 'initiate', stage: 'initiate', role: 'sender' },
  { id: 'send', stage: 'send', role: 'sender' },
  { id: 'relay-store', stage: 'relay', role: 'relay' },
  { id: 'relay-fetch', stage: 'relay', role: 'relay' },
  { id: 'accept', stage: 'accept', role: 'receiver' },
  { id: 'receive', stage: 'receive', role: 'receiver' },
  { id: 'recover', stage: 'recover', role: 'authority' },
] as const satisfies readonly { id: string; stage: Stage; role: Role }[];
export type TimedId = (typeof TIMED)[number]['id'];

const count = z.number().int().nonnegative();
const ns = z.number();

/** One batch of one timed stage, in a block that was read by CPU: columns of equal length. */
export const cpuColumns = z.object({
  /** Index into `blocks`. */
  block: z.array(count),
  calls: z.array(count),
  cpuNs: z.array(ns),
});

export const stageFacts = z.object({
  id: z.enum(TIMED.map((timed) => timed.id)),
  cpu: cpuColumns,
  latency: z.object({
    calls: count,
    /** HdrHistogram V2, compressed, base64; nanoseconds. Empty when nothing was recorded. */
    histogram: z.string(),
  }),
});
export type StageFacts = z.infer<typeof stageFacts>;

/** One round of one batch: every stage once, then the reference kernel. Columns of equal length. */
export const blockFacts = z.object({
  /** `open` for the opening of sessions, otherwise message traffic. */
  phase: z.array(z.enum(['open', 'traffic'])),
  mode: z.array(z.enum(['cpu', 'latency'])),
  /** Index of the first message of a session that this block carries; 0 while opening. */
  messageIndex: z.array(count),
  messages: z.array(count),
  wallNs: z.array(ns),
  cpuNs: z.array(ns),
  /** Ready but not running, from /proc/thread-self/schedstat; -1 where it cannot be read. */
  runDelayNs: z.array(ns),
  /** Ticks taken by the hypervisor from the whole machine; -1 where unknown. */
  stealTicks: z.array(z.number()),
  kernelCpuNs: z.array(ns),
});
export type BlockFacts = z.infer<typeof blockFacts>;

export const memoryFacts = z.object({
  heapUsedBytes: count,
  externalBytes: count,
  arrayBufferBytes: count,
  wasmBytes: count,
  rssBytes: count,
});
export type MemoryFacts = z.infer<typeof memoryFacts>;

/** What the clocks of this thread can tell apart and what reading them costs. */
export const clockFacts = z.object({
  /** Smallest step seen in the pair of CPU readings. */
  cpuStepNs: ns,
  cpuReadNs: ns,
  clockStepNs: ns,
  clockReadNs: ns,
});

export const faultFacts = z.object({
  session: count,
  message: count,
  /** What was expected and what came, in words; no key, no plaintext. */
  reason: z.string(),
});

/** What one shard did, on one thread. */
export const shardFacts = z.object({
  shard: count,
  sessions: count,
  /** Users of this shard's world, and the connections they opened: one each, or more. */
  users: count,
  connections: count,
  /** Messages per batch, as calibrated in warm-up. */
  batch: count,
  /** Set when the cheapest stage of a batch stayed under 150 us: readings are then subtracted. */
  shortBatches: z.boolean(),
  messages: z.object({
    sent: count,
    delivered: count,
    /** Refusals that the workload makes the pipeline give, by outcome. */
    refused: z.record(z.string(), count),
    lost: count,
    recovered: count,
  }),
  faults: z.object({ count, first: z.array(faultFacts) }),
  plaintextBytes: count,
  /** Frames and bytes by kind, as sent to the relay; flights of a connection count as `connect`. */
  wire: z.record(z.string(), z.object({ frames: count, bytes: count })),
  /** Bytes the relay held for the frames, with its own seals. */
  storedBytes: count,
  /** Keys of skipped messages that the ends kept when all was delivered. */
  storedKeys: count,
  /** Frames that carry the first message of a session, and so the handshake. */
  handshake: z.object({ frames: count, bytes: count }),
  /** An untimed run of the same cell on a few sessions, with every call of a primitive counted. */
  counted: z.object({
    sessions: count,
    messages: count,
    /** Timed stage to `name:length` (see src/crypto/counting.ts) to calls. */
    calls: z.record(z.string(), z.record(z.string(), count)),
  }),
  /** SHA-256, hex, of the deterministic facts: commands, plaintexts, lengths, outcomes, counts. */
  digest: z.string(),
  stages: z.array(stageFacts),
  blocks: blockFacts,
  /**
   * With the world at its end, and without it; only the resident set is from before. The engine's own
   * buffers and readings are in both.
   */
  memory: z.object({ before: memoryFacts, after: memoryFacts }),
  clocks: clockFacts,
  warmup: z.object({ rounds: count, wallNs: ns }),
  gc: z.object({ count, pauseNs: ns }),
  cpuNs: ns,
  /** CPU of the whole process so far, at the start and at the end of the timed phase. */
  processCpu: z.object({ startNs: ns, endNs: ns }),
  /** Wall times, in ns since the repeat's common origin, of this worker's timed phase. */
  startedNs: ns,
  endedNs: ns,
});
export type ShardFacts = z.infer<typeof shardFacts>;

/** What a repeat's process saw as a whole. */
export const processFacts = z.object({
  /** Of all threads, from the barrier to the end of the last worker. */
  cpuNs: ns,
  /** Of the main thread while it hosted the pool; between barrier and end it sleeps. */
  mainCpuNs: ns,
  /** `cpuNs` minus the workers': GC, JIT and library threads. */
  helperCpuNs: ns,
  /** From the barrier to the end of the last worker. */
  wallNs: ns,
  rssPeakBytes: count,
});
export type ProcessFacts = z.infer<typeof processFacts>;
