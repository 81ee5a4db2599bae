/** Header encryption with every provider, against a plain second implementation. */

import assert from 'node:assert/strict';
import { createCipheriv, createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes, toHex } from '../../src/core/bytes.ts';
import type { AeadName } from '../../src/crypto/provider.ts';
import { HEADER_SEAL_BYTES, HeaderSeal } from '../../src/protocols/header-seal.ts';
import { aeadsOf, loadProviders } from './_providers.ts';

const RUNS = { numRuns: 40, seed: 4 };

/** The header of the Double Ratchet, with and without a byte for re-keying; and others. */
const LENGTHS = [40, 41, 1, 64];

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });

/** The synthetic IV, then the header under the bare stream cipher. */
function modelSeal(
  aead: AeadName,
  key: Uint8Array,
  header: Uint8Array,
  label = 'header',
): Uint8Array {
  const mac = createHmac('sha256', key).update(label).update(header).digest();
  const iv = new Uint8Array(mac.subarray(0, 16));
  const nonce = iv.subarray(0, 12);
  // The AEADs begin to encrypt with block 1 (RFC 8439 section 2.8, counter first and little-endian)
  // and with block 2 (SP 800-38D section 7.1, counter last and big-endian).
  const stream =
    aead === 'chacha20-poly1305'
      ? createCipheriv('chacha20', key, concatBytes(Uint8Array.of(1, 0, 0, 0), nonce))
      : createCipheriv('aes-256-ctr', key, concatBytes(nonce, Uint8Array.of(0, 0, 0, 2)));
  return concatBytes(iv, stream.update(header), stream.final());
}

const providers = await loadProviders();

test('there is a provider with AES-256-GCM and one without', () => {
  const able = providers.map((provider) => aeadsOf(provider).includes('aes-256-gcm'));
  assert.ok(able.includes(true) && able.includes(false));
});

for (const provider of providers) {
  for (const name of aeadsOf(provider)) {
    const aead = provider.aead[name]!;
    const sealOf = (key: Uint8Array, header: Uint8Array): Uint8Array => {
      const out = new Uint8Array(header.length + HEADER_SEAL_BYTES);
      new HeaderSeal(provider, aead, header.length).seal(out, key, header);
      return out;
    };

    describe(`header seal over ${provider.name} with ${name}`, () => {
      for (const length of LENGTHS) {
        test(`opens headers of ${length} bytes, which are 16 bytes longer sealed, as the second implementation seals them`, () => {
          const seal = new HeaderSeal(provider, aead, length);
          const sealed = new Uint8Array(length + 16);
          const opened = new Uint8Array(length);
          fc.assert(
            fc.property(bytes(32), bytes(length), (key, header) => {
              const given = header.slice();
              seal.seal(sealed, key, given);
              assert.deepEqual(given, header, 'the header given is not changed');
              assert.equal(toHex(sealed), toHex(modelSeal(name, key, header)));
              assert.ok(seal.open(opened, key, sealed));
              assert.deepEqual(opened, header);
            }),
            RUNS,
          );
        });
      }

      test('opens nothing under another key, and still opens what it should after that', () => {
        const seal = new HeaderSeal(provider, aead, 41);
        const opened = new Uint8Array(41);
        fc.assert(
          fc.property(bytes(32), bytes(41), fc.nat(255), (key, header, bit) => {
            const other = key.slice();
            other[bit >>> 3]! ^= 1 << (bit & 7);
            const sealed = sealOf(key, header);
            assert.ok(!seal.open(opened, other, sealed));
            assert.ok(seal.open(opened, key, sealed));
            assert.deepEqual(opened, header);
          }),
          RUNS,
        );
      });

      test('refuses every flipped bit', () => {
        const key = new Uint8Array(32).fill(5);
        const sealed = sealOf(
          key,
          Uint8Array.from({ length: 41 }, (_, i) => i),
        );
        const seal = new HeaderSeal(provider, aead, 41);
        const opened = new Uint8Array(41);
        for (let bit = 0; bit < 8 * sealed.length; bit++) {
          const damaged = sealed.slice();
          damaged[bit >>> 3]! ^= 1 << (bit & 7);
          assert.ok(!seal.open(opened, key, damaged), `bit ${bit}`);
        }
        assert.ok(seal.open(opened, key, sealed));
      });

      test('is deterministic, and headers that differ by one share no block', () => {
        const key = new Uint8Array(32).fill(6);
        const [first, second] = [0, 1].map((n) =>
          concatBytes(new Uint8Array(39), Uint8Array.of(n)),
        );
        assert.deepEqual(sealOf(key, first!), sealOf(key, first!));
        const [a, b] = [sealOf(key, first!), sealOf(key, second!)];
        const same = a.filter((byte, at) => byte === b[at]).length;
        // 56 bytes that are equal by chance with probability 1/256 each.
        assert.ok(same < 8, `${same} bytes are equal`);
      });
    });
  }
}

test('a header that was sealed for another purpose under the same key opens nothing', () => {
  const [provider] = providers;
  const seal = new HeaderSeal(provider!, provider!.aead['chacha20-poly1305'], 40);
  const key = new Uint8Array(32).fill(7);
  const header = new Uint8Array(40).fill(8);
  const opened = new Uint8Array(40);
  assert.ok(seal.open(opened, key, modelSeal('chacha20-poly1305', key, header)));
  for (const label of ['', 'sealbench other  ']) {
    assert.ok(!seal.open(opened, key, modelSeal('chacha20-poly1305', key, header, label)));
  }
});
