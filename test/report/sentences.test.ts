import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveCells } from '../../src/report/cells.ts';
import type { PipelineNote } from '../../src/report/pairing.ts';
import { sentences } from '../../src/report/sentences.ts';
import { E3, L3, L4, L6, record, recordsOfCosts, type Costs } from './fixtures.ts';

const note = (name: string, adds: string): PipelineNote => ({
  name,
  adds,
  title: name,
  family: 'ratchet',
  rung: 'L4',
  caveats: [],
});
const PIPELINES = [
  note('static-e2e', 'end-to-end encryption'),
  note('double-ratchet', 'post-compromise security'),
];

/** Three repeats that do not vary. */
const steady = (sender: number, relay: number, receiver: number, authority?: number): Costs[] =>
  [1, 2, 3].map(() => {
    const costs = { sender, relay, receiver };
    return authority === undefined ? costs : Object.assign(costs, { authority });
  });

test('a cost is told with its ratio to the baseline', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_000, 4_000, 1_000)),
    ...recordsOfCosts(L6, [
      { sender: 6_000, relay: 2_000, receiver: 4_000 },
      { sender: 6_000, relay: 2_000, receiver: 4_600 },
      { sender: 6_000, relay: 2_000, receiver: 4_300 },
    ]),
  ]);
  const [base, cost] = sentences({ cells, pipelines: [], baseline: 'at-rest-scoped' });
  assert.equal(
    base,
    'Sending, relaying and receiving a message costs 6 us of CPU in at-rest-scoped.',
  );
  assert.match(
    cost!,
    /^Sending, relaying and receiving a message costs 12\.3 us of CPU in double-ratchet: 2\.05 times at-rest-scoped \(95 % interval 1\.9\d to 2\.1\d\)\.$/,
  );
});

test('a ratio whose interval holds one is not told as a difference', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_000, 1_000, 1_000)),
    ...recordsOfCosts(L4, [
      { sender: 1_000, relay: 1_000, receiver: 900 },
      { sender: 1_000, relay: 1_000, receiver: 1_200 },
      { sender: 1_000, relay: 1_000, receiver: 1_000 },
    ]),
  ]);
  const text = sentences({ cells, pipelines: PIPELINES, baseline: 'at-rest-scoped' });
  assert.match(
    text[1]!,
    /in static-e2e; no difference from at-rest-scoped could be shown \(0\.\d+ to 1\.\d+ times\)\.$/,
  );
  assert.match(
    text[2]!,
    /^End-to-end encryption \(L4 static-e2e over L3 at-rest-scoped\): no difference in CPU per message could be shown \(95 % interval -\d+ to \d+ ns\): sender no difference shown, /,
  );
  assert.match(text[3]!, /makes no difference to the receiver that could be shown/);
});

test('removing end-to-end encryption is told role by role', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_100, 4_300, 1_200)),
    ...recordsOfCosts(L4, steady(6_000, 2_000, 4_500)),
  ]);
  const text = sentences({ cells, pipelines: PIPELINES });
  assert.deepEqual(text.slice(2), [
    'End-to-end encryption (L4 static-e2e over L3 at-rest-scoped) adds 5.90 us of CPU per message ' +
      '(95 % interval 5.90 to 5.90): sender +4.90 us, relay -2.30 us, receiver +3.30 us.',
    'Removing end-to-end encryption (L4 to L3: static-e2e to at-rest-scoped) saves the sender ' +
      '4.90 us (95 % interval 4.90 to 4.90), costs the relay 2.30 us (95 % interval 2.30 to 2.30) ' +
      'and saves the receiver 3.30 us (95 % interval 3.30 to 3.30); CPU per message.',
  ]);
});

test('a rung is compared with the next lower one that was measured, and what lies between is named', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L4, steady(6_000, 2_000, 4_000)),
    ...recordsOfCosts(L6, steady(5_000, 2_000, 4_000)),
  ]);
  assert.equal(
    sentences({ cells, pipelines: PIPELINES })[2],
    'Post-compromise security, together with what L5 adds, (L6 double-ratchet over L4 static-e2e) ' +
      'saves 1 us of CPU per message (95 % interval 1 to 1): sender -1 us, relay no difference ' +
      'shown, receiver no difference shown.',
  );
});

test('an escrow field is told with what its authority spends', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L6, steady(6_000, 2_000, 4_000)),
    ...recordsOfCosts(E3, steady(10_900, 2_100, 4_100, 31_000)),
  ]);
  assert.equal(
    sentences({ cells, pipelines: [] })[2],
    'The access that E3 escrow-message-key gives an authority adds 5.10 us of CPU per message, ' +
      'over double-ratchet (95 % interval 5.10 to 5.10): sender +4.90 us, relay +100 ns, receiver ' +
      '+100 ns; the authority spends 31 us per recovered message.',
  );
});

test('one repeat gives values and says that there is no interval', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_000, 4_000, 1_000).slice(0, 1)),
    ...recordsOfCosts(L4, steady(6_000, 2_000, 4_000).slice(0, 1)),
  ]);
  const text = sentences({ cells, pipelines: PIPELINES, baseline: 'at-rest-scoped' });
  assert.match(text[1]!, /: 2 times at-rest-scoped \(1 repeat, too few for an interval\)\.$/);
  for (const line of text.slice(1)) assert.match(line, /too few for an interval/);
});

test("a user's day is half sending and half receiving, and the relay's work is shared", async () => {
  const cells = await deriveCells(recordsOfCosts(L6, steady(6_000, 2_000, 4_000)));
  assert.equal(
    sentences({ cells, pipelines: [], messagesPerUserDay: { chat: 50 } })[1],
    "At 50 messages a day, half of them sent, one user's day costs 250 us of CPU on the user's " +
      'device and 50 us at the relay in double-ratchet.',
  );
});

test('cells that differ in more than the pipeline are told apart', async () => {
  const noble = { implementation: 'noble', threads: 2 };
  const cells = await deriveCells([
    ...recordsOfCosts({ ...L3, ...noble }, steady(9_000, 9_000, 9_000)),
    ...recordsOfCosts(L4, steady(6_000, 2_000, 4_000)),
  ]);
  const text = sentences({ cells, pipelines: PIPELINES });
  assert.equal(text.length, 2, 'L3 of noble is not below L4 of native');
  assert.match(text[0]!, /^noble, chat, 2 threads: Sending/);
  assert.match(text[1]!, /^native, chat, 1 thread: Sending/);
});

test('errors, empty cells and no cells give no sentence', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_000, 1_000, 1_000)),
    record({ ...L3, repeat: 3, status: 'error', reason: 'wrong' }),
    record({ ...L6 }),
  ]);
  assert.deepEqual(sentences({ cells, pipelines: PIPELINES, baseline: 'at-rest-scoped' }), []);
  assert.deepEqual(sentences({ cells: [], pipelines: [] }), []);
});

test('names with control characters are written out', async () => {
  const pipeline = 'evil\u001B[2J\n.ts';
  const cells = await deriveCells(recordsOfCosts({ ...L6, pipeline }, steady(1, 1, 1)));
  const [text] = sentences({ cells, pipelines: [] });
  assert.match(text!, /in evil\\x1b\[2J\\x0a\.ts\.$/);
});
