/**
 * The chains that an authority follows: per sender of a session the current one and the one before,
 * for late messages.
 *
 * @module
 */

import { PackedRecords } from '../core/packed.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';

/** One chain: ratchet key 32, first key 32, key at `next` 32, `next` 4. */
const CHAIN_BYTES = 100;
const CHAIN_WORDS = CHAIN_BYTES / 4;
const CHAINS_KEPT = 2;

export class ChainFollower {
  readonly #chains: PackedRecords;
  readonly #step: (chain: Uint8Array) => void;
  readonly #chain = new Uint32Array(CHAIN_WORDS);
  readonly #older = new Uint32Array(CHAIN_WORDS);
  readonly #ratchetKey = new Uint8Array(this.#chain.buffer, 0, 32);
  readonly #firstKey = new Uint8Array(this.#chain.buffer, 32, 32);
  readonly #stepKey = new Uint8Array(this.#chain.buffer, 64, 32);
  /** Where the loaded chain is kept, or -1. */
  #slot = -1;
  #end = 0;

  /**
   * @param ends Two per session.
   * @param step Steps a chain key in place and leaves that message's key where its owner wants it.
   */
  constructor(ends: number, step: (chain: Uint8Array) => void) {
    this.#chains = new PackedRecords(CHAIN_BYTES, ends * CHAINS_KEPT);
    this.#step = step;
  }

  /** Loads the chain of a ratchet key. @returns Whether it is kept. */
  find(end: number, ratchetKey: Uint8Array): boolean {
    this.#end = end;
    for (let slot = end * CHAINS_KEPT; slot < (end + 1) * CHAINS_KEPT; slot++) {
      this.#chains.load(slot, this.#chain);
      let same = true;
      let used = 0; // An empty record has the ratchet key zero, which no sender can have.
      for (let i = 0; i < 32 && same; i++) {
        same = this.#ratchetKey[i] === ratchetKey[i];
        used |= this.#ratchetKey[i]!;
      }
      if (same && used !== 0) {
        this.#slot = slot;
        return true;
      }
    }
    this.#slot = -1;
    return false;
  }

  /** Begins the chain that `find` did not find; nothing of it is kept before `keep`. */
  begin(ratchetKey: Uint8Array, firstKey: Uint8Array): void {
    this.#ratchetKey.set(ratchetKey);
    this.#firstKey.set(firstKey);
    this.#stepKey.set(firstKey);
    this.#chain[CHAIN_WORDS - 1] = 0;
  }

  /**
   * Steps the loaded chain over message `n`; for an earlier one than the last it starts again.
   *
   * @returns False when `n`, which nothing authenticates yet, lies farther ahead than any receiver
   *   follows: a forged one would cost 2^32 steps.
   */
  stepTo(n: number): boolean {
    let next = this.#chain[CHAIN_WORDS - 1]!;
    if (n - next > SKIP_LIMIT) return false;
    if (n < next) {
      this.#stepKey.set(this.#firstKey);
      next = 0;
    }
    for (; next <= n; next++) this.#step(this.#stepKey);
    this.#chain[CHAIN_WORDS - 1] = next;
    return true;
  }

  /** Keeps the loaded chain as it is; a new one becomes the newest of its end. */
  keep(): void {
    let slot = this.#slot;
    if (slot < 0) {
      slot = this.#end * CHAINS_KEPT;
      this.#chains.load(slot, this.#older);
      this.#chains.store(slot + 1, this.#older);
    }
    this.#chains.store(slot, this.#chain);
  }
}
