/**
 * The digest of the code that ran: two runs of one digest ran the same program.
 *
 * @module
 */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { PACKAGE_ROOT, PIPELINES_DIR, workerFile } from '../core/paths.ts';

/**
 * SHA-256, hex, over the code that measures: all files of src/ and workers/, and package-lock.json
 * where there is one, each with its path and length.
 */
export async function readCodeDigest(): Promise<string> {
  const folders = [dirname(PIPELINES_DIR), dirname(workerFile('any'))];
  const files = [join(PACKAGE_ROOT, 'package-lock.json')];
  for (const folder of folders) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const isCode = entry.isFile() && /\.(?:ts|js|json)$/.test(entry.name);
      if (isCode) files.push(join(entry.parentPath, entry.name));
    }
  }
  const root = dirname(folders[0]!);
  const named = files
    .map((file) => ({ file, name: relative(root, file).split(sep).join('/') }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const hash = createHash('sha256');
  for (const { file, name } of named) {
    const bytes = await readFile(file).catch(() => undefined);
    if (bytes !== undefined) hash.update(`${name}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}
