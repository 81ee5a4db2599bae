/** E3 with each of its options: what goes over the wire, and what authority and receiver make of it. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HarnessError } from '../../src/core/errors.ts';
import { putUint32, toHex } from '../../src/core/bytes.ts';
import { countPrimitives } from '../../src/crypto/counting.ts';
import { SKIP_LIMIT } from '../../src/pipelines/_ratchet-ends.ts';
import { OUTCOME, type Options } from '../../src/pipelines/_pipeline.ts';
import doubleRatchet from '../../src/pipelines/double-ratchet.ts';
import escrowMessageKey from '../../src/pipelines/escrow-message-key.ts';
import { loadProvider } from '../conformance/_parts.ts';
import type { SmallWorld } from '../conformance/_small-world.ts';
import {
  combinations,
  fieldBytes,
  openTalk,
  partsOf,
  readAll,
  restlessTalk,
  say,
  send,
} from './_escrow-talk.ts';

const native = await loadProvider('native');
const noble = await loadProvider('noble');
const open = async (options: Options = {}): Promise<SmallWorld> =>
  openTalk(escrowMessageKey, native, options);

const MODES: readonly Options[] = [
  {},
  { verifiable: 'yes' },
  { context: 'yes', repeat: 'none' },
  { context: 'yes', repeat: 'every-frame' },
  { context: 'yes', repeat: 'until-relay-ack' },
];

for (const mode of MODES) {
  for (const options of combinations({
    field: ['x25519', 'x-wing'],
    ratchet: ['double-ratchet', 'pqxdh-ratchet'],
    msg: ['one-key', 'etm', 'etm-commit'],
  })) {
    const given: Options = { ...options, ...mode };
    // A field can be made again only where the KEM takes its randomness from us: slow JavaScript.
    const isSlow = given['verifiable'] === 'yes' && given['field'] === 'x-wing';
    if (isSlow && given['msg'] !== 'etm') continue;
    test(`delivers and recovers every message: ${JSON.stringify(given)}`, async () => {
      const world = await openTalk(escrowMessageKey, isSlow ? noble : native, given);
      const sent = restlessTalk(world);
      const findings = readAll(world, sent);
      assert.deepEqual(
        [...findings.values()],
        sent.map(() => 'valid'),
      );
    });
  }
}

describe('bytes of the field', () => {
  const turns = [0, 0, 0, 1, 1, 0, 0, 1];
  const bytesOf = async (options: Options): Promise<number[]> => {
    const world = await open(options);
    return turns.map((member, i) => fieldBytes(world, say(world, member, `message ${i}`)));
  };
  const all = (bytes: number): number[] => turns.map(() => bytes);

  test('80 per message, or 1168 with X-Wing', async () => {
    assert.deepEqual(await bytesOf({}), all(80));
    assert.deepEqual(await bytesOf({ verifiable: 'yes' }), all(80));
    assert.deepEqual(await bytesOf({ field: 'x-wing' }), all(1168));
  });

  test('in context mode 48 per message and 32 per chain, or 1120 with X-Wing', async () => {
    const once = [80, 48, 48, 80, 48, 80, 48, 80];
    assert.deepEqual(await bytesOf({ context: 'yes' }), once);
    assert.deepEqual(await bytesOf({ context: 'yes', repeat: 'every-frame' }), all(80));
    assert.deepEqual(await bytesOf({ context: 'yes', repeat: 'until-relay-ack' }), once);
    const xWing = [1168, 48, 48, 1168, 48, 1168, 48, 1168];
    assert.deepEqual(await bytesOf({ context: 'yes', field: 'x-wing' }), xWing);
  });

  test('in context mode 32 more until the relay has stored one', async () => {
    const world = await open({ context: 'yes', repeat: 'until-relay-ack' });
    const bytes = [false, false, true, true].map((isStored, i) =>
      fieldBytes(world, send(world, 0, `message ${i}`, isStored)),
    );
    assert.deepEqual(bytes, [80, 80, 80, 48]);
  });
});

test('in context mode the encapsulation is repeated as it was, and no field comes twice', async () => {
  const world = await open({ context: 'yes', repeat: 'every-frame' });
  const fields = ['a', 'b', 'c'].map((text) => partsOf(world, say(world, 0, text).frame).field);
  assert.equal(new Set(fields.map((field) => toHex(field.subarray(0, 32)))).size, 1);
  assert.equal(new Set(fields.map((field) => toHex(field.subarray(32)))).size, 3);
});

/** What the sender calls for the third message of a chain. */
async function callsOf(isEscrowed: boolean, options: Options): Promise<Map<string, number>> {
  const { provider, counts } = countPrimitives(native);
  const pipeline = isEscrowed ? escrowMessageKey : doubleRatchet;
  const world = await openTalk(pipeline, provider, options);
  for (const member of [0, 1, 0, 0]) say(world, member, 'settled');
  counts.clear();
  send(world, 0, 'one more');
  return new Map(counts);
}

/** All seals count alike: that of the message covers the field, so it goes by another name. */
async function moreThanL6(options: Options): Promise<Record<string, number>> {
  const [escrowed, plain] = [await callsOf(true, options), await callsOf(false, {})];
  // SHA-256 is what HMAC is composed of.
  const names = [...escrowed.keys()].filter((name) => !/-seal:|^sha256/.test(name));
  const counted = names.map((name) => [name, escrowed.get(name)! - (plain.get(name) ?? 0)]);
  const seals = [...escrowed].filter(([name]) => name.includes('-seal:'));
  const sealed = seals.reduce((sum, [, count]) => sum + count, 0);
  return Object.fromEntries([...counted.filter(([, more]) => more !== 0), ['seals', sealed - 1]]);
}

describe('what a sender pays per message more than on L6', () => {
  test('in context mode: one AEAD seal and one HMAC, whatever repeats', async () => {
    for (const repeat of ['none', 'every-frame', 'until-relay-ack']) {
      const more = await moreThanL6({ context: 'yes', repeat });
      assert.deepEqual(more, { 'hmac-sha256:1': 1, seals: 1 });
    }
  });

  test('per message: a whole HPKE seal', async () => {
    const { seals, ...more } = await moreThanL6({});
    assert.equal(seals, 1);
    assert.equal(more['x25519-base'], 1);
    assert.equal(more['x25519'], 1);
  });
});

/** Three messages of a chain, the first of which never reaches the authority. */
async function loseFirst(repeat: string, isStored: boolean): Promise<(Uint8Array | number)[]> {
  const world = await open({ context: 'yes', repeat });
  send(world, 0, 'lost', isStored);
  const after = [say(world, 0, 'second'), say(world, 0, 'third')];
  return after.map(({ member, frame }) => world.recover(0, member, frame));
}

describe('in context mode, when the frame with the encapsulation is lost', () => {
  const nothing = [OUTCOME.UNKNOWN_KEY, OUTCOME.UNKNOWN_KEY];
  const texts = ['second', 'third'].map((text) => new TextEncoder().encode(text));

  test('before the relay, the chain stays closed with none and opens with the others', async () => {
    assert.deepEqual(await loseFirst('none', false), nothing);
    assert.deepEqual(await loseFirst('every-frame', false), texts);
    assert.deepEqual(await loseFirst('until-relay-ack', false), texts);
  });

  test('at the relay, after it was acknowledged, only every-frame helps', async () => {
    assert.deepEqual(await loseFirst('none', true), nothing);
    assert.deepEqual(await loseFirst('every-frame', true), texts);
    assert.deepEqual(await loseFirst('until-relay-ack', true), nothing);
  });

  test('and without context mode nothing but that message is lost', async () => {
    const world = await open();
    send(world, 0, 'lost', false);
    const second = say(world, 0, 'second');
    assert.deepEqual(world.recover(0, 0, second.frame), second.text);
  });
});

describe('the authority', () => {
  test('reads the frames of a chain in any order, in context mode once it has the encapsulation', async () => {
    for (const mode of MODES) {
      const world = await open(mode);
      const sent = Array.from({ length: 8 }, (_, i) => say(world, 0, `message ${i}`));
      for (const i of [0, 7, 3, 1, 6, 3, 2, 0, 5, 4]) {
        assert.deepEqual(world.recover(0, 0, sent[i]!.frame), sent[i]!.text);
      }
    }
  });

  test('in context mode decapsulates once per chain, however often it is repeated', async () => {
    const { provider, counts } = countPrimitives(native);
    const options = { context: 'yes', repeat: 'every-frame' };
    const world = await openTalk(escrowMessageKey, provider, options);
    const sent = Array.from({ length: 5 }, (_, i) => say(world, 0, `message ${i}`));
    counts.clear();
    for (const { member, frame } of sent) world.recover(0, member, frame);
    assert.equal(counts.get('x25519-handle'), 1);
  });

  test('refuses a field that was changed, or that is of another message, chain or sender', async () => {
    for (const mode of MODES) {
      for (const field of ['x25519', 'x-wing']) {
        if (field === 'x-wing' && mode['verifiable'] === 'yes') continue;
        const world = await open({ ...mode, field });
        const [first, next] = [say(world, 0, 'one'), say(world, 0, 'another')];
        say(world, 1, 'turn');
        const later = say(world, 0, 'a later chain');
        const { fieldAt, ciphertextAt } = partsOf(world, first.frame);
        for (const at of [fieldAt, ciphertextAt - 1]) {
          const changed = first.frame.slice();
          changed[at]! ^= 1;
          assert.equal(world.recover(0, 0, changed), OUTCOME.ESCROW_INVALID);
        }
        assert.equal(world.recover(0, 1, first.frame), OUTCOME.ESCROW_INVALID, 'another sender');
        assert.deepEqual(world.recover(0, 0, first.frame), first.text);
        for (const [from, to] of [
          [first, later],
          [next, first],
        ] as const) {
          const swapped = to.frame.slice();
          const { field: taken } = partsOf(world, from.frame);
          const into = partsOf(world, to.frame);
          const bytes = Math.min(taken.length, into.field.length);
          swapped.set(taken.subarray(taken.length - bytes), into.ciphertextAt - bytes);
          assert.equal(world.recover(0, 0, swapped), OUTCOME.ESCROW_INVALID, 'another field');
        }
        assert.deepEqual(world.recover(0, 0, next.frame), next.text);
        assert.deepEqual(world.recover(0, 0, later.frame), later.text);
      }
    }
  });

  test('in context mode does no more work for a forged N than a receiver would', async () => {
    for (const repeat of ['none', 'every-frame']) {
      const { provider, counts } = countPrimitives(native);
      const world = await openTalk(escrowMessageKey, provider, { context: 'yes', repeat });
      const sent = Array.from({ length: 1700 }, (_, i) => say(world, 0, `message ${i}`));
      for (const { frame } of sent) assert.ok(typeof world.recover(0, 0, frame) !== 'number');
      const { frame } = sent.at(-1)!;
      const { headerAt } = partsOf(world, frame);
      for (const n of [1, 600, 1000, 1001, 1498, 2600, 2701, 0x7fff_ffff, 0xffff_ffff]) {
        const forged = frame.slice();
        putUint32(forged, headerAt + 36, n);
        counts.clear();
        assert.ok(typeof world.recover(0, 0, forged) === 'number', `N ${n}`);
        const steps = counts.get('hmac-sha256:1') ?? 0;
        assert.ok(steps <= SKIP_LIMIT + 1, `N ${n}: ${steps} steps`);
      }
      for (const i of [1699 - SKIP_LIMIT / 2, 1698, 1699]) {
        assert.deepEqual(world.recover(0, 0, sent[i]!.frame), sent[i]!.text);
      }
    }
  });
});

for (const [options, words] of [
  [{ context: 'yes', verifiable: 'yes' }, /verifiable=yes with context=yes.*choose/],
  [{ repeat: 'every-frame' }, /nothing to repeat.*choose/],
] as const) {
  test(`${JSON.stringify(options)} is refused, in words that say what to choose`, async () => {
    await assert.rejects(open(options), (error) => {
      assert.ok(error instanceof HarnessError);
      assert.equal(error.code, 'UNSUPPORTED');
      assert.match(error.message, words);
      return true;
    });
  });
}

test('a provider whose KEM draws its own randomness is refused for a field that must be made again', async () => {
  await assert.rejects(open({ verifiable: 'yes', field: 'x-wing' }), (error) => {
    assert.ok(error instanceof HarnessError);
    assert.equal(error.code, 'UNSUPPORTED');
    assert.match(error.message, /x-wing.*choose verifiable=no or field=x25519/);
    return true;
  });
});
