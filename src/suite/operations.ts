/**
 * From a name or a path to a suite of single operations that can be planned, or to one of messages.
 *
 * @module
 */

import { listNames } from '../core/discover.ts';
import { badInput } from '../core/errors.ts';
import { badFile, parseJson, quoted, readTextFile, requireShape, shownPath } from '../core/json.ts';
import { hint } from '../core/nearest.ts';
import { IMPLEMENTATIONS_DIR, OPERATIONS_DIR, PROVIDERS_DIR, TOOLS_DIR } from '../core/paths.ts';
import { digestOf } from './digest.ts';
import { parseName } from './names.ts';
import { parseRelay, type LoadedRelay } from './parse-relay.ts';
import { parseExposure, type LoadedExposure } from './exposure-suite.ts';
import { operationSuiteSchema, type OperationSuite } from './operation-suite.ts';
import {
  checkCode,
  collect,
  FILE_BYTES_MAX,
  findSuite,
  loadSuite,
  nameByPlace,
  type LoadedSuite,
  type Replacements,
} from './parse.ts';

export interface LoadedOperations {
  readonly suite: OperationSuite;
  readonly file: string;
  /** SHA-256, hex, over the canonical JSON of the suite. */
  readonly digest: string;
}

/** A suite of any kind. */
export type LoadedAny = LoadedSuite | LoadedOperations | LoadedRelay | LoadedExposure;

/** The words that a suite of operations may use. */
export interface KnownOperations {
  readonly primitives: readonly string[];
  /** Providers among them. */
  readonly implementations: readonly string[];
  readonly tools: readonly string[];
}

/** What the folders hold. */
export async function listKnownOperations(): Promise<KnownOperations> {
  const [providers, others] = await Promise.all([
    listNames(PROVIDERS_DIR),
    listNames(IMPLEMENTATIONS_DIR),
  ]);
  return {
    primitives: await listNames(OPERATIONS_DIR),
    implementations: [...providers, ...others],
    tools: await listNames(TOOLS_DIR),
  };
}

/**
 * @param nameOrPath A name under suites/, or the path of a file, of either kind.
 * @throws HarnessError BAD_INPUT with all that is wrong with the suite.
 */
export async function loadAnySuite(
  nameOrPath: string,
  instead: Replacements = {},
): Promise<LoadedAny> {
  const file = await findSuite(nameOrPath);
  const where = shownPath(file);
  const json = parseJson(await readTextFile(file, FILE_BYTES_MAX), where);
  const kind = typeof json === 'object' && json !== null && 'kind' in json ? json.kind : 'messages';
  if (kind === 'messages') return loadSuite(nameOrPath, undefined, instead);
  if (kind === 'exposure') return parseExposure(json, file, instead);
  if (kind === 'relay') return parseRelay(json, file, instead);
  return parseOperations(json, file, instead);
}

/** Whether a suite is of single operations. */
export function isOfOperations(loaded: LoadedAny): loaded is LoadedOperations {
  return loaded.suite.kind === 'primitives' || loaded.suite.kind === 'cross-checks';
}

/** Whether a suite is of loads of a relay. */
export function isOfRelay(loaded: LoadedAny): loaded is LoadedRelay {
  return loaded.suite.kind === 'relay';
}

/**
 * @param json What the file holds.
 * @param known What the folders hold, when left out.
 */
export async function parseOperations(
  json: unknown,
  file: string,
  instead: Replacements = {},
  known?: KnownOperations,
): Promise<LoadedOperations> {
  const where = shownPath(file);
  const parsed = requireShape(operationSuiteSchema, json, where);
  const words = known ?? (await listKnownOperations());
  const suite = await replaced(parsed, instead, words);
  const problems: string[] = [];
  const properName = nameByPlace(file);
  if (properName !== undefined && suite.name !== properName) {
    problems.push(
      `name: expected ${quoted(properName)}, as its place says, found ${quoted(suite.name)}`,
    );
  }
  for (const [index, group] of suite.matrix.entries()) {
    for (const [at, text] of group.primitives.entries()) {
      await collect(problems, ['matrix', index, 'primitives', at], () =>
        requireKnown('primitive', text, words.primitives),
      );
    }
    for (const [at, text] of group.implementations.entries()) {
      await collect(problems, ['matrix', index, 'implementations', at], () =>
        checkImplementation(text, words),
      );
    }
    for (const [at, text] of (group.against ?? []).entries()) {
      await collect(problems, ['matrix', index, 'against', at], () =>
        requireKnown('tool', text, words.tools),
      );
    }
    const isCrossCheck = suite.kind === 'cross-checks';
    if (isCrossCheck !== (group.against !== undefined)) {
      problems.push(
        isCrossCheck
          ? `matrix[${index}]: expected "against" with ${words.tools.join(', ')}, found none`
          : `matrix[${index}].against: expected only in a suite of the kind "cross-checks"`,
      );
    }
  }
  if (problems.length > 0) throw badFile(where, problems);
  return { suite, file, digest: digestOf(suite, []) };
}

async function replaced(
  suite: OperationSuite,
  { pipelines, workloads, implementations }: Replacements,
  known: KnownOperations,
): Promise<OperationSuite> {
  for (const [option, given] of [
    ['--pipeline', pipelines],
    ['--workload', workloads],
  ] as const) {
    if (given === undefined) continue;
    throw badInput(
      `${option}: ${suite.name} is a suite of ${suite.kind}, which have no pipelines and no ` +
        'workloads; choose among its cells by --filter',
    );
  }
  if (implementations === undefined) return suite;
  const problems: string[] = [];
  for (const name of implementations) {
    await collect(problems, [], () => checkImplementation(name, known));
  }
  if (problems.length > 0) throw badInput(`--provider${problems[0]!}`);
  return { ...suite, matrix: suite.matrix.map((group) => ({ ...group, implementations })) };
}

async function checkImplementation(
  text: string,
  { implementations }: KnownOperations,
): Promise<void> {
  const { name, options } = parseName(text);
  if (Object.keys(options).length > 0) {
    throw badInput(`expected an implementation without options, found ${quoted(text)}`);
  }
  await checkCode('implementation', name, implementations);
}

function requireKnown(what: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  throw badInput(`unknown ${what} ${quoted(name)}; ${hint(name, known)}`);
}
