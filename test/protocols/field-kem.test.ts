/** What escrow fields are sealed with: both kinds of key, over all providers. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { EMPTY, fromHex, toHex, utf8 } from '../../src/core/bytes.ts';
import { HarnessError } from '../../src/core/errors.ts';
import { countPrimitives } from '../../src/crypto/counting.ts';
import { RefusedError } from '../../src/crypto/provider.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import { openFieldSeal, type FieldKemName, type FieldSeal } from '../../src/protocols/field-kem.ts';
import { Hpke } from '../../src/protocols/hpke.ts';
import none from '../../src/providers/null.ts';
import vectorFile from '../vectors/rfc9180-a2.json' with { type: 'json' };
import { loadProviders } from './_providers.ts';

const KINDS = ['x25519', 'x-wing'] as const satisfies readonly FieldKemName[];
const CHACHA = 'chacha20-poly1305';

const providers = [...(await loadProviders()), await none.load()];
const info = utf8('info');
const aad = utf8('aad');
const seed = new Uint8Array(32).fill(5);

interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

function keyPairOf(fields: FieldSeal, ...randomSeed: number[]): KeyPair {
  const publicKey = new Uint8Array(fields.publicKeyBytes);
  const secretKey = new Uint8Array(fields.secretKeyBytes);
  fields.keyPair(publicKey, secretKey, seededRandomness(...randomSeed));
  return { publicKey, secretKey };
}

function isUnsupported(error: unknown): boolean {
  return error instanceof HarnessError && error.code === 'UNSUPPORTED';
}

for (const kind of KINDS) {
  const sealing = providers
    .filter((provider) => kind === 'x25519' || provider.kem['x-wing'] !== undefined)
    .map((provider) => ({
      provider,
      fields: openFieldSeal(provider, seededRandomness(3), CHACHA, kind),
    }));

  for (const { provider, fields } of sealing) {
    describe(`${kind} fields over ${provider.name}`, () => {
      test('have the sizes of their KEM', () => {
        const { publicKeyBytes, secretKeyBytes, encBytes, overheadBytes, seedBytes } = fields;
        assert.deepEqual(
          [fields.kem, publicKeyBytes, secretKeyBytes, encBytes, overheadBytes, seedBytes],
          kind === 'x25519' ? ['x25519', 32, 32, 32, 48, 32] : ['x-wing', 1216, 32, 1120, 1136, 32],
        );
      });

      test('open for the prepared key, whatever was sealed before', () => {
        const { publicKey, secretKey } = keyPairOf(fields, 1);
        const secret = fields.prepareSecret(secretKey);
        assert.deepEqual(secret.publicKey, publicKey);
        secretKey.fill(0); // The prepared key is a copy.
        fc.assert(
          fc.property(fc.uint8Array({ maxLength: 80 }), (plaintext) => {
            const field = new Uint8Array(plaintext.length + fields.overheadBytes);
            const opened = new Uint8Array(plaintext.length);
            fields.seal(field, publicKey, info, aad, plaintext);
            assert.ok(fields.open(opened, secret, info, aad, field));
            assert.deepEqual(opened, plaintext);
          }),
          { numRuns: 5 },
        );
      });

      test('are fresh with each seal and each encapsulation', () => {
        const { publicKey } = keyPairOf(fields, 1);
        const made = [1, 2].map(() => {
          const field = new Uint8Array(32 + fields.overheadBytes);
          fields.seal(field, publicKey, info, aad, seed);
          return toHex(field.subarray(0, fields.encBytes));
        });
        const encs = [1, 2].map(() => {
          const enc = new Uint8Array(fields.encBytes);
          fields.encapsulate(enc, new Uint8Array(32), publicKey);
          return toHex(enc);
        });
        assert.equal(new Set([...made, ...encs]).size, 4);
      });

      test('give both ends of an encapsulation one secret', () => {
        const { publicKey, secretKey } = keyPairOf(fields, 1);
        const secret = fields.prepareSecret(secretKey);
        const enc = new Uint8Array(fields.encBytes);
        const [sent, received] = [new Uint8Array(32), new Uint8Array(32)];
        fields.encapsulate(enc, sent, publicKey);
        assert.ok(fields.decapsulate(received, secret, enc));
        assert.deepEqual(received, sent);
        assert.notDeepEqual(sent, new Uint8Array(32));
        const other = fields.prepareSecret(keyPairOf(fields, 2).secretKey);
        fields.decapsulate(received, other, enc);
        assert.notDeepEqual(received, sent);
        assert.ok(!fields.decapsulate(received, secret, enc.subarray(1)));
      });

      test('are recomputed byte for byte from a seed, or say that they cannot be', () => {
        const { publicKey, secretKey } = keyPairOf(fields, 1);
        const fieldOf = (from: Uint8Array): string => {
          const field = new Uint8Array(32 + fields.overheadBytes);
          fields.sealWith(field, from, publicKey, info, aad, seed);
          return toHex(field);
        };
        const encapsulated = (from: Uint8Array): string => {
          const [enc, shared] = [new Uint8Array(fields.encBytes), new Uint8Array(32)];
          fields.encapsulateWith(enc, shared, from, publicKey);
          return toHex(enc) + toHex(shared);
        };
        if (!fields.derandomised) {
          assert.throws(() => fieldOf(seed), isUnsupported);
          assert.throws(() => encapsulated(seed), isUnsupported);
          return;
        }
        const other = new Uint8Array(32).fill(6);
        for (const make of [fieldOf, encapsulated]) {
          const made = make(seed);
          assert.notEqual(make(other), made);
          fields.encapsulate(new Uint8Array(fields.encBytes), new Uint8Array(32), publicKey);
          assert.equal(make(seed), made);
        }
        assert.equal(
          fieldOf(seed).slice(0, 2 * fields.encBytes),
          encapsulated(seed).slice(0, 2 * fields.encBytes),
        );
        const opened = new Uint8Array(32);
        const secret = fields.prepareSecret(secretKey);
        assert.ok(fields.open(opened, secret, info, aad, fromHex(fieldOf(seed))));
        assert.deepEqual(opened, seed);
      });

      test('derive the same key pair from the same seed, and the public key of its secret', () => {
        const pairs = [seed, seed, new Uint8Array(32).fill(6)].map((from) => {
          const publicKey = new Uint8Array(fields.publicKeyBytes);
          const secretKey = new Uint8Array(fields.secretKeyBytes);
          fields.deriveKeyPair(publicKey, secretKey, from);
          assert.deepEqual(fields.prepareSecret(secretKey).publicKey, publicKey);
          return toHex(publicKey) + toHex(secretKey);
        });
        assert.equal(pairs[0], pairs[1]);
        assert.notEqual(pairs[0], pairs[2]);
      });

      if (provider.name === 'null') return; // It refuses nothing but lengths.

      test('do not open when a byte, the info, the aad or the key is another', () => {
        const { publicKey, secretKey } = keyPairOf(fields, 1);
        const secret = fields.prepareSecret(secretKey);
        const field = new Uint8Array(32 + fields.overheadBytes);
        const opened = new Uint8Array(32);
        fields.seal(field, publicKey, info, aad, seed);
        for (const at of [0, fields.encBytes - 1, fields.encBytes, field.length - 1]) {
          const changed = field.slice();
          changed[at]! ^= 1;
          assert.ok(!fields.open(opened, secret, info, aad, changed), `byte ${at}`);
        }
        assert.ok(!fields.open(opened, secret, EMPTY, aad, field));
        assert.ok(!fields.open(opened, secret, info, EMPTY, field));
        assert.ok(!fields.open(EMPTY, secret, info, aad, field.subarray(0, fields.encBytes)));
        const other = fields.prepareSecret(keyPairOf(fields, 2).secretKey);
        assert.ok(!fields.open(opened, other, info, aad, field));
      });

      test('refuse public keys that cannot be used', () => {
        const { publicKey } = keyPairOf(fields, 1);
        publicKey.fill(0, publicKey.length - 32); // X25519's, and the second half of X-Wing's.
        const enc = new Uint8Array(fields.encBytes);
        const field = new Uint8Array(32 + fields.overheadBytes);
        assert.throws(() => fields.seal(field, publicKey, info, aad, seed), RefusedError);
        assert.throws(() => fields.encapsulate(enc, new Uint8Array(32), publicKey), RefusedError);
      });
    });
  }

  test(`${kind} fields of one provider open with every other`, () => {
    const real = sealing.filter(({ provider }) => provider.name !== 'null');
    assert.ok(real.length > 1);
    const { publicKey, secretKey } = keyPairOf(real[0]!.fields, 1);
    const seeded = new Set<string>();
    for (const { fields } of real) {
      const field = new Uint8Array(32 + fields.overheadBytes);
      fields.seal(field, publicKey, info, aad, seed);
      const enc = new Uint8Array(fields.encBytes);
      const sent = new Uint8Array(32);
      fields.encapsulate(enc, sent, publicKey);
      for (const { provider, fields: receiver } of real) {
        const opened = new Uint8Array(32);
        const secret = receiver.prepareSecret(secretKey);
        assert.ok(receiver.open(opened, secret, info, aad, field), provider.name);
        assert.deepEqual(opened, seed);
        assert.ok(receiver.decapsulate(opened, secret, enc));
        assert.deepEqual(opened, sent);
      }
      if (!fields.derandomised) continue;
      fields.sealWith(field, seed, publicKey, info, aad, seed);
      seeded.add(toHex(field));
    }
    assert.equal(seeded.size, 1);
  });
}

test('an x25519 field is HPKE in base mode, RFC 9180 A.2.1, its ephemeral key DeriveKeyPair of the seed', () => {
  const vector = vectorFile.vectors[0]!;
  for (const provider of providers) {
    if (provider.name === 'null') continue;
    const fields = openFieldSeal(provider, seededRandomness(1), CHACHA, 'x25519');
    const { pt, aad: vectorAad, ct } = vector.encryptions[0]!;
    const field = new Uint8Array(pt.length / 2 + fields.overheadBytes);
    fields.sealWith(
      field,
      fromHex(vector.ikmE),
      fromHex(vector.pkRm),
      fromHex(vector.info),
      fromHex(vectorAad),
      fromHex(pt),
    );
    assert.equal(toHex(field), vector.enc + ct);
  }
});

test('the secret of an x25519 encapsulation is the shared secret of the KEM, RFC 9180 A.2.1', () => {
  const vector = vectorFile.vectors[0]!;
  for (const provider of providers) {
    if (provider.name === 'null') continue;
    const fields = openFieldSeal(provider, seededRandomness(1), CHACHA, 'x25519');
    const shared = new Uint8Array(32);
    const enc = new Uint8Array(32);
    fields.encapsulateWith(enc, shared, fromHex(vector.ikmE), fromHex(vector.pkRm));
    assert.equal(toHex(enc), vector.enc);
    assert.equal(toHex(shared), vector.sharedSecret);
  }
});

test('an x25519 field costs what HPKE costs: two X25519, six HMACs and one AEAD', () => {
  const { provider, counts } = countPrimitives(providers[0]!);
  const fields = openFieldSeal(provider, seededRandomness(1), CHACHA, 'x25519');
  const hpke = new Hpke(provider);
  const { publicKey } = keyPairOf(fields, 1);
  const field = new Uint8Array(32 + fields.overheadBytes);
  counts.clear();
  hpke.seal(field, seededRandomness(1), publicKey, info, aad, seed);
  const expected = Object.fromEntries(counts);
  counts.clear();
  fields.seal(field, publicKey, info, aad, seed);
  assert.deepEqual(Object.fromEntries(counts), expected);
  assert.equal(counts.get('x25519'), 1);
  assert.equal(counts.get('x25519-base'), 1);
});

test('a provider without X-Wing has no x-wing fields', () => {
  const provider = { ...providers[0]!, kem: {} };
  assert.throws(
    () => openFieldSeal(provider, seededRandomness(1), CHACHA, 'x-wing'),
    isUnsupported,
  );
});
