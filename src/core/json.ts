/**
 * JSON from outside: read with limits, checked once against a schema, refused in words.
 *
 * Every refusal is one `HarnessError` BAD_INPUT that names the file and, for each problem, the path
 * in it, what was expected and what was found. Nothing of the input reaches a message unescaped.
 *
 * @module
 */

import { readFile, stat } from 'node:fs/promises';
import { relative } from 'node:path';
import { z } from 'zod';
import { badInput, type HarnessError } from './errors.ts';
import { hint } from './nearest.ts';

/** Deeper than anything that a person writes, far from any stack's end. */
const DEPTH_MAX = 64;
const PROBLEMS_SHOWN = 10;
const SHOWN_CHARACTERS = 80;

/** A path as messages show it: relative where that is shorter to read. */
export function shownPath(file: string): string {
  const fromHere = relative(process.cwd(), file);
  return printable(fromHere === '' || fromHere.startsWith('..') ? file : fromHere);
}

/** Control, bidirectional and other invisible characters as escapes, so that no text can pose. */
export function printable(text: string): string {
  return text.replace(
    /\p{C}/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16).padStart(4, '0')}}`,
  );
}

/** One message about a file, with at most ten of its problems, each on a line. */
export function badFile(where: string, problems: readonly string[]): HarnessError {
  if (problems.length === 1) return badInput(`${where}: ${problems[0]}`);
  const shown = problems.slice(0, PROBLEMS_SHOWN).map((problem) => `\n  ${problem}`);
  const more = problems.length - shown.length;
  if (more > 0) shown.push(`\n  and ${more} more`);
  return badInput(`${where}: ${problems.length} problems${shown.join('')}`);
}

/** Reads a text file in UTF-8, with or without a byte order mark. */
export async function readTextFile(file: string, maxBytes: number): Promise<string> {
  const where = shownPath(file);
  let bytes: Uint8Array;
  try {
    const facts = await stat(file);
    if (facts.isDirectory()) throw badInput(`${where}: expected a file, found a directory`);
    if (!facts.isFile()) throw badInput(`${where}: expected a regular file`);
    if (facts.size > maxBytes) {
      throw badInput(`${where}: expected at most ${maxBytes} bytes, found ${facts.size}`);
    }
    bytes = await readFile(file);
  } catch (error) {
    throw unreadable(where, error);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badInput(`${where}: expected UTF-8, found other bytes; save the file as UTF-8`);
  }
}

/** What a failed look at a file means to a user; passes on what already says it. */
export function unreadable(where: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return badInput(`${where}: expected a file, found nothing`);
    case 'EISDIR':
      return badInput(`${where}: expected a file, found a directory`);
    case 'EACCES':
    case 'EPERM':
      return badInput(`${where}: expected a readable file; its permissions forbid it`);
    case 'ENAMETOOLONG':
    case 'ELOOP':
    case 'EIO':
    case 'ERR_INVALID_ARG_VALUE':
      return badInput(`${where}: expected a readable file, found ${code}`);
    default:
      return error;
  }
}

/** @param where The file, or file and line, for messages. */
export function parseJson(text: string, where: string): unknown {
  if (text.trim() === '') throw badInput(`${where}: expected JSON, found nothing`);
  const depth = deepest(text);
  if (depth > DEPTH_MAX) {
    throw badInput(`${where}: expected at most ${DEPTH_MAX} levels of nesting, found ${depth}`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // Only the place: the engine's message quotes the text as it is.
    const message = error instanceof Error ? error.message : '';
    const place = /line \d+ column \d+/.exec(message)?.[0] ?? /position \d+/.exec(message)?.[0];
    const mistake = place === undefined ? 'a mistake or an early end' : `a mistake at ${place}`;
    throw badInput(`${where}: expected JSON, found ${mistake}`);
  }
}

/** Nesting of brackets outside strings; one pass. */
function deepest(text: string): number {
  let depth = 0;
  let most = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') {
      i = endOfString(text, i);
      if (i === -1) break;
    } else if (character === '[' || character === '{') {
      depth += 1;
      if (depth > most) most = depth;
    } else if (character === ']' || character === '}') {
      depth -= 1;
    }
  }
  return most;
}

/** @returns Where the string that opens at `start` closes; -1 when it never does. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) break;
    end = text.indexOf('"', end + 1);
  }
  return end;
}

export type Checked<T> =
  | { readonly value: T; readonly problems?: undefined }
  | { readonly problems: readonly string[] };

/** A value of the schema's type, or all that keeps it from being one. */
export function checkShape<T>(schema: z.ZodType<T>, value: unknown): Checked<T> {
  const result = schema.safeParse(value);
  if (result.success) return { value: result.data };
  return { problems: result.error.issues.flatMap((issue) => describe(issue, schema, value)) };
}

/** As {@link checkShape}, for a whole file. */
export function requireShape<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const checked = checkShape(schema, value);
  if (checked.problems !== undefined) throw badFile(where, checked.problems);
  return checked.value;
}

/** A JSON path as people write it: `matrix[0].threads[1]`. */
export function jsonPath(path: readonly PropertyKey[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w$-]+$/.test(String(step))) text += `${text === '' ? '' : '.'}${String(step)}`;
    else text += `[${quoted(String(step))}]`;
  }
  return text;
}

/** A value in a message: short, escaped, and never more than its kind for what is long. */
export function found(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** A text of the user's in a message: escaped, and cut where it is long. */
export function quoted(text: string): string {
  const start = printable(text.slice(0, SHOWN_CHARACTERS));
  return text.length > SHOWN_CHARACTERS
    ? `"${start}..." (${text.length} characters)`
    : `"${start}"`;
}

function describe(issue: z.core.$ZodIssue, schema: z.ZodType, input: unknown): string[] {
  const at = issue.path.length === 0 ? '' : `${jsonPath(issue.path)}: `;
  const value = lookUp(input, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(z.toJSONSchema(schema, { io: 'input' }), issue.path);
    return issue.keys.map((key) => `${at}unknown key ${quoted(key)}; ${hint(key, known)}`);
  }
  const words = wordsOf(issue);
  const meant = typeof value === 'string' && words !== undefined ? `; ${hint(value, words)}` : '';
  return [`${at}expected ${expectation(issue, words)}, found ${found(value)}${meant}`];
}

/** The words that would have been right, where the issue is about a choice of words. */
function wordsOf(issue: z.core.$ZodIssue): readonly string[] | undefined {
  if (issue.code === 'invalid_value' && issue.values.length > 1) return issue.values.map(String);
  const isUnion = issue.code === 'invalid_union' && 'options' in issue;
  return isUnion && Array.isArray(issue.options) ? issue.options.map(String) : undefined;
}

const KIND_NAMES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'an integer',
  null: 'null',
  number: 'a number',
  object: 'an object',
  record: 'an object',
  string: 'a string',
};

function expectation(issue: z.core.$ZodIssue, words: readonly string[] | undefined): string {
  if (words !== undefined) return `one of ${words.join(', ')}`;
  switch (issue.code) {
    case 'invalid_type':
      return KIND_NAMES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return found(issue.values[0]);
    case 'too_small':
      return `at least ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `at most ${issue.maximum}${unitOf(issue.origin)}`;
    default:
      // The schema's own words, for formats and for its own checks.
      return issue.message;
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' items' : '';
}

function lookUp(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<PropertyKey, unknown>)[step];
  }
  return at;
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
}

/** The keys that an object at `path` may have, by the schema's JSON Schema. */
function knownKeys(root: object, path: readonly PropertyKey[]): string[] {
  let nodes: SchemaNode[] = alternatives(root);
  for (const step of path) {
    nodes = nodes.flatMap((node) => {
      const next = typeof step === 'number' ? node.items : node.properties?.[String(step)];
      return next === undefined ? [] : alternatives(next);
    });
  }
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

function alternatives(node: SchemaNode): SchemaNode[] {
  return [node, ...(node.oneOf ?? []), ...(node.anyOf ?? [])];
}

/**
 * The same text for the same data, whatever the order of its keys: keys sorted by code unit, no
 * spaces. Numbers and strings as ECMAScript writes them, as in RFC 8785 §3.2.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
