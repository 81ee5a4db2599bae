/**
 * Runs a module's text in a fresh process, for what a test cannot do to its own.
 *
 * @module
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const ROOT = join(import.meta.dirname, '..', '..');

/** `source` may import from `SRC/`; it writes one JSON value to standard output. */
export function runModule(source: string, flags: readonly string[] = []): unknown {
  const text = source.replaceAll('SRC/', `${pathToFileURL(join(ROOT, 'src')).href}/`);
  const child = spawnSync(process.execPath, [...flags, '--input-type=module', '--eval', text], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  assert.equal(child.status, 0, child.stderr);
  return JSON.parse(child.stdout);
}
