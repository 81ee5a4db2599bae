/** The command line with real child processes: that the parts fit, not what they measure. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readRun } from '../../src/results/store.ts';
import { sealbench } from './_command-line.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealbench-run-'));
});
after(() => rm(folder, { recursive: true }));

test('SIGINT during a measured run keeps the finished repeat and drops the other', async () => {
  const directory = join(folder, 'interrupted');
  const args = ['run', 'curated/ladder', '--filter', '/plaintext/', '--repeats', '3'];
  const { status, out, err } = await sealbench([...args, '--out', directory], {
    onNote: (noted) => (/^1\/3 /m.test(noted) ? 'SIGINT' : undefined),
  });
  assert.equal(status, 130, err);
  assert.match(out, /plaintext/);
  const { manifest, records } = await readRun(directory);
  assert.equal(manifest.interrupted, true);
  assert.deepEqual(
    records.map((record) => record.status),
    ['ok'],
  );
});

test('a cell is verified and explained in fresh processes', async () => {
  const verified = await sealbench(['verify', '--filter', '/transport/node/', '--json']);
  assert.equal(verified.status, 0, verified.err);
  const [outcome] = JSON.parse(verified.out) as { delivered: number }[];
  assert.ok(outcome !== undefined && outcome.delivered > 0);

  const cell = 'transport/node/chat:sessions=40/t1';
  const explained = await sealbench(['explain', cell, '--json']);
  assert.equal(explained.status, 0, explained.err);
  const { primitives } = JSON.parse(explained.out) as {
    primitives: { stage: string; primitive: string; callsPerMessage: number }[];
  };
  const seal = primitives.find(
    ({ stage, primitive }) => stage === 'send' && primitive === 'chacha20-poly1305-seal',
  );
  assert.equal(seal?.callsPerMessage, 1);
});
