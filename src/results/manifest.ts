/**
 * `manifest.json`: what a run was, so that its numbers can be judged and reproduced.
 *
 * @module
 */

import { z } from 'zod';
import { environmentSchema, gitSchema } from './environment.ts';
import { FORMAT } from './record.ts';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, { error: 'a SHA-256 digest in hexadecimal' });
const time = z.iso.datetime({ error: 'a time in UTC such as 2026-01-31T12:00:00Z' });

/** suite/pipeline/implementation/workload/tN; no markup and nothing invisible. */
const cellName = z
  .string()
  .max(1_000)
  .regex(/^(?:[^\p{C}<>&"'`/]+\/){4}t[1-9]\d*$/u, {
    error: 'a cell name, suite/pipeline/implementation/workload/tN',
  });

export const manifestSchema = z.strictObject({
  format: z.literal(FORMAT),
  suite: z.strictObject({
    name: z.string(),
    /** Over the suite and the workloads that it resolves. */
    digest: sha256,
    /** What its cells are; messages where it is left out. */
    kind: z.enum(['messages', 'primitives', 'cross-checks', 'relay', 'exposure']).optional(),
    title: z.string(),
    question: z.string(),
    analysis: z.array(z.string()),
    /** The pipeline that ratios refer to, as a segment of cell names. */
    baseline: z.string().optional(),
  }),
  /** Over src/, workers/ and package-lock.json. */
  codeDigest: sha256,
  seed: z.int().nonnegative(),
  budget: z.enum(['quick', 'standard', 'thorough']),
  /**
   * Of a run that adds repeats to cells until they are narrow enough: half the width of the interval
   * that is, as a share.
   */
  until: z.number().positive().optional(),
  git: gitSchema.nullable(),
  environment: environmentSchema,
  startedAt: time,
  /** Null while the run goes on, and for ever when it died. */
  endedAt: time.nullable(),
  argv: z.array(z.string()),
  /** Names of all planned cells: what is missing in cells.ndjson is known to be missing. */
  cells: z.array(cellName),
  /** What the harness itself costs on this machine, as the runner found it. */
  calibration: z.unknown().optional(),
  interrupted: z.boolean(),
});

export type Manifest = z.infer<typeof manifestSchema>;
