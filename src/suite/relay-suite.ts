/**
 * A suite that puts a relay server under load, as data.
 *
 * @module
 */

import { z } from 'zod';
import { suiteSchema } from './suite.ts';

/** How clients reach the relay. */
export const TLS_MODES = ['none', 'x25519', 'x25519-mlkem768'] as const;
/** Where the relay keeps messages, with SQLite at which `synchronous`. */
export const STORES = ['memory', 'sqlite-full', 'sqlite-normal'] as const;
export const LOADS = ['saturation', 'knee', 'hand-over', 'connections'] as const;
export type Load = (typeof LOADS)[number];

/** One process drives the load, so there is an end to what it can offer. */
const RATE_MAX = 100_000;
const MESSAGES_PER_CONNECTION_MAX = 1_000;

const { $schema, name, title, question, analysis, baseline, repeats, purpose, matrix } =
  suiteSchema.shape;
const { pipelines, implementations, workloads } = matrix.element.shape;

const group = z.strictObject({
  pipelines: pipelines.describe(
    'Pipelines, with options; the connection is real, so none seals hops: "at-rest:hop=none".',
  ),
  implementations,
  workloads: workloads.describe(
    'Workloads, of which sizes, sessions and users hold; when messages are sent, the load decides.',
  ),
  tls: z.array(z.enum(TLS_MODES)).min(1).max(3).describe('Key exchange of TLS 1.3, or none.'),
  stores: z.array(z.enum(STORES)).min(1).max(3).describe('Where the relay keeps messages.'),
  rates: z
    .array(z.int().min(1).max(RATE_MAX))
    .min(1)
    .max(20)
    .optional()
    .describe('Of hand-over: messages per second, in all.'),
  resumption: z
    .array(z.enum(['no', 'yes']))
    .min(1)
    .max(2)
    .optional()
    .describe('Of connections: whether each resumes an earlier session of TLS.'),
});

export const relaySuiteSchema = z.strictObject({
  $schema,
  kind: z.literal('relay').describe('Cells are loads of a relay server over real connections.'),
  load: z
    .enum(LOADS)
    .describe(
      'saturation: autocannon, as fast as the server answers; knee: the highest rate with p99 under ' +
        'a bound; hand-over: how soon an authority has what was intercepted; connections: what one ' +
        'costs.',
    ),
  name,
  title,
  question,
  analysis,
  matrix: z
    .array(group)
    .min(1)
    .max(100)
    .describe('Groups; within a group everything is crossed with everything.'),
  baseline,
  repeats,
  warmupMs: z
    .int()
    .min(0)
    .max(600_000)
    .optional()
    .describe('Load before anything counts; 500 when left out, 2000 with thorough.'),
  timedMs: z
    .int()
    .min(100)
    .max(600_000)
    .optional()
    .describe('Timed phase, of a knee of each rate; 1500 when left out, 5000 with thorough.'),
  clients: z
    .int()
    .min(1)
    .max(1_000)
    .optional()
    .describe('Connections that are kept open; 32 when left out.'),
  messagesPerFetch: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe('Messages that a device fetches and acknowledges at once; 5 when left out.'),
  boundMs: z
    .number()
    .min(0.1)
    .max(60_000)
    .optional()
    .describe('Of a knee: p99 of the response time of an append; 25 when left out.'),
  messagesPerConnection: z
    .array(z.int().min(1).max(MESSAGES_PER_CONNECTION_MAX))
    .min(2)
    .max(20)
    .optional()
    .describe('Of connections: messages that each carries; 1, 5, 20 and 100 when left out.'),
  purpose,
});

export type RelaySuite = z.infer<typeof relaySuiteSchema>;
