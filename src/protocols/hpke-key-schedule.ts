/**
 * The key schedule and the labelled inputs of hybrid public key encryption, RFC 9180 §4 and §5.1:
 * all of it that does not depend on the KEM.
 *
 * @module
 */

import { concatBytes, putUint16, utf8 } from '../core/bytes.ts';
import { HarnessError } from '../core/errors.ts';
import { hkdfExpand } from '../crypto/hkdf.ts';
import { AEAD_KEY_BYTES, AEAD_NONCE_BYTES, SHA256_BYTES } from '../crypto/provider.ts';
import type { Aead, AeadName, Provider } from '../crypto/provider.ts';

/** A context without its sequence number and exporter secret: key || base_nonce. */
export const HPKE_CONTEXT_KEY_BYTES = AEAD_KEY_BYTES + AEAD_NONCE_BYTES;

/** RFC 9180 §5, table 1. */
export const MODE_BASE = 0;
export const MODE_AUTH = 2;

/** HKDF-SHA256, RFC 9180 §7.2. */
const KDF_ID = 0x0001;
/** RFC 9180 §7.3. */
const AEAD_IDS: Readonly<Record<AeadName, number>> = {
  'aes-256-gcm': 0x0002,
  'chacha20-poly1305': 0x0003,
};

/** HKDF-Extract with no salt takes as many zero bytes as the hash is long (RFC 5869 §2.2). */
export const NO_SALT: Uint8Array = new Uint8Array(SHA256_BYTES);

/** The last byte of the one block that HKDF-Expand makes of up to 32 bytes (RFC 5869 §2.3). */
export const FIRST_BLOCK: Uint8Array = Uint8Array.of(1);

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
 * KeySchedule, RFC 9180 §5.1, without a PSK, for one KEM and one AEAD.
 *
 * Built once: it holds everything that is constant in the labelled inputs, and scratch memory for
 * its secrets, which the caller wipes. A key and a nonce cost four HMACs, a whole context five.
 */
export class HpkeKeySchedule {
  readonly #provider: Provider;
  readonly #infoHash: PrefixedInput; // LabeledExtract("", "info_hash", info)
  readonly #secretInput: Uint8Array; // LabeledExtract(shared_secret, "secret", psk = "")
  readonly #keyInfo: ScheduleInfo;
  readonly #nonceInfo: ScheduleInfo;
  readonly #exporterInfo: ScheduleInfo;
  readonly #exportPrefix: Uint8Array;

  // All secrets stand together, to be wiped by one call.
  readonly #secrets = new Uint8Array(2 * SHA256_BYTES + HPKE_CONTEXT_KEY_BYTES);
  readonly #secret = this.#secrets.subarray(0, SHA256_BYTES);
  readonly #block = this.#secrets.subarray(SHA256_BYTES, 2 * SHA256_BYTES);
  readonly #contextKey = this.#secrets.subarray(2 * SHA256_BYTES);

  /** The two parts of what `derive` computed. */
  readonly key: Uint8Array = this.#contextKey.subarray(0, AEAD_KEY_BYTES);
  readonly baseNonce: Uint8Array = this.#contextKey.subarray(AEAD_KEY_BYTES);

  /** @param kemId RFC 9180 §7.1. */
  constructor(provider: Provider, kemId: number, aeadName: AeadName) {
    this.#provider = provider;
    const suite = new Uint8Array(10); // RFC 9180 §5.1: "HPKE" || kem_id || kdf_id || aead_id
    suite.set(utf8('HPKE'));
    putUint16(suite, 4, kemId);
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

  /** Computes `key` and `baseNonce`, without the exporter secret. */
  derive(mode: number, sharedSecret: Uint8Array, info: Uint8Array): void {
    const provider = this.#provider;
    const key = this.#keyInfo;
    const nonce = this.#nonceInfo;
    key.mode[0] = mode;
    provider.hmacSha256(key.infoHash, NO_SALT, this.#infoHash.with(info));
    nonce.mode[0] = mode;
    nonce.infoHash.set(key.infoHash);
    provider.hmacSha256(this.#secret, sharedSecret, this.#secretInput);
    provider.hmacSha256(this.key, this.#secret, key.expandInput);
    provider.hmacSha256(this.#block, this.#secret, nonce.expandInput);
    for (let i = 0; i < AEAD_NONCE_BYTES; i++) this.baseNonce[i] = this.#block[i]!;
  }

  /** Fills a context, for messages from 0 on. */
  fill(context: HpkeContext, mode: number, sharedSecret: Uint8Array, info: Uint8Array): void {
    this.derive(mode, sharedSecret, info);
    const exporter = this.#exporterInfo;
    exporter.mode[0] = mode;
    exporter.infoHash.set(this.#keyInfo.infoHash);
    this.#provider.hmacSha256(context.exporterSecret, this.#secret, exporter.expandInput);
    context.contextKey.set(this.#contextKey);
    context.sequence = 0;
  }

  /** Context.Export, RFC 9180 §5.3. @param out 1 to 255 * 32 bytes; its length is `L`. */
  export(context: HpkeContext, out: Uint8Array, exporterContext: Uint8Array): void {
    const length = new Uint8Array(2);
    putUint16(length, 0, out.length);
    const info = concatBytes(length, this.#exportPrefix, exporterContext);
    hkdfExpand(this.#provider, out, context.exporterSecret, info);
  }

  wipe(): void {
    this.#secrets.fill(0);
  }
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
export class PrefixedInput {
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

/** @throws HarnessError UNSUPPORTED when the provider lacks it. */
export function chosenAead(provider: Provider, name: AeadName): Aead {
  const aead = provider.aead[name];
  if (aead === undefined) {
    throw new HarnessError('UNSUPPORTED', `provider ${provider.name} has no ${name}`);
  }
  return aead;
}

/** suite_id of a KEM, RFC 9180 §4.1: "KEM" || I2OSP(kem_id, 2). */
export function kemSuiteOf(kemId: number): Uint8Array {
  const suite = new Uint8Array(5);
  suite.set(utf8('KEM'));
  putUint16(suite, 3, kemId);
  return suite;
}

/** "HPKE-v1" || suite_id || label: how every labelled input of RFC 9180 §4 begins. */
export function labeled(suite: Uint8Array, label: string): Uint8Array {
  return concatBytes(utf8('HPKE-v1'), suite, utf8(label));
}

/** How the info of LabeledExpand begins, RFC 9180 §4. @param length `L`, in bytes. */
export function labeledInfo(suite: Uint8Array, label: string, length: number): Uint8Array {
  const encoded = new Uint8Array(2);
  putUint16(encoded, 0, length);
  return concatBytes(encoded, labeled(suite, label));
}

/** A length that the caller got wrong. */
export function lengthError(name: string, expected: number, actual: number): RangeError {
  return new RangeError(`"${name}" expected ${expected} bytes, got ${actual}`);
}
