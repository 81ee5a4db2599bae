/** Real runs that are killed: what was finished is kept, and going on gives the same facts. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, copyFile, cp, link, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import { SeededRandom } from '../../src/core/random.ts';
import { readRun } from '../../src/results/store.ts';
import { sealbench, type Ended } from './_command-line.ts';

const REPEATS = 2;
const CELLS = 2;
const ALL = REPEATS * CELLS;
const SEED = 20261128;

const folder = await mkdtemp(join(tmpdir(), 'sealbench-kills-'));
after(() => rm(folder, { recursive: true, force: true }));

const suite = join(folder, 'killed.json');
await writeFile(
  suite,
  JSON.stringify({
    name: 'killed',
    title: 'Killed',
    question: 'What is kept?',
    analysis: [],
    // Seeded and untimed, so that no status depends on how quiet the machine is.
    purpose: 'verify',
    matrix: [
      {
        pipelines: ['at-rest-scoped', 'double-ratchet'],
        implementations: ['native'],
        workloads: ['chat:sessions=20,messages=12'],
        threads: [1],
      },
    ],
  }),
);

const askedOf = (file: string, ...more: readonly string[]): string[] => [
  'run',
  file,
  '--repeats',
  String(REPEATS),
  ...more,
];
const asked = (...more: readonly string[]): string[] => askedOf(suite, ...more);

/** What a run must give again: by repeat, status, digests and counts of messages; no times. */
async function factsOf(directory: string): Promise<Map<string, string>> {
  const { records } = await readRun(directory);
  const facts = records.map(({ cell, repeat, status, seed, shards }) => {
    const told = shards.map(
      ({ shard, digest, messages }) => `${shard} ${digest} ${JSON.stringify(messages)}`,
    );
    return [`${cell}#${repeat}`, `${status} ${seed} ${told.sort().join(' ')}`] as const;
  });
  return new Map(facts.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Those of the repeats that need not be run again. */
async function keptIn(directory: string): Promise<[string, string][]> {
  return [...(await factsOf(directory))].filter(([, fact]) => fact.startsWith('ok '));
}

/** Processes whose parent is `pid`. */
async function childrenOf(pid: number): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return list.split(' ').filter(Boolean).map(Number);
}

interface Kill {
  readonly victim: 'parent' | 'child';
  readonly signal: NodeJS.Signals;
  /** Repeats that this attempt finishes before. */
  readonly repeats: number;
  readonly delayMs: number;
}

/** Runs until so many more repeats are finished, then kills a process at a random moment. */
async function killed(args: readonly string[], kill: Kill): Promise<Ended & { orphans: number[] }> {
  const entry = join(PACKAGE_ROOT, 'src', 'cli', 'main.ts');
  const running = spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let err = '';
  let out = '';
  let orphans: number[] = [];
  running.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  running.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = once(running, 'close').then(([status]) => status as number | null);
  const isDone = (): boolean => running.exitCode !== null || running.signalCode !== null;
  const finished = (): number => err.match(/^\d+\/\d+ /gm)?.length ?? 0;
  while (!isDone() && (!err.includes('results: ') || finished() < kill.repeats)) await sleep(5);
  await sleep(kill.delayMs);
  orphans = await childrenOf(running.pid!);
  while (kill.victim === 'child' && orphans.length === 0 && !isDone()) {
    await sleep(5);
    orphans = await childrenOf(running.pid!);
  }
  const victims = kill.victim === 'parent' ? [running.pid!] : orphans;
  for (const victim of isDone() ? [] : victims) {
    try {
      process.kill(victim, kill.signal);
    } catch {
      // It ended by itself a moment ago.
    }
  }
  return { status: await ended, out, err, orphans };
}

async function allGone(pids: readonly number[]): Promise<void> {
  for (const pid of pids) while (existsSync(`/proc/${pid}`)) await sleep(10);
}

/** How a run ends whose process, or a child of whose process, is killed while it is at work. */
function statusAfter({ victim, signal }: Kill): number | null {
  if (victim === 'child') return 3;
  if (signal === 'SIGKILL') return null;
  return signal === 'SIGINT' ? 130 : 143;
}

/** How a run ends that is over before it is killed; 4 where figures are too noisy. */
const BY_ITSELF: readonly (number | null)[] = [0, 4];
const TRIES = 5;

/**
 * Begins the run in `directory`, or goes on with it, and kills it while it is at work. Where it was
 * over before that, it is put back to what it was and killed sooner.
 *
 * @param all Its repeats.
 * @returns How it ended; undefined, with everything as it was, when no try was soon enough.
 */
async function hit(
  given: readonly string[],
  directory: string,
  all: number,
  kill: Kill,
): Promise<Ended | undefined> {
  const isBegun = existsSync(join(directory, 'manifest.json'));
  const before = `${directory}-before`;
  await rm(before, { recursive: true, force: true });
  if (isBegun) await cp(directory, before, { recursive: true });
  const left = all - (isBegun ? (await keptIn(directory)).length : 0);
  // Something is to be left for the next one.
  const repeats = Math.min(kill.repeats, left - 1);
  for (let tried = 1; tried <= TRIES; tried++) {
    const delayMs = tried === TRIES ? 0 : Math.floor(kill.delayMs / 2 ** (tried - 1));
    const args = [...given, isBegun ? '--resume' : '--out', directory];
    const ended = await killed(args, { ...kill, repeats, delayMs });
    await allGone(ended.orphans);
    const what = `${kill.victim} ${kill.signal}: ${ended.status} ${ended.err}`;
    const isAsKilled = ended.status === statusAfter(kill);
    assert.ok(isAsKilled || BY_ITSELF.includes(ended.status), what);
    if (isAsKilled && (await keptIn(directory)).length < all) return ended;
    await rm(directory, { recursive: true });
    if (isBegun) await cp(before, directory, { recursive: true });
  }
  return undefined;
}

test('a run that is killed again and again ends with the facts of one that was not', async () => {
  const whole = join(folder, 'whole');
  const undisturbed = await sealbench(asked('--out', whole));
  assert.equal(undisturbed.status, 0, undisturbed.err);
  const expected = await factsOf(whole);
  assert.equal(expected.size, ALL);

  const directory = join(folder, 'killed');
  const random = new SeededRandom(SEED);
  const kills = random.shuffle(
    (['SIGINT', 'SIGTERM', 'SIGKILL'] as const).map((signal): Kill => ({
      victim: 'parent',
      signal,
      repeats: random.below(2),
      delayMs: random.below(400),
    })),
  );
  // A child's death is a failed cell, and the run goes on to its end: that comes last.
  kills.push({
    victim: 'child',
    signal: 'SIGKILL',
    repeats: 0,
    delayMs: 50 + random.below(150),
  });
  const landed: string[] = [];
  let kept = 0;
  for (const kill of kills) {
    const ended = await hit(asked(), directory, ALL, kill);
    if (ended === undefined) continue;
    const { status, err } = ended;
    landed.push(`${kill.victim} ${kill.signal}`);
    const what = `${kill.victim} ${kill.signal}: ${status} ${err}`;
    if (kill.victim === 'child') {
      assert.match(err, /its process was killed by SIGKILL, which the system does when /, what);
    } else if (status !== null) {
      assert.match(err, /are kept in .*\nto go on: /, what);
    }

    const ok = await keptIn(directory);
    for (const [key, fact] of ok) assert.equal(fact, expected.get(key), `${key} after ${what}`);
    assert.ok(ok.length >= kept, `${ok.length} of ${kept} repeats are kept after ${what}`);
    kept = ok.length;
    if (status === null) {
      // As if it had died while it wrote.
      await appendFile(join(directory, 'cells.ndjson'), '{"format":1,"cell":"killed/at-re');
    }
  }
  const those = `landed: ${landed.join(', ')}`;
  assert.ok(landed.filter((one) => one.startsWith('parent ')).length >= 2, those);
  assert.ok(landed.includes('parent SIGKILL') && landed.includes('child SIGKILL'), those);

  const last = await sealbench(asked('--resume', directory));
  assert.equal(last.status, 0, last.err);
  assert.deepEqual(await factsOf(directory), expected);
  const { manifest } = await readRun(directory);
  assert.equal(manifest.interrupted, false);
});

test('a measured run that is killed and gone on with did the work of one that was not', async () => {
  const timed = join(folder, 'timed.json');
  await writeFile(
    timed,
    JSON.stringify({
      name: 'timed',
      title: 'Timed',
      question: 'Is the same work done?',
      analysis: [],
      purpose: 'measure',
      warmupMs: 5,
      matrix: [
        {
          pipelines: ['double-ratchet'],
          implementations: ['native'],
          workloads: ['social:sessions=40'],
          threads: [2],
        },
      ],
    }),
  );
  const whole = join(folder, 'timed-whole');
  const undisturbed = await sealbench(askedOf(timed, '--out', whole));
  assert.ok(BY_ITSELF.includes(undisturbed.status), undisturbed.err);
  const expected = await factsOf(whole);
  assert.equal(expected.size, REPEATS);
  for (const [key, fact] of expected) assert.match(fact, /^ok .*"delivered":[1-9]/, key);

  // Begun and calibrated, which takes seconds, and without a repeat.
  const directory = join(folder, 'timed-killed');
  await cp(whole, directory, { recursive: true });
  await writeFile(join(directory, 'cells.ndjson'), '');
  const kill: Kill = { victim: 'parent', signal: 'SIGKILL', repeats: 1, delayMs: 100 };
  const ended = await hit(askedOf(timed), directory, REPEATS, kill);
  assert.ok(ended !== undefined, 'no kill landed');
  const kept = await factsOf(directory);
  assert.equal(kept.size, 1, ended.err);
  for (const [key, fact] of kept) assert.equal(fact, expected.get(key), key);

  const goneOn = await sealbench(askedOf(timed, '--resume', directory));
  assert.ok(BY_ITSELF.includes(goneOn.status), goneOn.err);
  assert.match(goneOn.err, /1 repeat in random order of seed 1, after 1 that are finished/);
  assert.deepEqual(await factsOf(directory), expected);
});

test('killing the launcher ends the program that it started, as SIGTERM would', async () => {
  // Another Node than the pinned one, as far as the launcher can see.
  const other = join(folder, 'node');
  await link(process.execPath, other).catch(() => copyFile(process.execPath, other));
  const directory = join(folder, 'launched');
  const entry = join(PACKAGE_ROOT, 'src', 'cli', 'bin.js');
  const launcher = spawn(other, [entry, 'run', suite, '--repeats', '100', '--out', directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let err = '';
  launcher.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  // The program holds these too, so they are closed when both have ended.
  const ended = once(launcher, 'close');
  while (launcher.exitCode === null && !/^1\/\d+ /m.test(err)) await sleep(5);
  const programs = await childrenOf(launcher.pid!);
  assert.equal(programs.length, 1, err);
  const workers = await childrenOf(programs[0]!);
  launcher.kill('SIGKILL');
  await ended;
  await allGone([...programs, ...workers]);
  assert.match(err, /are kept in .*\nto go on: /);
  const { manifest } = await readRun(directory);
  assert.equal(manifest.interrupted, true);
});

test('a torn last line is cut off, said, and measured again', async () => {
  const directory = join(folder, 'torn');
  await cp(join(folder, 'whole'), directory, { recursive: true });
  const expected = await factsOf(directory);
  const file = join(directory, 'cells.ndjson');
  const bytes = await readFile(file);
  await writeFile(file, bytes.subarray(0, bytes.length - 777));
  const { status, err } = await sealbench(asked('--resume', directory));
  assert.equal(status, 0, err);
  assert.match(err, /cells\.ndjson:4: the last line is torn and was ignored/);
  assert.match(err, /2 cells, 1 repeat in random order of seed 1, after 3 that are finished/);
  assert.deepEqual(await factsOf(directory), expected);
});

test('a full disk ends a run with what was finished, and it can be gone on with', async (t) => {
  const whole = join(folder, 'whole');
  const size = (await readFile(join(whole, 'cells.ndjson'))).length;
  const directory = join(folder, 'full');
  const args = asked('--out', directory);
  // In the middle of the second line or so.
  const limit = ['prlimit', `--fsize=${Math.floor(size * 0.42)}`, process.execPath];
  const child = spawn(limit[0]!, [
    ...limit.slice(1),
    join(PACKAGE_ROOT, 'src/cli/main.ts'),
    ...args,
  ]);
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const status = await Promise.race([
    once(child, 'close').then(([code]) => code as number | null),
    once(child, 'error').then(() => undefined),
  ]);
  if (status === undefined) return t.skip('there is no prlimit here to make a full disk with');
  assert.equal(status, 3, err);
  assert.match(err, /cells\.ndjson could not be written: .*; what was written before is kept/);
  assert.doesNotMatch(err, /This is a bug/);
  const kept = await factsOf(directory);
  const expected = await factsOf(whole);
  assert.ok(kept.size > 0 && kept.size < ALL, `${kept.size} kept`);
  for (const [key, fact] of kept) assert.equal(fact, expected.get(key));
  const goneOn = await sealbench(asked('--resume', directory));
  assert.equal(goneOn.status, 0, goneOn.err);
  assert.deepEqual(await factsOf(directory), expected);
});

test('a repeat that runs out of memory is a failed cell that says so, and the others are kept', async () => {
  const directory = join(folder, 'hungry');
  const hungry = join(PACKAGE_ROOT, 'test', 'planted', 'hungry.ts');
  const args = ['run', suite, '--repeats', '1', '--out', directory, '--pipeline', 'plaintext'];
  const { status, err } = await sealbench([...args, '--pipeline', hungry], {
    env: { NODE_OPTIONS: '--max-old-space-size=120' },
  });
  assert.equal(status, 3, err);
  assert.match(err, /memory/);
  const { records } = await readRun(directory);
  assert.deepEqual(records.map((record) => record.status).sort(), ['error', 'ok']);
});
