/**
 * What every provider in `src/providers/` must do, found by listing that folder: published vectors,
 * refusals, who owns which buffer, and agreement of all providers with each other.
 *
 * `null` computes nothing: it is held to lengths, buffers and agreement of both ends only.
 */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { registerHooks } from 'node:module';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { fromHex, toHex, utf8 } from '../../src/core/bytes.ts';
import { listNames, loadByName } from '../../src/core/discover.ts';
import { PROVIDERS_DIR } from '../../src/core/paths.ts';
import {
  RefusedError,
  type Aead,
  type AeadName,
  type Kem,
  type KemName,
  type Provider,
  type ProviderModule,
} from '../../src/crypto/provider.ts';
import { AEAD_VECTORS } from '../vectors/aead.ts';
import { CHACHA20_VECTORS } from '../vectors/chacha20.ts';
import { ED25519_VECTORS } from '../vectors/ed25519.ts';
import { HKDF_SHA256_VECTORS, HMAC_SHA256_VECTORS, SHA256_VECTORS } from '../vectors/hashes.ts';
import { ML_KEM_CASES, ML_KEM_DIGESTS } from '../vectors/ml-kem.ts';
import { X_WING_VECTORS } from '../vectors/x-wing.ts';
import {
  X25519_AGREEMENT,
  X25519_ITERATED,
  X25519_LOW_ORDER,
  X25519_VECTORS,
} from '../vectors/x25519.ts';
import { callsOf, patterned, type Arguments, type PrimitiveCall } from './_primitive-calls.ts';

/** Packages that were imported, by their specifier. */
const imported: string[] = [];
registerHooks({
  resolve(specifier, context, next) {
    if (/^[@a-z]/.test(specifier) && !/^(node|file):/.test(specifier)) imported.push(specifier);
    return next(specifier, context);
  },
});

/** What `native` imports for those who do not say that they need ristretto255; first, as imports are kept. */
const plainNative = await loadByName<ProviderModule>(PROVIDERS_DIR, 'native', 'provider');
const nativeWithoutNeeds = await plainNative.load();
const importedByNative = [...imported];

const providers: Provider[] = [];
const importedEarly = new Map<string, string[]>();
for (const name of await listNames(PROVIDERS_DIR)) {
  imported.length = 0;
  const module = await loadByName<ProviderModule>(PROVIDERS_DIR, name, 'provider');
  importedEarly.set(name, [...imported]);
  providers.push(await module.load(['ristretto255']));
}
const real = providers.filter((provider) => provider.name !== 'null');

test('the folder holds the five providers, each under its own name', () => {
  const names = providers.map((provider) => provider.name);
  for (const name of ['libsodium', 'native', 'noble', 'node', 'null']) {
    assert.ok(names.includes(name), `${name} is missing from ${names.join(', ')}`);
  }
});

for (const provider of providers) {
  describe(`${provider.name}: contract`, () => {
    test('its file imports no package before load()', () => {
      assert.deepEqual(importedEarly.get(provider.name), []);
    });

    test('it states a version and where each primitive comes from', () => {
      assert.notEqual(provider.version, '');
      assert.equal(provider.sources['aes-256-gcm'] === 'none', !provider.aead['aes-256-gcm']);
      for (const name of ['ml-kem-768', 'ml-kem-1024', 'x-wing'] as const) {
        assert.equal(provider.sources[name] === 'none', !provider.kem[name], name);
      }
      assert.equal(provider.sources.ristretto255 === 'none', !provider.ristretto255);
    });

    test('every wrong length of every argument is refused with RefusedError', () => {
      for (const call of callsOf(provider, 1)) {
        for (const [argument, lengths] of Object.entries(call.refused)) {
          for (const length of lengths) {
            const given = { ...withOutputs(call), [argument]: patterned(length, 5) };
            const where = `${call.name}: ${argument} of ${length} bytes`;
            assert.throws(() => call.run(given), isRefusal, where);
          }
        }
      }
    });

    test('arguments may be views into larger buffers, of which only the outputs change', () => {
      for (const call of callsOf(provider, 1)) {
        const plain = withOutputs(call);
        call.run(plain);
        for (const offset of [1, 4]) {
          const given = withOutputs(call);
          const placed = Object.entries(given).map(([name, bytes]) => place(name, bytes, offset));
          call.run(Object.fromEntries(placed.map(({ name, view }) => [name, view])));
          for (const { name, view, whole } of placed) {
            const where = `${call.name}: ${name} at offset ${offset}`;
            assert.ok(outside(whole, offset, view.length).every(isPoison), `around ${where}`);
            if (!(name in call.outputs)) assert.deepEqual(view, given[name], `input ${where}`);
            else if (call.deterministic) assert.deepEqual(view, plain[name], `output ${where}`);
          }
        }
      }
    });

    test('outputs stay as they are during later calls', () => {
      const kept = callsOf(provider, 1).map((call) => ({ call, given: withOutputs(call) }));
      for (const { call, given } of kept) call.run(given);
      const copies = kept.map(({ given }) => structuredClone(given));
      for (const later of callsOf(provider, 2)) later.run(withOutputs(later));
      kept.forEach(({ call, given }, i) => assert.deepEqual(given, copies[i], call.name));
    });

    test('a handle is a copy of the key', () => {
      const secret = patterned(32, 1);
      const agreement = provider.x25519Handle(secret);
      const signing = provider.ed25519Handle(secret);
      const before = [agree(provider, agreement, 2), sign(provider, signing)];
      secret.fill(7);
      assert.deepEqual([agree(provider, agreement, 2), sign(provider, signing)], before);
      for (const [name, kem] of kemsOf(provider)) {
        const seed = patterned(kem.secretKeyBytes, 1);
        const { ciphertext, shared } = encapsulate(kem, publicKeyOf(kem, seed));
        const handle = kem.handle(seed);
        seed.fill(7);
        for (const _ of [1, 2]) assert.equal(decapsulate(kem, handle, ciphertext), shared, name);
      }
    });

    test('both ends agree', () => {
      for (const [a, b] of [
        [1, 2],
        [3, 4],
      ] as const) {
        const shared = agree(provider, patterned(32, a), b);
        assert.equal(agree(provider, patterned(32, b), a), shared);
        assert.equal(agree(provider, provider.x25519Handle(patterned(32, a)), b), shared);
      }
      for (const aead of Object.values(provider.aead)) {
        for (const length of [0, 1, 16, 115, 5000]) {
          const plaintext = patterned(length, 3);
          const sealed = seal(aead, patterned(32, 1), patterned(12, 1), patterned(9, 1), plaintext);
          const opened = open(aead, patterned(32, 1), patterned(12, 1), patterned(9, 1), sealed);
          assert.deepEqual(opened, plaintext);
        }
      }
      for (const kem of Object.values(provider.kem)) {
        const seed = patterned(kem.secretKeyBytes, 1);
        const { ciphertext, shared } = encapsulate(kem, publicKeyOf(kem, seed));
        assert.equal(decapsulate(kem, seed, ciphertext), shared);
      }
      for (const length of [0, 1, 64, 115, 5000]) {
        const text = patterned(length, 3);
        const encrypted = chacha20(provider, patterned(32, 1), patterned(12, 1), text);
        assert.deepEqual(chacha20(provider, patterned(32, 1), patterned(12, 1), encrypted), text);
      }
    });

    test('another key does not open', () => {
      for (const aead of Object.values(provider.aead)) {
        const sealed = seal(
          aead,
          patterned(32, 1),
          patterned(12, 1),
          patterned(9, 1),
          utf8('text'),
        );
        assert.equal(
          open(aead, patterned(32, 2), patterned(12, 1), patterned(9, 1), sealed),
          undefined,
        );
      }
    });

    test('random bytes fill the whole output and differ', () => {
      const first = new Uint8Array(64);
      const second = new Uint8Array(64);
      provider.randomBytes(first);
      provider.randomBytes(second);
      assert.notDeepEqual(first, second);
      // 16 zero bytes at an end happen once in 2^128 draws.
      for (const part of [first.subarray(0, 16), first.subarray(48)]) {
        assert.ok(part.some((byte) => byte !== 0));
      }
      provider.randomBytes(new Uint8Array(0));
      provider.randomBytes(new Uint8Array(100_000));
    });
  });
}

for (const provider of real) {
  describe(`${provider.name}: published vectors`, () => {
    for (const { name, message, digest } of SHA256_VECTORS) {
      test(`SHA-256, FIPS 180-4: ${name}`, () => {
        assert.equal(sha256(provider, message), digest);
      });
    }

    for (const { name, key, data, mac } of HMAC_SHA256_VECTORS) {
      test(`HMAC-SHA-256, RFC 4231: ${name}`, () => {
        assert.equal(hmac(provider, key, data).slice(0, mac.length), mac);
      });
    }

    for (const { name, ikm, salt, info, okm } of HKDF_SHA256_VECTORS) {
      test(`HKDF-SHA-256, RFC 5869: ${name}`, () => {
        assert.equal(hkdf(provider, salt, ikm, info, okm.length / 2), okm);
      });
    }

    test('X25519, RFC 7748 §5.2: the two scalar multiplications', () => {
      for (const { scalar, point, result } of X25519_VECTORS) {
        assert.equal(x25519(provider, fromHex(scalar), fromHex(point)), result);
      }
    });

    test('X25519, RFC 7748 §5.2: 1 and 1,000 iterations', () => {
      let k = fromHex('09' + '00'.repeat(31));
      let u = fromHex('09' + '00'.repeat(31));
      const reached = new Map<number, string>();
      for (let iteration = 1; iteration <= 1000; iteration++) {
        const out = new Uint8Array(32);
        provider.x25519(out, k, u);
        u = k;
        k = out;
        reached.set(iteration, toHex(k));
      }
      for (const { iterations, k: expected } of X25519_ITERATED) {
        assert.equal(reached.get(iterations), expected);
      }
    });

    test('X25519, RFC 7748 §6.1: Diffie-Hellman, with bytes and with handles', () => {
      const { aliceSecret, alicePublic, bobSecret, bobPublic, shared } = X25519_AGREEMENT;
      assert.equal(x25519Public(provider, fromHex(aliceSecret)), alicePublic);
      assert.equal(x25519Public(provider, fromHex(bobSecret)), bobPublic);
      assert.equal(x25519(provider, fromHex(aliceSecret), fromHex(bobPublic)), shared);
      assert.equal(x25519(provider, fromHex(bobSecret), fromHex(alicePublic)), shared);
      const handle = provider.x25519Handle(fromHex(aliceSecret));
      assert.equal(x25519(provider, handle, fromHex(bobPublic)), shared);
    });

    for (const { name, seed, publicKey, message, signature } of ED25519_VECTORS) {
      test(`Ed25519, RFC 8032 §7.1: ${name}`, () => {
        assert.equal(ed25519Public(provider, fromHex(seed)), publicKey);
        assert.equal(
          sign(provider, provider.ed25519Handle(fromHex(seed)), fromHex(message)),
          signature,
        );
        assert.ok(provider.ed25519Verify(fromHex(signature), fromHex(publicKey), fromHex(message)));
      });
    }

    for (const { name, aead: aeadName, key, nonce, aad, plaintext, ciphertext } of AEAD_VECTORS) {
      const aead = provider.aead[aeadName];
      test(`${aeadName}, ${name}`, { skip: !aead && `${provider.name} has none` }, () => {
        assert.ok(aead);
        const [k, n, a] = [fromHex(key), fromHex(nonce), fromHex(aad)] as const;
        assert.equal(toHex(seal(aead, k, n, a, fromHex(plaintext))), ciphertext);
        assert.deepEqual(open(aead, k, n, a, fromHex(ciphertext)), fromHex(plaintext));
      });
    }

    for (const { name, key, nonce, counter, plaintext, ciphertext } of CHACHA20_VECTORS) {
      test(`ChaCha20, RFC 8439 ${name}`, () => {
        const before = '00'.repeat(64 * counter);
        const text = fromHex(before + plaintext);
        const encrypted = toHex(chacha20(provider, fromHex(key), fromHex(nonce), text));
        assert.equal(encrypted.slice(before.length), ciphertext);
      });
    }

    for (const [name, kem] of kemsOf(provider)) {
      if (name === 'x-wing' || !kem.derandomised) continue;
      test(`${name}, FIPS 203: the digest of ${ML_KEM_CASES} cases`, () => {
        assert.equal(accumulate(kem), ML_KEM_DIGESTS[name]);
      });
    }

    const xWing = provider.kem['x-wing'];
    X_WING_VECTORS.forEach((vector, i) => {
      test(`X-Wing, draft-connolly-cfrg-xwing-kem-10, vector ${i + 1}`, { skip: !xWing }, () => {
        assert.ok(xWing);
        const seed = fromHex(vector.secretKey);
        const publicKey = publicKeyOf(xWing, seed);
        assert.equal(digestOf(publicKey), vector.publicKeySha256);
        const sender = xWing.derandomised ? xWing : derandomisedXWing();
        const { ciphertext, shared } = encapsulate(sender, publicKey, fromHex(vector.randomness));
        assert.equal(digestOf(ciphertext), vector.ciphertextSha256);
        assert.equal(shared, vector.sharedSecret);
        for (const key of [seed, xWing.handle(seed)]) {
          assert.equal(decapsulate(xWing, key, ciphertext), vector.sharedSecret);
        }
      });
    });
  });

  describe(`${provider.name}: refusals`, () => {
    for (const { name, point } of X25519_LOW_ORDER) {
      test(`X25519 refuses the point ${name}, also with its unused bit set`, () => {
        const highBit = fromHex(point);
        highBit[31] = highBit[31]! | 0x80;
        for (const peer of [fromHex(point), highBit]) {
          const out = new Uint8Array(32);
          const secret = patterned(32, 1);
          assert.throws(() => provider.x25519(out, secret, peer), isRefusal);
          const handle = provider.x25519Handle(secret);
          assert.throws(() => provider.x25519(out, handle, peer), isRefusal);
        }
      });
    }

    test('X25519 accepts points that are not reduced modulo p, as RFC 7748 §5 demands', () => {
      // p + 9 is 9, the base point.
      const secret = patterned(32, 1);
      const peer = fromHex('f6' + 'ff'.repeat(30) + '7f');
      assert.equal(x25519(provider, secret, peer), x25519Public(provider, secret));
    });

    for (const [name, aead] of aeadsOf(provider)) {
      test(`${name} does not open when a byte of ciphertext, tag, aad, nonce or key is changed`, () => {
        const [key, nonce, aad] = [patterned(32, 1), patterned(12, 2), patterned(20, 3)] as const;
        const valid = { key, nonce, aad, sealed: seal(aead, key, nonce, aad, patterned(40, 4)) };
        const opens = (given: typeof valid): boolean =>
          open(aead, given.key, given.nonce, given.aad, given.sealed) !== undefined;
        assert.ok(opens(valid));
        for (const argument of ['key', 'nonce', 'aad', 'sealed'] as const) {
          for (let at = 0; at < valid[argument].length; at++) {
            for (const bit of [0x01, 0x80]) {
              const changed = { ...valid, [argument]: flipped(valid[argument], at, bit) };
              assert.ok(!opens(changed), `${argument}[${at}]`);
            }
          }
        }
        assert.ok(!opens({ ...valid, aad: valid.aad.subarray(1) }));
        assert.ok(!opens({ ...valid, sealed: valid.sealed.subarray(1) }));
      });
    }

    test('Ed25519 verifies nothing when a byte of signature, key or message is changed', () => {
      const { publicKey, message, signature } = ED25519_VECTORS[2]!;
      const valid = [fromHex(signature), fromHex(publicKey), fromHex(message)] as const;
      assert.ok(provider.ed25519Verify(...valid));
      for (const argument of [0, 1, 2] as const) {
        for (let at = 0; at < valid[argument].length; at++) {
          const changed: [Uint8Array, Uint8Array, Uint8Array] = [...valid];
          changed[argument] = flipped(valid[argument], at, 0x01);
          assert.ok(!provider.ed25519Verify(...changed), `argument ${argument}, byte ${at}`);
        }
      }
    });

    test('Ed25519 refuses a signature whose S is not below the order, RFC 8032 §5.1.7', () => {
      const order = 2n ** 252n + 27742317777372353535851937790883648493n;
      const { publicKey, message, signature } = ED25519_VECTORS[1]!;
      const malleable = fromHex(signature);
      let s = order;
      for (let i = 0; i < 32; i++) s += BigInt(malleable[32 + i]!) << BigInt(8 * i);
      for (let i = 0; i < 32; i++) malleable[32 + i] = Number((s >> BigInt(8 * i)) & 0xffn);
      assert.ok(!provider.ed25519Verify(malleable, fromHex(publicKey), fromHex(message)));
    });

    test('Ed25519 refuses public keys of small order and points that are not canonical', () => {
      const identity = '01' + '00'.repeat(31);
      const unreduced = 'ee' + 'ff'.repeat(30) + '7f'; // p + 1: RFC 8032 §5.1.3, step 1.
      const minusZero = '01' + '00'.repeat(30) + '80'; // x = 0 with a sign: step 4.
      for (const publicKey of [identity, unreduced, minusZero]) {
        for (const r of [identity, unreduced, minusZero]) {
          // With S = 0 the equation S B = R + k A holds, as both points are the identity.
          const signature = fromHex(r + '00'.repeat(32));
          assert.ok(!provider.ed25519Verify(signature, fromHex(publicKey), utf8('message')));
        }
      }
    });

    test('KEMs refuse a public key whose coefficients are not below q, FIPS 203 §7.2', () => {
      for (const kem of Object.values(provider.kem)) {
        const publicKey = publicKeyOf(kem, patterned(kem.secretKeyBytes, 1));
        publicKey.fill(0xff, 0, 3);
        assert.throws(() => encapsulate(kem, publicKey), isRefusal);
      }
    });

    const xWing = provider.kem['x-wing'];
    test('X-Wing refuses X25519 parts of low order', { skip: !xWing }, () => {
      assert.ok(xWing);
      const seed = patterned(32, 1);
      const publicKey = publicKeyOf(xWing, seed);
      const { ciphertext } = encapsulate(xWing, publicKey);
      for (const { point } of X25519_LOW_ORDER) {
        publicKey.set(fromHex(point), 1184);
        ciphertext.set(fromHex(point), 1088);
        assert.throws(() => encapsulate(xWing, publicKey), isRefusal);
        assert.throws(() => decapsulate(xWing, seed, ciphertext), isRefusal);
      }
    });

    test('a refusal says nothing about what was refused', () => {
      const out = new Uint8Array(32);
      const errors = [
        () => provider.x25519(out, patterned(32, 1), new Uint8Array(32)),
        () => provider.x25519(out, patterned(31, 1), new Uint8Array(32)),
      ].map((call) => {
        try {
          call();
        } catch (error) {
          return error;
        }
        return undefined;
      });
      for (const error of errors) {
        assert.ok(error instanceof RefusedError);
        assert.equal(error.message, 'refused');
        assert.equal(error.cause, undefined);
      }
    });
  });
}

describe('all providers agree', () => {
  test('on SHA-256', () => {
    fc.assert(
      fc.property(upTo(300), (data) => {
        same((provider) => sha256(provider, data));
      }),
    );
  });

  test('on HMAC-SHA-256, with keys of 0 to 200 bytes and data across the scratch size', () => {
    fc.assert(
      fc.property(upTo(200), fc.oneof(upTo(200), upTo(5000)), (key, data) => {
        same((provider) => hmac(provider, key, data));
      }),
    );
    for (let length = 0; length <= 200; length++) {
      same((provider) => hmac(provider, patterned(length, 1), patterned(length, 2)));
    }
  });

  test('on HKDF-SHA-256, with infos that node:crypto refuses too', () => {
    const info = fc.oneof(upTo(100), upTo(1400));
    fc.assert(
      fc.property(upTo(80), upTo(100), info, fc.nat(300), (salt, ikm, context, more) => {
        same((provider) => hkdf(provider, salt, ikm, context, 1 + more));
      }),
    );
    same((provider) => hkdf(provider, patterned(32, 1), patterned(32, 2), utf8(''), 255 * 32));
    same((provider) => hkdf(provider, utf8(''), utf8(''), patterned(2000, 2), 64));
  });

  test('on X25519', () => {
    fc.assert(
      fc.property(exactly(32), exactly(32), (secret, point) => {
        same((provider) => x25519Public(provider, secret));
        same((provider) => {
          try {
            return x25519(provider, secret, point);
          } catch (error) {
            assert.ok(error instanceof RefusedError);
            return 'refused';
          }
        });
      }),
      { numRuns: 30 },
    );
  });

  test('on Ed25519, whose signatures are byte-identical and verify everywhere', () => {
    fc.assert(
      fc.property(exactly(32), upTo(300), (seed, message) => {
        const publicKey = same((provider) => ed25519Public(provider, seed));
        const signature = same((provider) => sign(provider, provider.ed25519Handle(seed), message));
        same((provider) => {
          assert.ok(provider.ed25519Verify(fromHex(signature), fromHex(publicKey), message));
        });
      }),
      { numRuns: 15 },
    );
  });

  for (const name of ['chacha20-poly1305', 'aes-256-gcm'] satisfies AeadName[]) {
    test(`on ${name}`, () => {
      const text = fc.oneof(upTo(200), upTo(3000));
      fc.assert(
        fc.property(exactly(32), exactly(12), upTo(100), text, (key, nonce, aad, plaintext) => {
          const aeads = real.flatMap(({ aead }) => aead[name] ?? []);
          const sealed = aeads.map((aead) => toHex(seal(aead, key, nonce, aad, plaintext)));
          assert.equal(new Set(sealed).size, 1);
          for (const aead of aeads) {
            assert.deepEqual(open(aead, key, nonce, aad, fromHex(sealed[0]!)), plaintext);
          }
        }),
        { numRuns: 60 },
      );
    });
  }

  test('on ChaCha20, which is the cipher of ChaCha20-Poly1305 from block 1', () => {
    fc.assert(
      fc.property(exactly(32), exactly(12), upTo(300), (key, nonce, text) => {
        const padded = Uint8Array.from([...new Uint8Array(64), ...text]);
        const encrypted = same((provider) => toHex(chacha20(provider, key, nonce, padded)));
        const sealed = seal(real[0]!.aead['chacha20-poly1305'], key, nonce, utf8(''), text);
        assert.equal(encrypted.slice(128), toHex(sealed.subarray(0, text.length)));
      }),
      { numRuns: 60 },
    );
  });

  for (const name of ['ml-kem-768', 'ml-kem-1024', 'x-wing'] satisfies KemName[]) {
    test(`on ${name}: the same public keys, and each opens what the others sealed`, () => {
      const kems = real.flatMap(({ kem }) => kem[name] ?? []);
      assert.ok(kems.length > 1);
      for (const round of [1, 2, 3]) {
        const seed = patterned(kems[0]!.secretKeyBytes, round);
        const publicKeys = new Set(kems.map((kem) => toHex(publicKeyOf(kem, seed))));
        assert.equal(publicKeys.size, 1);
        for (const sender of kems) {
          const { ciphertext, shared } = encapsulate(sender, publicKeyOf(sender, seed));
          for (const receiver of kems) {
            assert.equal(decapsulate(receiver, seed, ciphertext), shared);
          }
          // A changed ciphertext is rejected implicitly: another secret, the same for all (§6.3).
          const changed = flipped(ciphertext, round, 0x01);
          const rejected = new Set(kems.map((kem) => decapsulate(kem, seed, changed)));
          assert.equal(rejected.size, 1);
          assert.ok(!rejected.has(shared));
        }
      }
    });
  }
});

test('native loads libsodium in WebAssembly for ristretto255 and for nothing else', () => {
  assert.ok(importedByNative.includes('sodium-native'));
  assert.ok(!importedByNative.some((name) => name.startsWith('libsodium')));
  assert.equal(nativeWithoutNeeds.ristretto255, undefined);
  assert.equal(nativeWithoutNeeds.sources.ristretto255, 'none');
  const native = providers.find(({ name }) => name === 'native')!;
  assert.equal(native.sources.ristretto255, 'libsodium (WASM)');
  assert.match(native.version, /^sodium-native .*libsodium-wrappers-sumo/);
});

/** Asserts that all real providers give the same, and returns it. */
function same<T>(compute: (provider: Provider) => T): T {
  const [first, ...others] = real;
  const expected = compute(first!);
  for (const other of others) {
    assert.deepEqual(compute(other), expected, `${other.name} differs from ${first!.name}`);
  }
  return expected;
}

function upTo(maxLength: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ maxLength });
}

function exactly(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

const POISON = 0xa5;

function isPoison(byte: number): boolean {
  return byte === POISON;
}

function isRefusal(error: unknown): boolean {
  return error instanceof RefusedError;
}

/** Copies of the inputs, and fresh outputs. */
function withOutputs(call: PrimitiveCall): Arguments {
  const outputs = Object.entries(call.outputs).map(
    ([name, length]) => [name, new Uint8Array(length)] as const,
  );
  return { ...structuredClone(call.inputs), ...Object.fromEntries(outputs) };
}

/** A copy as a view into a larger buffer that is poisoned elsewhere. */
function place(
  name: string,
  content: Uint8Array,
  offset: number,
): { name: string; view: Uint8Array; whole: Uint8Array } {
  const whole = new Uint8Array(content.length + offset + 64).fill(POISON);
  whole.set(content, offset);
  return { name, view: whole.subarray(offset, offset + content.length), whole };
}

function outside(whole: Uint8Array, offset: number, length: number): Uint8Array {
  return Uint8Array.from([...whole.subarray(0, offset), ...whole.subarray(offset + length)]);
}

function flipped(content: Uint8Array, at: number, bit: number): Uint8Array {
  const changed = new Uint8Array(content);
  changed[at] = changed[at]! ^ bit;
  return changed;
}

function aeadsOf(provider: Provider): [AeadName, Aead][] {
  return Object.entries(provider.aead) as [AeadName, Aead][];
}

function kemsOf(provider: Provider): [KemName, Kem][] {
  return Object.entries(provider.kem) as [KemName, Kem][];
}

function sha256(provider: Provider, data: Uint8Array): string {
  const out = new Uint8Array(32);
  provider.sha256(out, data);
  return toHex(out);
}

function hmac(provider: Provider, key: Uint8Array, data: Uint8Array): string {
  const out = new Uint8Array(32);
  provider.hmacSha256(out, key, data);
  return toHex(out);
}

function hkdf(
  provider: Provider,
  salt: Uint8Array,
  ikm: Uint8Array,
  info: Uint8Array,
  length: number,
): string {
  const out = new Uint8Array(length);
  provider.hkdfSha256(out, salt, ikm, info);
  return toHex(out);
}

function x25519Public(provider: Provider, secret: Uint8Array): string {
  const out = new Uint8Array(32);
  provider.x25519Public(out, secret);
  return toHex(out);
}

function x25519(
  provider: Provider,
  secret: Parameters<Provider['x25519']>[1],
  peer: Uint8Array,
): string {
  const out = new Uint8Array(32);
  provider.x25519(out, secret, peer);
  return toHex(out);
}

/** X25519 with the public key of the secret that `peerSeed` stands for. */
function agree(
  provider: Provider,
  secret: Parameters<Provider['x25519']>[1],
  peerSeed: number,
): string {
  return x25519(provider, secret, fromHex(x25519Public(provider, patterned(32, peerSeed))));
}

function ed25519Public(provider: Provider, seed: Uint8Array): string {
  const out = new Uint8Array(32);
  provider.ed25519Public(out, seed);
  return toHex(out);
}

function sign(
  provider: Provider,
  key: Parameters<Provider['ed25519Sign']>[1],
  message: Uint8Array = utf8('message'),
): string {
  const out = new Uint8Array(64);
  provider.ed25519Sign(out, key, message);
  return toHex(out);
}

function seal(
  aead: Aead,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  const out = new Uint8Array(plaintext.length + 16);
  aead.seal(out, key, nonce, aad, plaintext);
  return out;
}

/** The plaintext, or undefined when the tag does not verify. */
function open(
  aead: Aead,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const out = new Uint8Array(sealed.length - 16);
  return aead.open(out, key, nonce, aad, sealed) ? out : undefined;
}

function chacha20(
  provider: Provider,
  key: Uint8Array,
  nonce: Uint8Array,
  data: Uint8Array,
): Uint8Array {
  return outputOf((out) => provider.chacha20(out, key, nonce, data), data.length);
}

function outputOf(compute: (out: Uint8Array) => void, length: number = 32): Uint8Array {
  const out = new Uint8Array(length);
  compute(out);
  return out;
}

function digestOf(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Of some provider; that of others takes no randomness. */
function derandomisedXWing(): Kem {
  const kems = real.flatMap(({ kem }) => kem['x-wing'] ?? []);
  return kems.find((kem) => kem.derandomised)!;
}

function publicKeyOf(kem: Kem, seed: Uint8Array): Uint8Array {
  const out = new Uint8Array(kem.publicKeyBytes);
  kem.publicKey(out, seed);
  return out;
}

function encapsulate(
  kem: Kem,
  publicKey: Uint8Array,
  randomness: Uint8Array = patterned(kem.randomnessBytes, 9),
): { ciphertext: Uint8Array; shared: string } {
  const ciphertext = new Uint8Array(kem.ciphertextBytes);
  const shared = new Uint8Array(kem.sharedSecretBytes);
  kem.encapsulate(ciphertext, shared, publicKey, randomness);
  return { ciphertext, shared: toHex(shared) };
}

function decapsulate(
  kem: Kem,
  secretKey: Parameters<Kem['decapsulate']>[1],
  ciphertext: Uint8Array,
): string {
  const shared = new Uint8Array(kem.sharedSecretBytes);
  kem.decapsulate(shared, secretKey, ciphertext);
  return toHex(shared);
}

/** The digest that `test/vectors/ml-kem.ts` describes. */
function accumulate(kem: Kem): string {
  const bytesPerCase = 64 + 32 + kem.ciphertextBytes;
  const stream = new Uint8Array(
    createHash('shake128', { outputLength: bytesPerCase * ML_KEM_CASES }).digest(),
  );
  const digest = createHash('shake128', { outputLength: 32 });
  for (let at = 0; at < stream.length; at += bytesPerCase) {
    const seed = stream.subarray(at, at + 64);
    const publicKey = publicKeyOf(kem, seed);
    const { ciphertext, shared } = encapsulate(kem, publicKey, stream.subarray(at + 64, at + 96));
    const random = stream.subarray(at + 96, at + bytesPerCase);
    digest.update(publicKey).update(ciphertext).update(fromHex(shared));
    digest.update(fromHex(decapsulate(kem, seed, random)));
  }
  return digest.digest('hex');
}
