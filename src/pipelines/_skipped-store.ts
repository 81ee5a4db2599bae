/**
 * The keys of messages that were passed over, of all ends of a world, in one bounded table.
 *
 * Double Ratchet revision 4 section 3.2 (MKSKIPPED) and section 8.4: keys of both chains are kept,
 * and the oldest goes when an end has too many.
 *
 * @module
 */

import { getUint32, putUint32 } from '../core/bytes.ts';
import { NONE, PackedPool } from '../core/packed.ts';
import type { SkippedKeys } from '../protocols/double-ratchet.ts';

/** Before the message key: next id 4, n 4, chain label 32. */
const KEY_AT = 40;

/** At most this many keys per end; as in libsignal's limit per chain. */
export const STORED_PER_END = 2000;

/**
 * Keys are staged while a message is being opened and kept by `commit` when its tag verified.
 */
export class SkippedStore implements SkippedKeys {
  readonly #pool: PackedPool;
  /** First id of each end's list, newest first; made when the first key is kept. */
  readonly #heads = new Map<number, number>();
  readonly #counts = new Map<number, number>();
  readonly #staged: number[] = [];

  /** @param keyBytes Of one message key. */
  constructor(keyBytes = 32) {
    this.#pool = new PackedPool(KEY_AT + keyBytes, 50_000_000);
  }

  get stored(): number {
    return this.#pool.live;
  }

  get isEmpty(): boolean {
    return this.#heads.size === 0;
  }

  add(chain: Uint8Array, n: number, messageKey: Uint8Array): void {
    const id = this.#pool.take();
    if (id === NONE) return; // The table is full: that message will be refused when it comes.
    const record = this.#pool.view(id);
    putUint32(record, 4, n);
    record.set(chain, 8);
    record.set(messageKey, KEY_AT);
    this.#staged.push(id);
  }

  /** Forgets what was staged. */
  discard(): void {
    for (const id of this.#staged) this.#pool.release(id);
    this.#staged.length = 0;
  }

  /** Keeps what was staged, for `end`. */
  commit(end: number): void {
    if (this.#staged.length === 0) return;
    let head = this.#heads.get(end) ?? NONE;
    for (const id of this.#staged) {
      putUint32(this.#pool.view(id), 0, head);
      head = id;
    }
    this.#heads.set(end, head);
    const count = (this.#counts.get(end) ?? 0) + this.#staged.length;
    this.#counts.set(end, count);
    this.#staged.length = 0;
    if (count > STORED_PER_END) this.#dropOldest(end, count - STORED_PER_END);
  }

  /** @returns The id of a stored key, or NONE. Linear in the keys of this end. */
  find(end: number, chain: Uint8Array, n: number): number {
    let id = this.#heads.get(end) ?? NONE;
    while (id !== NONE) {
      const record = this.#pool.view(id);
      if (getUint32(record, 4) === n && sameKey(record, chain)) return id;
      id = getUint32(record, 0);
    }
    return NONE;
  }

  /**
   * For chains whose label is a key: the stored key of the message that `opens` says this is.
   *
   * @param opens Asked once per chain: which message of it this is, or -1 when it is of another.
   */
  findByChain(end: number, opens: (chain: Uint8Array) => number): number {
    let id = this.#heads.get(end) ?? NONE;
    let asked: Uint8Array | undefined;
    let n = -1;
    while (id !== NONE) {
      const record = this.#pool.view(id);
      if (asked === undefined || !sameKey(record, asked)) {
        asked = record.subarray(8, KEY_AT);
        n = opens(asked);
      }
      if (n >= 0 && getUint32(record, 4) === n) return id;
      id = getUint32(record, 0);
    }
    return NONE;
  }

  /** Copies the message key of `id` to `out`. */
  read(id: number, out: Uint8Array): void {
    out.set(this.#pool.view(id).subarray(KEY_AT));
  }

  /** Removes a key that was used. */
  remove(end: number, id: number): void {
    this.#unlink(end, id);
    this.#pool.release(id);
    this.#counts.set(end, this.#counts.get(end)! - 1);
    if (this.#heads.get(end) === NONE) {
      this.#heads.delete(end);
      this.#counts.delete(end);
    }
  }

  /** All keys stored for `end`: n, chain label, message key each. For seizing a device. */
  export(end: number): Uint8Array {
    const parts: number[] = [];
    let id = this.#heads.get(end) ?? NONE;
    while (id !== NONE) {
      const record = this.#pool.view(id);
      parts.push(...record.subarray(4));
      id = getUint32(record, 0);
    }
    return Uint8Array.from(parts);
  }

  #dropOldest(end: number, drop: number): void {
    const ids: number[] = [];
    let id = this.#heads.get(end) ?? NONE;
    while (id !== NONE) {
      ids.push(id);
      id = getUint32(this.#pool.view(id), 0);
    }
    for (const oldest of ids.slice(-drop)) this.remove(end, oldest);
  }

  #unlink(end: number, id: number): void {
    const next = getUint32(this.#pool.view(id), 0);
    let at = this.#heads.get(end)!;
    if (at === id) {
      this.#heads.set(end, next);
      return;
    }
    while (at !== NONE) {
      const record = this.#pool.view(at);
      const following = getUint32(record, 0);
      if (following === id) {
        putUint32(record, 0, next);
        return;
      }
      at = following;
    }
  }
}

function sameKey(record: Uint8Array, chain: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) if (record[8 + i] !== chain[i]) return false;
  return true;
}
