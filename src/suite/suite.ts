/**
 * A suite: a question, and the cells that answer it, as data.
 *
 * @module
 */

import { z } from 'zod';
import { saturationSchema } from '../workload/saturation.ts';

export const BUDGETS = ['quick', 'standard', 'thorough'] as const;
export type Budget = (typeof BUDGETS)[number];

/** Also the factor by which seeds of runs are spread: see `repeatSeed`. */
export const REPEATS_MAX = 1_000;
export const THREADS_MAX = 1_024;

/** Prose that reports print: no control characters. */
const prose = z
  .string()
  .min(1)
  .max(2_000)
  .regex(/^\P{Cc}*$/u, { error: 'text without control characters' });
const names = z.array(z.string()).min(1).max(200);
const repeats = z.int().min(1).max(REPEATS_MAX).optional();

const group = z.strictObject({
  pipelines: names.describe('Pipelines, with options: "double-ratchet:hop=none,rest=none".'),
  implementations: names.describe('Providers that compute them: "native", "noble".'),
  workloads: names.describe('Workloads, with options: "chat:sessions=400".'),
  threads: z.array(z.int().min(1).max(THREADS_MAX)).min(1).max(64).describe('Worker threads.'),
});

export const suiteSchema = z.strictObject({
  $schema: z.string().optional(),
  kind: z
    .literal('messages')
    .optional()
    .describe('What cells carry; suites of single operations have a schema of their own.'),
  name: z
    .string()
    .max(100)
    .regex(/^[a-z0-9][a-z0-9-]*(\/[a-z0-9][a-z0-9-]*)*$/, {
      error: 'a name like a path, such as "curated/ladder"',
    })
    .describe('Its path under suites/, without .json.'),
  title: prose.describe('One line.'),
  question: prose.describe('What the suite answers; printed by reports.'),
  analysis: z.array(prose).max(50).describe('How to read the answer; printed by reports.'),
  matrix: z
    .array(group)
    .min(1)
    .max(100)
    .describe('Groups; within a group everything is crossed with everything.'),
  baseline: z.string().optional().describe('The pipeline of the matrix that ratios refer to.'),
  repeats: z
    .strictObject({ quick: repeats, standard: repeats, thorough: repeats })
    .optional()
    .describe('Repeats per budget, of thorough the most; 3, 10 and 40 when left out.'),
  warmupMs: z
    .int()
    .min(0)
    .max(600_000)
    .optional()
    .describe('Warm-up of each repeat; 500, or 2000 with the budget thorough, when left out.'),
  cpu: z
    .enum(['thread', 'process'])
    .optional()
    .describe(
      'Whose CPU is read: that of the worker thread, or of the whole process, which libraries with asynchronous calls need; thread when left out.',
    ),
  saturation: saturationSchema
    .optional()
    .describe(
      'Instead of its workload once, each cell carries it at rates that a search chooses: the highest with the 99th percentile of the response time under a bound is its figure.',
    ),
  beyondMemory: z
    .enum(['refuse', 'record'])
    .optional()
    .describe(
      'What becomes of cells whose sessions do not fit into the memory of the machine: the whole run is refused, or each is a row that says how many would fit; refuse when left out.',
    ),
  purpose: z
    .enum(['measure', 'verify'])
    .optional()
    .describe('Whether repeats are timed or only checked; measure when left out.'),
});

export type Suite = z.infer<typeof suiteSchema>;
