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
  'hand-over',
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
  { id: 'hand-over', stage: 'hand-over', role: 'relay' },
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
  /** How many batches an entry sums up, each with one reading in it; absent where each is one. */
  readings: z.array(count).optional(),
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

/**
 * One round of one batch: every stage once, then the reference kernel; in a long run several such
 * rounds, summed up (see src/engine/block-columns.ts). Columns of equal length.
 */
export const blockFacts = z.object({
  /** `open` for the opening of sessions, otherwise message traffic. */
  phase: z.array(z.enum(['open', 'traffic'])),
  mode: z.array(z.enum(['cpu', 'latency'])),
  /**
   * Index of the first message of a session that this block carries; 0 while opening, and 64 where
   * messages come in random order and have different ones, none of them 0.
   */
  messageIndex: z.array(count),
  messages: z.array(count),
  wallNs: z.array(ns),
  cpuNs: z.array(ns),
  /** Ready but not running, from /proc/thread-self/schedstat; -1 where it cannot be read. */
  runDelayNs: z.array(ns),
  /** Ticks taken by the hypervisor from the whole machine; -1 where unknown. */
  stealTicks: z.array(z.number()),
  /** Mean over the rounds. */
  kernelCpuNs: z.array(ns),
  /** How many rounds a block sums up; absent where each is one. */
  rounds: z.array(count).optional(),
});
export type BlockFacts = z.infer<typeof blockFacts>;

export const memoryFacts = z.object({
  heapUsedBytes: count,
  /** Of the heap's pages, what is resident: in use or not; absent in older results. */
  heapResidentBytes: count.optional(),
  externalBytes: count,
  arrayBufferBytes: count,
  wasmBytes: count,
  rssBytes: count,
});
export type MemoryFacts = z.infer<typeof memoryFacts>;

/** Whose CPU is read: that of the thread that works, or of its whole process. */
export const CPU_BASES = ['thread', 'process'] as const;
export type CpuBasis = (typeof CPU_BASES)[number];

/** What the clocks of this thread can tell apart and what reading them costs. */
export const clockFacts = z.object({
  /** Of stages and blocks. Figures of different bases are not to be compared. */
  cpuBasis: z.enum(CPU_BASES).default('thread'),
  /** Smallest step seen in the readings of CPU. */
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

/** What became of what was handed to the authority. */
export const recoveryFacts = z.object({
  /** Sessions under a warrant: the authority gets the evidence of these only. */
  sessions: count,
  /** Messages of these that the relay had when evidence is taken. */
  due: count,
  /** Frames that were handed over. */
  evidence: count,
  /** Opened to what was sent. */
  valid: count,
  /** Opened to something else. */
  decoy: count,
  /** Not opened. */
  failed: count,
  /** Messages of sessions under a warrant that reached the receiver, and of these the recovered. */
  delivered: count,
  deliveredRecovered: count,
});
export type RecoveryFacts = z.infer<typeof recoveryFacts>;

/** Messages that came by a schedule, and what they took; see src/engine/open-readings.ts. */
export const openFacts = z.object({
  messages: count,
  /** Of these, those that were due before the one before them was done. */
  queued: count,
  /** From the start to the last scheduled moment, and to the end of the last message. */
  scheduledNs: ns,
  elapsedNs: ns,
  /** HdrHistogram V2, compressed, base64; nanoseconds. From start to end of a message. */
  service: z.string(),
  /** From the scheduled moment to the end. */
  response: z.string(),
  /** What a message waited for the generator while the system had nothing to do. */
  lag: z.string(),
  /** Response times of the same moments and service times without lag: whether the run is valid. */
  unlagged: z.string(),
  /** How long the clock of all these stood still, for the harness to check plaintexts. */
  stoodStillNs: ns,
});
export type OpenFacts = z.infer<typeof openFacts>;

/** A search for the highest rate at which a percentile of the response time is within a bound. */
export const saturationFacts = z.object({
  boundNs: ns,
  /** In the order in which they were measured: columns of equal length. */
  windows: z.object({
    /** Messages per second that were offered. */
    load: z.array(z.number()),
    /** Completed rate as a share of it. */
    completedShare: z.array(z.number()),
    /** 99th percentiles. */
    responseNs: z.array(ns),
    lagNs: z.array(ns),
    /** Whether the generator kept up. */
    isValid: z.array(z.boolean()),
  }),
  end: z.discriminatedUnion('kind', [
    /** `load` met the bound when it was measured again, `above` missed it. */
    z.object({ kind: z.literal('found'), load: z.number(), above: z.number() }),
    z.object({ kind: z.literal('gave-up'), reason: z.string(), met: z.number().optional() }),
  ]),
});
export type SaturationFacts = z.infer<typeof saturationFacts>;

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
    /** What the workload asks for; in older results that is its sessions times its messages. */
    scripted: count.optional(),
    sent: count,
    delivered: count,
    /** Refusals that the workload makes the pipeline give, by outcome. */
    refused: z.record(z.string(), count),
    lost: count,
    /** By the authority, to what was sent. */
    recovered: count,
  }),
  /** Only where there is an authority. */
  recovery: recoveryFacts.optional(),
  /** Only where messages came by a schedule: with a search, those at the rate that was found. */
  open: openFacts.optional(),
  saturation: saturationFacts.optional(),
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
   * With the world at its end, and without it; only what is resident, of the process and of the heap,
   * is from before. The engine's own buffers and readings are in both.
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
