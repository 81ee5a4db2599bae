/** Threshold decryption: who can open, and who is caught. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { toHex, utf8 } from '../../src/core/bytes.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import { PARTIAL_BYTES, ThresholdElgamal } from '../../src/protocols/threshold-elgamal.ts';
import { loadProvider } from '../conformance/_parts.ts';

const INFO = utf8('info');
const providers = [await loadProvider('noble'), await loadProvider('libsodium')];

interface Dealt {
  readonly elgamal: ThresholdElgamal;
  readonly keys: ReturnType<ThresholdElgamal['deal']>['keys'];
  readonly shares: readonly Uint8Array[];
  readonly element: Uint8Array;
  readonly key: Uint8Array;
}

function deal(threshold: number, trustees: number, provider = providers[1]!): Dealt {
  const elgamal = new ThresholdElgamal(provider);
  const randomness = seededRandomness(9);
  const { keys, shares } = elgamal.deal(threshold, trustees, randomness);
  const [element, key, wide] = [new Uint8Array(32), new Uint8Array(32), new Uint8Array(64)];
  randomness.fill(wide);
  elgamal.encapsulate(element, key, keys.publicKey, wide, INFO);
  return { elgamal, keys, shares, element, key };
}

function partialOf({ elgamal, keys, shares, element }: Dealt, trustee: number): Uint8Array {
  const partial = new Uint8Array(PARTIAL_BYTES);
  const verificationKey = keys.verificationKeys[trustee - 1]!;
  assert.ok(elgamal.decryptPartially(partial, shares[trustee - 1]!, verificationKey, element));
  return partial;
}

function combined(dealt: Dealt, trustees: readonly number[]): string {
  const { elgamal, keys, element } = dealt;
  const partials = trustees.map((trustee) => partialOf(dealt, trustee));
  const key = new Uint8Array(32);
  assert.ok(elgamal.combine(key, trustees, partials, element, keys.publicKey, INFO));
  return toHex(key);
}

test('any k trustees give the key that the sender had, in any order', () => {
  const dealt = deal(3, 5);
  const subset = fc
    .shuffledSubarray([1, 2, 3, 4, 5], { minLength: 3, maxLength: 3 })
    .map((trustees) => [...trustees]);
  fc.assert(
    fc.property(subset, (trustees) => combined(dealt, trustees) === toHex(dealt.key)),
    { seed: 1, numRuns: 15 },
  );
});

test('k - 1 trustees, or more than k under another threshold, give another key', () => {
  const dealt = deal(3, 5);
  for (const few of [[1], [1, 2], [4, 5]]) assert.notEqual(combined(dealt, few), toHex(dealt.key));
  assert.equal(combined(dealt, [1, 2, 3, 4, 5]), toHex(dealt.key), 'more than k agree');
});

test('one of one and a hundred of a hundred work too', () => {
  const one = deal(1, 1);
  assert.equal(combined(one, [1]), toHex(one.key));
  const many = deal(20, 20);
  const all = Array.from({ length: 20 }, (_, index) => index + 1);
  assert.equal(combined(many, all), toHex(many.key));
});

test('a proof holds for its own trustee, share and element, and for nothing else', () => {
  const dealt = deal(2, 3);
  const { elgamal, keys, element } = dealt;
  const partial = partialOf(dealt, 2);
  const [first, second] = keys.verificationKeys;
  assert.ok(elgamal.verifyPartial(partial, second!, element));
  assert.ok(!elgamal.verifyPartial(partial, first!, element));
  assert.ok(!elgamal.verifyPartial(partial, second!, deal(2, 4).keys.publicKey));
  for (const at of [0, 31, 32, 63, 64, 95]) {
    const changed = partial.slice();
    changed[at]! ^= 1;
    assert.ok(!elgamal.verifyPartial(changed, second!, element), `byte ${at}`);
  }
});

test('a trustee that answers with another share is named by its proof', () => {
  const dealt = deal(2, 3);
  const shares = [dealt.shares[0]!, dealt.shares[2]!, dealt.shares[1]!];
  const lying = { ...dealt, shares };
  const honest = [1, 2, 3].map((trustee) =>
    dealt.elgamal.verifyPartial(
      partialOf(lying, trustee),
      dealt.keys.verificationKeys[trustee - 1]!,
      dealt.element,
    ),
  );
  assert.deepEqual(honest, [true, false, false]);
});

test('what is no element is refused', () => {
  const { elgamal, shares, keys } = deal(2, 3);
  for (const element of [new Uint8Array(32), new Uint8Array(32).fill(0xff)]) {
    const out = new Uint8Array(PARTIAL_BYTES);
    assert.ok(!elgamal.decryptPartially(out, shares[0]!, keys.verificationKeys[0]!, element));
  }
});

test('the same randomness gives the same bytes with every provider', () => {
  const shown = providers.map((provider) => {
    const dealt = deal(3, 5, provider);
    return [dealt.element, dealt.key, partialOf(dealt, 1), ...dealt.shares].map(toHex);
  });
  assert.deepEqual(shown[0], shown[1]);
});
