/** `compare` through its real entry point and with real git, with processes that are made up. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { sealbench, type Circumstances, type Ended } from './_command-line.ts';

/** Names the process that holds it. */
const LOCK = 'sealbench-compare.lock';
const PRELOAD = pathToFileURL(join(import.meta.dirname, '_fake-sides.ts')).href;
const ONE_CELL = ['--filter', 'at-rest-scoped', '--blocks', '4'];

interface Library {
  /** A repository with the refs `fast`, `slow` and `wrong`; the working tree is that of `fast`. */
  readonly folder: string;
  /** Temporary files of the program lie here, so that what is left can be seen. */
  readonly temporary: string;
  compare(args: readonly string[], circumstances?: Circumstances): Promise<Ended>;
}

async function library(t: TestContext): Promise<Library> {
  const root = realpathSync(await mkdtemp(join(tmpdir(), 'sealbench-compare-')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'library');
  const temporary = join(root, 'tmp');
  mkdirSync(folder);
  mkdirSync(temporary);
  const git = (...args: string[]): void => {
    const who = [
      '-c',
      'user.name=A',
      '-c',
      'user.email=a@example.org',
      '-c',
      'commit.gpgsign=false',
    ];
    execFileSync('git', [...who, ...args], { cwd: folder, stdio: 'ignore' });
  };
  git('init', '--initial-branch=main');
  for (const [ref, text] of [
    ['slow', 'cost 1.2'],
    ['wrong', 'wrong'],
    ['broken', 'cost 1\n*/ this is no module /*'],
    ['fast', 'cost 1'],
  ] as const) {
    writeProvider(folder, text);
    git('add', '.');
    git('commit', '-m', ref);
    git('tag', ref);
  }
  const compare = (args: readonly string[], circumstances: Circumstances = {}): Promise<Ended> => {
    const env = {
      NODE_OPTIONS: `--import=${PRELOAD}`,
      TMPDIR: temporary,
      GITHUB_STEP_SUMMARY: '',
      ...circumstances.env,
    };
    const out = args.includes('--out') ? [] : ['--out', join(root, `out-${outs++}`)];
    return sealbench(['compare', ...args, ...out], { cwd: folder, ...circumstances, env });
  };
  return { folder, temporary, compare };
}

let outs = 0;

function writeProvider(folder: string, text: string): void {
  writeFileSync(
    join(folder, 'provider.ts'),
    `/* ${text} */\nexport default { name: 'mine', title: 'Mine', load() {} };\n`,
  );
}

const MINE = ['--provider', './provider.ts', ...ONE_CELL];

function assertClean({ folder, temporary }: Library): void {
  assert.deepEqual(readdirSync(temporary), []);
  const trees = execFileSync('git', ['worktree', 'list'], { cwd: folder, encoding: 'utf8' });
  assert.equal(trees.trim().split('\n').length, 1, trees);
}

test('a slower ref is status 1, in a table, in Markdown, as JUnit and for GitHub', async (t) => {
  const mine = await library(t);
  const [summary, junit, step] = ['s.md', 'j.xml', 'step.md'].map((name) =>
    join(mine.folder, '..', name),
  ) as [string, string, string];
  const files = ['--summary', summary, '--junit', junit];
  const { status, out, err } = await mine.compare(['fast', 'slow', ...MINE, ...files], {
    env: { GITHUB_STEP_SUMMARY: step },
  });
  assert.equal(status, 1, err);
  assert.match(out, /Head is worse than base/);
  assert.match(
    out,
    /^REGRESSED +gate\/at-rest-scoped\/provider.ts\/.* 1\.2000 \[1\.2000, 1\.2000\]/m,
  );
  assert.match(err, /accused, once more/);
  const markdown = readFileSync(summary, 'utf8');
  assert.match(markdown, /^### sealbench compare: Head is worse[^]*\| REGRESSED \|/);
  assert.ok(readFileSync(step, 'utf8').startsWith(markdown));
  assert.match(
    readFileSync(junit, 'utf8'),
    /failures="1"[^]*<failure message="cpu-per-message all is 1\.2/,
  );
  assertClean(mine);
});

test('the same is fine, a faster one is improved, and the working tree is a side', async (t) => {
  const mine = await library(t);
  const same = await mine.compare(['fast', '.', ...MINE]);
  assert.equal(same.status, 0, same.err);
  assert.match(same.out, /^no change +gate/m);
  const faster = await mine.compare(['slow', 'fast', ...MINE, '--json']);
  assert.equal(faster.status, 0, faster.err);
  const { outcome, cells } = JSON.parse(faster.out) as {
    outcome: string;
    cells: { figures: { costs: { name: string; verdict: string }[] } }[];
  };
  assert.equal(outcome, 'fine');
  const [first] = cells[0]!.figures.costs.filter(({ name }) => name === 'cpu-per-message all');
  assert.equal(first!.verdict, 'improved');
  assertClean(mine);
});

test('uncommitted changes are no part of a ref, and that is said', async (t) => {
  const mine = await library(t);
  writeProvider(mine.folder, 'cost 1.2');
  const ref = await mine.compare(['fast', 'HEAD', ...MINE]);
  assert.equal(ref.status, 0, ref.err);
  assert.match(ref.err, /HEAD: uncommitted changes are in no ref/);
  const tree = await mine.compare(['HEAD', '.', ...MINE]);
  assert.equal(tree.status, 1, tree.err);
});

test('where two copies of the base differ by too much, nothing is green', async (t) => {
  const mine = await library(t);
  const { status, out, err } = await mine.compare(['fast', 'fast', ...MINE], {
    env: { FAKE_NOISE: '0.2' },
  });
  assert.equal(status, 4, err);
  assert.match(out, /Too noisy to decide/);
});

test('sides that cannot be compared are refused, each with its status and reason', async (t) => {
  const mine = await library(t);
  const refused: [string[], number, RegExp][] = [
    [['nowhere', 'fast', ...MINE], 2, /unknown ref "nowhere"[^]*fetch-depth: 0/],
    [['./nowhere', 'fast', ...MINE], 2, /expected a folder or a git ref, found neither/],
    [
      ['fast', 'fast', '--provider', './other.ts', ...ONE_CELL],
      2,
      /fast: expected "\.\/other\.ts"/,
    ],
    [['fast', 'broken', ...MINE], 3, /broken \(broken at [0-9a-f]{12}.*does not load/],
    [['fast', 'wrong', ...MINE], 3, /head: error: session 0, message 1: wrong plaintext/],
    [['wrong', 'fast', ...MINE], 4, /base: error: session 0/],
    [
      ['fast', 'fast', ...MINE, '--prepare', 'echo no; exit 7'],
      3,
      /"echo no; exit 7" ended with status 7[^]*no/,
    ],
    [['fast', 'fast', '--suite', 'curated/primitives'], 2, /times single operations/],
  ];
  for (const [args, expected, message] of refused) {
    const { status, out, err } = await mine.compare(args);
    assert.match(err + out, message);
    assert.equal(status, expected, err);
    assertClean(mine);
  }
});

test('sides with different suites are refused, unless one file is named for both', async (t) => {
  const mine = await library(t);
  const other = join(mine.folder, '..', 'other');
  mkdirSync(join(other, 'workers'), { recursive: true });
  mkdirSync(join(other, 'suites', 'curated'), { recursive: true });
  writeFileSync(join(other, 'package.json'), '{"name":"sealbench"}');
  writeFileSync(join(other, 'workers', 'repeat.ts'), '');
  writeFileSync(join(other, 'suites', 'curated', 'gate.json'), '{}');
  const { status, err } = await mine.compare(['../other', '.', ...ONE_CELL]);
  assert.equal(status, 2);
  assert.match(err, /suites\/curated\/gate\.json: expected the same file.*\.\.\/other \(other\)/);
});

test('implementations are compared by name', async (t) => {
  const mine = await library(t);
  const { status, out, err } = await mine.compare([
    '--implementation',
    'noble',
    'native',
    ...ONE_CELL,
  ]);
  assert.equal(status, 0, err);
  assert.match(out, /base: implementation noble/);
});

/** A process that does not end while a test lasts. */
const ENDLESS = { FAKE_REPEAT_MS: '600000' };

test('after SIGINT no worktree is left, nor a lock', async (t) => {
  const mine = await library(t);
  const stopped = await mine.compare(['slow', 'fast', ...MINE], {
    env: ENDLESS,
    onNote: (noted) => (noted.includes('results:') ? 'SIGINT' : undefined),
  });
  assert.equal(stopped.status, 130, stopped.err);
  assert.match(stopped.err, /interrupted after 0 of 1 cells/);
  assert.equal(stopped.out, '');
  assertClean(mine);
});

test('after SIGTERM the cells that are finished have their verdicts', async (t) => {
  const mine = await library(t);
  const twoCells = ['--filter', 'at-rest-scoped|sealed-sender', '--blocks', '2'];
  const { status, out, err } = await mine.compare(
    ['slow', 'fast', '--provider', './provider.ts', ...twoCells],
    {
      env: { FAKE_REPEAT_MS: '300' },
      onNote: (noted) => (noted.includes('2 of 2') ? 'SIGTERM' : undefined),
    },
  );
  assert.equal(status, 143, err);
  assert.match(out, /Interrupted after 1 of 2 cells\. In these: No regression/);
  assert.match(out, /^improved +gate\/at-rest-scoped/m);
  assert.ok(!out.includes('sealed-sender'), out);
  assertClean(mine);
});

test('two comparisons at once are one too many; what a killed one left is cleared away', async (t) => {
  const mine = await library(t);
  let second: Promise<Ended> | undefined;
  await mine.compare(['slow', 'fast', ...MINE], {
    env: ENDLESS,
    async onNote(noted) {
      if (!noted.includes('results:')) return undefined;
      second ??= mine.compare(['slow', 'fast', ...MINE]);
      await second;
      // The program itself, which ends in order when its launcher is killed.
      process.kill(Number(readFileSync(join(mine.temporary, LOCK), 'utf8')), 'SIGKILL');
      return undefined;
    },
  });
  const { status, err } = await second!;
  assert.equal(status, 2);
  assert.match(err, /another comparison is running on this machine, process \d+/);
  assert.notDeepEqual(readdirSync(mine.temporary), []);
  const after = await mine.compare(['slow', 'fast', ...MINE]);
  assert.equal(after.status, 0, after.err);
  assertClean(mine);
});
