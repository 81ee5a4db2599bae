/**
 * The chains that an authority follows: per sender of a session the current one and the one before,
 * for late messages.
 *
 * What makes a chain here is a key that is stepped with each message and does not lead back. Earlier
 * keys are kept at checkpoints, so that a number that nothing authenticated yet costs no more steps
 * than a receiver would take.
 *
 * @module
 */

import { PackedRecords } from '../core/packed.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';

/** One chain: ratchet key 32, key at the older and at the newer checkpoint, key at `next`, `next` 4. */
const CHAIN_BYTES = 132;
const CHAIN_WORDS = CHAIN_BYTES / 4;
const CHAINS_KEPT = 2;
/**
 * Messages between checkpoints: the older one lies up to twice as many behind, so a message that is
 * late by this many still opens, and none costs more than `SKIP_LIMIT` steps.
 */
const CHECKPOINT_EVERY: number = SKIP_LIMIT / 2;

export class ChainFollower {
  readonly #chains: PackedRecords;
  readonly #step: (chain: Uint8Array) => void;
  readonly #chain = new Uint32Array(CHAIN_WORDS);
  readonly #older = new Uint32Array(CHAIN_WORDS);
  readonly #ratchetKey = new Uint8Array(this.#chain.buffer, 0, 32);
  readonly #olderCheckpoint = new Uint8Array(this.#chain.buffer, 32, 32);
  readonly #newerCheckpoint = new Uint8Array(this.#chain.buffer, 64, 32);
  readonly #stepKey = new Uint8Array(this.#chain.buffer, 96, 32);
  /** For a message behind `next`: the chain itself stays where it is. */
  readonly #lateKey = new Uint8Array(32);
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
    this.#olderCheckpoint.set(firstKey);
    this.#newerCheckpoint.set(firstKey);
    this.#stepKey.set(firstKey);
    this.#chain[CHAIN_WORDS - 1] = 0;
  }

  /**
   * Steps the loaded chain over message `n`, or from a checkpoint to it when it lies behind.
   *
   * @returns False when `n` lies farther ahead, or farther behind, than is followed: nothing
   *   authenticates it yet, and a forged one would cost 2^32 steps.
   */
  stepTo(n: number): boolean {
    const next = this.#chain[CHAIN_WORDS - 1]!;
    if (n < next) return this.#stepBehind(n, next);
    if (n - next > SKIP_LIMIT) return false;
    for (let at = next; at <= n; at++) {
      this.#step(this.#stepKey);
      if ((at + 1) % CHECKPOINT_EVERY !== 0) continue;
      this.#olderCheckpoint.set(this.#newerCheckpoint);
      this.#newerCheckpoint.set(this.#stepKey);
    }
    this.#chain[CHAIN_WORDS - 1] = n + 1;
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

  #stepBehind(n: number, next: number): boolean {
    const newerAt = next - (next % CHECKPOINT_EVERY);
    const olderAt = Math.max(0, newerAt - CHECKPOINT_EVERY);
    if (n < olderAt) return false;
    this.#lateKey.set(n < newerAt ? this.#olderCheckpoint : this.#newerCheckpoint);
    for (let at = n < newerAt ? olderAt : newerAt; at <= n; at++) this.#step(this.#lateKey);
    return true;
  }
}
