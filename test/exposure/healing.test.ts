/**
 * Healing lengths by the published formulas, the epochs of a post-quantum ratchet, and what relay and
 * network see when no text opens.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { burstEnd, healsAt } from '../../src/exposure/expected.ts';
import { addMetadata, lengthBits, newMetadata, type Edges } from '../../src/exposure/metadata.ts';
import { recoveredBy } from '../../src/exposure/score.ts';
import type { Town } from '../../src/exposure/town.ts';
import { claimsOf, openTown, readerOf } from './_towns.ts';

/** By session with its seized member: later messages that open in a row. */
function healing(town: Town): { session: number; member: number; opened: number }[] {
  const mounts = readerOf('A5a').mounts(town);
  if ('why' in mounts) throw new RangeError(mounts.reason);
  const { script, isLate, seizedAfter } = town.plan;
  const { members } = town.recording.facts;
  const found: { session: number; member: number; opened: number }[] = [];
  for (const mount of mounts.filter(({ label }) => label === 'history=wiped')) {
    const recovered = recoveredBy(town, claimsOf(town, readerOf('A5a'), mount));
    for (let session = 0; session < script.sessions; session++) {
      const member = [0, 1].find((one) => members.user(session, one) === mount.seizedUser);
      if (member === undefined || isLate(session)) continue;
      const from = session * script.messages;
      let opened = 0;
      while (recovered.has(from + seizedAfter + 1 + opened)) opened += 1;
      found.push({ session, member, opened });
    }
  }
  return found;
}

/** Whether the bursts of a session are all of this length, as nearly all are. */
function isRegular({ plan: { script } }: Town, session: number, burst: number): boolean {
  const from = session * script.messages;
  return Array.from({ length: script.messages }, (_, index) => index).every(
    (index) => script.speakers[from + index] === Math.floor(index / burst) % 2,
  );
}

/** Bursts of exactly `burst` in most sessions, member 0 first. */
async function burstsOf(
  name: string,
  burst: number,
  seizedAfter: number,
  options: Record<string, string> = {},
): Promise<Town> {
  return openTown(name, {
    options,
    workload: {
      sessions: 9,
      messages: 6 * burst + 8,
      parameters: { meanBurst: 1000, maxBurst: burst },
    },
    seizedAfter,
  });
}

describe('a Double Ratchet heals after j + b messages; where the peer was sending after j + 2b, or after j with deferred keys', () => {
  for (const turn of ['eager', 'deferred']) {
    for (const burst of [1, 5, 20]) {
      for (const place of [0, Math.floor(burst / 2), burst - 1]) {
        test(`${turn}, bursts of ${burst}, seized after message ${place + 1} of one`, async () => {
          // The third burst is member 0's.
          const seizedAfter = 2 * burst + place;
          const town = await burstsOf('double-ratchet', burst, seizedAfter, { turn });
          const left = burst - 1 - place; // j
          const regular = healing(town).filter(({ session }) => isRegular(town, session, burst));
          assert.ok(regular.length >= 4);
          for (const one of [0, 1]) assert.ok(regular.some(({ member }) => member === one));
          const asPeer = turn === 'eager' ? 2 * burst : 0;
          for (const { member, opened } of regular) {
            assert.equal(opened, left + (member === 0 ? burst : asPeer));
          }
        });
      }
    }
  }

  test('as the rules of the expected table say too', async () => {
    const town = await burstsOf('double-ratchet', 5, 12);
    const { script } = town.plan;
    const session = [0, 1, 2, 3].find((one) => isRegular(town, one, 5))!;
    assert.equal(burstEnd(script, session, 12), 15);
    assert.equal(healsAt(script, session, 0, 12), 20);
    assert.equal(healsAt(script, session, 1, 12), 25);
    assert.equal(healsAt(script, session, 0, 12, true), 20);
    assert.equal(healsAt(script, session, 1, 12, true), 15);
  });
});

test('without a ratchet nothing heals, and with E7 nothing that the complying end is in', async () => {
  const chains = await burstsOf('forward-secrecy', 3, 7);
  for (const { opened } of healing(chains)) assert.equal(opened, 26 - 8);
  const seeded = await burstsOf('escrow-seed', 3, 7);
  for (const { member, opened } of healing(seeded)) {
    if (member === 0) assert.equal(opened, 26 - 8);
    else assert.ok(opened < 12, `${opened} at the end that does not comply`);
  }
});

test('a theft and a quantum computer: L7 never heals, L8 with an epoch that began after it', async () => {
  for (const [name, options] of [
    ['pqxdh-ratchet', {}],
    ['pq-rekey', { rekey: '6' }],
    ['header-encryption', { rekey: '6' }],
    ['sealed-sender', { rekey: '6' }],
  ] as const) {
    const town = await openTown(name, { options, workload: { sessions: 6, messages: 60 } });
    const mounts = readerOf('A5a').mounts(town);
    if ('why' in mounts) throw new RangeError(mounts.reason);
    let healed = 0;
    let sessions = 0;
    for (const mount of mounts.filter(({ label }) => label.includes('quantum'))) {
      const recovered = recoveredBy(town, claimsOf(town, readerOf('A5a'), mount));
      for (let session = 0; session < 6; session++) {
        if (town.plan.isLate(session) || !isIn(town, session, mount.seizedUser!)) continue;
        const last = town.recording.messages[session * 60 + 59]!;
        const later = town.recording.messages.slice(session * 60 + 30, session * 60 + 60);
        const opened = later.filter(({ id }) => recovered.has(id)).length;
        assert.ok(opened > 0, name);
        sessions += 1;
        const isRead = last.sender !== memberOf(town, session, mount.seizedUser!);
        if (name === 'pqxdh-ratchet') assert.equal(opened, later.length);
        if (!recovered.has(last.id) && (name !== 'sealed-sender' || isRead)) healed += 1;
      }
    }
    if (name === 'pqxdh-ratchet') assert.equal(healed, 0);
    else assert.ok(healed > 0, `${name}: ${healed} of ${sessions} healed`);
  }
});

function memberOf({ recording }: Town, session: number, user: number): number {
  return recording.facts.members.user(session, 0) === user ? 0 : 1;
}

function isIn({ recording }: Town, session: number, user: number): boolean {
  return [0, 1].some((member) => recording.facts.members.user(session, member) === user);
}

async function metadataOf(name: string, options: Record<string, string> = {}) {
  const town = await openTown(name, { options, workload: { sessions: 20 } });
  const metadata = newMetadata();
  addMetadata(metadata, town);
  return metadata;
}

function f1({ real, guessed, right }: Edges): number {
  return (2 * right) / (real + guessed);
}

describe('what still shows', () => {
  test('the contact graph is in the relay’s log below L11, and at chance on L11', async () => {
    assert.equal(f1((await metadataOf('length-hiding')).contacts), 1);
    const sealed = await metadataOf('sealed-sender');
    assert.equal(sealed.contacts.guessed, 0);
    assert.ok(f1(sealed.contactsByChance) < 0.6);
  });

  test('frames tell all bits of lengths on L9, and those of a bucket on L10', async () => {
    const told = lengthBits(await metadataOf('double-ratchet'));
    assert.ok(Math.abs(told.told - told.all) < 1e-9);
    const hidden = lengthBits(await metadataOf('length-hiding'));
    assert.ok(hidden.told < 1 && hidden.all > 4, `${hidden.told} of ${hidden.all}`);
    const padme = lengthBits(await metadataOf('length-hiding', { padding: 'padme' }));
    assert.ok(padme.told > hidden.told && padme.told < padme.all);
  });

  test('turns are read off headers on L8, and on L9 no better than by chance', async () => {
    const open = (await metadataOf('pq-rekey')).turns;
    assert.deepEqual([open.found, open.falsely], [open.turns, 0]);
    const hidden = (await metadataOf('header-encryption')).turns;
    assert.equal(hidden.found / hidden.turns - hidden.falsely / hidden.others, 0);
  });

  test('a ghost shows as one ciphertext more, of targets only', async () => {
    const { fanOut } = await metadataOf('escrow-ghost', { targets: '10' });
    assert.equal(fanOut.targetRecords, 2 * fanOut.targetMessages);
    assert.equal(fanOut.otherRecords, fanOut.otherMessages);
  });
});
