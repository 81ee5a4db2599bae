/**
 * Sealing at rest by the provider: the relay's store holds nothing in the clear.
 *
 * `segment`: one data key per segment of the store, all users in it. `user-day`: one data key per
 * user and day. Data keys are wrapped under one key-encryption key (envelope encryption) and kept
 * unwrapped in a bounded cache; each miss is one unwrapping.
 *
 * Stored form: key id 4, nonce 12, ciphertext, tag 16. The nonce is the epoch of the store and the
 * counter of its data key in that epoch (NIST SP 800-38D section 8.2.1, deterministic construction:
 * fixed field and invocation field), so it never repeats under one key. Each epoch begins a segment.
 *
 * @module
 */

import { putUint32, getUint32 } from '../core/bytes.ts';
import type { Aead } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import type { WrappedKeys } from './_pipeline.ts';
import { ScratchViews } from './_views.ts';

export const REST_BYTES: number = 4 + 12 + 16;

/** Messages under one data key of a segment: far below the 2^32 of SP 800-38D section 8.3. */
const SEGMENT_MESSAGES = 1_048_576;

/** Segments of one epoch: a store of 65,536 epochs still has numbers of 32 bits for its segments. */
const EPOCH_SEGMENTS = 65_536;

/** Unwrapped data keys kept, oldest out first. */
const CACHED_KEYS = 65_536;

const DAY_MS = 86_400_000;

/** Nonce 12, wrapped key 32, tag 16. */
const WRAPPED_BYTES = 60;

interface DataKey {
  readonly key: Uint8Array;
  /** How many messages it has sealed. */
  used: number;
}

export class RestSeal {
  readonly #aead: Aead;
  readonly #randomness: Randomness;
  readonly #keyEncryptionKey: Uint8Array;
  readonly #scoped: boolean;
  readonly #wrapped: WrappedKeys;
  readonly #counters = new Map<number, number>();
  readonly #cache = new Map<number, DataKey>();
  readonly #nonce = new Uint8Array(12);
  readonly #aad = new Uint8Array(8);
  readonly #views = new ScratchViews();
  #segment: number;
  /** Calls of the key-management service: keys wrapped and unwrapped. */
  wrappings = 0;
  unwrappings = 0;

  constructor(
    aead: Aead,
    randomness: Randomness,
    keyEncryptionKey: Uint8Array,
    scope: 'segment' | 'user-day',
    wrappedKeys: WrappedKeys = new KeysInMemory(),
  ) {
    this.#aead = aead;
    this.#randomness = randomness;
    this.#keyEncryptionKey = keyEncryptionKey.slice();
    this.#scoped = scope === 'user-day';
    this.#wrapped = wrappedKeys;
    this.#segment = wrappedKeys.epoch * EPOCH_SEGMENTS;
    putUint32(this.#nonce, 4, wrappedKeys.epoch);
  }

  /** Seals what goes into `owner`'s mailbox. @returns Its length in `out`. */
  seal(owner: number, atMs: number, plaintext: Uint8Array, out: Uint8Array): number {
    const day = Math.floor(atMs / DAY_MS);
    let keyId = this.#scoped ? day : this.#segment;
    let dataKey = this.#dataKey(owner, keyId, true)!;
    if (!this.#scoped && dataKey.used >= SEGMENT_MESSAGES) {
      keyId = this.#segment += 1;
      dataKey = this.#dataKey(owner, keyId, true)!;
    }
    putUint32(out, 0, keyId);
    putUint32(this.#nonce, 8, dataKey.used);
    out.set(this.#nonce, 4);
    dataKey.used += 1;
    const sealed = this.#views.take(plaintext.length + 16);
    const aad = writeContext(this.#aad, owner, keyId);
    this.#aead.seal(sealed, dataKey.key, this.#nonce, aad, plaintext);
    out.set(sealed, 16);
    return plaintext.length + REST_BYTES;
  }

  /**
   * Opens something of `owner`'s mailbox.
   *
   * @returns A view of the content, valid until the next call, or undefined when it does not open.
   */
  open(owner: number, stored: Uint8Array): Uint8Array | undefined {
    if (stored.length < REST_BYTES) return undefined;
    const keyId = getUint32(stored, 0);
    const dataKey = this.#dataKey(owner, keyId, false);
    if (dataKey === undefined) return undefined;
    const content = this.#views.take(stored.length - REST_BYTES);
    const opened = this.#aead.open(
      content,
      dataKey.key,
      stored.subarray(4, 16),
      writeContext(this.#aad, owner, keyId),
      stored.subarray(16),
    );
    return opened ? content : undefined;
  }

  /** Unwrapped data keys now in memory: what a leak of the process yields. For attacks. */
  leakDataKey(owner: number, atMs: number): Uint8Array | undefined {
    const keyId = this.#scoped ? Math.floor(atMs / DAY_MS) : this.#segment;
    return this.#dataKey(owner, keyId, false)?.key;
  }

  #dataKey(owner: number, keyId: number, create: boolean): DataKey | undefined {
    // Users and days are below 2^26 and 2^26: a number holds both.
    const id = this.#scoped ? owner * 0x400_0000 + keyId : keyId;
    const cached = this.#cache.get(id);
    if (cached !== undefined) return cached;
    const wrapped = this.#wrapped.get(id);
    const key = new Uint8Array(32);
    if (wrapped === undefined) {
      if (!create) return undefined;
      this.#wrap(id, owner, keyId, key);
    } else {
      this.unwrappings += 1;
      const opened = this.#aead.open(
        key,
        this.#keyEncryptionKey,
        wrapped.subarray(0, 12),
        this.#keyContext(owner, keyId),
        wrapped.subarray(12),
      );
      if (!opened) return undefined;
    }
    return this.#remember(id, key);
  }

  #wrap(id: number, owner: number, keyId: number, key: Uint8Array): void {
    this.wrappings += 1;
    this.#randomness.fill(key);
    const wrapped = new Uint8Array(WRAPPED_BYTES);
    this.#randomness.fill(wrapped.subarray(0, 12));
    const aad = this.#keyContext(owner, keyId);
    const nonce = wrapped.subarray(0, 12);
    this.#aead.seal(wrapped.subarray(12), this.#keyEncryptionKey, nonce, aad, key);
    const untilMs = this.#scoped ? (keyId + 1) * DAY_MS : Infinity;
    this.#wrapped.set(id, wrapped, untilMs);
  }

  #remember(id: number, key: Uint8Array): DataKey {
    const dataKey = { key, used: this.#counters.get(id) ?? 0 };
    if (this.#cache.size >= CACHED_KEYS) {
      const [oldest] = this.#cache;
      const [oldestId, oldestKey] = oldest!;
      this.#counters.set(oldestId, oldestKey.used);
      this.#cache.delete(oldestId);
    }
    this.#cache.set(id, dataKey);
    return dataKey;
  }

  /** Associated data of a wrapped key: the owner, where keys are scoped, and the key id. */
  #keyContext(owner: number, keyId: number): Uint8Array {
    return writeContext(this.#aad, this.#scoped ? owner : 0, keyId);
  }
}

/** Keys of a store that ends with the process. */
class KeysInMemory implements WrappedKeys {
  readonly epoch = 0;
  readonly #keys = new Map<number, Uint8Array>();

  get(id: number): Uint8Array | undefined {
    return this.#keys.get(id);
  }

  set(id: number, wrapped: Uint8Array): void {
    this.#keys.set(id, wrapped);
  }
}

/** Associated data of something stored: whose mailbox it is in, so that it opens in no other. */
function writeContext(out: Uint8Array, owner: number, keyId: number): Uint8Array {
  putUint32(out, 0, owner);
  putUint32(out, 4, keyId);
  return out;
}
