/** `table` and `report` through the real entry point: the same as `run` printed, and into documents. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createRun } from '../../src/results/store.ts';
import { exampleManifest, exampleRecord } from '../results/example.ts';
import { sealbench } from './_command-line.ts';

let folder: string;
let measured: string;
let printed: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealbench-table-'));
  measured = join(folder, 'measured');
  const args = ['run', 'curated/ladder', '--filter', 'plaintext|double', '--out', measured];
  const { status, out, err } = await sealbench(args, { fakeRunner: true });
  assert.equal(status, 0, err);
  printed = out;
});
after(() => rm(folder, { recursive: true }));

test('a run prints tables, sentences and how far to trust them', () => {
  const expected = [
    /^The ladder: /,
    /^CPU per message of an open session$/m,
    /^L0 plaintext +1\.00 /m,
    /^L6 double-ratchet +1\.00 /m,
    /^What each protection adds$/m,
    /^What a message costs$/m,
    /^How far the figures can be trusted$/m,
    /^- plaintext: nothing is protected\./m,
    /^How to read it$/m,
  ];
  for (const pattern of expected) assert.match(printed, pattern);
  const [L0, L6] = ['L0 plaintext', 'L6 double-ratchet'].map((label) => printed.indexOf(label));
  assert.ok(L0! < L6!);
});

test('table prints what run printed', async () => {
  const { status, out, err } = await sealbench(['table', measured]);
  assert.equal(status, 0, err);
  assert.equal(out, printed);
});

test('table --markdown and report --format markdown print the same', async () => {
  const { status, out } = await sealbench(['table', measured, '--markdown']);
  assert.equal(status, 0);
  assert.match(out, /^\| pipeline \| sender \(us\) \| relay/m);
  assert.match(out, /^\*\*What a message costs\*\*$/m);
  const reported = await sealbench(['report', measured, '--format', 'markdown']);
  assert.deepEqual([reported.status, reported.out], [0, out]);
});

test('report --splice writes the block of the suite and nothing else', async () => {
  const file = join(folder, 'README.md');
  const start = '# Mine\n\n<!-- sealbench:ladder -->\n';
  const end = '<!-- /sealbench:ladder -->\n';
  await writeFile(file, `${start}what was there\n${end}`);
  const { status, out, err } = await sealbench(['report', measured, '--splice', file]);
  assert.equal(status, 0, err);
  assert.equal(out, '');
  assert.match(err, /README\.md: the block ladder is now that of measured/);
  const text = await readFile(file, 'utf8');
  assert.ok(text.startsWith(`${start}\nRun \`measured\` (`) && text.endsWith(`\n\n${end}`));
  assert.match(text, /^npm run -s sealbench -- run curated\/ladder --filter 'plaintext\|double'$/m);
  assert.doesNotMatch(text, /what was there/);
});

test('what cannot be spliced is refused and leaves the file as it was', async () => {
  const file = join(folder, 'without.md');
  await writeFile(file, 'No markers.\n');
  const unfinished = join(folder, 'unfinished');
  createRun(unfinished, exampleManifest()).append(exampleRecord());
  const cases: [string[], RegExp][] = [
    [
      ['report', measured, '--splice', file],
      /without\.md: expected the lines <!-- sealbench:ladder/,
    ],
    [
      ['report', measured, '--splice', join(folder, 'none.md')],
      /none\.md: expected a file, found no/,
    ],
    [['report', unfinished, '--splice', file], /unfinished: expected a finished run/],
    [['report', measured, '--splice', file, '--format', 'markdown'], /expected --splice alone/],
    [['table', join(folder, 'none')], /expected the folder of a run, found nothing/],
  ];
  for (const [args, message] of cases) {
    const { status, out, err } = await sealbench(args);
    assert.equal(status, 2, err);
    assert.equal(out, '');
    assert.match(err, message);
    assert.doesNotMatch(err, /\n\s+at |bug in sealbench/);
  }
  assert.equal(await readFile(file, 'utf8'), 'No markers.\n');
});

test('a run of an unfinished folder is printed', async () => {
  const { status, out } = await sealbench(['table', join(folder, 'unfinished')]);
  assert.equal(status, 0);
  assert.match(out, /invalid: no repeat was finished/);
});
