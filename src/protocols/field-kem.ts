/**
 * How an escrow field is sealed to a public key: HPKE in base mode, RFC 9180, over X25519 or over
 * X-Wing, chosen by name. A field over X25519 alone falls to a quantum computer whatever the
 * ratchet under it withstands.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import {
  AEAD_TAG_BYTES,
  X25519_BYTES,
  type AeadName,
  type KeyHandle,
  type Provider,
} from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import { Hpke, HPKE_ENC_BYTES } from './hpke.ts';
import { HpkeXWing } from './hpke-x-wing.ts';

export type FieldKemName = 'x25519' | 'x-wing';

/** The KEM's shared secret and the seed of a recomputable field, in bytes. */
export const FIELD_SECRET_BYTES = 32;

/** An authority's key, imported once. Of use to the `FieldSeal` that made it alone. */
export interface FieldSecret {
  readonly publicKey: Uint8Array;
  readonly key: KeyHandle;
}

/**
 * Fields sealed to one kind of key, with one provider and one AEAD. Not re-entrant; a call wipes the
 * secrets that it made. `out` and every other output have exactly the stated length.
 *
 * A public key that cannot be used (of low order, or failing the check of FIPS 203 §7.2) throws
 * RefusedError; whatever cannot be opened gives `false`.
 */
export interface FieldSeal {
  readonly kem: FieldKemName;
  readonly publicKeyBytes: number;
  readonly secretKeyBytes: number;
  readonly encBytes: number;
  /** What a field is longer than its plaintext: `encBytes` and a tag. */
  readonly overheadBytes: number;
  /** Of what the `...With` functions take; longer keying material is taken too. */
  readonly seedBytes: number;
  /** Whether the `...With` functions work; else they throw HarnessError UNSUPPORTED. */
  readonly derandomised: boolean;

  keyPair(publicKey: Uint8Array, secretKey: Uint8Array, randomness: Randomness): void;
  /** A pair that whoever has `seed` can derive again: DeriveKeyPair, RFC 9180 §7.1.3. */
  deriveKeyPair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void;
  /** Imports a secret key, for `open` and `decapsulate`. */
  prepareSecret(secretKey: Uint8Array): FieldSecret;

  /** With fresh randomness. @param out enc || ciphertext || tag. */
  seal(
    out: Uint8Array,
    publicKey: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): void;
  /**
   * With all randomness derived from `seed`: who knows it recomputes the field byte for byte. A seed
   * must never serve two fields that differ.
   */
  sealWith(
    out: Uint8Array,
    seed: Uint8Array,
    publicKey: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): void;
  /** @returns Whether it opened; the content of `out` is unspecified if not. */
  open(
    out: Uint8Array,
    secret: FieldSecret,
    info: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): boolean;

  /** The KEM alone, with fresh randomness: a shared secret of 32 bytes for what is kept beyond one field. */
  encapsulate(enc: Uint8Array, sharedSecret: Uint8Array, publicKey: Uint8Array): void;
  /** `encapsulate` with its randomness derived from `seed`. */
  encapsulateWith(
    enc: Uint8Array,
    sharedSecret: Uint8Array,
    seed: Uint8Array,
    publicKey: Uint8Array,
  ): void;
  /**
   * `encapsulateWith` to several recipients under one `enc`, as RFC 9180 does not define and Sealed
   * Sender v2 does. Over X25519 only.
   *
   * @param sharedSecrets 32 bytes for each.
   * @throws HarnessError UNSUPPORTED for X-Wing, whose ciphertext is made for one key.
   */
  encapsulateToAll(
    enc: Uint8Array,
    sharedSecrets: Uint8Array,
    seed: Uint8Array,
    publicKeys: readonly Uint8Array[],
  ): void;
  /**
   * @returns Whether `enc` is a key that can be used. A changed one of X-Wing can, and gives another
   *   secret.
   */
  decapsulate(sharedSecret: Uint8Array, secret: FieldSecret, enc: Uint8Array): boolean;
}

/** @throws HarnessError UNSUPPORTED when the provider lacks the AEAD or the KEM. */
export function openFieldSeal(
  provider: Provider,
  randomness: Randomness,
  aeadName: AeadName,
  kem: FieldKemName,
): FieldSeal {
  return kem === 'x25519'
    ? new X25519Fields(provider, randomness, aeadName)
    : new XWingFields(provider, randomness, aeadName);
}

/** A seal costs what one of `Hpke` does, a seeded one two HMACs more. */
class X25519Fields implements FieldSeal {
  readonly kem = 'x25519';
  readonly publicKeyBytes = X25519_BYTES;
  readonly secretKeyBytes = X25519_BYTES;
  readonly encBytes = HPKE_ENC_BYTES;
  readonly overheadBytes: number = HPKE_ENC_BYTES + AEAD_TAG_BYTES;
  readonly seedBytes = FIELD_SECRET_BYTES;
  readonly derandomised = true;
  readonly #provider: Provider;
  readonly #randomness: Randomness;
  readonly #hpke: Hpke;
  readonly #ephemeral = new Uint8Array(X25519_BYTES);

  constructor(provider: Provider, randomness: Randomness, aeadName: AeadName) {
    this.#provider = provider;
    this.#randomness = randomness;
    this.#hpke = new Hpke(provider, aeadName);
  }

  keyPair(publicKey: Uint8Array, secretKey: Uint8Array, randomness: Randomness): void {
    randomness.fill(secretKey);
    this.#provider.x25519Public(publicKey, secretKey);
  }

  deriveKeyPair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void {
    this.#hpke.deriveKeyPair(secretKey, publicKey, seed);
  }

  prepareSecret(secretKey: Uint8Array): FieldSecret {
    const publicKey = new Uint8Array(X25519_BYTES);
    this.#provider.x25519Public(publicKey, secretKey);
    return { publicKey, key: this.#provider.x25519Handle(secretKey) };
  }

  seal(
    out: Uint8Array,
    publicKey: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): void {
    this.#hpke.seal(out, this.#randomness, publicKey, info, aad, plaintext);
  }

  sealWith(
    out: Uint8Array,
    seed: Uint8Array,
    publicKey: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): void {
    this.#hpke.deriveSecretKey(this.#ephemeral, seed);
    try {
      this.#hpke.sealWith(out, this.#ephemeral, publicKey, info, aad, plaintext);
    } finally {
      this.#ephemeral.fill(0);
    }
  }

  open(
    out: Uint8Array,
    secret: FieldSecret,
    info: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): boolean {
    return this.#hpke.open(out, secret.key, secret.publicKey, info, aad, sealed);
  }

  encapsulate(enc: Uint8Array, sharedSecret: Uint8Array, publicKey: Uint8Array): void {
    this.#hpke.encapsulate(enc, sharedSecret, this.#randomness, publicKey);
  }

  encapsulateWith(
    enc: Uint8Array,
    sharedSecret: Uint8Array,
    seed: Uint8Array,
    publicKey: Uint8Array,
  ): void {
    this.#hpke.deriveSecretKey(this.#ephemeral, seed);
    try {
      this.#hpke.encapsulateWith(enc, sharedSecret, this.#ephemeral, publicKey);
    } finally {
      this.#ephemeral.fill(0);
    }
  }

  encapsulateToAll(
    enc: Uint8Array,
    sharedSecrets: Uint8Array,
    seed: Uint8Array,
    publicKeys: readonly Uint8Array[],
  ): void {
    this.#hpke.deriveSecretKey(this.#ephemeral, seed);
    try {
      for (const [index, publicKey] of publicKeys.entries()) {
        const at = index * FIELD_SECRET_BYTES;
        const sharedSecret = sharedSecrets.subarray(at, at + FIELD_SECRET_BYTES);
        if (index === 0) {
          this.#hpke.encapsulateWith(enc, sharedSecret, this.#ephemeral, publicKey);
        } else {
          this.#hpke.encapsulateAgain(enc, sharedSecret, this.#ephemeral, publicKey);
        }
      }
    } finally {
      this.#ephemeral.fill(0);
    }
  }

  decapsulate(sharedSecret: Uint8Array, secret: FieldSecret, enc: Uint8Array): boolean {
    return this.#hpke.decapsulate(sharedSecret, enc, secret.key, secret.publicKey);
  }
}

/** A seal costs what one of `HpkeXWing` does, a seeded one three HMACs more. */
class XWingFields implements FieldSeal {
  readonly kem = 'x-wing';
  readonly publicKeyBytes: number;
  readonly secretKeyBytes: number;
  readonly encBytes: number;
  readonly overheadBytes: number;
  readonly seedBytes = FIELD_SECRET_BYTES;
  readonly derandomised: boolean;
  readonly #randomness: Randomness;
  readonly #hpke: HpkeXWing;
  readonly #encapsulation: Uint8Array;

  constructor(provider: Provider, randomness: Randomness, aeadName: AeadName) {
    this.#randomness = randomness;
    this.#hpke = new HpkeXWing(provider, aeadName);
    const { kem } = this.#hpke;
    this.publicKeyBytes = kem.publicKeyBytes;
    this.secretKeyBytes = kem.secretKeyBytes;
    this.encBytes = kem.ciphertextBytes;
    this.overheadBytes = this.#hpke.overheadBytes;
    this.derandomised = kem.derandomised;
    this.#encapsulation = new Uint8Array(kem.randomnessBytes);
  }

  keyPair(publicKey: Uint8Array, secretKey: Uint8Array, randomness: Randomness): void {
    randomness.fill(secretKey);
    this.#hpke.kem.publicKey(publicKey, secretKey);
  }

  deriveKeyPair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void {
    this.#hpke.deriveSecretKey(secretKey, seed);
    this.#hpke.kem.publicKey(publicKey, secretKey);
  }

  prepareSecret(secretKey: Uint8Array): FieldSecret {
    const publicKey = new Uint8Array(this.publicKeyBytes);
    this.#hpke.kem.publicKey(publicKey, secretKey);
    return { publicKey, key: this.#hpke.kem.handle(secretKey) };
  }

  seal(
    out: Uint8Array,
    publicKey: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): void {
    this.#hpke.seal(out, this.#randomness, publicKey, info, aad, plaintext);
  }

  sealWith(
    out: Uint8Array,
    seed: Uint8Array,
    publicKey: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): void {
    this.#hpke.deriveEncapsulation(this.#encapsulation, seed);
    try {
      this.#hpke.sealWith(out, this.#encapsulation, publicKey, info, aad, plaintext);
    } finally {
      this.#encapsulation.fill(0);
    }
  }

  open(
    out: Uint8Array,
    secret: FieldSecret,
    info: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): boolean {
    return this.#hpke.open(out, secret.key, info, aad, sealed);
  }

  encapsulate(enc: Uint8Array, sharedSecret: Uint8Array, publicKey: Uint8Array): void {
    this.#hpke.encapsulate(enc, sharedSecret, this.#randomness, publicKey);
  }

  encapsulateWith(
    enc: Uint8Array,
    sharedSecret: Uint8Array,
    seed: Uint8Array,
    publicKey: Uint8Array,
  ): void {
    this.#hpke.deriveEncapsulation(this.#encapsulation, seed);
    try {
      this.#hpke.encapsulateWith(enc, sharedSecret, this.#encapsulation, publicKey);
    } finally {
      this.#encapsulation.fill(0);
    }
  }

  encapsulateToAll(): never {
    throw new HarnessError('UNSUPPORTED', 'x-wing has no form for several recipients');
  }

  decapsulate(sharedSecret: Uint8Array, secret: FieldSecret, enc: Uint8Array): boolean {
    return this.#hpke.decapsulate(sharedSecret, secret.key, enc);
  }
}
