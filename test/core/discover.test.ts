import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { listNames, loadByName } from '../../src/core/discover.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealbench-discover-'));
  await mkdir(join(folder, 'foreign'));
  const files = {
    'own.ts': "export default { name: 'own' };",
    '_shared.ts': 'export const shared = 1;',
    'types.d.ts': 'export type T = 1;',
    'notes.md': 'notes',
    'wrong.ts': "export default { name: 'other' };",
    'foreign/own.package.ts': "export default { name: 'own.package' };",
    'foreign/_library.ts': 'export const shared = 2;',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
});
after(() => rm(folder, { recursive: true }));

test('things are found in a folder and in the folders in it, without shared machinery', async () => {
  assert.deepEqual(await listNames(folder), ['own', 'own.package', 'wrong']);
});

test('a thing is loaded by its name wherever it lies', async () => {
  for (const name of ['own', 'own.package']) {
    assert.equal((await loadByName(folder, name, 'thing')).name, name);
  }
});

test('an unknown name is refused with the nearest known one, and a file must say its own', async () => {
  await assert.rejects(loadByName(folder, 'own.packag', 'thing'), {
    code: 'BAD_INPUT',
    message: 'unknown thing "own.packag"; did you mean "own.package"?',
  });
  await assert.rejects(loadByName(folder, 'wrong', 'thing'), {
    code: 'BAD_INPUT',
    message: /wrong\.ts: its name is "other" but its file says "wrong"/,
  });
});
