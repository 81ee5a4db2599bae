/**
 * One line of `cells.ndjson`: one repeat of one cell, raw.
 *
 * @module
 */

import { z } from 'zod';
import { processFacts, shardFacts } from '../measure/facts.ts';
import { exposureFacts } from '../measure/exposure-facts.ts';
import { crossCheckFacts, operationFacts } from '../measure/operation-facts.ts';
import { relayFacts } from '../measure/relay-facts.ts';

/** A result of another format version is refused, never guessed at. */
export const FORMAT = 1;

export const STATUSES = ['ok', 'error', 'invalid', 'unsupported', 'unavailable'] as const;
export type Status = (typeof STATUSES)[number];

export const repeatRecord = z.object({
  format: z.literal(FORMAT),
  /** suite/pipeline/implementation/workload/tN, options in the names. */
  cell: z.string(),
  suite: z.string(),
  pipeline: z.string(),
  family: z.string(),
  rung: z.string(),
  implementation: z.string(),
  workload: z.string(),
  threads: z.number().int().positive(),
  /** 0, 1, ... */
  repeat: z.number().int().nonnegative(),
  /** Position in the run's random order. */
  order: z.number().int().nonnegative(),
  seed: z.number().int(),
  startedAt: z.string(),
  status: z.enum(STATUSES),
  /** Why not `ok`: one clear sentence. */
  reason: z.string().optional(),
  /**
   * Messages of a session, on average where they differ, for amortised figures; this and the next two
   * only where there are any.
   */
  messagesPerSession: z.number().positive().optional(),
  messagesPerConnection: z.number().int().positive().optional(),
  /** What one user sends and receives in a day, for figures per user and day. */
  messagesPerUserDay: z.number().positive().optional(),
  shards: z.array(shardFacts),
  process: processFacts.optional(),
  /** Of a cell that is one operation of a primitive. */
  operation: operationFacts.optional(),
  /** Of a cell that sets our figure of one beside that of another tool. */
  crossCheck: crossCheckFacts.optional(),
  /** Of a cell that puts a relay server under load. */
  relay: relayFacts.optional(),
  /** Of a cell on which attacks were mounted. */
  exposure: exposureFacts.optional(),
});
export type RepeatRecord = z.infer<typeof repeatRecord>;
