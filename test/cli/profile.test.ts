/** `run --profile`: the repeats are made up, the profiled one is a real process. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readRun } from '../../src/results/store.ts';
import { sealbench, type Circumstances } from './_command-line.ts';

let folder: string;
let suite: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealbench-profile-'));
  suite = join(folder, 'tiny.json');
  await writeFile(
    suite,
    JSON.stringify({
      name: 'tiny',
      title: 'A tiny suite',
      question: 'Where does the time go?',
      analysis: [],
      matrix: [
        {
          pipelines: ['double-ratchet', 'double-ratchet:hop=none'],
          implementations: ['noble'],
          workloads: ['ping-pong:sessions=10,messages=10'],
          threads: [1, 2, 12],
        },
      ],
      warmupMs: 50,
    }),
  );
});
after(() => rm(folder, { recursive: true }));

const FAKE: Circumstances = { fakeRunner: true };
const CELL = 'tiny/double-ratchet/noble/ping-pong:messages=10,sessions=10/t2';

interface Profile {
  readonly nodes: readonly { readonly callFrame: { functionName: string; url: string } }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

test('a cell is profiled in a repeat of its own, which is in no result', async () => {
  const directory = join(folder, 'profiled');
  const args = ['run', suite, '--repeats', '2', '--out', directory, '--profile', CELL];
  const { status, err } = await sealbench(args, FAKE);
  assert.equal(status, 0, err);
  const { records, manifest } = await readRun(directory);
  assert.equal(records.length, manifest.cells.length * 2);

  const profiles = await readdir(join(directory, 'profiles'));
  assert.deepEqual(profiles, [
    'tiny_double-ratchet_noble_ping-pong_messages=10,sessions=10_t2.cpuprofile',
  ]);
  assert.ok(err.includes(join('profiles', profiles[0]!)), err);
  assert.match(err, /Chrome DevTools.*speedscope/);
  const text = await readFile(join(directory, 'profiles', profiles[0]!), 'utf8');
  const profile = JSON.parse(text) as Profile;
  assert.ok(profile.samples.length > 0 && profile.samples.length === profile.timeDeltas.length);
  // Of the thread that works, not of the one that hosts the pool.
  const files = profile.nodes.map(({ callFrame }) => callFrame.url);
  for (const file of ['/src/engine/shard.ts', '/src/protocols/', '/@noble/curves/']) {
    assert.ok(
      files.some((url) => url.includes(file)),
      `no function of ${file}`,
    );
  }
});

test('a second profile of a cell stands beside the first, also of a run that is finished', async () => {
  const directory = join(folder, 'twice');
  const args = ['run', suite, '--filter', '/t12?$', '--repeats', '1'];
  // A name counts as such, though as an expression it would match two cells.
  const name = 'tiny/double-ratchet:hop=none/noble/ping-pong:messages=10,sessions=10/t1';
  const profile = ['--profile', name];
  const first = await sealbench([...args, '--out', directory, ...profile], FAKE);
  assert.equal(first.status, 0, first.err);
  const second = await sealbench([...args, '--resume', directory, ...profile], FAKE);
  assert.equal(second.status, 0, second.err);
  const file = 'tiny_double-ratchet_hop=none_noble_ping-pong_messages=10,sessions=10_t1';
  assert.deepEqual((await readdir(join(directory, 'profiles'))).toSorted(), [
    `${file}-2.cpuprofile`,
    `${file}.cpuprofile`,
  ]);
  assert.equal((await readRun(directory)).records.length, 4);
});

test('a profile that matches no cell or several is refused before anything runs', async () => {
  const directory = join(folder, 'never');
  const args = ['run', suite, '--out', directory, '--profile'];
  const none = await sealbench([...args, 'triple-ratchet'], FAKE);
  assert.equal(none.status, 2);
  assert.match(none.err, /"triple-ratchet" matches none; the cells are:\n {2}tiny\/double-ratchet/);
  const several = await sealbench([...args, 'hop=none'], FAKE);
  assert.equal(several.status, 2);
  assert.match(several.err, /"hop=none" matches several:\n {2}\S+t1\n {2}\S+t2\n {2}\S+t12\n$/);
  const broken = await sealbench([...args, '('], FAKE);
  assert.equal(broken.status, 2);
  assert.match(broken.err, /--profile expected the name of a cell or a regular expression/);
  assert.ok(!(await readdir(folder)).includes('never'));
});

test('where the profiled repeat fails the figures are printed and the status is 3', async () => {
  const directory = join(folder, 'failing');
  const provider = join(folder, 'broken.ts');
  await writeFile(
    provider,
    "export default { name: 'broken', load: () => Promise.reject(new Error('no such thing')) };\n",
  );
  const args = ['run', suite, '--provider', provider, '--filter', 'hop=none.*t1$'];
  const ended = await sealbench([...args, '--out', directory, '--profile', '.'], FAKE);
  assert.equal(ended.status, 3, ended.err);
  assert.match(ended.err, /^no profile: error: .*no such thing/m);
  assert.match(ended.out, /double-ratchet:hop=none/);
  assert.deepEqual(await readdir(join(directory, 'profiles')), []);
});
