/**
 * Planted faults: each is one thing that a pipeline may do wrong, ordered from test/planted/, and
 * each must end as an error with a reason that says what happened. Repeats are real, with a pool and
 * a worker; some go through the command line as well.
 */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { loadByName } from '../../src/core/discover.ts';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import type { Pipeline } from '../../src/pipelines/_pipeline.ts';
import { hostRepeat } from '../../src/runner/host.ts';
import type { RepeatReport } from '../../src/runner/repeat-report.ts';
import type { Workload } from '../../src/workload/workload.ts';
import { sealbench } from '../cli/_command-line.ts';
import { loadProvider, loadWorkload, optionsOf, runHere, specOf } from '../conformance/_parts.ts';
import { FAULTS } from '../planted/toy-escrow.ts';

const TOY = join(PACKAGE_ROOT, 'test', 'planted', 'toy-escrow.ts');

/** All of one length, so that one message could pass for another but for its content. */
const GOOD_NETWORK = await loadWorkload('sizes', { sessions: 4, usersPerSession: 1, messages: 12 });
const BAD_NETWORK: Workload = {
  ...GOOD_NETWORK,
  network: { ...GOOD_NETWORK.network, loss: 0.05, reorder: 0.1, duplicate: 0.1 },
};
/** Half of all messages: more than three in a row are missing somewhere. */
const LOSSY: Workload = {
  ...GOOD_NETWORK,
  behaviour: 'one-way',
  parameters: {},
  messages: 40,
  network: { ...GOOD_NETWORK.network, loss: 0.5 },
};

async function repeat(fault: (typeof FAULTS)[number], workload: Workload): Promise<RepeatReport> {
  const options = { fault };
  return hostRepeat(specOf({ pipeline: TOY, provider: 'null', options, workload }));
}

/** One sentence for a user: no stack, no path of the code, no line break. */
function assertSentence(reason: string | undefined): void {
  assert.ok(reason !== undefined);
  assert.doesNotMatch(reason, /\n|\bat \S+:\d+|node:internal|file:\/\//);
}

describe('a pipeline without a fault', () => {
  for (const [words, workload] of [
    ['a good network', GOOD_NETWORK],
    ['a bad network', BAD_NETWORK],
    ['a network that loses half', LOSSY],
  ] as const) {
    test(`is ok over ${words}`, async () => {
      const report = await repeat('none', workload);
      assert.equal(report.reason, undefined);
      assert.equal(report.status, 'ok');
      if (workload !== LOSSY) return;
      const { refused } = report.shards[0]!.messages;
      assert.ok(refused['TOO_FAR']! > 0, 'it has something to refuse');
    });
  }
});

const PLANTED: readonly (readonly [(typeof FAULTS)[number], Workload, RegExp])[] = [
  [
    'flipped-bit',
    GOOD_NETWORK,
    /^session \d+, message 5: the receiver got a plaintext that was not sent/,
  ],
  ['lost-message', GOOD_NETWORK, /^48 messages were sent and 47 delivered; the network lost 0$/],
  [
    'swapped-messages',
    GOOD_NETWORK,
    /^session \d+, message \d+: the receiver got a plaintext that was not sent/,
  ],
  [
    'duplicates-accepted',
    BAD_NETWORK,
    /^session \d+, message \d+: expected DUPLICATE, the receiver opened the message/,
  ],
  [
    'message-refused',
    GOOD_NETWORK,
    /^session \d+, message 5: expected the plaintext, the receiver answered AUTH_FAILED$/,
  ],
  [
    'too-far-accepted',
    LOSSY,
    /^session \d+, message \d+: expected TOO_FAR, the receiver opened the message/,
  ],
  [
    'field-of-another-text',
    GOOD_NETWORK,
    /^session \d+, message 5: the authority recovered another plaintext$/,
  ],
  [
    'authority-silent',
    GOOD_NETWORK,
    /^session 0, message 0: the authority could not recover the message: UNKNOWN_KEY \(and 47 more\)$/,
  ],
  ['keeps-input', GOOD_NETWORK, /: the receiver got a plaintext that was not sent/],
  ['writes-late', GOOD_NETWORK, /: the authority recovered another plaintext/],
  ['opens-in-place', GOOD_NETWORK, /: the receiver got a plaintext that was not sent/],
  ['throws', GOOD_NETWORK, /^it threw Error: the toy was told to throw$/],
];

describe('a planted fault is an error', () => {
  for (const [fault, workload, reason] of PLANTED) {
    test(fault, async () => {
      const report = await repeat(fault, workload);
      assert.equal(report.status, 'error');
      assert.match(report.reason ?? '', reason);
      assertSentence(report.reason);
    });
  }
});

test('secrets of an authority that nobody can use are an error, not a pipeline without one', async () => {
  const toy = await loadByName<Pipeline>('', TOY, 'pipeline');
  const without: Pipeline = { ...toy };
  delete without.openAuthority;
  const provider = await loadProvider('null');
  const options = optionsOf(without);
  const run = runHere(without, provider, GOOD_NETWORK, { options });
  await assert.rejects(run, { code: 'WRONG_RESULT', message: /authority/ });
});

describe('on the command line', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealbench-faults-'));
  });
  after(() => rm(folder, { recursive: true }));

  for (const [fault, reason] of [
    ['flipped-bit', 'the receiver got a plaintext that was not sent'],
    ['authority-silent', 'the authority could not recover the message: UNKNOWN_KEY'],
    ['throws', 'the toy was told to throw'],
  ] as const) {
    test(`${fault} is an error row and exit status 3`, async () => {
      const out = join(folder, fault);
      const args = ['run', 'verify/all', '--pipeline', `${TOY}:fault=${fault}`];
      const cell = ['--provider', 'null', '--workload', 'ping-pong:sessions=4'];
      const ended = await sealbench([...args, ...cell, '--out', out, '--json']);
      assert.equal(ended.status, 3, ended.err);
      const { rows } = JSON.parse(ended.out) as {
        rows: { cell: string; status: string; reason: string; value?: number }[];
      };
      const ofCell = rows.filter((row) => row.cell !== '');
      assert.equal(ofCell.length, 1);
      const [row] = ofCell;
      assert.equal(row!.status, 'error');
      assert.ok(row!.reason.includes(reason), row!.reason);
      assert.equal(row!.value, undefined, 'an error is never a number');
      assertSentence(row!.reason);
      assert.doesNotMatch(ended.err, /\n\s+at /);
    });
  }

  test('a planted pipeline without a fault passes', async () => {
    const args = ['verify', '--pipeline', TOY, '--provider', 'null'];
    const ended = await sealbench([...args, '--workload', 'ping-pong:sessions=4', '--json']);
    assert.equal(ended.status, 0, ended.err);
  });
});
