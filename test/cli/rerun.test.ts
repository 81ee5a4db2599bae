/** Runs that are repeated, whole from their folder and by cell from a printed command. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import type { Manifest } from '../../src/results/manifest.ts';
import { createRun, readRun } from '../../src/results/store.ts';
import { exampleManifest } from '../results/example.ts';
import { sealbench, type Circumstances } from './_command-line.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealbench-rerun-'));
});
after(() => rm(folder, { recursive: true }));

const FAKE: Circumstances = { fakeRunner: true };

/** Writes a suite and a provider of the user's, and runs two of the suite's cells. */
async function firstRun(name: string): Promise<{ home: string; directory: string }> {
  const home = join(folder, name);
  await mkdir(home);
  await writeFile(join(home, 'mine.ts'), "export default { name: 'mine' };\n");
  await writeFile(
    join(home, 'suite.json'),
    JSON.stringify({
      name: 'suite',
      title: 'A suite',
      question: 'What is it?',
      analysis: [],
      matrix: [
        {
          pipelines: ['plaintext', 'transport:hop=none', 'double-ratchet'],
          implementations: ['null'],
          workloads: ['one-way:sessions=4'],
          threads: [1, 2],
        },
      ],
    }),
  );
  const directory = join(home, 'first');
  const args = ['./suite.json', '--provider', './mine.ts', '--provider', 'node', '--seed', '7'];
  const options = ['--filter', '(plaintext|transport).*t1$', '--repeats', '4', '--out', 'first'];
  const { status, err } = await sealbench(['run', ...args, ...options], { ...FAKE, cwd: home });
  assert.equal(status, 0, err);
  return { home, directory };
}

/** What must be the same in a run and in its repetition. */
async function workOf(directory: string): Promise<unknown> {
  const { manifest, records } = await readRun(directory);
  const { suite, seed, budget, cells } = manifest;
  const work = records.map(({ cell, repeat, order, seed: own }) => ({ cell, repeat, order, own }));
  return { digest: suite.digest, seed, budget, cells, work };
}

/** Changes the manifest of a run on disk. */
async function change(directory: string, changed: (manifest: Manifest) => Manifest): Promise<void> {
  const file = join(directory, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Manifest;
  await writeFile(file, JSON.stringify(changed(manifest)));
}

test('a run is repeated with the same work in a folder of its own, and that again', async () => {
  const { home, directory } = await firstRun('same');
  const again = await sealbench(['rerun', 'first', '--strict', '--out', 'second'], {
    ...FAKE,
    cwd: home,
  });
  assert.equal(again.status, 0, again.err);
  assert.match(again.err, /^raw results: second$/m);
  const second = join(home, 'second');
  assert.deepEqual(await workOf(second), await workOf(directory));

  const third = await sealbench(['rerun', 'second', '--out', 'third'], { ...FAKE, cwd: home });
  assert.equal(third.status, 0, third.err);
  assert.match(third.err, /^repeating second: machine, software, suite and code are the same$/m);
  assert.deepEqual(await workOf(join(home, 'third')), await workOf(directory));
});

test('what changed since is named, and refused with --strict', async () => {
  const { home, directory } = await firstRun('changed');
  await change(directory, (manifest) => ({
    ...manifest,
    codeDigest: 'c'.repeat(64),
    environment: { ...manifest.environment, node: '20.0.0' },
    cells: [...manifest.cells, 'suite/gone/node/one-way/t1'],
  }));
  const strict = await sealbench(['rerun', 'first', '--strict', '--out', 'no'], {
    ...FAKE,
    cwd: home,
  });
  assert.equal(strict.status, 2);
  assert.match(
    strict.err,
    /expected nothing to have changed since, but .*environment\.node is 20\./,
  );
  assert.match(strict.err, /leave out --strict/);
  const { status, err } = await sealbench(['rerun', 'first', '--out', 'yes'], {
    ...FAKE,
    cwd: home,
  });
  assert.equal(status, 0, err);
  assert.match(err, /^warning: environment\.node was 20\.0\.0 and is 2\d\./m);
  assert.match(err, /^warning: codeDigest was cccccccccccc\.\.\. and is /m);
  assert.match(err, /^warning: of its 5 cells 1 are gone: suite\/gone\/node\/one-way\/t1$/m);
  assert.match(err, /not to be set side by side/);
});

test('a file of the user that is not there is named', async () => {
  const { home } = await firstRun('moved');
  const elsewhere = await sealbench(['rerun', join(home, 'first')], { ...FAKE, cwd: folder });
  assert.equal(elsewhere.status, 2);
  assert.match(elsewhere.err, /the run used the suite "\.\/suite\.json", which is not there/);
  await rename(join(home, 'mine.ts'), join(home, 'other.ts'));
  const gone = await sealbench(['rerun', 'first'], { ...FAKE, cwd: home });
  assert.equal(gone.status, 2);
  assert.match(gone.err, /the run used the provider "\.\/mine\.ts", which is not there/);
});

test('what is not the command line of a run is refused', async () => {
  const bad: [string[], RegExp][] = [
    [['verify'], /argv: expected the command line of a run, but it begins with "verify"/],
    [['run', 'curated/ladder', '--sede', '3'], /unknown option --sede; did you mean --seed/],
    [['run', '--help'], /it asks for help/],
  ];
  for (const [index, [argv, message]] of bad.entries()) {
    const directory = join(folder, `bad-${index}`);
    createRun(directory, exampleManifest({ argv }));
    const { status, err } = await sealbench(['rerun', directory], FAKE);
    assert.equal(status, 2, err);
    assert.match(err, message);
  }
});

test('the command beside a row, run in a shell, measures the cell of the row', async () => {
  const { home, directory } = await firstRun('rows');
  const { status, out, err } = await sealbench(['rows', 'first', '--commands'], {
    ...FAKE,
    cwd: home,
    env: { npm_lifecycle_event: '' },
  });
  assert.equal(status, 0, err);
  const rows = JSON.parse(out) as { cell: string; command: string }[];
  const { manifest, records } = await readRun(directory);
  assert.deepEqual(
    [...new Set(rows.map(({ cell }) => cell))].filter((cell) => cell !== '').toSorted(),
    manifest.cells.toSorted(),
  );
  const cell = 'suite/transport:hop=none/mine.ts/one-way:sessions=4/t1';
  const commands = new Set(rows.filter((row) => row.cell === cell).map(({ command }) => command));
  assert.equal(commands.size, 1);
  const [command] = commands;
  assert.match(command!, /^sealbench run \.\/suite\.json --filter '\^suite.*\$' /);

  const preload = join(PACKAGE_ROOT, 'test', 'cli', '_fake-runner.ts');
  const main = join(PACKAGE_ROOT, 'src', 'cli', 'main.ts');
  const script =
    `sealbench() { "${process.execPath}" --import "${preload}" "${main}" "$@"; }\n` +
    `${command!} --out one`;
  await promisify(execFile)('sh', ['-c', script], { cwd: home });
  const one = await readRun(join(home, 'one'));
  assert.deepEqual(one.manifest.cells, [cell]);
  assert.equal(one.manifest.suite.digest, manifest.suite.digest);
  const inputs = (all: typeof records): unknown =>
    all.filter((of) => of.cell === cell).map(({ repeat, seed }) => ({ repeat, seed }));
  assert.deepEqual(inputs(one.records), inputs(records));

  const whole = rows.find((row) => row.cell === '')!;
  assert.match(
    whole.command,
    /--filter '\(plaintext\|transport\)\.\*t1\$' --budget quick --seed 7/,
  );
  const csv = await sealbench(['rows', 'first', '--commands', '--format', 'csv'], {
    ...FAKE,
    cwd: home,
  });
  assert.match(csv.out, /^run,.*,reason,command\r\n/);
});
