/** HPKE against RFC 9180's vectors, against a simple twin, and against bad input. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes, EMPTY, fromHex, putUint16, toHex, utf8 } from '../../src/core/bytes.ts';
import { HarnessError } from '../../src/core/errors.ts';
import { hkdfExpand, hkdfExtract } from '../../src/crypto/hkdf.ts';
import { RefusedError } from '../../src/crypto/provider.ts';
import type { AeadName, Provider } from '../../src/crypto/provider.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import {
  Hpke,
  HPKE_CONTEXT_KEY_BYTES,
  HPKE_OVERHEAD_BYTES,
  HpkeContext,
} from '../../src/protocols/hpke.ts';
import vectorFile from '../vectors/rfc9180-a2.json' with { type: 'json' };
import { aeadsOf, loadProviders } from './_providers.ts';

const RUNS = { numRuns: 12, seed: 9180 };

const providers = await loadProviders();
const combinations = providers.flatMap((provider) =>
  aeadsOf(provider).map((aead) => ({ provider, aead })),
);

const bytes = (max: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ maxLength: max, size: 'max' });
const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

/** u = 0 and u = 1, and two points of order 8: RFC 7748 §6.1 gives zero for all of them. */
const LOW_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
].map(fromHex);

interface KeyPair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

function keyPair(provider: Provider, secretKey: Uint8Array): KeyPair {
  const publicKey = new Uint8Array(32);
  provider.x25519Public(publicKey, secretKey);
  return { secretKey, publicKey };
}

function flip(bytesIn: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytesIn);
  flipped[(bit >>> 3) % flipped.length]! ^= 1 << (bit & 7);
  return flipped;
}

test('there are providers to test', () => {
  assert.ok(providers.length > 0);
  assert.deepEqual(
    vectorFile.vectors.map((vector) => vector.section),
    ['A.2.1', 'A.2.3'],
  );
});

for (const provider of providers) {
  describe(`hpke over ${provider.name}`, () => {
    for (const vector of vectorFile.vectors) {
      const info = fromHex(vector.info);
      const skEm = fromHex(vector.skEm);
      const skRm = fromHex(vector.skRm);
      const pkRm = fromHex(vector.pkRm);

      test(`derives the key pairs of RFC 9180 ${vector.section}`, () => {
        const hpke = new Hpke(provider);
        const pairs = [
          [vector.ikmE, vector.skEm, vector.pkEm],
          [vector.ikmR, vector.skRm, vector.pkRm],
          [vector.ikmS, vector.skSm, vector.pkSm],
        ];
        for (const [ikm, secretHex, publicHex] of pairs) {
          if (ikm === undefined) continue;
          const secretKey = new Uint8Array(32);
          const publicKey = new Uint8Array(32);
          hpke.deriveKeyPair(secretKey, publicKey, fromHex(ikm));
          assert.equal(toHex(secretKey), secretHex);
          assert.equal(toHex(publicKey), publicHex);
        }
      });

      for (const secretForm of ['bytes', 'a handle'] as const) {
        test(`gives the contexts of RFC 9180 ${vector.section} from ${secretForm}`, () => {
          const imported = (secretKey: Uint8Array) =>
            secretForm === 'bytes' ? secretKey : provider.x25519Handle(secretKey);
          const hpke = new Hpke(provider);
          const sender = new HpkeContext();
          const receiver = new HpkeContext();
          const enc = new Uint8Array(32);
          if (vector.skSm === undefined) {
            hpke.setupBaseSenderWith(sender, enc, skEm, pkRm, info);
            assert.ok(hpke.setupBaseReceiver(receiver, enc, imported(skRm), pkRm, info));
          } else {
            const skSm = imported(fromHex(vector.skSm));
            const pkSm = fromHex(vector.pkSm);
            hpke.setupAuthSenderWith(sender, enc, skEm, pkRm, info, skSm, pkSm);
            assert.ok(hpke.setupAuthReceiver(receiver, enc, imported(skRm), pkRm, info, pkSm));
          }
          assert.equal(toHex(enc), vector.enc);
          for (const context of [sender, receiver]) {
            assert.equal(toHex(context.contextKey), vector.key + vector.baseNonce);
            assert.equal(toHex(context.exporterSecret), vector.exporterSecret);
            for (const item of vector.exports) {
              const exported = new Uint8Array(item.length);
              hpke.export(context, exported, fromHex(item.exporterContext));
              assert.equal(toHex(exported), item.exportedValue);
            }
          }
          for (const { sequence, pt, aad, ct } of vector.encryptions) {
            sender.sequence = sequence;
            receiver.sequence = sequence;
            const sealed = new Uint8Array(ct.length / 2);
            hpke.sealNext(sender, sealed, fromHex(aad), fromHex(pt));
            assert.equal(toHex(sealed), ct);
            const opened = new Uint8Array(pt.length / 2);
            assert.ok(hpke.openNext(receiver, opened, fromHex(aad), sealed));
            assert.equal(toHex(opened), pt);
            assert.equal(sender.sequence, sequence + 1);
            assert.equal(receiver.sequence, sequence + 1);
          }
        });
      }

      if (vector.mode === 0) {
        test(`seals in one shot as RFC 9180 ${vector.section} does at sequence number 0`, () => {
          const { pt, aad, ct } = vector.encryptions[0]!;
          const out = new Uint8Array(pt.length / 2 + HPKE_OVERHEAD_BYTES);
          const hpke = new Hpke(provider);
          hpke.sealWith(out, skEm, pkRm, info, fromHex(aad), fromHex(pt));
          assert.equal(toHex(out), vector.enc + ct);
        });
      }
    }
  });
}

test('the twin gives every intermediate value of RFC 9180 A.2', () => {
  const provider = providers[0]!;
  for (const vector of vectorFile.vectors) {
    const sender = vector.skSm === undefined ? undefined : fromHex(vector.skSm);
    const twin = twinSetup(
      provider,
      'chacha20-poly1305',
      fromHex(vector.skEm),
      fromHex(vector.pkRm),
      fromHex(vector.info),
      sender,
    );
    assert.equal(toHex(twin.sharedSecret), vector.sharedSecret);
    assert.equal(toHex(twin.keyScheduleContext), vector.keyScheduleContext);
    assert.equal(toHex(twin.secret), vector.secret);
    assert.equal(toHex(twin.contextKey), vector.key + vector.baseNonce);
    assert.equal(toHex(twin.exporterSecret), vector.exporterSecret);
  }
});

for (const { provider, aead } of combinations) {
  describe(`hpke over ${provider.name} with ${aead}`, () => {
    const hpke = new Hpke(provider, aead);

    test('agrees with the twin for infos of any length, in both modes', () => {
      const context = new HpkeContext();
      const enc = new Uint8Array(32);
      fc.assert(
        fc.property(key32, key32, key32, bytes(600), (ephemeral, ours, theirs, info) => {
          const recipient = keyPair(provider, ours);
          const sender = keyPair(provider, theirs);
          hpke.setupBaseSenderWith(context, enc, ephemeral, recipient.publicKey, info);
          const base = twinSetup(provider, aead, ephemeral, recipient.publicKey, info, undefined);
          assert.deepEqual(context.contextKey, base.contextKey);
          assert.deepEqual(context.exporterSecret, base.exporterSecret);
          hpke.setupAuthSenderWith(
            context,
            enc,
            ephemeral,
            recipient.publicKey,
            info,
            sender.secretKey,
            sender.publicKey,
          );
          const auth = twinSetup(provider, aead, ephemeral, recipient.publicKey, info, theirs);
          assert.deepEqual(context.contextKey, auth.contextKey);
          assert.deepEqual(context.exporterSecret, auth.exporterSecret);
        }),
        RUNS,
      );
    });

    test('agrees with the twin for a short info after a long one', () => {
      const fresh = new Hpke(provider, aead);
      const context = new HpkeContext();
      const { publicKey } = keyPair(provider, new Uint8Array(32).fill(3));
      const ephemeral = new Uint8Array(32).fill(4);
      for (const length of [0, 255, 256, 257, 5, 2000, 0]) {
        const info = new Uint8Array(length).fill(length);
        fresh.setupBaseSenderWith(context, new Uint8Array(32), ephemeral, publicKey, info);
        const twin = twinSetup(provider, aead, ephemeral, publicKey, info, undefined);
        assert.deepEqual(context.contextKey, twin.contextKey);
      }
    });

    test('opens what it sealed, and nothing that differs in one bit or belongs elsewhere', () => {
      fc.assert(
        fc.property(
          key32,
          key32,
          bytes(300),
          bytes(80),
          bytes(3000),
          fc.nat(),
          (secretKey, ephemeral, info, aad, plaintext, bit) => {
            const own = keyPair(provider, secretKey);
            const sealed = new Uint8Array(plaintext.length + HPKE_OVERHEAD_BYTES);
            hpke.sealWith(sealed, ephemeral, own.publicKey, info, aad, plaintext);
            const out = new Uint8Array(plaintext.length);
            const opens = (
              pair: KeyPair,
              infoIn: Uint8Array,
              aadIn: Uint8Array,
              from: Uint8Array,
            ) => hpke.open(out, pair.secretKey, pair.publicKey, infoIn, aadIn, from);
            assert.ok(opens(own, info, aad, sealed));
            assert.deepEqual(out, plaintext);

            // The top bit of a u-coordinate is masked by X25519 (RFC 7748 §5); it still counts,
            // because enc is part of kem_context.
            assert.ok(!opens(own, info, aad, flip(sealed, bit)));
            assert.ok(!opens(own, concatBytes(info, Uint8Array.of(0)), aad, sealed));
            assert.ok(!opens(own, info, concatBytes(aad, Uint8Array.of(0)), sealed));
            assert.ok(!opens(keyPair(provider, flip(secretKey, 77)), info, aad, sealed));
            const otherPublic = keyPair(provider, flip(secretKey, 77)).publicKey;
            assert.ok(!opens({ secretKey, publicKey: otherPublic }, info, aad, sealed));
          },
        ),
        RUNS,
      );
    });

    test('refuses every single flipped bit of a sealed message', () => {
      const own = keyPair(provider, new Uint8Array(32).fill(7));
      const sealed = new Uint8Array(1 + HPKE_OVERHEAD_BYTES);
      hpke.seal(sealed, seededRandomness(1), own.publicKey, EMPTY, EMPTY, Uint8Array.of(42));
      const out = new Uint8Array(1);
      for (let bit = 0; bit < 8 * sealed.length; bit++) {
        const damaged = flip(sealed, bit);
        assert.ok(
          !hpke.open(out, own.secretKey, own.publicKey, EMPTY, EMPTY, damaged),
          `bit ${bit}`,
        );
      }
    });

    test('answers false to input that is too short, and to any garbage', () => {
      const own = keyPair(provider, new Uint8Array(32).fill(9));
      for (let length = 0; length < HPKE_OVERHEAD_BYTES; length++) {
        const short = new Uint8Array(length).fill(3);
        assert.ok(!hpke.open(EMPTY, own.secretKey, own.publicKey, EMPTY, EMPTY, short));
      }
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 48, maxLength: 200 }), (garbage) => {
          const out = new Uint8Array(garbage.length - HPKE_OVERHEAD_BYTES);
          assert.ok(!hpke.open(out, own.secretKey, own.publicKey, EMPTY, EMPTY, garbage));
        }),
        RUNS,
      );
      const context = new HpkeContext();
      for (const length of [0, 31, 33]) {
        const enc = new Uint8Array(length).fill(9);
        assert.ok(!hpke.setupBaseReceiver(context, enc, own.secretKey, own.publicKey, EMPTY));
      }
      assert.ok(!hpke.openNext(context, EMPTY, EMPTY, new Uint8Array(15)));
      assert.equal(context.sequence, 0);
    });

    test('refuses keys of low order: the receiver with false, the sender with RefusedError', () => {
      const own = keyPair(provider, new Uint8Array(32).fill(11));
      const handle = provider.x25519Handle(own.secretKey);
      const context = new HpkeContext();
      const enc = new Uint8Array(32);
      for (const point of LOW_ORDER) {
        const sealed = concatBytes(point, new Uint8Array(20));
        const out = new Uint8Array(4);
        for (const secret of [own.secretKey, handle]) {
          assert.equal(hpke.open(out, secret, own.publicKey, EMPTY, EMPTY, sealed), false);
          assert.equal(hpke.setupBaseReceiver(context, point, secret, own.publicKey, EMPTY), false);
          assert.equal(
            hpke.setupAuthReceiver(context, own.publicKey, secret, own.publicKey, EMPTY, point),
            false,
          );
        }
        const random = seededRandomness(5);
        assert.throws(
          () => hpke.seal(new Uint8Array(48), random, point, EMPTY, EMPTY, EMPTY),
          RefusedError,
        );
        assert.throws(() => hpke.setupBaseSender(context, enc, random, point, EMPTY), RefusedError);
      }
      assert.deepEqual(context.contextKey, new Uint8Array(HPKE_CONTEXT_KEY_BYTES));
    });

    test('a context opens in order only, and stays where it is after a refusal', () => {
      const own = keyPair(provider, new Uint8Array(32).fill(13));
      const [sender, receiver] = [new HpkeContext(), new HpkeContext()];
      const enc = new Uint8Array(32);
      hpke.setupBaseSender(sender, enc, seededRandomness(2), own.publicKey, EMPTY);
      assert.ok(hpke.setupBaseReceiver(receiver, enc, own.secretKey, own.publicKey, EMPTY));
      const messages = [0, 1, 2].map((value) => {
        const sealed = new Uint8Array(17);
        hpke.sealNext(sender, sealed, EMPTY, Uint8Array.of(value));
        return sealed;
      });
      const out = new Uint8Array(1);
      assert.ok(!hpke.openNext(receiver, out, EMPTY, messages[1]!));
      assert.equal(receiver.sequence, 0);
      for (const [index, message] of messages.entries()) {
        assert.ok(hpke.openNext(receiver, out, EMPTY, message));
        assert.equal(out[0], index);
        assert.ok(!hpke.openNext(receiver, out, EMPTY, message));
      }
      assert.ok(hpke.openAt(receiver.contextKey, 1, out, EMPTY, messages[1]!));
      assert.equal(out[0], 1);
      assert.ok(hpke.setupBaseReceiver(receiver, enc, own.secretKey, own.publicKey, EMPTY));
      assert.ok(hpke.openNext(receiver, out, EMPTY, messages[0]!));
    });

    test('no two sequence numbers share a nonce, beyond 32 bits too', () => {
      const contextKey = new Uint8Array(HPKE_CONTEXT_KEY_BYTES).fill(17);
      const seen = new Set<string>();
      const sequences = [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1];
      for (const sequence of sequences) {
        const sealed = new Uint8Array(16);
        hpke.sealAt(contextKey, sequence, sealed, EMPTY, EMPTY);
        seen.add(toHex(sealed));
      }
      assert.equal(seen.size, sequences.length);
      for (const sequence of [2 ** 53, -1, 0.5]) {
        assert.throws(
          () => hpke.sealAt(contextKey, sequence, new Uint8Array(16), EMPTY, EMPTY),
          RangeError,
        );
      }
    });

    test('auth mode opens nothing from another sender, nor what base mode sealed', () => {
      const recipient = keyPair(provider, new Uint8Array(32).fill(19));
      const sender = keyPair(provider, new Uint8Array(32).fill(23));
      const other = keyPair(provider, new Uint8Array(32).fill(29));
      const [sending, receiving] = [new HpkeContext(), new HpkeContext()];
      const enc = new Uint8Array(32);
      const sealed = new Uint8Array(16);
      const opensFrom = (publicKey: Uint8Array): boolean => {
        const { secretKey } = recipient;
        return (
          hpke.setupAuthReceiver(
            receiving,
            enc,
            secretKey,
            recipient.publicKey,
            EMPTY,
            publicKey,
          ) && hpke.openNext(receiving, EMPTY, EMPTY, sealed)
        );
      };
      hpke.setupAuthSender(
        sending,
        enc,
        seededRandomness(3),
        recipient.publicKey,
        EMPTY,
        sender.secretKey,
        sender.publicKey,
      );
      hpke.sealNext(sending, sealed, EMPTY, EMPTY);
      assert.ok(opensFrom(sender.publicKey));
      assert.ok(!opensFrom(other.publicKey));
      hpke.setupBaseSender(sending, enc, seededRandomness(3), recipient.publicKey, EMPTY);
      hpke.sealNext(sending, sealed, EMPTY, EMPTY);
      assert.ok(!opensFrom(sender.publicKey));
    });

    test('the same randomness gives the same bytes, other randomness other bytes', () => {
      const own = keyPair(provider, new Uint8Array(32).fill(31));
      const seal = (seed: number): string => {
        const sealed = new Uint8Array(80);
        const plaintext = new Uint8Array(32).fill(1);
        hpke.seal(sealed, seededRandomness(seed), own.publicKey, EMPTY, EMPTY, plaintext);
        return toHex(sealed);
      };
      assert.equal(seal(1), seal(1));
      assert.notEqual(seal(1), seal(2));
    });
  });
}

test('no secret stays in the scratch memory after a call', () => {
  const provider = providers[0]!;
  const { secretKey, publicKey } = keyPair(provider, new Uint8Array(32).fill(43));
  // Keys of HMAC and of the AEAD, and results of X25519: all that is secret passes there. What the
  // caller gave is the caller's.
  const seen = new Set<Uint8Array>();
  const inputs = new Set<Uint8Array>();
  const chacha = provider.aead['chacha20-poly1305'];
  const spy: Provider = {
    ...provider,
    hmacSha256(out, key, data) {
      seen.add(key);
      inputs.add(data);
      provider.hmacSha256(out, key, data);
    },
    x25519(out, secret, point) {
      seen.add(out);
      if (secret instanceof Uint8Array && secret !== secretKey) seen.add(secret);
      provider.x25519(out, secret, point);
    },
    aead: {
      'chacha20-poly1305': {
        seal(out, key, nonce, aad, plaintext) {
          seen.add(key);
          chacha.seal(out, key, nonce, aad, plaintext);
        },
        open(out, key, nonce, aad, ciphertext) {
          seen.add(key);
          return chacha.open(out, key, nonce, aad, ciphertext);
        },
      },
    },
  };
  const hpke = new Hpke(spy);
  const context = new HpkeContext();
  const enc = new Uint8Array(32);
  const sealed = new Uint8Array(48);
  const random = seededRandomness(6);
  const zero = new Uint8Array(32);
  const calls: readonly (() => unknown)[] = [
    () => hpke.seal(sealed, random, publicKey, EMPTY, EMPTY, EMPTY),
    () => hpke.open(EMPTY, secretKey, publicKey, EMPTY, EMPTY, sealed),
    () => hpke.open(EMPTY, secretKey, publicKey, EMPTY, EMPTY, flip(sealed, 9)),
    () => hpke.setupBaseSender(context, enc, random, publicKey, EMPTY),
    () => hpke.setupBaseReceiver(context, enc, secretKey, publicKey, EMPTY),
    () => hpke.setupAuthSender(context, enc, random, publicKey, EMPTY, secretKey, publicKey),
    () => hpke.setupAuthReceiver(context, enc, secretKey, publicKey, EMPTY, publicKey),
    () => hpke.deriveSecretKey(new Uint8Array(32), secretKey),
    () => hpke.encapsulate(enc, new Uint8Array(32), random, publicKey),
    () => hpke.decapsulate(new Uint8Array(32), enc, secretKey, publicKey),
  ];
  for (const call of calls) {
    seen.clear();
    call();
    assert.ok(seen.size >= 2);
    for (const scratch of seen) assert.deepEqual(scratch, zero, call.toString());
    for (const input of inputs) assert.ok(!toHex(input).includes(toHex(secretKey)));
  }
});

test('a wrong length of a buffer of the caller is a RangeError', () => {
  const provider = providers[0]!;
  const hpke = new Hpke(provider);
  const own = keyPair(provider, new Uint8Array(32).fill(37));
  const { secretKey, publicKey } = own;
  const random = seededRandomness(1);
  assert.throws(
    () => hpke.seal(new Uint8Array(47), random, publicKey, EMPTY, EMPTY, EMPTY),
    /"out" expected 48 bytes, got 47/,
  );
  assert.throws(
    () => hpke.open(new Uint8Array(1), secretKey, publicKey, EMPTY, EMPTY, new Uint8Array(48)),
    /"out" expected 0 bytes, got 1/,
  );
  const shortKey = publicKey.subarray(1);
  assert.throws(
    () => hpke.seal(new Uint8Array(48), random, shortKey, EMPTY, EMPTY, EMPTY),
    /"recipientPublic" expected 32 bytes, got 31/,
  );
});

test('a provider without the AEAD is unsupported', () => {
  const provider: Provider = {
    ...providers[0]!,
    aead: { 'chacha20-poly1305': providers[0]!.aead['chacha20-poly1305'] },
  };
  assert.throws(
    () => new Hpke(provider, 'aes-256-gcm'),
    (error) => error instanceof HarnessError && error.code === 'UNSUPPORTED',
  );
});

test('every provider opens what every other one sealed, and all seal the same bytes', () => {
  for (const aead of ['chacha20-poly1305', 'aes-256-gcm'] as const) {
    const able = providers.filter((provider) => provider.aead[aead] !== undefined);
    const info = utf8('info');
    const aad = utf8('aad');
    const plaintext = utf8('sealed by one, opened by all');
    const transcripts = new Set<string>();
    for (const sealing of able) {
      const own = keyPair(sealing, new Uint8Array(32).fill(41));
      const sealed = new Uint8Array(plaintext.length + HPKE_OVERHEAD_BYTES);
      const random = seededRandomness(8);
      new Hpke(sealing, aead).seal(sealed, random, own.publicKey, info, aad, plaintext);
      transcripts.add(toHex(sealed));
      for (const opening of able) {
        const out = new Uint8Array(plaintext.length);
        const hpke = new Hpke(opening, aead);
        assert.ok(hpke.open(out, own.secretKey, own.publicKey, info, aad, sealed));
        assert.deepEqual(out, plaintext);
      }
    }
    assert.ok(able.length === 0 || transcripts.size === 1, `${aead}: ${transcripts.size} results`);
  }
});

interface TwinResult {
  readonly sharedSecret: Uint8Array;
  readonly keyScheduleContext: Uint8Array;
  readonly secret: Uint8Array;
  readonly contextKey: Uint8Array;
  readonly exporterSecret: Uint8Array;
}

/** The sender's set-up as RFC 9180 §4.1 and §5.1 write it down, with a fresh array for each line. */
function twinSetup(
  provider: Provider,
  aead: AeadName,
  skE: Uint8Array,
  pkR: Uint8Array,
  info: Uint8Array,
  skS: Uint8Array | undefined,
): TwinResult {
  const labeledExtract = (
    suite: Uint8Array,
    salt: Uint8Array,
    label: string,
    ikm: Uint8Array,
  ): Uint8Array => {
    const prk = new Uint8Array(32);
    hkdfExtract(provider, prk, salt, concatBytes(utf8('HPKE-v1'), suite, utf8(label), ikm));
    return prk;
  };
  const labeledExpand = (
    suite: Uint8Array,
    prk: Uint8Array,
    label: string,
    context: Uint8Array,
    length: number,
  ): Uint8Array => {
    const out = new Uint8Array(length);
    const start = concatBytes(i2osp2(length), utf8('HPKE-v1'), suite, utf8(label));
    hkdfExpand(provider, out, prk, concatBytes(start, context));
    return out;
  };
  const agree = (secretKey: Uint8Array): Uint8Array => {
    const shared = new Uint8Array(32);
    provider.x25519(shared, secretKey, pkR);
    return shared;
  };

  const kemSuite = concatBytes(utf8('KEM'), i2osp2(0x0020));
  const enc = keyPair(provider, skE).publicKey;
  const dh = skS === undefined ? agree(skE) : concatBytes(agree(skE), agree(skS));
  const pkS = skS === undefined ? EMPTY : keyPair(provider, skS).publicKey;
  const kemContext = concatBytes(enc, pkR, pkS);
  const eaePrk = labeledExtract(kemSuite, EMPTY, 'eae_prk', dh);
  const sharedSecret = labeledExpand(kemSuite, eaePrk, 'shared_secret', kemContext, 32);

  const aeadId = aead === 'chacha20-poly1305' ? 0x0003 : 0x0002;
  const suite = concatBytes(utf8('HPKE'), i2osp2(0x0020), i2osp2(0x0001), i2osp2(aeadId));
  const keyScheduleContext = concatBytes(
    Uint8Array.of(skS === undefined ? 0 : 2),
    labeledExtract(suite, EMPTY, 'psk_id_hash', EMPTY),
    labeledExtract(suite, EMPTY, 'info_hash', info),
  );
  const secret = labeledExtract(suite, sharedSecret, 'secret', EMPTY);
  return {
    sharedSecret,
    keyScheduleContext,
    secret,
    contextKey: concatBytes(
      labeledExpand(suite, secret, 'key', keyScheduleContext, 32),
      labeledExpand(suite, secret, 'base_nonce', keyScheduleContext, 12),
    ),
    exporterSecret: labeledExpand(suite, secret, 'exp', keyScheduleContext, 32),
  };
}

function i2osp2(value: number): Uint8Array {
  const encoded = new Uint8Array(2);
  putUint16(encoded, 0, value);
  return encoded;
}

for (const { provider, aead } of combinations) {
  test(`one receiver over ${provider.name} with ${aead} takes turns between two authenticated senders`, () => {
    const recipient = keyPair(provider, new Uint8Array(32).fill(47));
    const senders = [53, 59].map((fill) => keyPair(provider, new Uint8Array(32).fill(fill)));
    const info = utf8('info');
    const sent = senders.map((sender, number) => {
      const context = new HpkeContext();
      const enc = new Uint8Array(32);
      const sealed = new Uint8Array(17);
      // One object per sender, so that what the receiver's keeps between calls is its own.
      const sending = new Hpke(provider, aead);
      const random = seededRandomness(number);
      const { publicKey } = recipient;
      const { secretKey } = sender;
      sending.setupAuthSender(context, enc, random, publicKey, info, secretKey, sender.publicKey);
      sending.sealNext(context, sealed, EMPTY, Uint8Array.of(number));
      return { enc, sealed };
    });
    const hpke = new Hpke(provider, aead);
    const context = new HpkeContext();
    const opens = (message: number, from: number): boolean => {
      const { enc, sealed } = sent[message]!;
      const { secretKey, publicKey } = recipient;
      const sender = senders[from]!.publicKey;
      const out = new Uint8Array(1);
      return (
        hpke.setupAuthReceiver(context, enc, secretKey, publicKey, info, sender) &&
        hpke.openNext(context, out, EMPTY, sealed) &&
        out[0] === message
      );
    };
    for (let round = 0; round < 3; round++) {
      for (const message of [0, 1]) {
        assert.ok(opens(message, message), `round ${round}, sender ${message}`);
        assert.ok(!opens(message, 1 - message), `round ${round}, in the name of the other`);
      }
    }
  });
}
