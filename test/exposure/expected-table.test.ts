/**
 * The expected table, cell by cell: every adversary is mounted on every pipeline, and what it recovers
 * is compared with the table message by message.
 *
 * The table is written down twice: as shares here, as published, and as rules in src/exposure that say
 * of each message whether it opens. A cell fails when either is not met.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isNotMounted, type Played } from '../../src/exposure/adversary.ts';
import type { Tally } from '../../src/exposure/score.ts';
import type { Town } from '../../src/exposure/town.ts';
import { adversaries, differing, mountReader, openTown, shown } from './_towns.ts';

/** Past and future: all, none, a part, or whatever the rules say. */
type Share = 'all' | 'none' | 'part' | '-';
type Cell = readonly [past: Share, future: Share];

const NONE: Cell = ['none', 'none'];
const ALL: Cell = ['all', 'all'];

/** By `A2:keys=no`; a kind that is not here is not in the published table, and the rules alone judge. */
type Row = Readonly<Record<string, Cell>>;

const READABLE: Row = {
  A1: ['none', 'all'],
  'A2:keys=yes': ['all', 'none'],
  A6: ALL,
  A7: ALL,
  'A9:hop=x25519': ALL,
  'A9:hop=x25519mlkem768': NONE,
  'A9:keys=yes': ALL,
  'A5a:history=kept': ['all', 'none'],
  'A5a:history=wiped': NONE,
  A5b: ALL,
};
const SEALED: Row = {
  A0: NONE,
  A1: NONE,
  'A2:keys=no': NONE,
  'A2:keys=yes': NONE,
  A6: NONE,
  A7: NONE,
  'A9:hop=x25519mlkem768': NONE,
};
const CLASSICAL: Row = { ...SEALED, 'A9:hop=x25519': ALL, 'A9:keys=yes': ALL };
const POST_QUANTUM: Row = { ...SEALED, 'A9:hop=x25519': NONE, 'A9:keys=yes': NONE };
const RATCHET: Row = {
  'A5a:history=kept': ['all', 'part'],
  'A5a:history=disappearing-2d': ['part', 'part'],
  'A5a:history=wiped': ['none', 'part'],
  'A5a:history=wiped,opk=exhausted': ['part', 'part'],
  A5b: ['none', 'all'],
};
const ESCROW: Row = {
  ...CLASSICAL,
  ...RATCHET,
  'A3:rotation=never': ALL,
  'A3:rotation=90d': ALL,
  'A3:rotation=1d': ['part', 'none'],
  'A3:rotation=1d,old-keys=kept': ['all', 'none'],
  A6: ALL,
  A7: ALL,
};

/** A chain that began under a key runs on under it when the key is changed. */
const OF_CHAINS: Row = {
  ...ESCROW,
  'A3:rotation=1d': ['part', 'part'],
  'A3:rotation=1d,old-keys=kept': ['all', 'part'],
};

const TABLE: readonly (readonly [name: string, options: Record<string, string>, row: Row])[] = [
  ['plaintext', {}, { ...READABLE, A0: ALL, 'A2:keys=no': ['all', 'none'] }],
  ['transport', {}, { ...READABLE, A0: NONE, 'A2:keys=no': ['all', 'none'] }],
  [
    'at-rest',
    {},
    { ...READABLE, A0: NONE, 'A2:keys=no': NONE, 'A3:key=kek': ALL, 'A3:key=data': ALL },
  ],
  [
    'at-rest-scoped',
    {},
    {
      ...READABLE,
      A0: NONE,
      'A2:keys=no': NONE,
      'A3:key=kek': ALL,
      'A3:key=data': ['part', 'none'],
    },
  ],
  [
    'static-e2e',
    {},
    // Of later sessions what is sealed to the user opens and what it sends does not: 5/6 and not all.
    { ...CLASSICAL, 'A5a:history=wiped': ['all', 'part'], A5b: ALL },
  ],
  ['sealed-box', {}, { ...CLASSICAL, 'A5a:history=wiped': ['part', 'part'], A5b: ALL }],
  [
    'forward-secrecy',
    {},
    {
      ...CLASSICAL,
      'A5a:history=wiped': ['none', 'part'],
      'A5a:history=wiped,opk=exhausted': ['part', 'part'],
      A5b: ['none', 'all'],
    },
  ],
  ['double-ratchet', {}, { ...CLASSICAL, ...RATCHET, 'A5a:history=wiped,quantum=yes': ALL }],
  [
    'double-ratchet',
    { turn: 'deferred' },
    { ...CLASSICAL, ...RATCHET, 'A5a:history=wiped,quantum=yes': ALL },
  ],
  [
    'pqxdh-ratchet',
    {},
    { ...POST_QUANTUM, ...RATCHET, 'A5a:history=wiped,quantum=yes': ['none', 'part'] },
  ],
  ['pq-rekey', { rekey: '8' }, { ...POST_QUANTUM, ...RATCHET }],
  ['header-encryption', { rekey: '8' }, { ...POST_QUANTUM, ...RATCHET }],
  ['length-hiding', {}, { ...POST_QUANTUM, ...RATCHET }],
  ['sealed-sender', {}, { ...POST_QUANTUM, ...RATCHET }],
  [
    'escrow-root-only',
    {},
    {
      ...CLASSICAL,
      ...RATCHET,
      'A3:rotation=never': NONE,
      'A3:rotation=90d': NONE,
      'A3:rotation=1d': NONE,
      'A3:rotation=1d,old-keys=kept': NONE,
    },
  ],
  ['escrow-root-only', { ratchet: 'pqxdh-ratchet' }, { ...CLASSICAL, 'A3:rotation=never': NONE }],
  [
    'escrow-root-only',
    { ratchet: 'pqxdh-ratchet', field: 'x-wing' },
    { ...POST_QUANTUM, 'A3:rotation=never': NONE },
  ],
  [
    'escrow-ghost',
    {},
    // The ghost's chains never turn, so its state opens all that follows: the table said burst-bounded.
    {
      ...ESCROW,
      'A3:key=ghost-device': ['none', 'all'],
    },
  ],
  ['escrow-chain-key', {}, OF_CHAINS],
  ['escrow-chain-key', { both: 'yes', repeat: 'every-frame' }, { A3: ALL }],
  ['escrow-message-key', {}, ESCROW],
  ['escrow-message-key', { context: 'yes' }, OF_CHAINS],
  ['escrow-message-key', { msg: 'etm' }, ESCROW],
  ['escrow-message-key', { ratchet: 'pqxdh-ratchet' }, ESCROW],
  [
    'escrow-message-key',
    { ratchet: 'pqxdh-ratchet', field: 'x-wing' },
    { ...ESCROW, 'A9:hop=x25519': NONE, 'A9:keys=yes': NONE },
  ],
  ['escrow-warrant', {}, { ...ESCROW, 'A3:key=master': ALL, 'A3:key=user-day': ['part', 'none'] }],
  ['escrow-warrant', { ratchet: 'pqxdh-ratchet' }, { 'A9:hop=x25519': ALL, 'A9:keys=yes': ALL }],
  ['escrow-partial', { bits: '4' }, ESCROW],
  [
    'escrow-seed',
    {},
    // The key of a day opens the sessions that began on it, to their end: here none did.
    {
      ...ESCROW,
      'A3:rotation=1d': NONE,
      'A3:rotation=1d,old-keys=kept': ['all', 'part'],
      'A5a:history=wiped': ['none', 'part'],
    },
  ],
  [
    'provider-backup',
    {},
    {
      ...ESCROW,
      A1: ['none', 'all'],
      'A2:keys=yes': ['all', 'none'],
      'A9:hop=x25519': ALL,
      'A9:keys=yes': ALL,
    },
  ],
];

function isMet(share: Share, recovered: number, of: number): boolean {
  switch (share) {
    case 'all':
      return of > 0 && recovered === of;
    case 'none':
      return recovered === 0;
    case 'part':
      return recovered > 0 && recovered < of;
    default:
      return true;
  }
}

/** What is wrong with one cell. */
function objection(kind: string, tally: Tally, cell: Cell | undefined): string[] {
  const told: string[] = [];
  if (tally.isJudged && differing(tally) > 0) {
    told.push(`${kind}: ${differing(tally)} messages are not as the rules say: ${shown(tally)}`);
  }
  if (cell === undefined) return told;
  const { past, future } = tally;
  const asPublished =
    isMet(cell[0], past.recovered, past.of) &&
    // What is kept from nothing before has no past, and a copy has no future.
    isMet(cell[1], future.recovered, future.of);
  return asPublished ? told : [...told, `${kind}: ${shown(tally)}, expected ${cell.join(' / ')}`];
}

async function objections(town: Town, row: Row): Promise<string[]> {
  const found: string[] = [];
  for (const adversary of adversaries) {
    if (adversary.kind === 'actor') {
      const played = await adversary.play(town);
      if (!isNotMounted(played)) found.push(...playedObjections(adversary.id, played));
      continue;
    }
    const tallies = mountReader(town, adversary);
    if (isNotMounted(tallies)) continue;
    for (const [label, tally] of tallies) {
      const kind = label === '' ? adversary.id : `${adversary.id}:${label}`;
      found.push(...objection(kind, tally, row[kind]));
    }
  }
  return found;
}

function playedObjections(id: string, played: readonly Played[]): string[] {
  return played.flatMap(({ label, rate, hits, of, expected }) =>
    expected === undefined || hits === expected * of
      ? []
      : [`${id}:${label}: ${rate} ${hits}/${of}, expected ${expected}`],
  );
}

/** Six conversations of three users, one of which opens after the compromise. */
const SMALL = { sessions: 6, messages: 32 };

describe('the expected table', () => {
  for (const [name, options, row] of TABLE) {
    const chosen = Object.entries(options).map((option) => option.join('='));
    const rung = [name, ...chosen].join(' ');
    test(rung, async () => {
      assert.deepEqual(
        await objections(await openTown(name, { options, workload: SMALL }), row),
        [],
      );
    });
  }

  test('escrow-threshold, whose trustees recover nothing below the threshold', async () => {
    const workload = { sessions: 5, messages: 12 };
    const town = await openTown('escrow-threshold', { workload });
    assert.deepEqual(await objections(town, { 'A4:trustees=k-1': NONE, 'A4:trustees=k': ALL }), []);
  });

  test('escrow-threshold by shares', async () => {
    const workload = { sessions: 5, messages: 12 };
    for (const options of [{ variant: 'shamir' }, { variant: 'shamir-shared' }]) {
      const town = await openTown('escrow-threshold', { workload, options });
      const row = { 'A4:trustees=1': NONE, 'A4:trustees=k-1': NONE, 'A4:trustees=k': ALL };
      assert.deepEqual(await objections(town, row), []);
    }
  });
});

test('the table would tell: a rule that is turned round is found in every cell', async () => {
  const town = await openTown('double-ratchet', { workload: SMALL });
  const lies = Object.fromEntries(
    Object.entries({ ...CLASSICAL, ...RATCHET }).map(([kind, [past, future]]): [string, Cell] => [
      kind,
      [past === 'none' ? 'all' : 'none', future],
    ]),
  );
  const found = await objections(town, lies);
  // History that is kept is in part: neither all nor nothing of it is as published.
  assert.ok(found.length >= Object.keys(lies).length - 1, found.join('\n'));
});
