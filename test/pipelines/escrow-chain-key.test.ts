/** E2 with each of its options: what goes over the wire, and what authority and receiver make of it. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HarnessError } from '../../src/core/errors.ts';
import { putUint32, toHex } from '../../src/core/bytes.ts';
import { countPrimitives } from '../../src/crypto/counting.ts';
import { SKIP_LIMIT } from '../../src/pipelines/_ratchet-ends.ts';
import { OUTCOME, type Options } from '../../src/pipelines/_pipeline.ts';
import escrowChainKey from '../../src/pipelines/escrow-chain-key.ts';
import { loadProvider } from '../conformance/_parts.ts';
import type { SmallWorld } from '../conformance/_small-world.ts';
import {
  combinations,
  deliver,
  fieldBytes,
  openTalk,
  partsOf,
  readAll,
  restlessTalk,
  say,
  send,
  type Sent,
} from './_escrow-talk.ts';

const native = await loadProvider('native');
const noble = await loadProvider('noble');
const open = async (options: Options = {}): Promise<SmallWorld> =>
  openTalk(escrowChainKey, native, options);

const MODES: readonly Options[] = [{}, { verifiable: 'yes' }, { both: 'yes' }];
const REPEATS = ['none', 'every-frame', 'until-relay-ack'];

for (const mode of MODES) {
  for (const options of combinations({
    field: ['x25519', 'x-wing'],
    ratchet: ['double-ratchet', 'pqxdh-ratchet'],
    msg: ['one-key', 'etm', 'etm-commit'],
    repeat: REPEATS,
  })) {
    const given: Options = { ...options, ...mode };
    // A field can be made again only where the KEM takes its randomness from us: slow JavaScript.
    const isSlow = given['verifiable'] === 'yes' && given['field'] === 'x-wing';
    if (isSlow && given['msg'] !== 'etm') continue;
    test(`delivers and recovers every message: ${JSON.stringify(given)}`, async () => {
      const world = await openTalk(escrowChainKey, isSlow ? noble : native, given);
      const sent = restlessTalk(world);
      const findings = readAll(world, sent);
      assert.deepEqual(
        [...findings.values()],
        sent.map(() => 'valid'),
      );
    });
  }
}

test('with both=yes nothing opens that the end that does not comply sends after the last answer', async () => {
  const world = await open({ both: 'yes' });
  const turns = [0, 1, 1, 0, 1, 0, 1, 1];
  const sent = turns.map((member, i) => say(world, member, `message ${i}`));
  const findings = [...readAll(world, sent).values()];
  assert.deepEqual(
    findings.slice(0, 6),
    Array.from({ length: 6 }, () => 'valid'),
  );
  assert.deepEqual(findings.slice(6), ['failed', 'failed']);
});

test('with both=yes the authority says UNKNOWN_KEY until the answer, in whatever order it sees the rest', async () => {
  const world = await open({ both: 'yes' });
  const question = say(world, 0, 'the complying end begins');
  const burst = ['one', 'two', 'three'].map((text) => say(world, 1, text));
  const answer = say(world, 0, 'and answers');
  assert.equal(world.recover(0, 1, burst[0]!.frame), OUTCOME.UNKNOWN_KEY);
  assert.equal(world.recover(0, 1, burst[2]!.frame), OUTCOME.UNKNOWN_KEY);
  // The handshake says who opened the session.
  for (const sent of [question, answer, burst[2]!, burst[0]!, burst[1]!, burst[2]!]) {
    assert.deepEqual(world.recover(0, sent.member, sent.frame), sent.text);
  }
});

test('with both=yes the authority can come back to what the newest two answers answer', async () => {
  const world = await open({ both: 'yes', repeat: 'every-frame' });
  const show = ({ member, frame }: Sent): Uint8Array | number => world.recover(0, member, frame);
  show(say(world, 0, 'the complying end begins'));
  const askedAndAnswered = (turn: number): readonly [Sent, Sent, Sent, Sent] => [
    say(world, 1, `question ${turn}`),
    // An answer of three frames, which carry the same sealed keys.
    say(world, 0, `answer ${turn}`),
    say(world, 0, `more of answer ${turn}`),
    say(world, 0, `the rest of answer ${turn}`),
  ];
  const [oldest, middle, newest] = [
    askedAndAnswered(0),
    askedAndAnswered(1),
    askedAndAnswered(2),
  ] as const;
  for (const [, ...answers] of [oldest, middle, newest]) answers.forEach(show);
  assert.deepEqual(show(newest[0]), newest[0].text);
  assert.deepEqual(show(middle[0]), middle[0].text);
  assert.equal(show(oldest[0]), OUTCOME.UNKNOWN_KEY);
  show(oldest[3]);
  assert.deepEqual(show(oldest[0]), oldest[0].text);
});

describe('bytes of the field', () => {
  const turns = [0, 0, 0, 1, 1, 0, 0, 1];
  const bytesOf = async (options: Options): Promise<number[]> => {
    const world = await open(options);
    return turns.map((member, i) => fieldBytes(world, say(world, member, `message ${i}`)));
  };

  test('80 once per chain, or 1168 with X-Wing', async () => {
    assert.deepEqual(await bytesOf({}), [80, 0, 0, 80, 0, 80, 0, 80]);
    assert.deepEqual(await bytesOf({ verifiable: 'yes' }), [80, 0, 0, 80, 0, 80, 0, 80]);
    const xWing = await bytesOf({ field: 'x-wing' });
    assert.deepEqual(xWing, [1168, 0, 0, 1168, 0, 1168, 0, 1168]);
  });

  test('80 on every frame', async () => {
    assert.deepEqual(
      await bytesOf({ repeat: 'every-frame' }),
      turns.map(() => 80),
    );
  });

  test('80 until the relay has stored one', async () => {
    const acknowledged = await bytesOf({ repeat: 'until-relay-ack' });
    assert.deepEqual(acknowledged, [80, 0, 0, 80, 0, 80, 0, 80]);
    const world = await open({ repeat: 'until-relay-ack' });
    const bytes = [false, false, true, true].map((isStored, i) =>
      fieldBytes(world, send(world, 0, `message ${i}`, isStored)),
    );
    assert.deepEqual(bytes, [80, 80, 80, 0]);
  });

  test('160 per round trip when one end escrows both directions, and none from the other', async () => {
    assert.deepEqual(await bytesOf({ both: 'yes' }), [80, 0, 0, 0, 0, 160, 0, 0]);
    const repeated = await bytesOf({ both: 'yes', repeat: 'every-frame' });
    assert.deepEqual(repeated, [80, 80, 80, 0, 0, 160, 160, 0]);
  });
});

test('what is repeated is the same sealed bytes, never a new seal', async () => {
  for (const options of [{}, { verifiable: 'yes' }, { both: 'yes' }]) {
    const world = await open({ ...options, repeat: 'every-frame' });
    say(world, 0, 'before');
    say(world, 1, 'before');
    const fields = ['a', 'b', 'c'].map((text) => partsOf(world, say(world, 0, text).frame).field);
    assert.equal(new Set(fields.map(toHex)).size, 1);
  }
});

/** Three messages of a chain of member 0, the first of which never reaches the authority. */
async function lose(options: Options, isStored: boolean): Promise<(Uint8Array | number)[]> {
  const world = await open(options);
  const before = [say(world, 0, 'settled'), say(world, 1, 'settled')];
  if (options['both'] === 'yes') before.push(say(world, 0, 'answered'), say(world, 1, 'more'));
  before.forEach(({ member, frame }) => world.recover(0, member, frame));
  send(world, 0, 'lost', isStored);
  const after = [say(world, 0, 'second'), say(world, 0, 'third')];
  return after.map(({ member, frame }) => world.recover(0, member, frame));
}

describe('when the frame that carries the field is lost', () => {
  const nothing = [OUTCOME.UNKNOWN_KEY, OUTCOME.UNKNOWN_KEY];
  const texts = ['second', 'third'].map((text) => new TextEncoder().encode(text));

  for (const mode of MODES) {
    const words = JSON.stringify(mode);
    test(`before the relay, the chain stays closed with none and opens with the others: ${words}`, async () => {
      assert.deepEqual(await lose({ ...mode, repeat: 'none' }, false), nothing);
      assert.deepEqual(await lose({ ...mode, repeat: 'every-frame' }, false), texts);
      assert.deepEqual(await lose({ ...mode, repeat: 'until-relay-ack' }, false), texts);
    });

    test(`at the relay, after it was acknowledged, only every-frame helps: ${words}`, async () => {
      assert.deepEqual(await lose({ ...mode, repeat: 'none' }, true), nothing);
      assert.deepEqual(await lose({ ...mode, repeat: 'every-frame' }, true), texts);
      assert.deepEqual(await lose({ ...mode, repeat: 'until-relay-ack' }, true), nothing);
    });
  }

  test('with both=yes the key of the answered chain is lost with it', async () => {
    for (const repeat of REPEATS) {
      const world = await open({ both: 'yes', repeat });
      const sent = [say(world, 0, 'begins'), say(world, 1, 'asks')];
      send(world, 0, 'lost', false);
      sent.push(say(world, 0, 'answers'));
      const findings = [...readAll(world, sent).values()];
      const expected = repeat === 'none' ? 'failed' : 'valid';
      assert.deepEqual(findings, ['valid', expected, expected], repeat);
    }
  });
});

describe('the authority', () => {
  test('reads the frames of a chain in any order once it has seen the field', async () => {
    const world = await open();
    const sent = Array.from({ length: 8 }, (_, i) => say(world, 0, `message ${i}`));
    for (const i of [0, 7, 3, 1, 6, 3, 2, 0, 5, 4]) {
      assert.deepEqual(world.recover(0, 0, sent[i]!.frame), sent[i]!.text);
    }
  });

  test('still reads the chain before the newest, and of an older one again when it sees its field', async () => {
    const world = await open();
    const chains = [0, 1, 2].map((turn) => {
      const chain = ['a', 'b'].map((text) => say(world, 0, `${text} of turn ${turn}`));
      say(world, 1, 'go on');
      return chain;
    });
    const [oldest, before, newest] = chains as [Sent[], Sent[], Sent[]];
    for (const chain of chains) world.recover(0, 0, chain[0]!.frame);
    assert.deepEqual(world.recover(0, 0, newest[1]!.frame), newest[1]!.text);
    assert.deepEqual(world.recover(0, 0, before[1]!.frame), before[1]!.text);
    assert.equal(world.recover(0, 0, oldest[1]!.frame), OUTCOME.UNKNOWN_KEY);
    assert.deepEqual(world.recover(0, 0, oldest[0]!.frame), oldest[0]!.text);
    assert.deepEqual(world.recover(0, 0, oldest[1]!.frame), oldest[1]!.text);
  });

  test('opens the field of a chain once, however often it is repeated', async () => {
    const { provider, counts } = countPrimitives(native);
    const world = await openTalk(escrowChainKey, provider, { repeat: 'every-frame' });
    const sent = Array.from({ length: 5 }, (_, i) => say(world, 0, `message ${i}`));
    counts.clear();
    for (const { member, frame } of sent) world.recover(0, member, frame);
    assert.equal(counts.get('x25519-handle'), 1);
  });

  test('refuses a field that was changed, or that is of another session, chain or sender', async () => {
    const world = await open();
    const first = say(world, 0, 'the first chain');
    say(world, 1, 'turn');
    const second = say(world, 0, 'the second chain');
    const { fieldAt, ciphertextAt, field } = partsOf(world, first.frame);
    for (const at of [fieldAt, ciphertextAt - 1]) {
      const changed = first.frame.slice();
      changed[at]! ^= 1;
      assert.equal(world.recover(0, 0, changed), OUTCOME.ESCROW_INVALID);
    }
    const swapped = second.frame.slice();
    swapped.set(field, partsOf(world, second.frame).fieldAt);
    assert.equal(world.recover(0, 0, swapped), OUTCOME.ESCROW_INVALID);
    const elsewhere = await openTalk(escrowChainKey, native);
    assert.equal(elsewhere.recover(0, 1, first.frame), OUTCOME.ESCROW_INVALID, 'another sender');
    assert.deepEqual(world.recover(0, 0, first.frame), first.text);
  });

  test('refuses a field where none may be, and a frame without one where one must be', async () => {
    const world = await open();
    const first = say(world, 0, 'with a field');
    const other = say(world, 0, 'without');
    const { fieldAt, field, headerAt } = partsOf(world, first.frame);
    const moved = first.frame.slice();
    putUint32(moved, headerAt + 36, 1);
    assert.equal(world.recover(0, 0, moved), OUTCOME.ESCROW_INVALID);
    const without = other.frame.slice();
    putUint32(without, headerAt + 36, 0);
    assert.equal(world.recover(0, 0, without), OUTCOME.ESCROW_INVALID);
    assert.equal(field.length, 80);
    assert.ok(fieldAt > headerAt);
  });

  test('does no more work for a forged N than a receiver would', async () => {
    for (const repeat of ['none', 'every-frame']) {
      const { provider, counts } = countPrimitives(native);
      const world = await openTalk(escrowChainKey, provider, { repeat });
      const sent = Array.from({ length: 1700 }, (_, i) => say(world, 0, `message ${i}`));
      for (const { frame } of sent) assert.ok(typeof world.recover(0, 0, frame) !== 'number');
      const { frame } = sent.at(-1)!;
      const { headerAt } = partsOf(world, frame);
      for (const n of [1, 600, 1000, 1001, 1498, 1699, 2600, 2701, 0x7fff_ffff, 0xffff_ffff]) {
        const forged = frame.slice();
        putUint32(forged, headerAt + 36, n);
        counts.clear();
        const outcome = world.recover(0, 0, forged);
        assert.ok(typeof outcome === 'number' || n === 1699, `N ${n}`);
        // KDF_CK is two HMAC over one byte.
        const steps = (counts.get('hmac-sha256:1') ?? 0) / 2;
        assert.ok(steps <= SKIP_LIMIT + 1, `N ${n}: ${steps} steps`);
      }
      // One that is late by half the limit opens all the same, and the newest still does.
      for (const i of [1699 - SKIP_LIMIT / 2, 1698, 1699]) {
        assert.deepEqual(world.recover(0, 0, sent[i]!.frame), sent[i]!.text);
      }
    }
  });
});

/** What a receiver calls when the first frame of a chain arrives. */
async function callsOfTurn(verifiable: string): Promise<Map<string, number>> {
  const { provider, counts } = countPrimitives(native);
  const world = await openTalk(escrowChainKey, provider, { verifiable });
  say(world, 0, 'settled');
  const frame = send(world, 1, 'turns the ratchet');
  counts.clear();
  deliver(world, frame);
  return new Map(counts);
}

describe('E2v at the receiver', () => {
  test('compares a field that comes late or again with the one that it expects', async () => {
    const world = await open({ verifiable: 'yes', repeat: 'every-frame' });
    const [first, second, third] = ['a', 'b', 'c'].map((text) => send(world, 0, text));
    deliver(world, third!);
    deliver(world, first!);
    say(world, 1, 'turn');
    say(world, 0, 'a later chain');
    deliver(world, second!);
  });

  test('keeps 72 bytes in the state of an end', async () => {
    const world = await open({ verifiable: 'yes' });
    const plain = await open();
    const held = [world, plain].map((one) => one.clients.snapshot(0).length);
    assert.equal(held[0]! - held[1]!, 72);
  });

  test('costs one key generation, one agreement and their HMACs more per chain, and per late field a hash', async () => {
    const [with_, without] = [await callsOfTurn('yes'), await callsOfTurn('no')];
    const more = (name: string): number => (with_.get(name) ?? 0) - (without.get(name) ?? 0);
    assert.equal(more('x25519-base'), 1);
    assert.equal(more('x25519'), 1);
    assert.equal(more('sha256:80'), 1);
  });
});

test('both=yes with verifiable=yes is refused, in words that say what to choose', async () => {
  await assert.rejects(open({ both: 'yes', verifiable: 'yes' }), (error) => {
    assert.ok(error instanceof HarnessError);
    assert.equal(error.code, 'UNSUPPORTED');
    assert.match(error.message, /both=yes.*choose/);
    return true;
  });
});
