/** Shamir's sharing over GF(256), beside the package that many use. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { combine, split } from 'shamir-secret-sharing';
import { equalBytes, toHex } from '../../src/core/bytes.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import { joinShares, writeShare } from '../../src/protocols/shamir.ts';

function shareOut(secret: Uint8Array, threshold: number, trustees: number): Uint8Array[] {
  const coefficients = new Uint8Array((threshold - 1) * secret.length);
  seededRandomness(3).fill(coefficients);
  return Array.from({ length: trustees }, (_, index) => {
    const share = new Uint8Array(1 + secret.length);
    writeShare(share, index + 1, secret, coefficients);
    return share;
  });
}

function join(shares: readonly Uint8Array[], bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  assert.ok(joinShares(out, shares));
  return out;
}

/** That package puts x last. */
const theirs = (share: Uint8Array): Uint8Array => Uint8Array.of(...share.slice(1), share[0]!);
const ours = (share: Uint8Array): Uint8Array => Uint8Array.of(share.at(-1)!, ...share.slice(0, -1));

const sharing = fc
  .record({
    secret: fc.uint8Array({ minLength: 1, maxLength: 64 }),
    trustees: fc.integer({ min: 2, max: 9 }),
  })
  .chain(({ secret, trustees }) =>
    fc.record({
      secret: fc.constant(secret),
      trustees: fc.constant(trustees),
      threshold: fc.integer({ min: 2, max: trustees }),
    }),
  );

test('any k shares give the secret', () => {
  const property = fc.property(sharing, fc.nat(), ({ secret, trustees, threshold }, from) => {
    const shares = shareOut(secret, threshold, trustees);
    const chosen = Array.from({ length: threshold }, (_, i) => shares[(from + i) % trustees]!);
    return equalBytes(join(chosen, secret.length), secret);
  });
  fc.assert(property, { seed: 2, numRuns: 200 });
});

test('k - 1 shares are consistent with every secret: they say nothing', () => {
  // With one share of two, each value of the other coefficient is one secret: all 256 occur.
  const seen = new Set<number>();
  for (let secret = 0; secret < 256; secret++) {
    for (let coefficient = 0; coefficient < 256; coefficient++) {
      const share = new Uint8Array(2);
      writeShare(share, 1, Uint8Array.of(secret), Uint8Array.of(coefficient));
      if (share[1] === 0x42) seen.add(secret);
    }
  }
  assert.equal(seen.size, 256);
});

test('two shares of one trustee, and a share of nobody, are refused', () => {
  const shares = shareOut(Uint8Array.of(1, 2, 3), 2, 3);
  const out = new Uint8Array(3);
  assert.ok(!joinShares(out, [shares[0]!, shares[0]!.slice()]));
  assert.ok(!joinShares(out, [shares[0]!, Uint8Array.of(0, 1, 2, 3)]));
});

test('shamir-secret-sharing joins our shares, and we join its', async () => {
  const secret = new Uint8Array(32);
  seededRandomness(4).fill(secret);
  for (const [threshold, trustees] of [
    [2, 2],
    [3, 5],
    [5, 9],
  ] as const) {
    const made = shareOut(secret, threshold, trustees);
    const joined = await combine(made.slice(-threshold).map(theirs));
    assert.equal(toHex(joined), toHex(secret));
    const split_ = await split(secret.slice(), trustees, threshold);
    assert.equal(toHex(join(split_.slice(-threshold).map(ours), 32)), toHex(secret));
  }
});
