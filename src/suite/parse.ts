/**
 * From a name or a path to a suite that can be planned: read, checked, its workloads resolved.
 *
 * All problems of a file are reported in one message, before any work starts.
 *
 * @module
 */

import { readdir, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { listNames, loadByName } from '../core/discover.ts';
import { badInput, HarnessError } from '../core/errors.ts';
import {
  badFile,
  checkShape,
  found,
  jsonPath,
  parseJson,
  quoted,
  readTextFile,
  requireShape,
  shownPath,
} from '../core/json.ts';
import { hint } from '../core/nearest.ts';
import { BEHAVIOURS_DIR, PIPELINES_DIR, PROVIDERS_DIR, SUITES_DIR } from '../core/paths.ts';
import type { Behaviour } from '../workload/behaviour.ts';
import {
  WORKLOAD_OPTIONS,
  WORKLOAD_WORDS,
  workloadSchema,
  type Workload,
} from '../workload/workload.ts';
import { digestOf } from './digest.ts';
import { formatName, isFileName, parseName, segment, type Name } from './names.ts';
import {
  openLoopProblems,
  saturationProblems,
  saturationThreads,
  traceProblems,
} from './open-loop.ts';
import { suiteSchema, type Suite } from './suite.ts';

export const FILE_BYTES_MAX = 1_048_576;
/** A workload may hold a trace. */
const WORKLOAD_BYTES_MAX = 50_331_648;
export const CELLS_MAX = 10_000;

const WORKLOADS_DIR = join(SUITES_DIR, 'workloads');
/** Folders under suites/ that hold other data. */
const NOT_SUITES = ['workloads', 'payloads'];

/** The words that a suite may use. */
export interface KnownNames {
  readonly pipelines: readonly string[];
  readonly providers: readonly string[];
}

export interface ResolvedWorkload {
  /** The segment in cell names: with the options that differ from the workload's own numbers. */
  readonly segment: string;
  readonly workload: Workload;
}

export interface LoadedSuite {
  readonly suite: Suite;
  readonly file: string;
  /** SHA-256, hex, over the canonical JSON of the suite and of the workloads it resolves. */
  readonly digest: string;
  /** By the text that the suite uses. */
  readonly workloads: ReadonlyMap<string, ResolvedWorkload>;
}

/** Names of the suites under suites/, sorted. */
export async function listSuites(): Promise<string[]> {
  const files = await readdir(SUITES_DIR, { recursive: true });
  return files
    .filter((file) => file.endsWith('.json') && !file.endsWith('.schema.json'))
    .map((file) => file.slice(0, -'.json'.length).split(sep).join('/'))
    .filter((name) => !NOT_SUITES.includes(name.split('/')[0]!))
    .sort();
}

/** Names of the workloads under suites/workloads/, sorted. */
export async function listWorkloads(): Promise<string[]> {
  const files = await readdir(WORKLOADS_DIR);
  return files
    .filter((file) => file.endsWith('.json'))
    .map((file) => basename(file, '.json'))
    .sort();
}

/** What the folders of pipelines and providers hold. */
export async function listKnownNames(): Promise<KnownNames> {
  return {
    pipelines: await listNames(PIPELINES_DIR),
    providers: await listNames(PROVIDERS_DIR),
  };
}

/** Lists that stand in for those of every group of a suite's matrix. */
export type Replacements = Partial<
  Pick<Suite['matrix'][number], 'pipelines' | 'implementations' | 'workloads'>
>;

/**
 * @param nameOrPath A name under suites/, or the path of a file.
 * @param known What the folders hold, when left out.
 * @param instead Part of the digest, as if the file said so.
 * @throws HarnessError BAD_INPUT with all that is wrong with the suite.
 */
export async function loadSuite(
  nameOrPath: string,
  known?: KnownNames,
  instead: Replacements = {},
): Promise<LoadedSuite> {
  const file = await findSuite(nameOrPath);
  const where = shownPath(file);
  const json = parseJson(await readTextFile(file, FILE_BYTES_MAX), where);
  return checkSuite(requireShape(suiteSchema, json, where), file, known, instead);
}

/** What a schema cannot say about a suite of messages, and its workloads. */
export async function checkSuite(
  given: Suite,
  file: string,
  known?: KnownNames,
  instead: Replacements = {},
): Promise<LoadedSuite> {
  const where = shownPath(file);
  const suite = replaced(given, instead);
  const words = known ?? (await listKnownNames());
  await checkReplacements(instead, words);

  const problems: string[] = [];
  const properName = nameByPlace(file);
  if (properName !== undefined && suite.name !== properName) {
    problems.push(
      `name: expected ${quoted(properName)}, as its place says, found ${quoted(suite.name)}`,
    );
  }
  const cells = suite.matrix.reduce(
    (sum, { pipelines, implementations, workloads, threads }) =>
      sum + pipelines.length * implementations.length * workloads.length * threads.length,
    0,
  );
  if (cells > CELLS_MAX) {
    problems.push(`matrix: expected at most ${CELLS_MAX} cells, found ${cells}`);
  }
  const pipelines = new Set<string>();
  const workloads = new Map<string, ResolvedWorkload>();
  for (const [index, group] of suite.matrix.entries()) {
    for (const [at, threads] of group.threads.entries()) {
      const problem = saturationThreads(suite, threads);
      if (problem !== undefined) {
        problems.push(`${jsonPath(['matrix', index, 'threads', at])}: ${problem}`);
      }
      if (suite.cpu !== 'process' || threads === 1) continue;
      problems.push(
        `${jsonPath(['matrix', index, 'threads', at])}: expected 1, as the suite reads the CPU of ` +
          `the process, found ${threads}`,
      );
    }
    for (const [at, text] of group.pipelines.entries()) {
      await collect(problems, ['matrix', index, 'pipelines', at], async () => {
        const name = parseName(text);
        await checkCode('pipeline', name.name, words.pipelines);
        pipelines.add(formatName(name));
      });
    }
    for (const [at, text] of group.implementations.entries()) {
      await collect(problems, ['matrix', index, 'implementations', at], async () => {
        const name = parseName(text);
        if (Object.keys(name.options).length > 0) {
          throw badInput(`expected an implementation without options, found ${quoted(text)}`);
        }
        await checkCode('implementation', name.name, words.providers);
      });
    }
    for (const [at, text] of group.workloads.entries()) {
      await collect(problems, ['matrix', index, 'workloads', at], async () => {
        if (!workloads.has(text)) workloads.set(text, await loadWorkload(text));
        if (suite.saturation === undefined) return;
        const contradicting = saturationProblems(workloads.get(text)!.workload);
        if (contradicting.length > 0) throw badFile(`workload ${quoted(text)}`, contradicting);
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

/** What was named on the command line is refused in its words, not as a place in the suite. */
export async function checkReplacements(instead: Replacements, known: KnownNames): Promise<void> {
  for (const name of instead.pipelines ?? []) {
    await refusing('--pipeline', checkCode('pipeline', parseName(name).name, known.pipelines));
  }
  for (const name of instead.implementations ?? []) {
    await refusing('--provider', checkCode('provider', parseName(name).name, known.providers));
  }
  for (const name of instead.workloads ?? []) await refusing('--workload', loadWorkload(name));
}

async function refusing(option: string, check: Promise<unknown>): Promise<void> {
  try {
    await check;
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    throw badInput(`${option}: ${error.message}`);
  }
}

/** Where other pipelines are named and the baseline is not, there is none. */
function replaced({ baseline, ...suite }: Suite, instead: Replacements): Suite {
  const matrix = suite.matrix.map((group) => ({ ...group, ...instead }));
  const isLeftOut = instead.pipelines?.every((pipeline) => pipeline !== baseline) ?? false;
  if (baseline === undefined || isLeftOut) return { ...suite, matrix };
  return { ...suite, baseline, matrix };
}

/** Runs one check and keeps what it refuses, with its place in the file. */
export async function collect(
  problems: string[],
  path: readonly PropertyKey[],
  check: () => void | Promise<void>,
): Promise<void> {
  try {
    await check();
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    problems.push(`${jsonPath(path)}: ${error.message}`);
  }
}

/** The path of a suite of any kind. */
export async function findSuite(nameOrPath: string): Promise<string> {
  if (!suiteSchema.shape.name.safeParse(nameOrPath).success) return resolve(nameOrPath);
  const suites = await listSuites();
  if (suites.includes(nameOrPath)) return join(SUITES_DIR, `${nameOrPath}.json`);
  const lookalike = await stat(nameOrPath).catch(() => undefined);
  if (lookalike !== undefined) {
    throw badInput(
      `unknown suite ${quoted(nameOrPath)}; to name a file by its path, write "./${nameOrPath}"`,
    );
  }
  throw badInput(`unknown suite ${quoted(nameOrPath)}; ${hint(nameOrPath, suites)}`);
}

/** The name that a file under suites/ must have; undefined for files elsewhere. */
export function nameByPlace(file: string): string | undefined {
  const place = relative(SUITES_DIR, file);
  if (place.startsWith('..') || isAbsolute(place)) return undefined;
  return place
    .replace(/\.json$/, '')
    .split(sep)
    .join('/');
}

/** A pipeline or provider: known, or a file of the user's that exists. Loading it comes later. */
export async function checkCode(
  what: string,
  name: string,
  known: readonly string[],
): Promise<void> {
  if (!isFileName(name)) {
    if (known.includes(name)) return;
    throw badInput(`unknown ${what} ${quoted(name)}; ${hint(name, known)}`);
  }
  const facts = await stat(name).catch(() => undefined);
  if (name.endsWith('.json') || facts === undefined || !facts.isFile()) {
    throw badInput(
      `expected a .ts, .js or .mjs file with the ${what}, found none at ${quoted(name)}`,
    );
  }
}

/**
 * @param text A name under suites/workloads/ or a path, with options: `chat:loss=0.01`.
 * @throws HarnessError BAD_INPUT with all that is wrong with it.
 */
export async function loadWorkload(text: string): Promise<ResolvedWorkload> {
  const name = parseName(text);
  const file = await findWorkload(name.name);
  const where = shownPath(file);
  const own = requireShape(
    workloadSchema,
    parseJson(await readTextFile(file, WORKLOAD_BYTES_MAX), where),
    where,
  );
  const problems = await contradictions(own, basename(file, '.json'));
  if (problems.length > 0) throw badFile(where, problems);
  return applyOptions(own, name);
}

async function findWorkload(name: string): Promise<string> {
  if (isFileName(name)) return resolve(name);
  const known = await listWorkloads();
  if (known.includes(name)) return join(WORKLOADS_DIR, `${name}.json`);
  throw badInput(`unknown workload ${quoted(name)}; ${hint(name, known)}`);
}

/** What a schema cannot say about a workload. */
async function contradictions(workload: Workload, fileName: string): Promise<string[]> {
  const problems: string[] = [];
  if (workload.name !== fileName) {
    problems.push(
      `name: expected ${quoted(fileName)}, as its file is called, found ${quoted(workload.name)}`,
    );
  }
  if (workload.size.distribution === 'log-normal') {
    const { minBytes, maxBytes } = workload.size;
    if (minBytes > maxBytes) {
      problems.push(`size.maxBytes: expected at least minBytes, ${minBytes}, found ${maxBytes}`);
    }
  }
  const behaviours = await listNames(BEHAVIOURS_DIR);
  if (!behaviours.includes(workload.behaviour)) {
    const what = quoted(workload.behaviour);
    problems.push(`behaviour: unknown behaviour ${what}; ${hint(workload.behaviour, behaviours)}`);
    return problems;
  }
  const { parameters } = await loadByName<Behaviour>(
    BEHAVIOURS_DIR,
    workload.behaviour,
    'behaviour',
  );
  for (const [key, { min, max }] of Object.entries(parameters)) {
    const value = Object.hasOwn(workload.parameters, key) ? workload.parameters[key] : undefined;
    if (value === undefined || value < min || value > max) {
      problems.push(
        `parameters.${key}: expected a number from ${min} to ${max}, found ${found(value)}`,
      );
    }
  }
  const known = Object.keys(parameters);
  for (const key of Object.keys(workload.parameters)) {
    if (known.includes(key)) continue;
    problems.push(
      `parameters: unknown parameter ${quoted(key)} of ${workload.behaviour}; ${hint(key, known)}`,
    );
  }
  return problems;
}

/** At most six decimals, so that no number is ever written with an exponent. */
const NUMBER = /^-?\d{1,12}(?:\.\d{1,6})?$/;

function applyOptions(own: Workload, { name, options }: Name): ResolvedWorkload {
  const changed: Record<string, unknown> = structuredClone(own);
  const shown: Record<string, string> = {};
  const problems: string[] = [];
  for (const [key, text] of Object.entries(options)) {
    const word = Object.hasOwn(WORKLOAD_WORDS, key) ? WORKLOAD_WORDS[key] : undefined;
    const path = Object.hasOwn(WORKLOAD_OPTIONS, key) ? WORKLOAD_OPTIONS[key] : word?.path;
    if (path === undefined) {
      const known = [...Object.keys(WORKLOAD_OPTIONS), ...Object.keys(WORKLOAD_WORDS)];
      problems.push(`unknown option ${quoted(key)}; ${hint(key, known)}`);
      continue;
    }
    const parent = path.slice(0, -1).reduce<unknown>(child, changed);
    const last = path.at(-1)!;
    const before = child(parent, last);
    if (word !== undefined) {
      if (!word.values.includes(text)) {
        problems.push(
          `option ${quoted(key)}: expected one of ${word.values.join(', ')}, ` +
            `found ${quoted(text)}; ${hint(text, word.values)}`,
        );
        continue;
      }
      // Left out where that says the same, so that one workload has one digest.
      (parent as Record<string, unknown>)[last] = text === word.default ? undefined : text;
      if (text !== (before ?? word.default)) shown[key] = text;
    } else if (before === undefined) {
      problems.push(`option ${quoted(key)} does not apply: its ${jsonPath(path)} is not fixed`);
    } else if (!NUMBER.test(text)) {
      problems.push(`option ${quoted(key)}: expected a number, found ${quoted(text)}`);
    } else {
      const value = Number(text);
      (parent as Record<string, unknown>)[last] = value;
      if (value !== before) shown[key] = String(value);
    }
  }
  const checked = checkShape(workloadSchema, changed);
  if (checked.problems !== undefined) problems.push(...checked.problems);
  else problems.push(...traceProblems(checked.value), ...openLoopProblems(checked.value));
  if (problems.length > 0 || checked.problems !== undefined) {
    throw badFile(`workload ${quoted(formatName({ name, options }))}`, problems);
  }
  return { segment: segment({ name, options: shown }), workload: checked.value };
}

/** Undefined where the parent is left out. */
function child(parent: unknown, key: string): unknown {
  return (parent as Readonly<Record<string, unknown>> | undefined)?.[key];
}
