/**
 * The version that an installed package's package.json states.
 *
 * @module
 */

import { readFileSync } from 'node:fs';

/** @throws Error when it is not installed. */
export function installedVersion(name: string): string {
  const entry = import.meta.resolve(name);
  const folder = `/node_modules/${name}/`;
  const root = entry.slice(0, entry.lastIndexOf(folder) + folder.length);
  const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    readonly version: string;
  };
  return manifest.version;
}
