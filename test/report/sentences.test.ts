import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deriveCells } from '../../src/report/cells.ts';
import type { PipelineNote } from '../../src/report/pairing.ts';
import { topicsOf, type SentencesInput } from '../../src/report/sentences.ts';
import type { RepeatRecord } from '../../src/results/record.ts';
import { E3, L3, L4, L5, L6, record, recordsOfCosts, type Costs } from './fixtures.ts';

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

const COSTS = 'What a message costs';
const ADDS = 'What each protection adds';
const REMOVAL = 'What removing it saves';
const ACCESS = 'Access for an authority';
const BAND = 'From the fastest implementation to the slowest';
const PAID_BACK = 'When a dearer opening is paid back';

/** The sentences of one topic. */
function said(title: string, input: SentencesInput): readonly string[] {
  return topicsOf(input).find((topic) => topic.title === title)?.sentences ?? [];
}

/** Three repeats that do not vary. */
const steady = (sender: number, relay: number, receiver: number, authority?: number): Costs[] =>
  [1, 2, 3].map(() => {
    const costs = { sender, relay, receiver };
    return authority === undefined ? costs : Object.assign(costs, { authority });
  });

test('a cost is told of the baseline, or of all where there is none, with what is done once', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_000, 4_000, 1_000)),
    ...recordsOfCosts(L6, [
      { sender: 6_000, relay: 2_000, receiver: 4_000 },
      { sender: 6_000, relay: 2_000, receiver: 4_600 },
      { sender: 6_000, relay: 2_000, receiver: 4_300 },
    ]),
  ]);
  const [base, ...days] = said(COSTS, { cells, pipelines: [], baseline: 'at-rest-scoped' });
  assert.equal(
    base,
    'Sending, relaying and receiving a message costs 6 us of CPU in at-rest-scoped; 6 us with its ' +
      'share of opening a session of 40 messages and connections of 20.',
  );
  assert.ok(days.length === 1 && days[0]!.startsWith('At 55 messages a day'));
  assert.match(
    said(COSTS, { cells, pipelines: [] })[1]!,
    /^Sending, relaying and receiving a message costs 12\.3 us of CPU in double-ratchet; 12\.3 us/,
  );
});

test('the share of opening is in the amortised cost', async () => {
  const opening = { publish: 0, initiate: 40_000, accept: 44_000 };
  const cells = await deriveCells(
    recordsOfCosts(L6, [{ sender: 6_000, relay: 2_000, receiver: 4_000, opening }]),
  );
  assert.match(
    said(COSTS, { cells, pipelines: [] })[0]!,
    /costs 12 us .*; 14 us with its share of/,
  );
});

test('what may be nothing is not told as a difference', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_000, 1_000, 1_000)),
    ...recordsOfCosts(L4, [
      { sender: 1_000, relay: 1_000, receiver: 900 },
      { sender: 1_000, relay: 1_000, receiver: 1_200 },
      { sender: 1_000, relay: 1_000, receiver: 1_000 },
    ]),
  ]);
  const input = { cells, pipelines: PIPELINES, baseline: 'at-rest-scoped' };
  assert.match(
    said(ADDS, input)[0]!,
    /^End-to-end encryption \(L4 static-e2e over L3 at-rest-scoped\): no difference in CPU per message could be shown \(95 % interval -\d+ to \d+ ns\), nor for any role\.$/,
  );
  assert.match(
    said(REMOVAL, input)[0]!,
    /makes no difference to the receiver that could be shown \(95 % interval .*that makes no difference to the user's device that could be shown/,
  );
});

test('a role in which a difference shows is told, though none shows in all', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_000, 1_000, 1_000)),
    ...recordsOfCosts(L4, [
      { sender: 2_000, relay: 1_000, receiver: 900 },
      { sender: 2_000, relay: 4_000, receiver: 1_000 },
      { sender: 2_000, relay: 1, receiver: 1_100 },
    ]),
  ]);
  assert.match(
    said(ADDS, { cells, pipelines: PIPELINES })[0]!,
    /could be shown \([^)]*\): sender \+1 us, relay no difference shown, receiver no difference shown\.$/,
  );
});

test('removing end-to-end encryption is told role by role, and per user and day', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_100, 4_300, 1_200)),
    ...recordsOfCosts(L4, steady(6_000, 2_000, 4_500)),
  ]);
  const input = { cells, pipelines: PIPELINES };
  assert.deepEqual(said(ADDS, input), [
    'End-to-end encryption (L4 static-e2e over L3 at-rest-scoped) adds 5.90 us of CPU per message ' +
      '(95 % interval 5.90 to 5.90): sender +4.90 us, relay -2.30 us, receiver +3.30 us.',
  ]);
  // 27.5 messages sent and as many received: 27.5 times 8.2 us, and 27.5 times 2.3 us.
  assert.deepEqual(said(REMOVAL, input), [
    'Removing end-to-end encryption (L4 to L3: static-e2e to at-rest-scoped) saves the sender ' +
      '4.90 us (95 % interval 4.90 to 4.90), costs the relay 2.30 us (95 % interval 2.30 to 2.30) ' +
      'and saves the receiver 3.30 us (95 % interval 3.30 to 3.30); CPU per message. Per user and ' +
      'day, at 55 messages, half of them sent, with their share of opening sessions and ' +
      "connecting, that saves the user's device 226 us (95 % interval 226 to 226) and costs the " +
      'relay 63.3 us (95 % interval 63.3 to 63.3).',
  ]);
});

test('from the Double Ratchet down more is removed, and that is said', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_000, 4_000, 1_000)),
    ...recordsOfCosts(L6, steady(6_000, 4_000, 4_000)),
  ]);
  const [removal, ...others] = said(REMOVAL, { cells, pipelines: PIPELINES });
  assert.deepEqual(others, []);
  assert.match(
    removal!,
    /^Removing end-to-end encryption \(L6 to L3: double-ratchet to at-rest-scoped\), which removes forward secrecy and post-compromise security as well, saves the sender 5 us .*makes no difference to the relay/,
  );
});

test('a rung is compared with the next lower one that was measured, and what lies between is named', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L4, steady(6_000, 2_000, 4_000)),
    ...recordsOfCosts(L6, steady(5_000, 2_000, 4_000)),
  ]);
  assert.deepEqual(said(ADDS, { cells, pipelines: PIPELINES }), [
    'Post-compromise security, together with what L5 adds, (L6 double-ratchet over L4 static-e2e) ' +
      'saves 1 us of CPU per message (95 % interval 1 to 1): sender -1 us, relay no difference ' +
      'shown, receiver no difference shown.',
  ]);
});

test('where a suite changes an option from some rung up, the rung below is that with defaults', async () => {
  const bare = { ...L4, pipeline: 'static-e2e:rest=none' };
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_000, 4_000, 1_000)),
    ...recordsOfCosts(bare, steady(2_000, 4_000, 1_000)),
    ...recordsOfCosts({ ...L6, pipeline: 'double-ratchet:rest=none' }, steady(3_000, 4_000, 1_000)),
    ...recordsOfCosts(L6, steady(9_000, 4_000, 1_000)),
  ]);
  const text = said(ADDS, { cells, pipelines: [] });
  assert.equal(text.length, 3);
  assert.match(text[0]!, /\(L4 static-e2e:rest=none over L3 at-rest-scoped\) adds 1 us/);
  assert.match(text[2]!, /\(L6 double-ratchet:rest=none over L4 static-e2e:rest=none\) adds 1 us/);
  assert.match(text[1]!, /\(L6 double-ratchet over L3 at-rest-scoped\) adds 8 us/);
});

test('what leaves out its hop is compared with what does so too, and with nothing else', async () => {
  const bare = ':hop=none,rest=none';
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_000, 4_000, 1_000)),
    ...recordsOfCosts({ ...L6, pipeline: `double-ratchet${bare}` }, steady(3_000, 100, 1_000)),
    ...recordsOfCosts(
      { ...E3, pipeline: `escrow-message-key${bare}` },
      steady(9_000, 100, 1_000, 500),
    ),
  ]);
  assert.deepEqual(said(ADDS, { cells, pipelines: [] }), []);
  assert.deepEqual(said(REMOVAL, { cells, pipelines: [] }), []);
  const access = said(ACCESS, { cells, pipelines: [] });
  assert.match(
    access[0]!,
    /adds 6\.00 us of CPU per message, over double-ratchet:hop=none,rest=none/,
  );
});

test('a design is compared with the ratchet that it names', async () => {
  const L7 = { ...L6, pipeline: 'pqxdh-ratchet', rung: 'L7' };
  const wrapping = { ...E3, pipeline: 'escrow-message-key:ratchet=pqxdh-ratchet' };
  const cells = await deriveCells([
    ...recordsOfCosts(L6, steady(1_000, 2_000, 1_000)),
    ...recordsOfCosts(L7, steady(3_000, 2_000, 1_000)),
    ...recordsOfCosts(wrapping, steady(7_000, 2_000, 1_000, 500)),
  ]);
  const access = said(ACCESS, { cells, pipelines: [] });
  assert.match(access[0]!, /adds 4\.00 us of CPU per message, over pqxdh-ratchet \(/);
  const alone = cells.filter(({ pipeline }) => pipeline !== 'pqxdh-ratchet');
  assert.deepEqual(said(ACCESS, { cells: alone, pipelines: [] }), []);
});

test('what targets alone pay for is told of their messages', async () => {
  const ghost = { ...E3, pipeline: 'escrow-ghost', rung: 'E1' };
  const ghostNote = {
    name: 'escrow-ghost',
    title: 'a ghost',
    family: 'escrow-wrapped',
    rung: 'E1',
    caveats: [],
    paidByTargets: true,
  } as const;
  const access = async (pipeline: string): Promise<string> => {
    const cells = await deriveCells([
      ...recordsOfCosts(L6, steady(1_000, 2_000, 1_000)),
      ...recordsOfCosts({ ...ghost, pipeline }, steady(5_000, 2_000, 1_000, 500)),
    ]);
    const many = cells.map((cell) => ({ ...cell, sessions: 20 }));
    return said(ACCESS, { cells: many, pipelines: [ghostNote] })[0]!;
  };
  assert.match(
    await access('escrow-ghost'),
    /adds 4\.00 us of CPU per message of a target and nothing to those of others, over double-ratchet/,
  );
  assert.match(
    await access('escrow-ghost:targets=1'),
    /per message, of which a target has one in 20, over/,
  );
});

test('an escrow field is told with what its authority spends', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L6, steady(6_000, 2_000, 4_000)),
    ...recordsOfCosts(E3, steady(10_900, 2_100, 4_100, 31_000)),
  ]);
  assert.deepEqual(said(ACCESS, { cells, pipelines: [] }), [
    'The access that E3 escrow-message-key gives an authority adds 5.10 us of CPU per message, ' +
      'over double-ratchet (95 % interval 5.10 to 5.10): sender +4.90 us, relay +100 ns, receiver ' +
      '+100 ns; the authority spends 31 us per recovered message.',
  ]);
});

test('one repeat gives values and says that there is no interval', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_000, 4_000, 1_000).slice(0, 1)),
    ...recordsOfCosts(L4, steady(6_000, 2_000, 4_000).slice(0, 1)),
  ]);
  const input = { cells, pipelines: PIPELINES, baseline: 'at-rest-scoped' };
  for (const title of [ADDS, REMOVAL]) {
    assert.match(said(title, input)[0]!, /too few for an interval/);
  }
});

test("a user's day is half sending and half receiving, and the relay's work is shared", async () => {
  const costs = steady(6_000, 2_000, 4_000);
  const cells = await deriveCells(recordsOfCosts({ ...L6, messagesPerUserDay: 50 }, costs));
  assert.equal(
    said(COSTS, { cells, pipelines: [] })[1],
    "At 50 messages a day, half of them sent, one user's day costs 250 us of CPU on the user's " +
      'device and 50 us at the relay in double-ratchet.',
  );
  const both = [...cells, ...(await deriveCells(recordsOfCosts(L4, costs)))];
  const days = said(COSTS, { cells: both, pipelines: [], baseline: 'double-ratchet' }).filter(
    (it) => it.startsWith('At '),
  );
  assert.equal(days.length, 1, 'with a baseline only its day is told');
});

function implementedBy(implementation: string, sender: number): RepeatRecord[] {
  return recordsOfCosts({ ...L6, implementation }, steady(sender, 1_000, 1_000));
}

test('implementations of one pipeline are a band, without the one that computes nothing', async () => {
  const cells = await deriveCells([
    ...implementedBy('noble', 10_000),
    ...implementedBy('native', 2_000),
    ...implementedBy('null', 100),
    ...implementedBy('node', 3_000),
  ]);
  assert.deepEqual(said(BAND, { cells, pipelines: [], baseline: 'double-ratchet' }), [
    'Over 3 implementations a message of double-ratchet costs from 4 us (native) to 12 us (noble) ' +
      'of CPU: the slowest takes 3.00 times the fastest (95 % interval 3.00 to 3.00). The ' +
      'implementation null, which computes no cryptography, is left out.',
  ]);
  const alone = cells.filter(({ implementation }) => /null|node/.test(implementation));
  assert.deepEqual(said(BAND, { cells: alone, pipelines: [] }), []);
});

function sentFor(sender: number): Costs {
  return { sender, relay: 1_000, receiver: 1_000 };
}

test('a band whose ratio may be one is told as no difference', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts({ ...L6, implementation: 'a' }, [
      sentFor(1_000),
      sentFor(3_000),
      sentFor(1_000),
    ]),
    ...recordsOfCosts({ ...L6, implementation: 'b' }, [
      sentFor(2_000),
      sentFor(1_000),
      sentFor(1_500),
    ]),
  ]);
  assert.match(
    said(BAND, { cells, pipelines: [] })[0]!,
    /\(a\) to .* \(b\) of CPU; no difference between the two could be shown \(0\.\d+ to \d\.\d+ times\)\.$/,
  );
});

/** Three repeats of a sender's cost and an opening. */
function openedFor(sender: number, initiate: number): Costs[] {
  const opening = { publish: 0, initiate, accept: 500 };
  const costs = { sender, relay: 0, receiver: 500, opening };
  return [costs, costs, costs];
}

test('openings that are paid back are told with the message that does it, the others are listed', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, openedFor(500, 0)),
    ...recordsOfCosts(L4, openedFor(900, 1_000)),
    ...recordsOfCosts(L5, openedFor(800, 1_500)),
    ...recordsOfCosts(L6, openedFor(950, 1_500)),
  ]);
  assert.deepEqual(said(PAID_BACK, { cells, pipelines: [] }), [
    'Opening a session costs more in L5 forward-secrecy than in L4 static-e2e, which its cheaper ' +
      'messages pay back after 5 messages (95 % interval 5 to 5).',
    'Never paid back, because a message costs more as well: L4 static-e2e over L3 at-rest-scoped.',
    'Whether it is paid back could not be shown: L6 double-ratchet over L5 forward-secrecy.',
  ]);
});

test('cells that differ in more than the pipeline are told apart by what differs', async () => {
  const noble = { implementation: 'noble', threads: 2 };
  const cells = await deriveCells([
    ...recordsOfCosts({ ...L3, ...noble }, steady(9_000, 9_000, 9_000)),
    ...recordsOfCosts(L4, steady(6_000, 2_000, 4_000)),
  ]);
  const input = { cells, pipelines: PIPELINES };
  assert.deepEqual(said(ADDS, input), [], 'L3 of noble is not below L4 of native');
  const text = said(COSTS, input);
  assert.match(text[0]!, /^noble, 2 threads: Sending/);
  assert.match(text.at(-1)!, /^native, 1 thread: At 55 messages/);
});

test('errors, empty cells and no cells give no sentence', async () => {
  const cells = await deriveCells([
    ...recordsOfCosts(L3, steady(1_000, 1_000, 1_000)),
    record({ ...L3, repeat: 3, status: 'error', reason: 'wrong' }),
    record({ ...L6 }),
  ]);
  assert.deepEqual(topicsOf({ cells, pipelines: PIPELINES, baseline: 'at-rest-scoped' }), []);
  assert.deepEqual(topicsOf({ cells: [], pipelines: [] }), []);
});
