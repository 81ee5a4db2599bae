/**
 * An authority that changes its key while a town is held.
 *
 * @module
 */

import { seededRandomness, type Randomness } from '../crypto/randomness.ts';

const STREAM = 5;

/** A key of such an authority, to which clients sealed from `fromMs` on. */
export interface PeriodKey {
  readonly fromMs: number;
  readonly secret: Uint8Array;
}

export class KeyRotation {
  /** So far, the newest last. */
  readonly keys: PeriodKey[] = [];
  readonly #periodMs: number;
  /** Its own, so that conversations draw what they would without it. */
  readonly #randomness: Randomness;
  #change: ((randomness: Randomness) => Uint8Array) | undefined;

  constructor(periodMs: number, seed: number) {
    this.#periodMs = periodMs;
    this.#randomness = seededRandomness(seed, STREAM);
  }

  /** As `EscrowSetup.onAuthorityKey`. */
  onAuthorityKey(change: (randomness: Randomness) => Uint8Array): void {
    this.#change = change;
  }

  /** Changes the key when another period began. */
  advance(atMs: number): void {
    const fromMs = Math.floor(atMs / this.#periodMs) * this.#periodMs;
    if (this.#change === undefined || this.keys.at(-1)?.fromMs === fromMs) return;
    this.keys.push({ fromMs, secret: this.#change(this.#randomness) });
  }
}
