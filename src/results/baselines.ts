/**
 * Stored baselines: one file per suite, one line per run, for trends and never for a gate.
 *
 * @module
 */

import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { HarnessError } from '../core/errors.ts';
import { canonicalJson, parseJson, readTextFile, requireShape, shownPath } from '../core/json.ts';
import type { Manifest } from './manifest.ts';

const FORMAT = 1;
const FILE_BYTES_MAX = 2 ** 26;

const baselineSchema = z.strictObject({
  format: z.literal(FORMAT),
  at: z.iso.datetime(),
  /** Of the code; null where it came from no clone. */
  revision: z.string().nullable(),
  suiteDigest: z.string(),
  /** The machine and what it ran on, without the packages, which belong to the code. */
  machine: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  /** Median CPU per message over repeats, in ns, by cell. */
  cpuPerMessageNs: z.record(z.string(), z.number().positive()),
});
export type Baseline = z.infer<typeof baselineSchema>;

export function baselineOf(
  { startedAt, git, suite, environment }: Manifest,
  cpuPerMessageNs: Readonly<Record<string, number>>,
): Baseline {
  // A kernel reports a few pages of memory more or less after each start.
  const { packages: _, memoryBytes: __, ...machine } = environment;
  return {
    format: FORMAT,
    at: startedAt,
    revision: git?.revision ?? null,
    suiteDigest: suite.digest,
    machine,
    cpuPerMessageNs: { ...cpuPerMessageNs },
  };
}

export function baselineFile(folder: string, suite: string): string {
  return join(folder, `${suite.replaceAll(/[^a-z0-9-]/gi, '-')}.ndjson`);
}

/** @throws HarnessError NOT_WRITTEN. */
export function appendBaseline(file: string, baseline: Baseline): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    appendFileSync(file, `${JSON.stringify(baseline)}\n`);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HarnessError('NOT_WRITTEN', `${shownPath(file)}: ${reason}`);
  }
}

/** In the order of time. @throws HarnessError BAD_INPUT for a line that is none. */
export async function readBaselines(file: string): Promise<Baseline[]> {
  if (!existsSync(file)) return [];
  const lines = (await readTextFile(file, FILE_BYTES_MAX)).split('\n');
  const baselines = lines.flatMap((line, index) => {
    if (line === '') return [];
    const where = `${shownPath(file)}:${index + 1}`;
    return [requireShape(baselineSchema, parseJson(line, where), where)];
  });
  return baselines.toSorted((a, b) => (a.at < b.at ? -1 : 1));
}

/** Runs of one machine and one suite, which alone may be set side by side; the latest group last. */
export function comparableGroups(baselines: readonly Baseline[]): Baseline[][] {
  const groups = Map.groupBy(baselines, ({ machine, suiteDigest }) =>
    canonicalJson({ machine, suiteDigest }),
  );
  return [...groups.values()].toSorted((a, b) => (a.at(-1)!.at < b.at(-1)!.at ? -1 : 1));
}
