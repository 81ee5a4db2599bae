/** Suites of single operations on the command line, with real child processes: that the parts fit. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import { readRun } from '../../src/results/store.ts';
import { sealbench } from './_command-line.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealbench-operations-'));
});
after(() => rm(folder, { recursive: true }));

const PRIMITIVES = ['run', 'curated/primitives', '--filter', 'x25519-base/(?:null|node)'];

test('primitives are run, printed again, turned into rows and gone on with', async () => {
  const directory = join(folder, 'primitives');
  const ran = await sealbench([...PRIMITIVES, '--repeats', '1', '--out', directory]);
  assert.equal(ran.status, 0, ran.err);
  assert.match(ran.out, /Time of one call, median/);
  // Nothing of the engine is calibrated, since none of it is used.
  assert.doesNotMatch(ran.err, /calibrating/);

  const printed = await sealbench(['table', directory]);
  assert.equal(printed.out, ran.out);
  const rows = await sealbench(['rows', directory, '--format', 'json']);
  const found = (JSON.parse(rows.out) as Record<string, unknown>[]).filter(
    ({ metric }) => metric === 'primitive-wall',
  );
  assert.deepEqual(
    found.map(({ pipeline, implementation, workload, unit }) => [
      pipeline,
      implementation,
      workload,
      unit,
    ]),
    [
      ['x25519-base', 'node', '32B', 'ns'],
      ['x25519-base', 'null', '32B', 'ns'],
    ],
  );

  const more = await sealbench([...PRIMITIVES, '--repeats', '2', '--resume', directory]);
  assert.equal(more.status, 0, more.err);
  const { manifest, records } = await readRun(directory);
  assert.equal(manifest.suite.kind, 'primitives');
  assert.deepEqual(
    records.map(({ cell, repeat }) => `${cell} ${repeat}`).sort(),
    ['node', 'null'].flatMap((by) => [0, 1].map((n) => `primitives/x25519-base/${by}/32B/t1 ${n}`)),
  );
});

test('a primitive that is wrong ends the run with 3 and is no number', async () => {
  const args = ['run', 'curated/primitives', '--filter', '/sha256/.*/16B', '--repeats', '1'];
  const planted = join(PACKAGE_ROOT, 'test', 'planted', 'wrong-hash.ts');
  const directory = join(folder, 'wrong');
  const { status, out } = await sealbench([...args, '--provider', planted, '--out', directory]);
  assert.equal(status, 3);
  assert.match(out, /error \(a\)/);
  assert.match(out, /\(a\) error: wrong-hash does not reproduce FIPS 180-4/);
});

test('verify proves primitives and times nothing', async () => {
  const args = ['verify', 'curated/primitives', '--filter', 'aes-256-gcm-open'];
  const { status, out, err } = await sealbench(args);
  assert.equal(status, 0, err);
  assert.match(out, /aes-256-gcm-open\/webcrypto\/1024B\/t1 +ok +- +-/);
  assert.match(out, /libsodium\/1024B\/t1 +unsupported .*libsodium has no aes-256-gcm/);
});

test('a cross-check whose tool is missing says how to get it, and nothing has failed', async () => {
  const args = ['run', 'curated/cross-checks', '--filter', 'openssl', '--repeats', '1'];
  const directory = join(folder, 'cross');
  const { status, out } = await sealbench([...args, '--out', directory], {
    env: { PATH: '/nowhere' },
  });
  assert.equal(status, 0);
  assert.match(out, /openssl +unavailable: openssl is not on the PATH; install it/);
});

test('what such a suite does not have is refused in words', async () => {
  for (const [args, message] of [
    [['--pipeline', 'plaintext'], /--pipeline: .* have no pipelines/],
    [['--threads', '2'], /threads: expected 1/],
    [['--provider', 'nobl'], /unknown implementation "nobl".*"noble"/],
  ] as const) {
    const { status, err } = await sealbench(['run', 'curated/primitives', ...args]);
    assert.equal(status, 2, err);
    assert.match(err, message);
  }
});
