/** The budget thorough: repeats are added until cells are narrow; repeats are made up. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readRun } from '../../src/results/store.ts';
import { sealbench, type Circumstances, type Ended } from './_command-line.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealbench-thorough-'));
});
after(() => rm(folder, { recursive: true }));

/** A steady cell, one that becomes narrow on the way, one that never does, and the baseline. */
const CELLS = '/(plaintext|transport|at-rest|double-ratchet)/';
const SPREADS = '{"transport": 0.07, "at-rest": 0.3}';
const THOROUGH = ['run', 'curated/ladder', '--budget', 'thorough', '--filter', CELLS];
const FAKE: Circumstances = { fakeRunner: true, env: { FAKE_SPREADS: SPREADS } };

/** Which repeats each pipeline had. */
async function repeatsIn(directory: string): Promise<Record<string, number[]>> {
  const { records } = await readRun(directory);
  const groups = Map.groupBy(records, ({ pipeline }) => pipeline);
  return Object.fromEntries(
    [...groups].map(([pipeline, group]) => [
      pipeline,
      group.map(({ repeat }) => repeat).toSorted((a, b) => a - b),
    ]),
  );
}

const first = (count: number): number[] => Array.from({ length: count }, (_, repeat) => repeat);

interface Narrowness {
  readonly cell: string;
  readonly halfWidth: number;
  readonly repeats: number;
  readonly isNarrow: boolean;
}

function narrownessIn({ out }: Ended): Map<string, Narrowness> {
  const { narrowness } = JSON.parse(out) as { narrowness: Narrowness[] };
  return new Map(narrowness.map((one) => [one.cell.split('/')[1]!, one]));
}

test('a cell gets repeats from 10 until it is narrow, or to the limit, and its baseline with it', async () => {
  const directory = join(folder, 'grown');
  const ended = await sealbench([...THOROUGH, '--out', directory, '--json'], FAKE);
  assert.equal(ended.status, 0, ended.err);
  const repeats = await repeatsIn(directory);
  assert.deepEqual(repeats['plaintext'], first(10));
  assert.deepEqual(repeats['at-rest'], first(40));
  assert.deepEqual(repeats['double-ratchet'], first(40));
  const middle = repeats['transport']!.length;
  assert.ok(middle > 10 && middle < 40, `transport had ${middle} repeats`);
  assert.deepEqual(repeats['transport'], first(middle));

  const reached = narrownessIn(ended);
  assert.deepEqual([...reached.keys()], ['plaintext', 'transport', 'at-rest']);
  assert.ok(reached.get('transport')!.isNarrow && reached.get('transport')!.halfWidth <= 0.03);
  assert.ok(!reached.get('at-rest')!.isNarrow && reached.get('at-rest')!.halfWidth > 0.03);
  assert.equal(reached.get('at-rest')!.repeats, 40);

  assert.match(ended.err, /^4 cells, at most 160 repeats /m);
  assert.match(ended.err, / ETA at most /);
  const done = 10 + middle + 40 + 40;
  assert.match(ended.err, new RegExp(`^${done}/${done} `, 'm'));
  const table = await sealbench(['table', directory]);
  const text = table.out.replaceAll(/\s+/g, ' ');
  assert.match(
    text,
    /known to 3 % either way: 2 of 3 cells are\. Not narrow enough: L2 at-rest \d/,
  );
  assert.match(text, / % after 40 repeats\./);
});

test('--until says what is narrow enough', async () => {
  const directory = join(folder, 'until');
  const ended = await sealbench(
    [...THOROUGH, '--until', '12%', '--out', directory, '--json'],
    FAKE,
  );
  assert.equal(ended.status, 0, ended.err);
  const repeats = await repeatsIn(directory);
  assert.deepEqual(repeats['transport'], first(10));
  const wide = repeats['at-rest']!.length;
  assert.ok(wide > 10 && wide < 40, `at-rest had ${wide} repeats`);
  assert.equal((await readRun(directory)).manifest.until, 0.12);
  // It holds for as long as the run goes on.
  const resume = ['run', 'curated/ladder', '--filter', CELLS, '--resume', directory];
  const resumed = await sealbench(resume, FAKE);
  assert.equal(resumed.status, 0, resumed.err);
  assert.deepEqual(await repeatsIn(directory), repeats);
});

test('with --repeats, and in other budgets, the number of repeats is fixed', async () => {
  const directory = join(folder, 'fixed');
  const args = [...THOROUGH, '--repeats', '12', '--out', directory];
  const { status, err } = await sealbench(args, FAKE);
  assert.equal(status, 0, err);
  const repeats = await repeatsIn(directory);
  for (const of of Object.values(repeats)) assert.deepEqual(of, first(12));
  assert.equal((await readRun(directory)).manifest.until, undefined);
});

test('a suite with fewer repeats has these as its limit', async () => {
  const suite = join(folder, 'short.json');
  await writeFile(
    suite,
    JSON.stringify({
      name: 'short',
      title: 'A short suite',
      question: 'How many repeats?',
      analysis: [],
      matrix: [
        {
          pipelines: ['plaintext', 'at-rest'],
          implementations: ['null'],
          workloads: ['one-way'],
          threads: [1],
        },
      ],
      repeats: { thorough: 13 },
    }),
  );
  const directory = join(folder, 'short');
  const args = ['run', suite, '--budget', 'thorough', '--out', directory, '--json'];
  const ended = await sealbench(args, FAKE);
  assert.equal(ended.status, 0, ended.err);
  assert.deepEqual(await repeatsIn(directory), { plaintext: first(10), 'at-rest': first(13) });
  assert.equal(narrownessIn(ended).get('at-rest')!.isNarrow, false);
});

test('a cell that fails or cannot run gets no more than its first repeats', async () => {
  const directory = join(folder, 'failing');
  const env = {
    FAKE_SPREADS: '{"at-rest": 0.3}',
    FAKE_STATUSES: '{"transport": "error", "plaintext": "unavailable"}',
  };
  const { status } = await sealbench([...THOROUGH, '--out', directory], { ...FAKE, env });
  assert.equal(status, 3);
  const repeats = await repeatsIn(directory);
  assert.deepEqual(repeats['transport'], first(10));
  assert.deepEqual(repeats['plaintext'], [0]);
  assert.deepEqual(repeats['at-rest'], first(40));
});

test('a run that is interrupted keeps what is finished, and goes on to the same repeats', async () => {
  const whole = join(folder, 'whole');
  await sealbench([...THOROUGH, '--out', whole], FAKE);
  const directory = join(folder, 'interrupted');
  const interrupted = await sealbench([...THOROUGH, '--out', directory], {
    ...FAKE,
    env: { FAKE_SPREADS: SPREADS, FAKE_REPEAT_MS: '20' },
    onNote: (err) => (/^46\/\d+ /m.test(err) ? 'SIGINT' : undefined),
  });
  assert.equal(interrupted.status, 130, interrupted.err);
  assert.match(interrupted.err, /interrupted: \d+ of at most 160 repeats are kept/);
  const kept = await readRun(directory);
  assert.ok(kept.records.length >= 46 && kept.records.length < 100);

  const resume = ['run', 'curated/ladder', '--filter', CELLS, '--resume', directory];
  const other = await sealbench([...resume, '--until', '10%'], FAKE);
  assert.equal(other.status, 2);
  assert.match(other.err, /what is narrow enough changed since/);
  const resumed = await sealbench(resume, FAKE);
  assert.equal(resumed.status, 0, resumed.err);
  assert.deepEqual(await repeatsIn(directory), await repeatsIn(whole));
});

test('a width that is none, and one that nothing waits for, are refused', async () => {
  const wrong = [
    [[...THOROUGH, '--until', '2'], /--until expected a percentage from 0\.1% to 50%.*got "2"/],
    [[...THOROUGH, '--until', '0%'], /--until expected a percentage/],
    [[...THOROUGH, '--until', '80%'], /--until expected a percentage/],
    [[...THOROUGH, '--until', '2%', '--repeats', '20'], /--until is for --budget thorough without/],
    [['run', 'curated/ladder', '--until', '2%'], /--until is for --budget thorough/],
  ] as const;
  for (const [args, message] of wrong) {
    const { status, err } = await sealbench(args, FAKE);
    assert.equal(status, 2, err);
    assert.match(err, message);
  }
});
