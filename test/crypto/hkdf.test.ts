import assert from 'node:assert/strict';
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { toHex } from '../../src/core/bytes.ts';
import {
  composeHkdfSha256,
  composeHmacSha256,
  hkdfExpand,
  hkdfExtract,
  type Sha256,
} from '../../src/crypto/hkdf.ts';
import { RefusedError } from '../../src/crypto/provider.ts';
import node from '../../src/providers/node.ts';
import { HKDF_SHA256_VECTORS } from '../vectors/hashes.ts';

const provider = await node.load();

const asked: number[] = [];
const sha256: Sha256 = (out, data) => {
  asked.push(data.length);
  out.set(createHash('sha256').update(data).digest());
};
const hmac = composeHmacSha256(sha256);
const hkdf = composeHkdfSha256(hmac);

test('extract and expand give the PRK and OKM of RFC 5869 A.1 to A.3', () => {
  for (const { name, ikm, salt, info, prk, okm } of HKDF_SHA256_VECTORS) {
    const extracted = new Uint8Array(32);
    hkdfExtract(provider, extracted, salt, ikm);
    assert.equal(toHex(extracted), prk, name);
    const expanded = new Uint8Array(okm.length / 2);
    hkdfExpand(provider, expanded, extracted, info);
    assert.equal(toHex(expanded), okm, name);
  }
});

test('expand works over a provider whose functions need `this`', () => {
  const stateful = {
    ...provider,
    calls: 0,
    hmacSha256(out: Uint8Array, key: Uint8Array, data: Uint8Array): void {
      this.calls++;
      provider.hmacSha256(out, key, data);
    },
  };
  hkdfExpand(stateful, new Uint8Array(65), new Uint8Array(32), new Uint8Array(3));
  assert.equal(stateful.calls, 3);
});

test('expand refuses lengths that RFC 5869 §2.3 does not allow', () => {
  const prk = new Uint8Array(32);
  const info = new Uint8Array(0);
  for (const [out, key] of [
    [new Uint8Array(0), prk],
    [new Uint8Array(255 * 32 + 1), prk],
    [new Uint8Array(32), prk.subarray(1)],
  ] as const) {
    assert.throws(() => hkdfExpand(provider, out, key, info), RefusedError);
  }
});

test('a composed HMAC asks for two hashes, and for a third when the key is longer than a block', () => {
  for (const [keyBytes, expected] of [
    [0, [64 + 5, 96]],
    [32, [64 + 5, 96]],
    [64, [64 + 5, 96]],
    [65, [65, 64 + 5, 96]],
  ] as const) {
    asked.length = 0;
    hmac(new Uint8Array(32), new Uint8Array(keyBytes), new Uint8Array(5));
    assert.deepEqual(asked, expected);
  }
});

test('a composed HMAC is an HMAC, whatever was computed before and in whichever order', () => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 4000 }));
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, bytes), { minLength: 1, maxLength: 4 }), (calls) => {
      for (const [key, data] of calls) {
        const out = new Uint8Array(32);
        hmac(out, key, data);
        assert.equal(toHex(out), createHmac('sha256', key).update(data).digest('hex'));
      }
    }),
  );
});

test('what is composed refuses outputs of the wrong length', () => {
  const key = new Uint8Array(32);
  for (const length of [0, 31, 33]) {
    assert.throws(() => hmac(new Uint8Array(length), key, key), RefusedError);
  }
  for (const length of [0, 255 * 32 + 1]) {
    assert.throws(() => hkdf(new Uint8Array(length), key, key, key), RefusedError);
  }
});

test('a composed HMAC may write over its own key or data', () => {
  const bytes = new Uint8Array(32).fill(9);
  const expected = createHmac('sha256', bytes).update(bytes).digest('hex');
  hmac(bytes, bytes, bytes);
  assert.equal(toHex(bytes), expected);
});

test('a composed HKDF is an HKDF for every output length up to four blocks', () => {
  const [salt, ikm, info] = [3, 40, 17].map((length) => new Uint8Array(length).fill(length));
  for (let length = 1; length <= 128; length++) {
    const out = new Uint8Array(length);
    hkdf(out, salt!, ikm!, info!);
    const expected = new Uint8Array(hkdfSync('sha256', ikm!, salt!, info!, length));
    assert.deepEqual(out, expected, `${length} bytes`);
  }
});
