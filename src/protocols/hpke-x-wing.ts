/**
 * Hybrid public key encryption in base mode with X-Wing as its KEM: RFC 9180 with the KEM 0x647a of
 * draft-connolly-cfrg-xwing-kem-10 §5.6 and §7, HKDF-SHA256 0x0001, and ChaCha20Poly1305 0x0003 or
 * AES-256-GCM 0x0002.
 *
 * X-Wing joins ML-KEM-768 and X25519: what is sealed stays secret while one of the two holds. It
 * authenticates nobody, so there is no auth mode (§1.4 of the draft).
 *
 * @module
 */

import { hkdfExpand } from '../crypto/hkdf.ts';
import { HarnessError } from '../core/errors.ts';
import { AEAD_TAG_BYTES, RefusedError, SHA256_BYTES } from '../crypto/provider.ts';
import type { Aead, AeadName, Kem, KeyHandle, Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import {
  chosenAead,
  HpkeKeySchedule,
  kemSuiteOf,
  labeled,
  labeledInfo,
  lengthError,
  MODE_BASE,
  NO_SALT,
  PrefixedInput,
} from './hpke-key-schedule.ts';

/** X-Wing, §7 of the draft. */
const KEM_ID = 0x647a;

/** A private X-Wing key: its 32-byte seed, or a handle where it lives long. */
export type XWingSecretKey = Uint8Array | KeyHandle;

/**
 * HPKE over X-Wing with one provider and one AEAD.
 *
 * Its parts are those of `Hpke`: built once, all scratch memory inside, secrets wiped at the end of
 * every call. A seal costs one encapsulation and four HMACs; an open one decapsulation and four.
 */
export class HpkeXWing {
  readonly kem: Kem;
  /** What a single-shot seal adds to its plaintext: `enc` before it and a tag after it. */
  readonly overheadBytes: number;
  readonly #provider: Provider;
  readonly #aead: Aead;
  readonly #schedule: HpkeKeySchedule;
  readonly #derivation: PrefixedInput; // LabeledExtract("", "dkp_prk", ikm)
  readonly #secretKeyInfo: Uint8Array; // LabeledExpand(dkp_prk, "sk", "", Nsk)
  readonly #randomnessInfo: Uint8Array; // LabeledExpand(dkp_prk, "eseed", "", 64)
  readonly #pseudorandomKey = new Uint8Array(SHA256_BYTES);
  readonly #sharedSecret: Uint8Array;
  readonly #encapsulation: Uint8Array;

  /** @throws HarnessError UNSUPPORTED when the provider lacks X-Wing or the AEAD. */
  constructor(provider: Provider, aeadName: AeadName = 'chacha20-poly1305') {
    const kem = provider.kem['x-wing'];
    if (kem === undefined) {
      throw new HarnessError('UNSUPPORTED', `provider ${provider.name} has no x-wing`);
    }
    this.kem = kem;
    this.overheadBytes = kem.ciphertextBytes + AEAD_TAG_BYTES;
    this.#provider = provider;
    this.#aead = chosenAead(provider, aeadName);
    this.#schedule = new HpkeKeySchedule(provider, KEM_ID, aeadName);
    const kemSuite = kemSuiteOf(KEM_ID);
    this.#derivation = new PrefixedInput(labeled(kemSuite, 'dkp_prk'));
    this.#secretKeyInfo = labeledInfo(kemSuite, 'sk', kem.secretKeyBytes);
    this.#randomnessInfo = labeledInfo(kemSuite, 'eseed', kem.randomnessBytes);
    this.#sharedSecret = new Uint8Array(kem.sharedSecretBytes);
    this.#encapsulation = new Uint8Array(kem.randomnessBytes);
  }

  /**
   * Single-shot base mode, RFC 9180 §6.1.
   *
   * @param out Exactly `plaintext.length + overheadBytes`: enc || ciphertext || tag.
   * @throws RefusedError when the recipient's key fails the check of FIPS 203 §7.2.
   */
  seal(
    out: Uint8Array,
    randomness: Randomness,
    recipientPublic: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): void {
    this.#seal(out, this.#draw(randomness), recipientPublic, info, aad, plaintext);
  }

  /**
   * `seal` with the 64 bytes of the encapsulation given: for whoever can and must recompute the
   * result. Two different plaintexts, infos or aads under the same bytes break the encryption.
   *
   * @throws HarnessError UNSUPPORTED where the provider's KEM takes no randomness.
   */
  sealWith(
    out: Uint8Array,
    encapsulation: Uint8Array,
    recipientPublic: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): void {
    this.#requireDerandomised();
    this.#seal(out, encapsulation, recipientPublic, info, aad, plaintext);
  }

  /**
   * @param out Exactly `sealed.length - overheadBytes`, where `sealed` has that many.
   * @returns Whether `sealed` was authentic; after a refusal the content of `out` is unspecified.
   */
  open(
    out: Uint8Array,
    recipientSecret: XWingSecretKey,
    info: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): boolean {
    if (sealed.length < this.overheadBytes) return false;
    if (out.length !== sealed.length - this.overheadBytes) {
      throw lengthError('out', sealed.length - this.overheadBytes, out.length);
    }
    try {
      const encapsulated = sealed.subarray(0, this.kem.ciphertextBytes);
      if (!this.decapsulate(this.#sharedSecret, recipientSecret, encapsulated)) return false;
      this.#schedule.derive(MODE_BASE, this.#sharedSecret, info);
      const { key, baseNonce } = this.#schedule;
      const ciphertext = sealed.subarray(this.kem.ciphertextBytes);
      return this.#aead.open(out, key, baseNonce, aad, ciphertext);
    } finally {
      this.#wipe();
    }
  }

  /** Encap, RFC 9180 §4: a shared secret alone, for what is not sealed by this class. */
  encapsulate(
    encapsulated: Uint8Array,
    sharedSecret: Uint8Array,
    randomness: Randomness,
    recipientPublic: Uint8Array,
  ): void {
    this.kem.encapsulate(encapsulated, sharedSecret, recipientPublic, this.#draw(randomness));
    this.#encapsulation.fill(0);
  }

  /**
   * `encapsulate` with its 64 bytes given.
   *
   * @throws HarnessError UNSUPPORTED where the provider's KEM takes no randomness.
   */
  encapsulateWith(
    encapsulated: Uint8Array,
    sharedSecret: Uint8Array,
    encapsulation: Uint8Array,
    recipientPublic: Uint8Array,
  ): void {
    this.#requireDerandomised();
    this.kem.encapsulate(encapsulated, sharedSecret, recipientPublic, encapsulation);
  }

  /** Decap, RFC 9180 §4. @returns Whether `encapsulated` can be used. */
  decapsulate(
    sharedSecret: Uint8Array,
    recipientSecret: XWingSecretKey,
    encapsulated: Uint8Array,
  ): boolean {
    try {
      this.kem.decapsulate(sharedSecret, recipientSecret, encapsulated);
      return true;
    } catch (error) {
      if (error instanceof RefusedError) return false;
      throw error;
    }
  }

  /**
   * A secret key from keying material: RFC 9180 §7.1.3 with the KEM's identifier. The draft takes
   * SHAKE256 here, which providers do not offer; any 32 bytes are an X-Wing key.
   *
   * @param ikm At least 32 bytes of entropy.
   */
  deriveSecretKey(secretKey: Uint8Array, ikm: Uint8Array): void {
    this.#derive(secretKey, ikm, this.#secretKeyInfo);
  }

  /** The 64 bytes that `sealWith` takes, from keying material that the receiver has too. */
  deriveEncapsulation(encapsulation: Uint8Array, ikm: Uint8Array): void {
    this.#derive(encapsulation, ikm, this.#randomnessInfo);
  }

  #derive(out: Uint8Array, ikm: Uint8Array, info: Uint8Array): void {
    this.#provider.hmacSha256(this.#pseudorandomKey, NO_SALT, this.#derivation.with(ikm));
    hkdfExpand(this.#provider, out, this.#pseudorandomKey, info);
    this.#derivation.wipe();
    this.#pseudorandomKey.fill(0);
  }

  #seal(
    out: Uint8Array,
    encapsulation: Uint8Array,
    recipientPublic: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): void {
    if (out.length !== plaintext.length + this.overheadBytes) {
      throw lengthError('out', plaintext.length + this.overheadBytes, out.length);
    }
    if (recipientPublic.length !== this.kem.publicKeyBytes) {
      throw lengthError('recipientPublic', this.kem.publicKeyBytes, recipientPublic.length);
    }
    try {
      const encapsulated = out.subarray(0, this.kem.ciphertextBytes);
      this.kem.encapsulate(encapsulated, this.#sharedSecret, recipientPublic, encapsulation);
      this.#schedule.derive(MODE_BASE, this.#sharedSecret, info);
      const { key, baseNonce } = this.#schedule;
      const ciphertext = out.subarray(this.kem.ciphertextBytes);
      this.#aead.seal(ciphertext, key, baseNonce, aad, plaintext);
    } finally {
      this.#wipe();
    }
  }

  /** Draws nothing for a KEM that would ignore it. */
  #draw(randomness: Randomness): Uint8Array {
    if (this.kem.derandomised) randomness.fill(this.#encapsulation);
    return this.#encapsulation;
  }

  #requireDerandomised(): void {
    if (this.kem.derandomised) return;
    throw new HarnessError(
      'UNSUPPORTED',
      `the x-wing of provider ${this.#provider.name} takes no randomness, so what it seals cannot be recomputed`,
    );
  }

  #wipe(): void {
    this.#sharedSecret.fill(0);
    this.#encapsulation.fill(0);
    this.#schedule.wipe();
  }
}
