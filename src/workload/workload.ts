/**
 * A workload: a seeded conversation pattern with its numbers, as data.
 *
 * @module
 */

import { z } from 'zod';
import { arrivalsSchema } from './arrivals.ts';
import { traceSchema } from './trace.ts';

const integer = (min: number, max: number): z.ZodInt => z.int().min(min).max(max);
const share = z.number().min(0).max(0.5);

/**
 * Where the network loses a message, all its frames at once, because a client hands them to the relay
 * in one request: on the way to the relay's store (`uplink`); at the relay, which has accepted and acknowledged
 * it, before evidence of it is taken (`relay`); after that, on the way to the receiver (`downlink`).
 */
export const LOSS_PLACES = ['uplink', 'relay', 'downlink'] as const;
export type LossPlace = (typeof LOSS_PLACES)[number];

export const sizeSchema = z.discriminatedUnion('distribution', [
  z.strictObject({ distribution: z.literal('fixed'), bytes: integer(1, 1_048_576) }),
  z.strictObject({
    distribution: z.literal('log-normal'),
    medianBytes: z.number().min(1).max(1_048_576),
    /** Standard deviation of the logarithm. */
    sigma: z.number().min(0).max(4),
    minBytes: integer(1, 1_048_576),
    maxBytes: integer(1, 1_048_576),
  }),
]);

/**
 * How many messages each session has: `messages` at least, and more by Zipf's law. A session has a
 * number of extra messages of k or more with the probability (k + 1) ^ (-1 / exponent), so that by rank
 * the r-th of N sessions has about (N / r) ^ exponent of them.
 */
export const activitySchema = z.strictObject({
  distribution: z.literal('zipf'),
  /** Of the rank. */
  exponent: z.number().min(0.1).max(3),
  /** Extra messages of a session: no more than these. */
  mostExtra: integer(0, 100_000),
});
export type Activity = z.infer<typeof activitySchema>;

/**
 * Who has sessions with whom: a simple graph with users as vertices and sessions as edges. A user has
 * k sessions with a probability in proportion to k ^ -exponent * e ^ (-k / cutoff).
 */
export const graphSchema = z.strictObject({
  degrees: z.literal('power-law-with-cutoff'),
  exponent: z.number().min(0).max(5),
  /** Sessions of a user. */
  cutoff: z.number().min(1).max(100_000),
});
export type Graph = z.infer<typeof graphSchema>;

/** The moments of a trace, on every thread those of its sessions, so many times as fast. */
const recordedSchema = z.strictObject({
  pattern: z.literal('recorded'),
  speed: z.number().min(0.001).max(1_000_000),
});

export const workloadSchema = z.strictObject({
  $schema: z.string().optional(),
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** What it stands for and where its numbers come from; printed by reports. */
  title: z.string(),
  source: z.string(),
  /** The file in src/workload/behaviours/ that decides who speaks when. */
  behaviour: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** Numbers for the behaviour, e.g. `meanBurst`. */
  parameters: z.record(z.string(), z.number()),
  sessions: integer(1, 10_000_000),
  /** Messages of one session, in both directions together; with `activity` the fewest. */
  messages: integer(1, 100_000),
  /**
   * Sessions of unequal length, whose messages come in random order: the next one is drawn among all
   * that are to come. Where it is left out, sessions take turns.
   */
  activity: activitySchema.optional(),
  /** Users per session; each session joins two of them. */
  usersPerSession: z.number().min(0.001).max(2),
  /** Where it is left out, every session joins two users at random. */
  graph: graphSchema.optional(),
  size: sizeSchema,
  network: z.strictObject({
    /** Share of messages that are sent and never delivered. */
    loss: share,
    /** `downlink` where it is left out. */
    lossAt: z.enum(LOSS_PLACES).optional(),
    /** Share of messages that are delivered later than their successors. */
    reorder: share,
    /** How many messages later, at most: within the replay window of every pipeline. */
    reorderDepth: integer(1, 1_000),
    /** Share of messages that are delivered twice. */
    duplicate: share,
    /** Messages of each session that are lost in a row, from the second on. */
    outage: integer(0, 100_000).default(0),
  }),
  /**
   * When messages come, on each worker thread: an open loop. Where it is left out, the next message is
   * sent when the one before is done: a closed loop.
   */
  arrivals: z.discriminatedUnion('pattern', [...arrivalsSchema.options, recordedSchema]).optional(),
  /**
   * What was recorded elsewhere: its sessions, speakers, sizes and order are carried, and the numbers
   * above stand for it where a few sessions are made up, for warming up.
   */
  trace: traceSchema.optional(),
  /** Virtual time: how many messages one user sends or receives in a day, in all its sessions. */
  messagesPerUserDay: z.number().min(0.01).max(1_000_000),
  /** How many messages a device sends or receives over one connection to the relay. */
  messagesPerConnection: integer(1, 1_000_000),
});

export type Workload = z.infer<typeof workloadSchema>;

/** Numbers that a cell's name may set, `chat:sessions=1000,loss=0.01`, and where they go. */
export const WORKLOAD_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  sessions: ['sessions'],
  messages: ['messages'],
  loss: ['network', 'loss'],
  reorder: ['network', 'reorder'],
  depth: ['network', 'reorderDepth'],
  duplicate: ['network', 'duplicate'],
  outage: ['network', 'outage'],
  bytes: ['size', 'bytes'],
  users: ['usersPerSession'],
  connection: ['messagesPerConnection'],
  zipf: ['activity', 'exponent'],
  extra: ['activity', 'mostExtra'],
  rate: ['arrivals', 'perSecond'],
  speed: ['arrivals', 'speed'],
};

/** Parameters that take a word, and the word that stands for leaving the parameter out. */
export const WORKLOAD_WORDS: Readonly<
  Record<
    string,
    {
      readonly path: readonly string[];
      readonly values: readonly string[];
      readonly default: string;
    }
  >
> = {
  lossAt: { path: ['network', 'lossAt'], values: LOSS_PLACES, default: 'downlink' },
};
