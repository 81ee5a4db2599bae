/** Suites of loads of the relay on the command line, with real processes: that the parts fit. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readRun } from '../../src/results/store.ts';
import { sealbench } from './_command-line.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealbench-relay-loads-'));
});
after(() => rm(folder, { recursive: true }));

const GROUP = {
  pipelines: ['at-rest:hop=none'],
  implementations: ['node'],
  workloads: ['one-way:sessions=20,users=1'],
  tls: ['none'],
  stores: ['memory'],
};

async function suiteOf(name: string, changes: object): Promise<string> {
  const file = join(folder, `${name}.json`);
  const suite = {
    kind: 'relay',
    name,
    title: 'A small one',
    question: 'Does it work?',
    analysis: [],
    matrix: [GROUP],
    clients: 4,
    warmupMs: 0,
    timedMs: 100,
  };
  await writeFile(file, JSON.stringify({ ...suite, ...changes }));
  return file;
}

test('connections are run over a real relay, printed again and turned into rows', async () => {
  const suite = await suiteOf('small', {
    load: 'connections',
    messagesPerConnection: [1, 4],
    matrix: [{ ...GROUP, resumption: ['no'] }],
  });
  const directory = join(folder, 'connections');
  const ran = await sealbench(['run', suite, '--repeats', '1', '--out', directory]);
  assert.equal(ran.status, 0, ran.err);
  assert.match(ran.out, /CPU of a connection, and of a message on it/);
  assert.doesNotMatch(ran.err, /calibrating/);

  const printed = await sealbench(['table', directory]);
  assert.equal(printed.out, ran.out);
  const rows = await sealbench(['rows', directory, '--format', 'json']);
  const found = JSON.parse(rows.out) as Record<string, unknown>[];
  const kinds = found
    .filter(({ metric, role }) => metric === 'connection-cpu' && role === 'relay')
    .map(({ kind }) => kind);
  assert.deepEqual(kinds, ['connection', 'message', 'at-1', 'at-4']);
  assert.equal(found[0]!['cell'], `small/at-rest:hop=none/node/one-way:${PARAMETERS}/t1`);

  const { manifest, records } = await readRun(directory);
  assert.equal(manifest.suite.kind, 'relay');
  const { sent, delivered } = records[0]!.relay!.delivery;
  assert.ok(delivered > 20);
  assert.equal(delivered, sent);
});

const PARAMETERS = 'resume=no,sessions=20,store=memory,tls=none,users=1';

test('autocannon saturates a real relay: a figure, or the reason why there is none', async () => {
  const suite = await suiteOf('saturated', { load: 'saturation' });
  const directory = join(folder, 'saturated');
  const ran = await sealbench(['run', suite, '--repeats', '1', '--out', directory, '--json']);
  const { records } = await readRun(directory);
  const [record] = records;
  const loop = record!.relay!.closedLoop!;
  assert.ok(loop.completed > 0, ran.err);
  assert.ok(loop.distinctFrames >= 10_000);
  // How far it comes through its lists in that time is not known: some appends at least.
  assert.ok(loop.statuses['201']! > 0);
  for (const status of Object.keys(loop.statuses)) assert.match(status, /^20[014]$/);
  // On a machine that does other things as well the generator may be the bottleneck.
  if (record!.status === 'ok') assert.equal(ran.status, 0);
  else {
    assert.equal(ran.status, 4);
    assert.match(record!.reason!, /the relay was busy for .* % of the time only/);
  }
});

test('an authority that listens from the first message recovers all of a target', async () => {
  const group = {
    ...GROUP,
    pipelines: [
      'at-rest-scoped:hop=none',
      'escrow-seed:hop=none,rest=none',
      'provider-backup:hop=none,rest=none',
      'sealed-sender:hop=none,rest=none',
    ],
    workloads: ['one-way:sessions=10,users=2'],
    rates: [200],
  };
  const suite = await suiteOf('handed', { load: 'hand-over', matrix: [group], timedMs: 400 });
  const directory = join(folder, 'handed');
  await sealbench(['run', suite, '--repeats', '1', '--out', directory]);
  const { records } = await readRun(directory);
  const found = records.map(({ cell, status, reason, relay }) => {
    // On a machine that does other things as well the driver may be late, which is no matter here.
    assert.notEqual(status, 'error', String(reason));
    const { due, handed, recovered, sees } = relay!.handOver!;
    assert.ok(due > 0);
    assert.equal(handed, due);
    return [cell.split(/[/:]/)[1], [recovered / due, sees]];
  });
  assert.deepEqual(Object.fromEntries(found), {
    'at-rest-scoped': [1, 'recovered'],
    'escrow-seed': [1, 'recovered'],
    // Of each message the frame for the receiver, and the upload.
    'provider-backup': [0.5, 'recovered'],
    'sealed-sender': [0, 'opaque'],
  });
});

test('verify delivers messages of each cell over a relay, with TLS and a store on disk', async () => {
  const filter = 'store=sqlite-full,tls=x25519-mlkem768';
  const ran = await sealbench(['verify', 'curated/relay', '--filter', filter, '--json']);
  const outcomes = JSON.parse(ran.out) as Record<string, unknown>[];
  assert.equal(outcomes.length, 5);
  for (const outcome of outcomes) assert.equal(outcome['status'], 'ok', JSON.stringify(outcome));
  assert.equal(ran.status, 0);
});

test('a suite with a mistake is refused before anything starts', async () => {
  const suite = await suiteOf('wrong', { load: 'knee', matrix: [{ ...GROUP, tls: ['ssl'] }] });
  const ran = await sealbench(['run', suite]);
  assert.equal(ran.status, 2);
  assert.match(ran.err, /wrong\.json: matrix\[0\]\.tls\[0\]: expected one of none, x25519/);
});
