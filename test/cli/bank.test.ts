/** `bank` through its real entry point, with processes that are made up. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { sealbench, type Circumstances, type Ended } from './_command-line.ts';

const PRELOAD = pathToFileURL(join(import.meta.dirname, '_fake-bank.ts')).href;

/** Where the lock of the machine lies: other tests take it, too. */
const TMPDIR = mkdtempSync(join(tmpdir(), 'sealbench-bank-lock-'));
after(() => rmSync(TMPDIR, { recursive: true }));

function bank(args: readonly string[], circumstances: Circumstances = {}): Promise<Ended> {
  const env = { NODE_OPTIONS: `--import=${PRELOAD}`, TMPDIR, ...circumstances.env };
  return sealbench(['bank', ...args], { ...circumstances, env });
}

async function emptyFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sealbench-bank-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('a bank that tells equal from slower is met, and is judged again as it was', async (t) => {
  const folder = await emptyFolder(t);
  const { status, out, err } = await bank(['--comparisons', '3', '--blocks', '4', '--out', folder]);
  assert.equal(status, 0, err);
  assert.match(err, /^12 of 12 blocks to run$/m);
  assert.match(out, /^A' +3 of 3 +0 +0 to 70\.8% +0 +0% +0% +0% +at most 1 +met$/m);
  assert.match(out, /^A\+3% +3 of 3 +3 +29\.2 to 100% +3 +0% +0% +0% +at least 2 +met$/m);
  assert.match(
    out,
    /^A\+5%: planted as 5\.00%, 5\.00% to 5\.00% by 40 pairs .* blocks it was 5\.00%/m,
  );
  const lines = (await readFile(join(folder, 'blocks.ndjson'), 'utf8')).trimEnd().split('\n');
  assert.equal(lines.length, 12);
  const again = await bank(['--resume', folder]);
  assert.deepEqual([again.status, again.out], [0, out]);
  assert.ok(!again.err.includes('to run'), again.err);
});

test('more than one interval beyond the floor is status 1, and each is named', async (t) => {
  const folder = await emptyFolder(t);
  await bank(['--comparisons', '3', '--blocks', '2', '--out', folder]);
  const file = join(folder, 'blocks.ndjson');
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  // As if A' had been slower in the first and the last comparison.
  const slowed = lines.map((line) =>
    /^\{"block":[23],/.test(line)
      ? line
      : line.replace(/("arm":"A'".*?"mean":)\d+/, (_, before: string) => `${before}1100`),
  );
  await writeFile(file, `${slowed.join('\n')}\n`);
  const { status, out, err } = await bank(['--resume', folder]);
  assert.equal(status, 1, err);
  assert.match(out, /^A' +3 of 3 +2 .*missed$/m);
  assert.match(out, /^A', comparison 1: regressed, \[1\.1000, 1\.1000\]\.$/m);
  assert.match(out, /^A', comparison 3: regressed/m);
});

test('an interrupted bank says how to go on, and goes on with what is missing', async (t) => {
  const folder = await emptyFolder(t);
  const args = ['--comparisons', '2', '--blocks', '3'];
  const stopped = await bank([...args, '--out', folder], {
    env: { FAKE_REPEAT_MS: '150' },
    onNote: (noted) => (noted.includes('3/6') ? 'SIGINT' : undefined),
  });
  assert.equal(stopped.status, 130, stopped.err);
  assert.match(stopped.err, /interrupted; to go on: sealbench bank --resume/);
  assert.match(stopped.out, /^A' +1 of 2 .*incomplete$/m);
  const other = await bank([...args, '--seed', '2', '--resume', folder]);
  assert.equal(other.status, 2);
  assert.match(other.err, /expected to go on with the same bank, but seed of bank\.json changed/);
  const ended = await bank(['--resume', folder]);
  assert.equal(ended.status, 0, ended.err);
  // Where two run at once, the second may have ended meanwhile.
  assert.match(ended.err, /^[23] of 6 blocks to run$/m);
  assert.match(ended.out, /^A' +2 of 2 .*met$/m);
});

test('as JSON a bank has every comparison', async (t) => {
  const folder = await emptyFolder(t);
  const args = ['--comparisons', '2', '--blocks', '2', '--out', folder, '--json'];
  const { status, out, err } = await bank(args);
  assert.equal(status, 0, err);
  const { results } = JSON.parse(out) as { results: { arm: string; comparisons: unknown[] }[] };
  assert.deepEqual(
    results.map(({ arm, comparisons }) => [arm, comparisons.length]),
    [
      ["A'", 2],
      ['A+3%', 2],
      ['A+5%', 2],
    ],
  );
});

test('a folder in use and options that do not go together are refused', async (t) => {
  const folder = await emptyFolder(t);
  const refused: [string[], RegExp][] = [
    [['--out', import.meta.dirname], /expected a new or empty folder/],
    [['--resume', folder], /bank\.json/],
    [['--resume', folder, '--out', folder], /expected --out or --resume, got both/],
    [['--blocks', '1'], /--blocks expected an integer from 2/],
  ];
  for (const [args, message] of refused) {
    const { status, out, err } = await bank(args);
    assert.match(err, message);
    assert.deepEqual([status, out], [2, '']);
  }
});
