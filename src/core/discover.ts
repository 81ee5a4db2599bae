/**
 * A folder as a registry: one file adds one thing, found by its name. Folders in it only group.
 *
 * @module
 */

import { readdir } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { badInput, HarnessError } from './errors.ts';
import { hint } from './nearest.ts';

/** `.ts` when run from source, `.js` when built. */
const EXTENSION: string = extname(import.meta.filename);

/** Names of the things in `folder`, sorted. Files that begin with `_` are shared machinery. */
export async function listNames(folder: string): Promise<string[]> {
  return [...(await findThings(folder)).keys()].sort();
}

/** Path of each thing in `folder`, and in the folders in it, by its name. */
async function findThings(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter(
    (entry) =>
      entry.isFile() &&
      entry.name.endsWith(EXTENSION) &&
      !entry.name.startsWith('_') &&
      !entry.name.endsWith('.d.ts'),
  );
  return new Map(
    files.map(({ name, parentPath }) => [name.slice(0, -EXTENSION.length), join(parentPath, name)]),
  );
}

async function findThing(folder: string, name: string, what: string): Promise<string> {
  const things = await findThings(folder);
  const file = things.get(name);
  if (file !== undefined) return file;
  const known = [...things.keys()].sort();
  throw badInput(`unknown ${what} ${JSON.stringify(name)}; ${hint(name, known)}`);
}

/**
 * Imports one thing's default export, by name or as a path to a user's own file, and nothing else.
 *
 * @param what The word for it in messages: `provider`, `pipeline`, ...
 * @throws HarnessError BAD_INPUT naming the known names; UNAVAILABLE when the file fails to load.
 */
export async function loadByName<T extends { readonly name: string }>(
  folder: string,
  name: string,
  what: string,
): Promise<T> {
  const isFile = name.endsWith('.ts') || name.endsWith('.js') || name.endsWith('.mjs');
  const file = isFile ? resolve(name) : await findThing(folder, name, what);
  let module: { readonly default?: T };
  try {
    module = (await import(pathToFileURL(file).href)) as { readonly default?: T };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new HarnessError('UNAVAILABLE', `${what} ${name} does not load: ${reason}`);
  }
  const thing = module.default;
  if (thing === undefined || typeof thing.name !== 'string') {
    throw badInput(`${file}: expected a default export with a "name", found none`);
  }
  if (!isFile && thing.name !== name) {
    throw badInput(`${file}: its name is "${thing.name}" but its file says "${name}"`);
  }
  return thing;
}
