/** Where optional libraries are not installed: said with how to get them, and no failure. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { readRun } from '../../src/results/store.ts';
import { sealbench, type Ended } from './_command-line.ts';

const HOOK = pathToFileURL(join(import.meta.dirname, '..', 'planted', 'hide-libraries.ts')).href;
const HOW_TO_GET_IT =
  /@matrix-org\/olm is not installed; get it with: npm install --save-optional @matrix-org\/olm@3\.2\.15/;

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealbench-missing-'));
});
after(() => rm(folder, { recursive: true }));

/** Its child processes and their threads miss the libraries too. */
function sealbenchWithout(...args: readonly string[]): Promise<Ended> {
  return sealbench(args, { env: { NODE_OPTIONS: `--import ${HOOK}` } });
}

test('list says how to get each library, with its licence and what it is compared with', async () => {
  const { status, out, err } = await sealbenchWithout('list', 'pipelines', '--json');
  assert.equal(status, 0, err);
  const { pipelines } = JSON.parse(out) as {
    pipelines: { name: string; foreign?: Record<string, unknown> }[];
  };
  const olm = pipelines.find(({ name }) => name === 'double-ratchet.libolm')!.foreign!;
  assert.match(String(olm['reason']), HOW_TO_GET_IT);
  assert.equal(olm['version'], undefined);
  assert.equal(olm['licence'], 'Apache-2.0');
  assert.equal(olm['comparedWith'], 'double-ratchet:hop=none,persist=record,rest=none');
  const missing = pipelines.filter(({ foreign }) => foreign?.['reason'] !== undefined);
  const foreigners = pipelines.filter(({ foreign }) => foreign !== undefined);
  assert.deepEqual(missing, foreigners);

  const text = await sealbenchWithout('list', 'pipelines');
  assert.match(text.out, HOW_TO_GET_IT);
  assert.match(text.out, /@signalapp\/libsignal-client is not installed/);
});

test('verify has a row for each missing library, and ends well', async () => {
  const filter = '(double-ratchet|sealed-box).*/chat';
  const { status, out, err } = await sealbenchWithout(
    'verify',
    'curated/rivals',
    '--filter',
    filter,
    '--json',
  );
  assert.equal(status, 0, err);
  const outcomes = JSON.parse(out) as { cell: string; status: string; reason: string | null }[];
  const of = (part: string): (typeof outcomes)[number] =>
    outcomes.find(({ cell }) => cell.includes(part))!;
  assert.equal(of('/libolm/').status, 'unavailable');
  assert.match(of('/libolm/').reason!, HOW_TO_GET_IT);
  assert.equal(of('/hpke-core/').status, 'unavailable');
  assert.equal(of('double-ratchet:').status, 'ok');
});

test('run keeps a row that says how to get it, and ends well', async () => {
  const directory = join(folder, 'run');
  const args = ['run', 'curated/rivals', '--filter', 'libolm/one-way', '--repeats', '1'];
  const { status, out, err } = await sealbenchWithout(...args, '--out', directory);
  assert.equal(status, 0, err);
  assert.match(out.replaceAll(/\s+/g, ' '), HOW_TO_GET_IT);
  const { records } = await readRun(directory);
  assert.equal(records[0]?.status, 'unavailable');
  assert.match(records[0]?.reason ?? '', HOW_TO_GET_IT);
});
