/**
 * A suite of single operations: primitives by themselves, or cross-checks of them, as data.
 *
 * @module
 */

import { z } from 'zod';
import { suiteSchema } from './suite.ts';

/** The longest input that is worth a cell: beyond it only the memory bus is measured. */
export const BYTES_MAX = 1_048_576;

const { $schema, name, title, question, analysis, repeats, warmupMs, purpose } = suiteSchema.shape;
const names = z.array(z.string()).min(1).max(200);
const bytes = z.array(z.int().min(1).max(BYTES_MAX)).min(1).max(64);

const group = z.strictObject({
  primitives: names.describe('Operations of primitives: "sha256", "chacha20-poly1305-seal".'),
  implementations: names.describe('Providers, and what list primitives names beside them.'),
  bytes: bytes
    .optional()
    .describe('Lengths of the input; left out for primitives that have one length only.'),
  against: names.optional().describe('Of cross-checks: the tools to be compared with.'),
});

export const operationSuiteSchema = z.strictObject({
  $schema,
  kind: z
    .enum(['primitives', 'cross-checks'])
    .describe('What a cell is: a primitive by itself, or our figure of it against that of a tool.'),
  name,
  title,
  question,
  analysis,
  matrix: z
    .array(group)
    .min(1)
    .max(100)
    .describe('Groups; within a group everything is crossed with everything.'),
  repeats,
  warmupMs: warmupMs.describe(
    'Warm-up of each repeat, in CPU; 100 when left out, 500 with thorough.',
  ),
  timedMs: z
    .int()
    .min(1)
    .max(600_000)
    .optional()
    .describe('Timed phase of each repeat; 120 when left out, 500 with thorough.'),
  purpose,
});

export type OperationSuite = z.infer<typeof operationSuiteSchema>;
