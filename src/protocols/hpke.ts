/**
 * Hybrid public key encryption, RFC 9180: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001,
 * and ChaCha20Poly1305 0x0003 or AES-256-GCM 0x0002, in base mode and in auth mode.
 *
 * Auth mode is in RFC 9180 and is left out of its successor draft (draft-ietf-hpke-hpke), so what
 * is built on it names the RFC. PSK modes are not built: nothing here has a pre-shared key.
 *
 * @module
 */

import { concatBytes, putUint32 } from '../core/bytes.ts';
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  RefusedError,
  SHA256_BYTES,
  X25519_BYTES,
} from '../crypto/provider.ts';
import type { Aead, AeadName, KeyHandle, Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import {
  chosenAead,
  FIRST_BLOCK,
  HPKE_CONTEXT_KEY_BYTES,
  HpkeKeySchedule,
  kemSuiteOf,
  labeled,
  labeledInfo,
  lengthError,
  MODE_AUTH,
  MODE_BASE,
  NO_SALT,
  PrefixedInput,
  type HpkeContext,
} from './hpke-key-schedule.ts';

export { HPKE_CONTEXT_KEY_BYTES, HpkeContext } from './hpke-key-schedule.ts';

/** The encapsulated key: the ephemeral public key. Nenc, RFC 9180 §7.1. */
export const HPKE_ENC_BYTES = X25519_BYTES;
/** What a single-shot seal adds to its plaintext: `enc` before it and a tag after it. */
export const HPKE_OVERHEAD_BYTES = HPKE_ENC_BYTES + AEAD_TAG_BYTES;

/** DHKEM(X25519, HKDF-SHA256), RFC 9180 §7.1. */
const KEM_ID = 0x0020;

/** A private X25519 key: bytes, or a handle where it lives long. */
export type HpkeSecretKey = Uint8Array | KeyHandle;

/**
 * HPKE with one provider and one AEAD.
 *
 * Built once: it holds everything that is constant in the labelled inputs of RFC 9180 §4, and all
 * scratch memory, so that a call allocates nothing but two or three views. Secrets in the scratch
 * memory are wiped at the end of every call.
 *
 * A seal costs one X25519 public key, one X25519 and six HMACs; an open one X25519 and six HMACs.
 * Auth mode adds one X25519 on each side. A full context adds one HMAC, the exporter secret, which
 * the single-shot forms never compute.
 *
 * A sender throws `RefusedError` for a recipient key of low order (RFC 9180 §7.1.4). A receiver
 * answers `false` to everything that it cannot open, without saying why.
 */
export class Hpke {
  readonly #provider: Provider;
  readonly #aead: Aead;
  readonly #base: KemInputs;
  readonly #auth: KemInputs;
  readonly #derivation: PrefixedInput; // LabeledExtract("", "dkp_prk", ikm)
  readonly #derivedSecretInfo: Uint8Array; // LabeledExpand(dkp_prk, "sk", "", Nsk)
  readonly #schedule: HpkeKeySchedule;

  // All secrets that are not in the inputs of the KEM stand together, to be wiped by one call.
  readonly #secrets = new Uint8Array(3 * SHA256_BYTES);
  readonly #ephemeral = slice(this.#secrets, 0);
  readonly #pseudorandomKey = slice(this.#secrets, 1);
  readonly #sharedSecret = slice(this.#secrets, 2);
  readonly #nonce = new Uint8Array(AEAD_NONCE_BYTES);

  /** @throws HarnessError UNSUPPORTED when the provider lacks the AEAD. */
  constructor(provider: Provider, aeadName: AeadName = 'chacha20-poly1305') {
    this.#provider = provider;
    this.#aead = chosenAead(provider, aeadName);
    this.#schedule = new HpkeKeySchedule(provider, KEM_ID, aeadName);
    const kemSuite = kemSuiteOf(KEM_ID);
    this.#base = kemInputs(kemSuite, 1);
    this.#auth = kemInputs(kemSuite, 2);
    this.#derivation = new PrefixedInput(labeled(kemSuite, 'dkp_prk'));
    this.#derivedSecretInfo = concatBytes(labeledInfo(kemSuite, 'sk', X25519_BYTES), FIRST_BLOCK);
  }

  /**
   * Single-shot base mode, RFC 9180 §6.1.
   *
   * @param out Exactly `plaintext.length + 48` bytes: enc || ciphertext || tag.
   * @throws RefusedError when the recipient's key is of low order.
   */
  seal(
    out: Uint8Array,
    randomness: Randomness,
    recipientPublic: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): void {
    randomness.fill(this.#ephemeral);
    this.sealWith(out, this.#ephemeral, recipientPublic, info, aad, plaintext);
  }

  /**
   * `seal` with the ephemeral secret given: for whoever can and must recompute the result.
   * Two different plaintexts, infos or aads under one ephemeral secret break the encryption.
   */
  sealWith(
    out: Uint8Array,
    ephemeralSecret: Uint8Array,
    recipientPublic: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): void {
    if (out.length !== plaintext.length + HPKE_OVERHEAD_BYTES) {
      throw lengthError('out', plaintext.length + HPKE_OVERHEAD_BYTES, out.length);
    }
    try {
      this.#encapsulate(this.#base, ephemeralSecret, recipientPublic);
      this.#schedule.derive(MODE_BASE, this.#sharedSecret, info);
      const { key, baseNonce } = this.#schedule;
      this.#aead.seal(out.subarray(HPKE_ENC_BYTES), key, baseNonce, aad, plaintext);
      out.set(this.#base.encapsulated);
    } finally {
      this.#wipe(this.#base);
    }
  }

  /**
   * @param out Exactly `sealed.length - 48` bytes, where `sealed` has that many.
   * @returns Whether `sealed` was authentic; after a refusal the content of `out` is unspecified.
   */
  open(
    out: Uint8Array,
    recipientSecret: HpkeSecretKey,
    recipientPublic: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    sealed: Uint8Array,
  ): boolean {
    if (sealed.length < HPKE_OVERHEAD_BYTES) return false;
    if (out.length !== sealed.length - HPKE_OVERHEAD_BYTES) {
      throw lengthError('out', sealed.length - HPKE_OVERHEAD_BYTES, out.length);
    }
    try {
      const encapsulated = sealed.subarray(0, HPKE_ENC_BYTES);
      if (!this.#decapsulate(this.#base, encapsulated, recipientSecret, recipientPublic)) {
        return false;
      }
      this.#schedule.derive(MODE_BASE, this.#sharedSecret, info);
      const ciphertext = sealed.subarray(HPKE_ENC_BYTES);
      const { key, baseNonce } = this.#schedule;
      return this.#aead.open(out, key, baseNonce, aad, ciphertext);
    } finally {
      this.#wipe(this.#base);
    }
  }

  /**
   * Encap, RFC 9180 §4.1: a shared secret alone, for what is not sealed by this class.
   *
   * @param encapsulated 32 bytes, filled: `enc`.
   * @param sharedSecret 32 bytes, filled.
   */
  encapsulate(
    encapsulated: Uint8Array,
    sharedSecret: Uint8Array,
    randomness: Randomness,
    recipientPublic: Uint8Array,
  ): void {
    randomness.fill(this.#ephemeral);
    this.encapsulateWith(encapsulated, sharedSecret, this.#ephemeral, recipientPublic);
  }

  /** `encapsulate` with the ephemeral secret given. */
  encapsulateWith(
    encapsulated: Uint8Array,
    sharedSecret: Uint8Array,
    ephemeralSecret: Uint8Array,
    recipientPublic: Uint8Array,
  ): void {
    try {
      this.#encapsulate(this.#base, ephemeralSecret, recipientPublic);
      encapsulated.set(this.#base.encapsulated);
      sharedSecret.set(this.#sharedSecret);
    } finally {
      this.#wipe(this.#base);
    }
  }

  /**
   * `encapsulateWith` to one more recipient under the same ephemeral key, whose public half is known:
   * one agreement and one ExtractAndExpand.
   */
  encapsulateAgain(
    encapsulated: Uint8Array,
    sharedSecret: Uint8Array,
    ephemeralSecret: Uint8Array,
    recipientPublic: Uint8Array,
  ): void {
    try {
      expectKey('recipientPublic', recipientPublic);
      this.#base.encapsulated.set(encapsulated);
      this.#provider.x25519(this.#base.ephemeralShared, ephemeralSecret, recipientPublic);
      this.#base.recipientPublic.set(recipientPublic);
      this.#extractAndExpand(this.#base);
      sharedSecret.set(this.#sharedSecret);
    } finally {
      this.#wipe(this.#base);
    }
  }

  /** Decap, RFC 9180 §4.1. @returns Whether `encapsulated` is a key that can be used. */
  decapsulate(
    sharedSecret: Uint8Array,
    encapsulated: Uint8Array,
    recipientSecret: HpkeSecretKey,
    recipientPublic: Uint8Array,
  ): boolean {
    try {
      if (!this.#decapsulate(this.#base, encapsulated, recipientSecret, recipientPublic)) {
        return false;
      }
      sharedSecret.set(this.#sharedSecret);
      return true;
    } finally {
      this.#wipe(this.#base);
    }
  }

  /**
   * SetupBaseS, RFC 9180 §5.1.1.
   *
   * @param context Filled, for messages from 0 on.
   * @param encapsulated 32 bytes, filled: `enc`, which the receiver needs.
   */
  setupBaseSender(
    context: HpkeContext,
    encapsulated: Uint8Array,
    randomness: Randomness,
    recipientPublic: Uint8Array,
    info: Uint8Array,
  ): void {
    randomness.fill(this.#ephemeral);
    this.setupBaseSenderWith(context, encapsulated, this.#ephemeral, recipientPublic, info);
  }

  /** `setupBaseSender` with the ephemeral secret given. */
  setupBaseSenderWith(
    context: HpkeContext,
    encapsulated: Uint8Array,
    ephemeralSecret: Uint8Array,
    recipientPublic: Uint8Array,
    info: Uint8Array,
  ): void {
    try {
      this.#encapsulate(this.#base, ephemeralSecret, recipientPublic);
      encapsulated.set(this.#base.encapsulated);
      this.#schedule.fill(context, MODE_BASE, this.#sharedSecret, info);
    } finally {
      this.#wipe(this.#base);
    }
  }

  /** SetupBaseR, RFC 9180 §5.1.1. @returns Whether `encapsulated` is a key that can be used. */
  setupBaseReceiver(
    context: HpkeContext,
    encapsulated: Uint8Array,
    recipientSecret: HpkeSecretKey,
    recipientPublic: Uint8Array,
    info: Uint8Array,
  ): boolean {
    try {
      if (!this.#decapsulate(this.#base, encapsulated, recipientSecret, recipientPublic)) {
        return false;
      }
      this.#schedule.fill(context, MODE_BASE, this.#sharedSecret, info);
      return true;
    } finally {
      this.#wipe(this.#base);
    }
  }

  /**
   * SetupAuthS, RFC 9180 §5.1.3: the receiver learns that the context is from the holder of
   * `senderSecret`, unless the receiver's own secret has leaked (RFC 9180 §9.1.1).
   */
  setupAuthSender(
    context: HpkeContext,
    encapsulated: Uint8Array,
    randomness: Randomness,
    recipientPublic: Uint8Array,
    info: Uint8Array,
    senderSecret: HpkeSecretKey,
    senderPublic: Uint8Array,
  ): void {
    randomness.fill(this.#ephemeral);
    this.setupAuthSenderWith(
      context,
      encapsulated,
      this.#ephemeral,
      recipientPublic,
      info,
      senderSecret,
      senderPublic,
    );
  }

  /** `setupAuthSender` with the ephemeral secret given. */
  setupAuthSenderWith(
    context: HpkeContext,
    encapsulated: Uint8Array,
    ephemeralSecret: Uint8Array,
    recipientPublic: Uint8Array,
    info: Uint8Array,
    senderSecret: HpkeSecretKey,
    senderPublic: Uint8Array,
  ): void {
    expectKey('senderPublic', senderPublic);
    const kem = this.#auth;
    try {
      this.#provider.x25519(kem.staticShared, senderSecret, recipientPublic);
      kem.senderPublic.set(senderPublic);
      this.#encapsulate(kem, ephemeralSecret, recipientPublic);
      encapsulated.set(kem.encapsulated);
      this.#schedule.fill(context, MODE_AUTH, this.#sharedSecret, info);
    } finally {
      this.#wipe(kem);
    }
  }

  /**
   * SetupAuthR, RFC 9180 §5.1.3.
   *
   * @returns Whether both keys can be used. That the sender is who it says shows only when the
   *   first message opens.
   */
  setupAuthReceiver(
    context: HpkeContext,
    encapsulated: Uint8Array,
    recipientSecret: HpkeSecretKey,
    recipientPublic: Uint8Array,
    info: Uint8Array,
    senderPublic: Uint8Array,
  ): boolean {
    expectKey('senderPublic', senderPublic);
    const kem = this.#auth;
    try {
      kem.senderPublic.set(senderPublic); // Part of kem_context, which `#decapsulate` hashes.
      if (
        !this.#agree(kem.staticShared, recipientSecret, senderPublic) ||
        !this.#decapsulate(kem, encapsulated, recipientSecret, recipientPublic)
      ) {
        return false;
      }
      this.#schedule.fill(context, MODE_AUTH, this.#sharedSecret, info);
      return true;
    } finally {
      this.#wipe(kem);
    }
  }

  /**
   * ContextS.Seal, RFC 9180 §5.2: seals message `context.sequence` and advances it.
   *
   * @param out Exactly `plaintext.length + 16` bytes.
   */
  sealNext(context: HpkeContext, out: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): void {
    this.sealAt(context.contextKey, context.sequence, out, aad, plaintext);
    context.sequence++;
  }

  /**
   * ContextR.Open, RFC 9180 §5.2: opens message `context.sequence` and, if that succeeds, advances.
   *
   * @param out Exactly `ciphertext.length - 16` bytes, where the ciphertext has that many.
   */
  openNext(
    context: HpkeContext,
    out: Uint8Array,
    aad: Uint8Array,
    ciphertext: Uint8Array,
  ): boolean {
    if (!this.openAt(context.contextKey, context.sequence, out, aad, ciphertext)) return false;
    context.sequence++;
    return true;
  }

  /**
   * The same for a session that keeps key || base_nonce and its counter itself. No sequence number
   * may be sealed twice; that is the caller's to keep.
   */
  sealAt(
    contextKey: Uint8Array,
    sequence: number,
    out: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): void {
    this.#computeNonce(contextKey, sequence);
    this.#aead.seal(out, contextKey.subarray(0, AEAD_KEY_BYTES), this.#nonce, aad, plaintext);
  }

  /** `openNext` for a session that keeps key || base_nonce and its counter itself. */
  openAt(
    contextKey: Uint8Array,
    sequence: number,
    out: Uint8Array,
    aad: Uint8Array,
    ciphertext: Uint8Array,
  ): boolean {
    if (ciphertext.length < AEAD_TAG_BYTES) return false;
    this.#computeNonce(contextKey, sequence);
    const key = contextKey.subarray(0, AEAD_KEY_BYTES);
    return this.#aead.open(out, key, this.#nonce, aad, ciphertext);
  }

  /** Context.Export, RFC 9180 §5.3. @param out 1 to 255 * 32 bytes; its length is `L`. */
  export(context: HpkeContext, out: Uint8Array, exporterContext: Uint8Array): void {
    this.#schedule.export(context, out, exporterContext);
  }

  /** DeriveKeyPair for X25519, RFC 9180 §7.1.3. @param ikm At least 32 bytes of entropy. */
  deriveKeyPair(secretKey: Uint8Array, publicKey: Uint8Array, ikm: Uint8Array): void {
    this.deriveSecretKey(secretKey, ikm);
    this.#provider.x25519Public(publicKey, secretKey);
  }

  /** The secret half of `deriveKeyPair`, for `sealWith`, which computes the public half itself. */
  deriveSecretKey(secretKey: Uint8Array, ikm: Uint8Array): void {
    const provider = this.#provider;
    provider.hmacSha256(this.#pseudorandomKey, NO_SALT, this.#derivation.with(ikm));
    provider.hmacSha256(secretKey, this.#pseudorandomKey, this.#derivedSecretInfo);
    this.#derivation.wipe();
    this.#pseudorandomKey.fill(0);
  }

  /** Encap and AuthEncap, RFC 9180 §4.1, but for the static half of AuthEncap, which is done. */
  #encapsulate(kem: KemInputs, ephemeralSecret: Uint8Array, recipientPublic: Uint8Array): void {
    expectKey('recipientPublic', recipientPublic);
    this.#provider.x25519(kem.ephemeralShared, ephemeralSecret, recipientPublic);
    this.#provider.x25519Public(kem.encapsulated, ephemeralSecret);
    kem.recipientPublic.set(recipientPublic);
    this.#extractAndExpand(kem);
  }

  /** Decap and AuthDecap, RFC 9180 §4.1, but for the static half of AuthDecap, which is done. */
  #decapsulate(
    kem: KemInputs,
    encapsulated: Uint8Array,
    recipientSecret: HpkeSecretKey,
    recipientPublic: Uint8Array,
  ): boolean {
    expectKey('recipientPublic', recipientPublic);
    if (!this.#agree(kem.ephemeralShared, recipientSecret, encapsulated)) return false;
    kem.encapsulated.set(encapsulated);
    kem.recipientPublic.set(recipientPublic);
    this.#extractAndExpand(kem);
    return true;
  }

  /** X25519 for a receiver, to whom a key of low order is one more thing that does not open. */
  #agree(out: Uint8Array, secretKey: HpkeSecretKey, publicKey: Uint8Array): boolean {
    try {
      this.#provider.x25519(out, secretKey, publicKey);
      return true;
    } catch (error) {
      if (error instanceof RefusedError) return false;
      throw error;
    }
  }

  /** ExtractAndExpand, RFC 9180 §4.1. */
  #extractAndExpand(kem: KemInputs): void {
    this.#provider.hmacSha256(this.#pseudorandomKey, NO_SALT, kem.extractInput);
    this.#provider.hmacSha256(this.#sharedSecret, this.#pseudorandomKey, kem.expandInput);
  }

  /** ComputeNonce, RFC 9180 §5.2: base_nonce XOR I2OSP(seq, Nn). */
  #computeNonce(contextKey: Uint8Array, sequence: number): void {
    if (contextKey.length !== HPKE_CONTEXT_KEY_BYTES) {
      throw lengthError('contextKey', HPKE_CONTEXT_KEY_BYTES, contextKey.length);
    }
    if (!Number.isSafeInteger(sequence) || sequence < 0) {
      throw new RangeError(`"sequence" expected an integer from 0 to 2^53 - 1, got ${sequence}`);
    }
    const nonce = this.#nonce;
    putUint32(nonce, 4, Math.floor(sequence / 0x1_0000_0000));
    putUint32(nonce, 8, sequence);
    for (let i = 0; i < 4; i++) nonce[i] = contextKey[AEAD_KEY_BYTES + i]!;
    for (let i = 4; i < AEAD_NONCE_BYTES; i++) nonce[i]! ^= contextKey[AEAD_KEY_BYTES + i]!;
  }

  #wipe(kem: KemInputs): void {
    this.#secrets.fill(0);
    this.#schedule.wipe();
    kem.shared.fill(0);
  }
}

/** The inputs of ExtractAndExpand, RFC 9180 §4.1, with a slot for each part that varies. */
interface KemInputs {
  readonly extractInput: Uint8Array;
  /** The Diffie-Hellman results in `extractInput`: ephemeral and, in auth mode, static. */
  readonly shared: Uint8Array;
  readonly ephemeralShared: Uint8Array;
  /** Empty in base mode. */
  readonly staticShared: Uint8Array;
  readonly expandInput: Uint8Array;
  /** The parts of kem_context, in `expandInput`. */
  readonly encapsulated: Uint8Array;
  readonly recipientPublic: Uint8Array;
  /** Empty in base mode. */
  readonly senderPublic: Uint8Array;
}

/** @param agreements 1 in base mode, 2 in auth mode. */
function kemInputs(kemSuite: Uint8Array, agreements: 1 | 2): KemInputs {
  const extractPrefix = labeled(kemSuite, 'eae_prk');
  const extractInput = concatBytes(extractPrefix, new Uint8Array(agreements * X25519_BYTES));
  const shared = extractInput.subarray(extractPrefix.length);

  const expandPrefix = labeledInfo(kemSuite, 'shared_secret', SHA256_BYTES);
  const kemContextBytes = (1 + agreements) * X25519_BYTES;
  const expandInput = concatBytes(expandPrefix, new Uint8Array(kemContextBytes), FIRST_BLOCK);
  const at = expandPrefix.length;
  const kemContext = expandInput.subarray(at, at + kemContextBytes);
  return {
    extractInput,
    shared,
    ephemeralShared: shared.subarray(0, X25519_BYTES),
    staticShared: shared.subarray(X25519_BYTES),
    expandInput,
    encapsulated: kemContext.subarray(0, X25519_BYTES),
    recipientPublic: kemContext.subarray(X25519_BYTES, 2 * X25519_BYTES),
    senderPublic: kemContext.subarray(2 * X25519_BYTES),
  };
}

function slice(secrets: Uint8Array, index: number): Uint8Array {
  return secrets.subarray(index * SHA256_BYTES, (index + 1) * SHA256_BYTES);
}

function expectKey(name: string, key: Uint8Array): void {
  if (key.length !== X25519_BYTES) throw lengthError(name, X25519_BYTES, key.length);
}
