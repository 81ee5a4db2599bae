/**
 * An authority that changes its key: what each key opens, to the message; and of E7, whose field is
 * sealed once, which frames lead to a session.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { equalBytes } from '../../src/core/bytes.ts';
import { isNotMounted, type Mount } from '../../src/exposure/adversary.ts';
import type { Message } from '../../src/exposure/evidence.ts';
import { burstEnd } from '../../src/exposure/expected.ts';
import { recoveredBy } from '../../src/exposure/score.ts';
import type { Town } from '../../src/exposure/town.ts';
import { claimsOf, differing, mountReader, openTown, readerOf } from './_towns.ts';

const DAY_MS = 86_400_000;
const STEP_MS = DAY_MS / 4;

function mountOf(town: Town, label: string): Mount {
  const mounts = readerOf('A3').mounts(town);
  if (isNotMounted(mounts)) throw new RangeError(mounts.reason);
  const found = mounts.find((mount) => mount.label === label);
  assert.ok(found !== undefined, label);
  return found;
}

/** The messages that one mounting recovers. */
function opened(town: Town, label: string, changes: Partial<Mount> = {}): Message[] {
  const mount = { ...mountOf(town, label), ...changes };
  const at = mount.town ?? town;
  const recovered = recoveredBy(at, claimsOf(town, readerOf('A3'), mount));
  return at.recording.messages.filter(({ id }) => recovered.has(id));
}

function dayOf({ atMs }: Message): number {
  return Math.floor(atMs / DAY_MS);
}

/** Nobody of `label` differs from the rules of the expected table. */
function assertAsExpected(town: Town, label: string): void {
  const tallies = mountReader(town, readerOf('A3'));
  if (isNotMounted(tallies)) throw new RangeError(tallies.reason);
  const tally = tallies.get(label)!;
  assert.ok(tally.isJudged);
  assert.equal(differing(tally), 0, label);
}

describe('an authority that changes its key every day', () => {
  test('seals the same conversations to keys of which each opens its day and no other', async () => {
    for (const options of [{}, { ratchet: 'pqxdh-ratchet', field: 'x-wing' }]) {
      const town = await openTown('escrow-message-key', {
        options,
        workload: { sessions: 5, messages: 12 },
      });
      const rotated = town.rotated!;
      for (const [id, { plaintext }] of rotated.recording.messages.entries()) {
        assert.ok(equalBytes(plaintext, town.recording.messages[id]!.plaintext));
      }
      const { leak } = mountOf(town, 'rotation=1d');
      const seen = new Set<number>();
      for (const { fromMs, secret } of rotated.periodKeys) {
        const days = opened(town, 'rotation=1d', { leak: { ...leak, periodKeys: [secret] } });
        assert.ok(days.length > 0);
        assert.ok(days.every(({ atMs }) => atMs >= fromMs && atMs < fromMs + DAY_MS));
        for (const { id } of days) seen.add(id);
      }
      assert.equal(seen.size, rotated.recording.messages.length, 'together they open everything');
      const none = opened(town, 'rotation=1d', { leak: { ...leak, periodKeys: [] } });
      assert.equal(none.length, 0);
      // The key of an authority that never changes it opens nothing of a town where another was used.
      const other = opened(town, 'rotation=1d', {
        leak: { ...leak, periodKeys: town.world.authority! },
      });
      assert.equal(other.length, 0);
    }
  });

  test('bounds the past only as far as it destroys the keys before', async () => {
    const town = await openTown('escrow-partial', { options: { bits: '4' } });
    const day = Math.floor(town.seizedAtMs / DAY_MS);
    assert.ok(opened(town, 'rotation=1d').every((message) => dayOf(message) === day));
    const kept = opened(town, 'rotation=1d,old-keys=kept');
    const upTo = town.rotated!.recording.messages.filter((message) => dayOf(message) <= day);
    assert.equal(kept.length, upTo.length);
  });

  test('leaves a chain that began under the key open to its end, on the day after too', async () => {
    // Bursts of six from the first message on, so that chains cross the end of a day.
    const town = await openTown('escrow-chain-key', {
      workload: { sessions: 4, messages: 30, parameters: { meanBurst: 1000, maxBurst: 6 } },
      seizedAfter: 13,
    });
    assertAsExpected(town, 'rotation=1d');
    const later = opened(town, 'rotation=1d').filter((message) => dayOf(message) > 3);
    assert.ok(later.length > 0);
    for (const { session, index } of later) {
      const { script } = town.rotated!.plan;
      let first = index;
      while (burstEnd(script, session, first - 1) > index) first -= 1;
      assert.equal(Math.floor((first * STEP_MS) / DAY_MS), 3, 'its chain began on the day');
    }
  });
});

/** A town of E7: bursts of five; sessions 0 to 3 begin at once, session 4 after the compromise. */
function talk(retentionDays: number, seizedAfter: number): Promise<Town> {
  return openTown('escrow-seed', {
    workload: { sessions: 5, messages: 20, parameters: { meanBurst: 1000, maxBurst: 5 } },
    retentionDays,
    seizedAfter,
  });
}

function keptOf({ recording }: Town, fromMs: number): Message[] {
  return recording.messages.filter(({ atMs }) => atMs >= fromMs);
}

describe('E7, whose field is sealed when a session begins', () => {
  test('any frame before the first reply leads to a session: the seed is in each of them', async () => {
    // The relay keeps what came from the third message of each first burst on.
    const town = await talk((10 - 2) / 4, 10);
    const { script } = town.plan;
    assert.ok([0, 1, 2, 3].every((session) => burstEnd(script, session, 0) > 3));
    assertAsExpected(town, 'rotation=never');
    const all = opened(town, 'rotation=never');
    assert.equal(all.length, keptOf(town, 2 * STEP_MS).length);
    assert.ok(all.length < town.recording.messages.length);
  });

  test('without one of them, nothing of the session opens', async () => {
    const town = await talk((10 - 5) / 4, 10);
    const { script } = town.plan;
    assertAsExpected(town, 'rotation=never');
    const kept = keptOf(town, 5 * STEP_MS);
    const led = kept.filter(({ session }) => session === 4 || burstEnd(script, session, 0) > 5);
    const all = opened(town, 'rotation=never');
    assert.deepEqual(all, led);
    assert.ok(all.length > 0 && all.length < kept.length);
  });

  test('a change of key ends nothing for sessions that began under it', async () => {
    const town = await talk(30, 13); // In the middle of the fourth day, on which session 4 begins.
    assertAsExpected(town, 'rotation=1d');
    const all = opened(town, 'rotation=1d');
    const { messages } = town.rotated!.recording;
    assert.deepEqual(
      all,
      messages.filter(({ session }) => session === 4),
    );
    assert.ok(all.some((message) => dayOf(message) > 3));
  });
});
