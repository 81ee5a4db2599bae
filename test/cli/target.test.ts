/** `target` through its real entry point: made up where it would be slow, and never a time asserted. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusOf, tablesOf } from '../../src/cli/commands/target.ts';
import { renderTable } from '../../src/report/table.ts';
import { readEnvironment } from '../../src/results/environment.ts';
import type { JudgedTarget, PairEvidence, TargetResult } from '../../src/runner/targets.ts';
import { sealbench, type Circumstances } from './_command-line.ts';

const FAKE: Circumstances = { fakeRunner: true };

const RATCHET: JudgedTarget = {
  name: 'ratchet',
  verdict: 'met',
  unit: 'ratio',
  bound: 1.6,
  measured: { value: 1.5, low: 1.4, high: 1.55 },
  evidence: {
    kind: 'pairs',
    oursNs: { value: 3_000, low: 2_900, high: 3_100 },
    rawNs: { value: 2_000, low: 1_900, high: 2_100 },
    samples: { oursNs: [3_000, 3_000], rawNs: [2_000, 2_000], eachNs: {} },
    calls: [
      { name: 'sha256:65', count: 4, eachNs: 500 },
      { name: 'hmac-sha256:1', count: 2, eachNs: null },
    ],
  },
};
const FAILED: TargetResult = { name: 'hpke', verdict: 'failed', reason: 'its process died' };

test('the status says that all are met, that one is missed, or that one failed', () => {
  const missed: TargetResult = { ...RATCHET, verdict: 'missed' };
  assert.equal(statusOf([RATCHET, RATCHET]), 0);
  assert.equal(statusOf([RATCHET, missed]), 1);
  assert.equal(statusOf([missed, FAILED, RATCHET]), 3);
});

test('the tables show bound, median, both sides, pairs and where the time goes', async () => {
  const environment = await readEnvironment();
  const text = tablesOf([RATCHET, FAILED], environment)
    .map((table) => renderTable(table))
    .join('\n');
  assert.match(
    text,
    /^ratchet +1\.6 x raw +1\.50 \[1\.40, 1\.55\] x raw +3 us +2 us +2 pairs +met$/m,
  );
  assert.match(text, /^hpke( +-){5} +failed$/m);
  assert.match(text, /^hpke: could not be measured: its process died$/m);
  assert.match(text, /^sha256:65 +4 +500 ns +2 us +66\.7%$/m);
  assert.match(text, /^all the rest +- +- +1 us +33\.3%$/m);
  assert.match(text, /^hmac-sha256:1, 2 per message, is composed/m);
  assert.ok(text.includes(environment.node));
});

test('an unknown target and an option without use are refused', async () => {
  const refused: [string[], RegExp][] = [
    [['rachet'], /target: unknown target "rachet"; did you mean "ratchet"\?/],
    [['hpke', '--sessions', '4000'], /--sessions is for retained/],
    [['retained', '--sessions', '3999'], /--sessions expected an integer from 4000 to 2000000/],
  ];
  for (const [args, message] of refused) {
    const { status, out, err } = await sealbench(['target', ...args], FAKE);
    assert.match(err, message);
    assert.deepEqual([status, out], [2, '']);
  }
});

test('a met target is status 0, a missed one 1 and a failed one 3', async () => {
  // The overhead is made up: in CPU batches up to 60 ns, in latency batches 90 ns with a clock of 60.
  const met = await sealbench(['target', 'overhead-latency'], FAKE);
  assert.equal(met.status, 0, met.err);
  assert.match(met.out, /^overhead-latency +90 ns .* met$/m);
  const missed = await sealbench(['target', 'overhead-cpu'], FAKE);
  assert.equal(missed.status, 1, missed.err);
  assert.match(missed.out, /^overhead-cpu +20 ns .* missed$/m);
  const env = { FAKE_STATUSES: '{"double-ratchet":"error"}' };
  const failed = await sealbench(['target', 'retained'], { ...FAKE, env });
  assert.equal(failed.status, 3, failed.err);
  assert.match(failed.out, /with 100000 sessions: error: made up to be error/);
});

test('retained names each population before it is opened, and all of them in the result', async () => {
  const { status, out, err } = await sealbench(['target', 'retained', '--sessions', '8000'], FAKE);
  assert.equal(status, 0, err);
  for (const population of ['2,000', '4,000', '8,000']) {
    assert.ok(err.includes(`${population} sessions`), err);
    assert.ok(out.includes(`${population} sessions`), out);
  }
});

test('SIGINT stops it with status 130', async () => {
  const { status, err } = await sealbench(['target', 'retained', '--sessions', '8000'], {
    ...FAKE,
    env: { FAKE_REPEAT_MS: '60000' },
    onNote: (noted) => (noted.includes('process 1 of 3') ? 'SIGINT' : undefined),
  });
  assert.equal(status, 130, err);
  assert.match(err, /interrupted: 0 of 1 targets were measured/);
});

test('pairs are sampled by a real process, and printed as JSON with the calls', async () => {
  const { out, err } = await sealbench(['target', 'ratchet', '--json']);
  const { targets } = JSON.parse(out) as { targets: TargetResult[] };
  const [ratchet] = targets;
  // Met or missed depends on the machine.
  assert.ok(ratchet !== undefined && ratchet.verdict !== 'failed', `${err}\n${out}`);
  const { samples, calls } = ratchet.evidence as PairEvidence;
  assert.ok(samples.oursNs.length >= 20);
  assert.equal(samples.rawNs.length, samples.oursNs.length);
  const seal = calls.find(({ name }) => name.startsWith('chacha20-poly1305-seal:'));
  assert.equal(seal?.count, 1);
  assert.ok(seal.name.endsWith('+115'), seal.name);
  for (const { name, eachNs } of calls) {
    assert.equal(eachNs === null, name.startsWith('hmac-'), name);
  }
});
