/**
 * Hybrid public key encryption, RFC 9180: DHKEM(X25519, HKDF-SHA256) 0x0020, HKDF-SHA256 0x0001,
 * and ChaCha20Poly1305 0x0003 or AES-256-GCM 0x0002, in base mode and in auth mode.
 *
 * Auth mode is in RFC 9180 and is left out of its successor draft (draft-ietf-hpke-hpke), so what
 * is built on it names the RFC. PSK modes are not built: nothing here has a pre-shared key.
 *
 * @module
 */

import { concatBytes, putUint16, putUint32, utf8 } from '../core/bytes.ts';
import { HarnessError } from '../core/errors.ts';
import { hkdfExpand } from '../crypto/hkdf.ts';
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

/** The encapsulated key: the ephemeral public key. Nenc, RFC 9180 §7.1. */
export const HPKE_ENC_BYTES = X25519_BYTES;
/** What a single-shot seal adds to its plaintext: `enc` before it and a tag after it. */
export const HPKE_OVERHEAD_BYTES = HPKE_ENC_BYTES + AEAD_TAG_BYTES;
/** A context without its sequence number and exporter secret: key || base_nonce. */
export const HPKE_CONTEXT_KEY_BYTES = AEAD_KEY_BYTES + AEAD_NONCE_BYTES;

const MODE_BASE = 0; // RFC 9180 §5, table 1.
const MODE_AUTH = 2;

const KEM_ID = 0x0020;
const KDF_ID = 0x0001;
const AEAD_IDS: Readonly<Record<AeadName, number>> = {
  'aes-256-gcm': 0x0002,
  'chacha20-poly1305': 0x0003,
};

/** HKDF-Extract with no salt takes as many zero bytes as the hash is long (RFC 5869 §2.2). */
const NO_SALT = new Uint8Array(SHA256_BYTES);

/** The last byte of the one block that HKDF-Expand makes of up to 32 bytes (RFC 5869 §2.3). */
const FIRST_BLOCK = Uint8Array.of(1);

/** A private X25519 key: bytes, or a handle where it lives long. */
export type HpkeSecretKey = Uint8Array | KeyHandle;

/**
 * The encryption context of RFC 9180 §5.1: what the `setup...` functions fill.
 *
 * One object can be filled again and again. Its bytes are the whole truth: `contextKey` and a
 * sequence number are all that a packed session has to keep for `sealAt` and `openAt`.
 */
export class HpkeContext {
  /** key || base_nonce. */
  readonly contextKey: Uint8Array = new Uint8Array(HPKE_CONTEXT_KEY_BYTES);
  readonly exporterSecret: Uint8Array = new Uint8Array(SHA256_BYTES);
  /** Of the next message. At most 2^53 - 1 here, where RFC 9180 §5.2 allows 2^96 - 1. */
  sequence = 0;
}

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
  readonly #infoHash: PrefixedInput; // LabeledExtract("", "info_hash", info)
  readonly #secretInput: Uint8Array; // LabeledExtract(shared_secret, "secret", psk = "")
  readonly #keyInfo: ScheduleInfo;
  readonly #nonceInfo: ScheduleInfo;
  readonly #exporterInfo: ScheduleInfo;
  readonly #exportPrefix: Uint8Array;

  // All secrets that are not in the inputs of the KEM stand together, to be wiped by one call.
  readonly #secrets = new Uint8Array(5 * SHA256_BYTES + HPKE_CONTEXT_KEY_BYTES);
  readonly #ephemeral = slice(this.#secrets, 0);
  readonly #pseudorandomKey = slice(this.#secrets, 1);
  readonly #sharedSecret = slice(this.#secrets, 2);
  readonly #secret = slice(this.#secrets, 3);
  readonly #block = slice(this.#secrets, 4);
  readonly #contextKey = this.#secrets.subarray(5 * SHA256_BYTES);
  readonly #key = this.#contextKey.subarray(0, AEAD_KEY_BYTES);
  readonly #baseNonce = this.#contextKey.subarray(AEAD_KEY_BYTES);
  readonly #nonce = new Uint8Array(AEAD_NONCE_BYTES);

  /** @throws HarnessError UNSUPPORTED when the provider lacks the AEAD. */
  constructor(provider: Provider, aeadName: AeadName = 'chacha20-poly1305') {
    const aead = provider.aead[aeadName];
    if (aead === undefined) {
      throw new HarnessError('UNSUPPORTED', `provider ${provider.name} has no ${aeadName}`);
    }
    this.#provider = provider;
    this.#aead = aead;

    const kemSuite = new Uint8Array(5); // RFC 9180 §4.1: "KEM" || I2OSP(kem_id, 2)
    kemSuite.set(utf8('KEM'));
    putUint16(kemSuite, 3, KEM_ID);
    this.#base = kemInputs(kemSuite, 1);
    this.#auth = kemInputs(kemSuite, 2);
    this.#derivation = new PrefixedInput(labeled(kemSuite, 'dkp_prk'));
    this.#derivedSecretInfo = concatBytes(labeledInfo(kemSuite, 'sk', X25519_BYTES), FIRST_BLOCK);

    const suite = new Uint8Array(10); // RFC 9180 §5.1: "HPKE" || kem_id || kdf_id || aead_id
    suite.set(utf8('HPKE'));
    putUint16(suite, 4, KEM_ID);
    putUint16(suite, 6, KDF_ID);
    putUint16(suite, 8, AEAD_IDS[aeadName]);
    const pskIdHash = new Uint8Array(SHA256_BYTES); // Of the empty psk_id, as there is no PSK.
    provider.hmacSha256(pskIdHash, NO_SALT, labeled(suite, 'psk_id_hash'));
    this.#infoHash = new PrefixedInput(labeled(suite, 'info_hash'));
    this.#secretInput = labeled(suite, 'secret');
    this.#keyInfo = scheduleInfo(suite, 'key', AEAD_KEY_BYTES, pskIdHash);
    this.#nonceInfo = scheduleInfo(suite, 'base_nonce', AEAD_NONCE_BYTES, pskIdHash);
    this.#exporterInfo = scheduleInfo(suite, 'exp', SHA256_BYTES, pskIdHash);
    this.#exportPrefix = labeled(suite, 'sec');
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
      this.#scheduleKey(MODE_BASE, info);
      this.#aead.seal(out.subarray(HPKE_ENC_BYTES), this.#key, this.#baseNonce, aad, plaintext);
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
      this.#scheduleKey(MODE_BASE, info);
      const ciphertext = sealed.subarray(HPKE_ENC_BYTES);
      return this.#aead.open(out, this.#key, this.#baseNonce, aad, ciphertext);
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
      this.#fill(context, MODE_BASE, info);
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
      this.#fill(context, MODE_BASE, info);
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
      this.#fill(context, MODE_AUTH, info);
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
      this.#fill(context, MODE_AUTH, info);
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
    const length = new Uint8Array(2);
    putUint16(length, 0, out.length);
    const info = concatBytes(length, this.#exportPrefix, exporterContext);
    hkdfExpand(this.#provider, out, context.exporterSecret, info);
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

  /** KeySchedule, RFC 9180 §5.1, without the exporter secret. */
  #scheduleKey(mode: number, info: Uint8Array): void {
    const provider = this.#provider;
    const key = this.#keyInfo;
    const nonce = this.#nonceInfo;
    key.mode[0] = mode;
    provider.hmacSha256(key.infoHash, NO_SALT, this.#infoHash.with(info));
    nonce.mode[0] = mode;
    nonce.infoHash.set(key.infoHash);
    provider.hmacSha256(this.#secret, this.#sharedSecret, this.#secretInput);
    provider.hmacSha256(this.#key, this.#secret, key.expandInput);
    provider.hmacSha256(this.#block, this.#secret, nonce.expandInput);
    for (let i = 0; i < AEAD_NONCE_BYTES; i++) this.#baseNonce[i] = this.#block[i]!;
  }

  #fill(context: HpkeContext, mode: number, info: Uint8Array): void {
    this.#scheduleKey(mode, info);
    const exporter = this.#exporterInfo;
    exporter.mode[0] = mode;
    exporter.infoHash.set(this.#keyInfo.infoHash);
    this.#provider.hmacSha256(context.exporterSecret, this.#secret, exporter.expandInput);
    context.contextKey.set(this.#contextKey);
    context.sequence = 0;
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

/** One LabeledExpand of the key schedule, RFC 9180 §5.1: label || mode || hashes || 0x01. */
interface ScheduleInfo {
  readonly expandInput: Uint8Array;
  /** One byte of key_schedule_context. */
  readonly mode: Uint8Array;
  readonly infoHash: Uint8Array;
}

function scheduleInfo(
  suite: Uint8Array,
  label: string,
  length: number,
  pskIdHash: Uint8Array,
): ScheduleInfo {
  const prefix = labeledInfo(suite, label, length);
  const mode = new Uint8Array(1);
  const infoHash = new Uint8Array(SHA256_BYTES);
  const expandInput = concatBytes(prefix, mode, pskIdHash, infoHash, FIRST_BLOCK);
  const infoHashAt = prefix.length + mode.length + pskIdHash.length;
  return {
    expandInput,
    mode: expandInput.subarray(prefix.length, prefix.length + 1),
    infoHash: expandInput.subarray(infoHashAt, infoHashAt + SHA256_BYTES),
  };
}

/** A constant followed by data of any length, in memory that is used again. */
class PrefixedInput {
  readonly #prefixBytes: number;
  #buffer: Uint8Array;
  #view: Uint8Array;

  constructor(prefix: Uint8Array) {
    this.#prefixBytes = prefix.length;
    this.#buffer = concatBytes(prefix, new Uint8Array(256)); // Longer than any info of ours.
    this.#view = this.#buffer;
  }

  /** The result is valid until the next call. */
  with(data: Uint8Array): Uint8Array {
    const length = this.#prefixBytes + data.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.#buffer);
      this.wipe();
      this.#buffer = larger;
    }
    this.#buffer.set(data, this.#prefixBytes);
    if (this.#view.length !== length || this.#view.buffer !== this.#buffer.buffer) {
      this.#view = this.#buffer.subarray(0, length);
    }
    return this.#view;
  }

  wipe(): void {
    this.#buffer.fill(0, this.#prefixBytes);
  }
}

/** "HPKE-v1" || suite_id || label: how every labelled input of RFC 9180 §4 begins. */
function labeled(suite: Uint8Array, label: string): Uint8Array {
  return concatBytes(utf8('HPKE-v1'), suite, utf8(label));
}

/** How the info of LabeledExpand begins, RFC 9180 §4. @param length `L`, in bytes. */
function labeledInfo(suite: Uint8Array, label: string, length: number): Uint8Array {
  const encoded = new Uint8Array(2);
  putUint16(encoded, 0, length);
  return concatBytes(encoded, labeled(suite, label));
}

function slice(secrets: Uint8Array, index: number): Uint8Array {
  return secrets.subarray(index * SHA256_BYTES, (index + 1) * SHA256_BYTES);
}

function expectKey(name: string, key: Uint8Array): void {
  if (key.length !== X25519_BYTES) throw lengthError(name, X25519_BYTES, key.length);
}

function lengthError(name: string, expected: number, actual: number): RangeError {
  return new RangeError(`"${name}" expected ${expected} bytes, got ${actual}`);
}
