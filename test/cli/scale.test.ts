/** The scale suites through the command line, cut down to what a test can wait for. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readRun } from '../../src/results/store.ts';
import { sealbench } from './_command-line.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealbench-scale-'));
});
after(() => rm(folder, { recursive: true }));

test('a small million: every session open at both ends, three messages and more, rates and memory told', async () => {
  const directory = join(folder, 'small');
  const args = ['run', 'scale/million-sessions', '--provider', 'null', '--repeats', '1'];
  const workload = ['--workload', 'social:sessions=6000', '--out', directory];
  const { status, out, err } = await sealbench([...args, ...workload]);
  assert.equal(status, 0, err);
  assert.match(out, /Many sessions: rates, and memory of the process/);
  assert.match(out, /6,000 open sessions of double-ratchet\S* keep/);
  const [record] = (await readRun(directory)).records;
  const { shards, status: ended } = record!;
  assert.equal(ended, 'ok');
  assert.equal(shards.length, 2);
  for (const { sessions, messages, handshake, stages } of shards) {
    assert.equal(sessions, 3000);
    assert.equal(handshake.frames, 3000);
    assert.ok(messages.sent >= 3 * sessions && messages.sent === messages.scripted);
    assert.equal(messages.delivered, messages.sent);
    const accepted = stages.find(({ id }) => id === 'accept')!;
    const calls = accepted.cpu.calls.reduce((sum, count) => sum + count, accepted.latency.calls);
    assert.equal(calls, 3000);
  }
});

test('more sessions than fit are a refusal in a million, and rows beside libraries', async () => {
  const tooMany = 'social:messages=90000,sessions=10000000';
  const refused = await sealbench(['run', 'scale/million-sessions', '--workload', tooMany]);
  assert.equal(refused.status, 2);
  assert.match(refused.err, /about \d+ sessions would fit/);
  const directory = join(folder, 'libraries');
  const args = ['run', 'scale/libraries', '--workload', tooMany, '--out', directory];
  const { status, out, err } = await sealbench([...args, '--repeats', '1'], { fakeRunner: true });
  assert.equal(status, 0, err);
  // The text is broken to the width of the terminal.
  assert.match(out.replaceAll(/\s+/g, ' '), /unsupported: 10000000 sessions .* would fit/);
});
