/**
 * A suite of exposure: pipelines on which attacks are mounted, as data.
 *
 * @module
 */

import { z } from 'zod';
import { badInput } from '../core/errors.ts';
import { badFile, quoted, requireShape, shownPath } from '../core/json.ts';
import { hint } from '../core/nearest.ts';
import { listNames } from '../core/discover.ts';
import { ADVERSARIES_DIR } from '../core/paths.ts';
import { digestOf } from './digest.ts';
import type { LoadedAny } from './operations.ts';
import { checkSuite, type LoadedSuite, type Replacements } from './parse.ts';
import { suiteSchema, type Suite } from './suite.ts';

/** A conversation is opened, held and attacked in some ms; more than this is a typing error. */
const RETENTION_DAYS_MAX = 3_650;

const { $schema, name, title, question, analysis } = suiteSchema.shape;
const names = z.array(z.string()).min(1).max(200);

const group = z.strictObject({
  pipelines: names.describe('Pipelines, with options: "escrow-chain-key:msg=etm".'),
  implementations: names.describe('Providers that compute them: "native".'),
  workloads: names.describe('Workloads, with options: "seizure:sessions=1000".'),
});

export const exposureSuiteSchema = z.strictObject({
  $schema,
  kind: z
    .literal('exposure')
    .describe('That attacks are mounted on its cells, and nothing is timed.'),
  name,
  title,
  question,
  analysis,
  matrix: z
    .array(group)
    .min(1)
    .max(100)
    .describe('Groups; within a group everything is crossed with everything.'),
  adversaries: names
    .optional()
    .describe('Files of src/exposure/adversaries/; all of them when left out.'),
  retentionDays: z
    .number()
    .min(0)
    .max(RETENTION_DAYS_MAX)
    .optional()
    .describe('Days for which the relay keeps frames that were fetched; 30 when left out.'),
});

export type ExposureSuite = z.infer<typeof exposureSuiteSchema>;

export interface LoadedExposure {
  readonly suite: ExposureSuite;
  readonly file: string;
  readonly digest: string;
  /** Its cells as those of messages, for planning. */
  readonly messages: LoadedSuite;
}

/** Whether a suite is of exposure. */
export function isOfExposure(loaded: LoadedAny): loaded is LoadedExposure {
  return loaded.suite.kind === 'exposure';
}

/**
 * @param json What the file holds.
 * @throws HarnessError BAD_INPUT with all that is wrong with the suite.
 */
export async function parseExposure(
  json: unknown,
  file: string,
  instead: Replacements = {},
): Promise<LoadedExposure> {
  const where = shownPath(file);
  const suite = requireShape(exposureSuiteSchema, json, where);
  const known = await listNames(ADVERSARIES_DIR);
  const problems = (suite.adversaries ?? []).flatMap((one, at) =>
    known.includes(one)
      ? []
      : [`adversaries[${at}]: unknown adversary ${quoted(one)}; ${hint(one, known)}`],
  );
  if (problems.length > 0) throw badFile(where, problems);
  const { adversaries: _adversaries, retentionDays: _retentionDays, kind: _kind, ...rest } = suite;
  const asMessages: Suite = {
    ...rest,
    matrix: suite.matrix.map((one) => ({ ...one, threads: [1] })),
    purpose: 'verify',
  };
  const messages = await checkSuite(asMessages, file, undefined, instead);
  const workloads = messages.workloads.values();
  const given = { ...suite, matrix: messages.suite.matrix };
  return { suite, file, digest: digestOf(given, workloads), messages };
}

/** @throws HarnessError BAD_INPUT for a suite of another kind. */
export function requireExposure(loaded: LoadedAny): LoadedExposure {
  if (isOfExposure(loaded)) return loaded;
  throw badInput(
    `exposure: expected a suite of the kind "exposure", such as exposure/matrix; ${loaded.suite.name} is one of ${loaded.suite.kind ?? 'messages'}`,
  );
}
