/**
 * From the JSON of a suite of relay loads to one that can be planned.
 *
 * @module
 */

import { badInput } from '../core/errors.ts';
import { badFile, quoted, requireShape, shownPath } from '../core/json.ts';
import { hint } from '../core/nearest.ts';
import { digestOf } from './digest.ts';
import { formatName, parseName } from './names.ts';
import {
  checkCode,
  checkReplacements,
  collect,
  listKnownNames,
  loadWorkload,
  nameByPlace,
  type KnownNames,
  type Replacements,
  type ResolvedWorkload,
} from './parse.ts';
import { relaySuiteSchema, type Load, type RelaySuite } from './relay-suite.ts';

export interface LoadedRelay {
  readonly suite: RelaySuite;
  readonly file: string;
  /** SHA-256, hex, over the canonical JSON of the suite and of the workloads it resolves. */
  readonly digest: string;
  /** By the text that the suite uses. */
  readonly workloads: ReadonlyMap<string, ResolvedWorkload>;
}

/** What only some loads know, where each belongs. */
const OF_LOADS: Readonly<Record<string, Load>> = {
  rates: 'hand-over',
  resumption: 'connections',
};
const OF_SUITES: Readonly<Record<string, Load>> = {
  boundMs: 'knee',
  messagesPerConnection: 'connections',
};

/**
 * @param json What the file holds.
 * @param known What the folders hold, when left out.
 * @throws HarnessError BAD_INPUT with all that is wrong with the suite.
 */
export async function parseRelay(
  json: unknown,
  file: string,
  instead: Replacements = {},
  known?: KnownNames,
): Promise<LoadedRelay> {
  const where = shownPath(file);
  const parsed = requireShape(relaySuiteSchema, json, where);
  const words = known ?? (await listKnownNames());
  await checkReplacements(instead, words);
  const suite = replaced(parsed, instead);
  const problems: string[] = [];
  const properName = nameByPlace(file);
  if (properName !== undefined && suite.name !== properName) {
    problems.push(
      `name: expected ${quoted(properName)}, as its place says, found ${quoted(suite.name)}`,
    );
  }
  problems.push(...misplaced(suite));
  const workloads = new Map<string, ResolvedWorkload>();
  const pipelines = new Set<string>();
  for (const [index, group] of suite.matrix.entries()) {
    for (const [at, text] of group.pipelines.entries()) {
      await collect(problems, ['matrix', index, 'pipelines', at], async () => {
        const name = parseName(text);
        await checkCode('pipeline', name.name, words.pipelines);
        pipelines.add(formatName(name));
      });
    }
    for (const [at, text] of group.implementations.entries()) {
      await collect(problems, ['matrix', index, 'implementations', at], () =>
        checkCode('implementation', parseName(text).name, words.providers),
      );
    }
    for (const [at, text] of group.workloads.entries()) {
      await collect(problems, ['matrix', index, 'workloads', at], async () => {
        if (!workloads.has(text)) workloads.set(text, await loadWorkload(text));
      });
    }
  }
  const { baseline } = suite;
  if (baseline !== undefined) {
    await collect(problems, ['baseline'], () => {
      if (pipelines.has(formatName(parseName(baseline)))) return;
      throw badInput(
        `expected a pipeline of the matrix, found ${quoted(baseline)}; ${hint(baseline, pipelines)}`,
      );
    });
  }
  if (problems.length > 0) throw badFile(where, problems);
  return { suite, file, digest: digestOf(suite, workloads.values()), workloads };
}

/** Numbers that the load of the suite does not know, and those that it needs and lacks. */
function misplaced(suite: RelaySuite): string[] {
  const problems: string[] = [];
  for (const [key, load] of Object.entries(OF_SUITES)) {
    if (suite.load === load || !Object.hasOwn(suite, key)) continue;
    problems.push(`${key}: expected only with the load "${load}", found it with "${suite.load}"`);
  }
  for (const [index, group] of suite.matrix.entries()) {
    for (const [key, load] of Object.entries(OF_LOADS)) {
      const has = Object.hasOwn(group, key);
      if (has === (suite.load === load)) continue;
      problems.push(
        has
          ? `matrix[${index}].${key}: expected only with the load "${load}", found it with "${suite.load}"`
          : `matrix[${index}]: expected "${key}", as the load is "${load}", found none`,
      );
    }
    if (group.tls.includes('none') && group.resumption?.includes('yes') === true) {
      problems.push(
        `matrix[${index}].tls: expected no "none" where "resumption" has "yes": without TLS nothing ` +
          'is resumed',
      );
    }
  }
  return problems;
}

/** Where other pipelines are named and the baseline is not, there is none. */
function replaced({ baseline, ...suite }: RelaySuite, instead: Replacements): RelaySuite {
  const matrix = suite.matrix.map((group) => ({ ...group, ...instead }));
  const isLeftOut = instead.pipelines?.every((pipeline) => pipeline !== baseline) ?? false;
  if (baseline === undefined || isLeftOut) return { ...suite, matrix };
  return { ...suite, baseline, matrix };
}
