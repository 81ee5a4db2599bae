/**
 * Names with options: `double-ratchet:hop=none,rest=none`, and the names of cells made of them.
 *
 * @module
 */

import { basename } from 'node:path';
import { badInput } from '../core/errors.ts';
import { quoted } from '../core/json.ts';

/** A thing and the options given with it. */
export interface Name {
  /** A plain name, or the path of a user's own file. */
  readonly name: string;
  /** As given: nothing filled in, nothing judged. */
  readonly options: Readonly<Record<string, string>>;
}

const NAME_CHARACTERS_MAX = 300;
const PLAIN = /^[a-z0-9][a-z0-9._-]*$/;
/** No colon, since options follow one; no markup and nothing invisible, since it is printed. */
const FILE = /^[^\p{C}:<>&"'`]+\.(?:ts|js|mjs|json)$/u;
const KEY = /^[a-z][A-Za-z0-9-]*$/;
/** Words, integers and decimals. */
const VALUE = /^-?[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Whether a name is the path of a user's own file: known by its extension. */
export function isFileName(name: string): boolean {
  return FILE.test(name);
}

/** @throws HarnessError BAD_INPUT saying which part is not as it must be. */
export function parseName(text: string): Name {
  if (text.length > NAME_CHARACTERS_MAX) {
    throw badInput(
      `expected a name of at most ${NAME_CHARACTERS_MAX} characters, found ${quoted(text)}`,
    );
  }
  const colon = text.indexOf(':');
  const name = colon === -1 ? text : text.slice(0, colon);
  if (!isFileName(name) && !PLAIN.test(name)) {
    throw badInput(
      `expected a name such as "double-ratchet" or "./my.ts", with options as in ` +
        `"name:key=value,key=value", found ${quoted(text)}`,
    );
  }
  if (colon === -1) return { name, options: {} };

  const options: Record<string, string> = {};
  for (const part of text.slice(colon + 1).split(',')) {
    const equals = part.indexOf('=');
    const key = part.slice(0, Math.max(equals, 0));
    const value = part.slice(equals + 1);
    if (!KEY.test(key) || !VALUE.test(value)) {
      throw badInput(`expected options as key=value in ${quoted(text)}, found ${quoted(part)}`);
    }
    if (Object.hasOwn(options, key)) {
      throw badInput(`expected each option once in ${quoted(text)}, found "${key}" twice`);
    }
    options[key] = value;
  }
  return { name, options };
}

/** The inverse of {@link parseName}, options sorted by key. */
export function formatName({ name, options }: Name): string {
  const keys = Object.keys(options).sort();
  if (keys.length === 0) return name;
  return `${name}:${keys.map((key) => `${key}=${options[key]!}`).join(',')}`;
}

/**
 * A name as one segment of a cell's name: of a user's file only the last part of its path, so that
 * segments stay segments and results carry no paths of a machine.
 */
export function segment({ name, options }: Name): string {
  return formatName({ name: isFileName(name) ? basename(name) : name, options });
}

/**
 * `ladder/double-ratchet:hop=none/native/chat:sessions=1000/t1`.
 *
 * @param suite A suite's name; its last part is shown.
 * @param pipeline This and the next two: segments, with only the options that are not the default.
 */
export function cellName(
  suite: string,
  pipeline: string,
  implementation: string,
  workload: string,
  threads: number,
): string {
  return `${suite.slice(suite.lastIndexOf('/') + 1)}/${pipeline}/${implementation}/${workload}/t${threads}`;
}
