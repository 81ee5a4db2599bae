/**
 * Loading an installed library, and the version that its package.json states.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { HarnessError } from '../core/errors.ts';

/**
 * Runs `load`, which imports the library.
 *
 * @throws HarnessError with code UNAVAILABLE that says how to install `packages`.
 */
export async function loadLibrary<T>(
  packages: readonly string[],
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof HarnessError) throw error;
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new HarnessError(
      'UNAVAILABLE',
      `${packages.join(', ')} does not load: ${reason}; install it with: npm install ${packages.join(' ')}`,
    );
  }
}

/** `name version`, as installed. Read from the file, since most packages do not export it. */
export function packageVersion(name: string): string {
  const entry = import.meta.resolve(name);
  const folder = `/node_modules/${name}/`;
  const root = entry.slice(0, entry.lastIndexOf(folder) + folder.length);
  const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    readonly version: string;
  };
  return `${name} ${manifest.version}`;
}
