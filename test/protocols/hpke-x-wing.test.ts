/** HPKE over X-Wing against the vectors of draft-ietf-hpke-pq, and against bad input. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { EMPTY, fromHex, toHex, utf8 } from '../../src/core/bytes.ts';
import { HarnessError } from '../../src/core/errors.ts';
import { RefusedError, type Provider } from '../../src/crypto/provider.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import { HpkeXWing } from '../../src/protocols/hpke-x-wing.ts';
import { HPKE_X_WING } from '../vectors/hpke-x-wing.ts';
import { aeadsOf, loadProviders } from './_providers.ts';

const all = await loadProviders();
const providers = all.filter(({ kem }) => kem['x-wing'] !== undefined);
const random = seededRandomness(25722);
const seed = fromHex(HPKE_X_WING.skRm);
const info = fromHex(HPKE_X_WING.info);
const aad = fromHex(HPKE_X_WING.aad);
const plaintext = fromHex(HPKE_X_WING.pt);
const published = fromHex(HPKE_X_WING.enc + HPKE_X_WING.ct);

test('there are providers with X-Wing to test, derandomised and not', () => {
  assert.equal(new Set(providers.map(({ kem }) => kem['x-wing']?.derandomised)).size, 2);
});

for (const provider of providers) {
  describe(`hpke over X-Wing over ${provider.name}`, () => {
    const hpke = new HpkeXWing(provider);
    const publicKey = new Uint8Array(hpke.kem.publicKeyBytes);
    hpke.kem.publicKey(publicKey, seed);

    test('opens message 0 of the vectors of draft-ietf-hpke-pq, with bytes and with a handle', () => {
      const digest = createHash('sha256').update(publicKey).digest('hex');
      assert.equal(digest, HPKE_X_WING.pkRmSha256);
      for (const key of [seed, hpke.kem.handle(seed)]) {
        const shared = new Uint8Array(32);
        assert.ok(hpke.decapsulate(shared, key, fromHex(HPKE_X_WING.enc)));
        assert.equal(toHex(shared), HPKE_X_WING.sharedSecret);
        const opened = new Uint8Array(plaintext.length);
        assert.ok(hpke.open(opened, key, info, aad, published));
        assert.deepEqual(opened, plaintext);
      }
    });

    test('seals message 0 of the vectors, or says that it cannot be made to', () => {
      const out = new Uint8Array(published.length);
      const encapsulation = fromHex(HPKE_X_WING.ikmE);
      const seal = (): void => hpke.sealWith(out, encapsulation, publicKey, info, aad, plaintext);
      if (!hpke.kem.derandomised) {
        assert.throws(seal, isUnsupported);
        const shared = new Uint8Array(32);
        const enc = new Uint8Array(hpke.kem.ciphertextBytes);
        assert.throws(
          () => hpke.encapsulateWith(enc, shared, encapsulation, publicKey),
          isUnsupported,
        );
        return;
      }
      seal();
      assert.equal(toHex(out), toHex(published));
    });

    for (const aead of aeadsOf(provider)) {
      test(`does not open with ${aead} what is changed, cut or of another info or aad`, () => {
        const over = new HpkeXWing(provider, aead);
        const sealed = new Uint8Array(plaintext.length + over.overheadBytes);
        const handle = over.kem.handle(seed);
        const opened = new Uint8Array(plaintext.length);
        over.seal(sealed, random, publicKey, info, aad, plaintext);
        assert.ok(over.open(opened, handle, info, aad, sealed));
        assert.deepEqual(opened, plaintext);
        for (const at of [0, 1087, 1088, 1119, 1120, sealed.length - 1]) {
          const changed = sealed.slice();
          changed[at]! ^= 1;
          assert.ok(!over.open(opened, handle, info, aad, changed), `byte ${at}`);
        }
        assert.ok(!over.open(opened, handle, utf8('other'), aad, sealed));
        assert.ok(!over.open(opened, handle, info, utf8('other'), sealed));
        assert.ok(!over.open(opened, over.kem.handle(fromHex('11'.repeat(32))), info, aad, sealed));
        const lowOrder = sealed.slice().fill(0, 1088, 1120);
        assert.ok(!over.open(opened, handle, info, aad, lowOrder));
        for (const length of [0, 32, over.overheadBytes - 1]) {
          assert.ok(!over.open(EMPTY, handle, info, aad, sealed.slice(0, length)));
        }
        assert.throws(() => over.open(EMPTY, handle, info, aad, sealed), RangeError);
      });
    }

    test('refuses a public key that cannot be used, and buffers of another length', () => {
      const out = new Uint8Array(hpke.overheadBytes);
      const bad = publicKey.slice().fill(0xff, 0, 3);
      assert.throws(() => hpke.seal(out, random, bad, info, aad, EMPTY), RefusedError);
      const short = publicKey.subarray(1);
      assert.throws(() => hpke.seal(out, random, short, info, aad, EMPTY), RangeError);
      const longer = new Uint8Array(hpke.overheadBytes + 1);
      assert.throws(() => hpke.seal(longer, random, publicKey, info, aad, EMPTY), RangeError);
    });
  });
}

test('every provider opens what every other one sealed over X-Wing', () => {
  for (const sender of providers.map((provider) => new HpkeXWing(provider))) {
    const publicKey = new Uint8Array(sender.kem.publicKeyBytes);
    sender.kem.publicKey(publicKey, seed);
    const sealed = new Uint8Array(plaintext.length + sender.overheadBytes);
    sender.seal(sealed, random, publicKey, info, aad, plaintext);
    for (const provider of providers) {
      const opened = new Uint8Array(plaintext.length);
      assert.ok(new HpkeXWing(provider).open(opened, seed, info, aad, sealed), provider.name);
      assert.deepEqual(opened, plaintext);
    }
  }
});

test('no secret of X-Wing stays in the scratch memory after a call', () => {
  const provider = providers.find(({ kem }) => kem['x-wing']!.derandomised)!;
  const kem = provider.kem['x-wing']!;
  const chacha = provider.aead['chacha20-poly1305'];
  const seen = new Set<Uint8Array>();
  const spy: Provider = {
    ...provider,
    hmacSha256(out, key, data) {
      seen.add(key);
      provider.hmacSha256(out, key, data);
    },
    aead: {
      'chacha20-poly1305': {
        seal(out, key, nonce, associated, text) {
          seen.add(key);
          chacha.seal(out, key, nonce, associated, text);
        },
        open(out, key, nonce, associated, ciphertext) {
          seen.add(key);
          return chacha.open(out, key, nonce, associated, ciphertext);
        },
      },
    },
    kem: {
      'x-wing': {
        ...kem,
        encapsulate(ciphertext, sharedSecret, publicKey, randomness) {
          seen.add(sharedSecret).add(randomness);
          kem.encapsulate(ciphertext, sharedSecret, publicKey, randomness);
        },
        decapsulate(sharedSecret, secretKey, ciphertext) {
          seen.add(sharedSecret);
          kem.decapsulate(sharedSecret, secretKey, ciphertext);
        },
      },
    },
  };
  const hpke = new HpkeXWing(spy);
  const publicKey = new Uint8Array(kem.publicKeyBytes);
  kem.publicKey(publicKey, seed);
  const sealed = new Uint8Array(hpke.overheadBytes);
  const calls: readonly (() => unknown)[] = [
    () => hpke.seal(sealed, random, publicKey, EMPTY, EMPTY, EMPTY),
    () => hpke.open(EMPTY, seed, EMPTY, EMPTY, sealed),
    () => hpke.open(EMPTY, seed, info, EMPTY, sealed),
    () => hpke.deriveSecretKey(new Uint8Array(32), seed),
    () => hpke.deriveEncapsulation(new Uint8Array(64), seed),
  ];
  for (const call of calls) {
    seen.clear();
    call();
    assert.ok(seen.size >= 1);
    for (const scratch of seen) {
      assert.ok(
        scratch.every((byte) => byte === 0),
        call.toString(),
      );
    }
  }
});

test('a provider without X-Wing, or without the AEAD, is unsupported', () => {
  const [provider] = providers;
  assert.throws(() => new HpkeXWing({ ...provider!, kem: {} }), isUnsupported);
  const lacking = {
    ...provider!,
    aead: { 'chacha20-poly1305': provider!.aead['chacha20-poly1305'] },
  };
  assert.throws(() => new HpkeXWing(lacking, 'aes-256-gcm'), isUnsupported);
});

function isUnsupported(error: unknown): boolean {
  return error instanceof HarnessError && error.code === 'UNSUPPORTED';
}
