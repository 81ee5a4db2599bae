/**
 * Plaintexts: slices of one seeded corpus, so that none is copied, stored or generated while timing.
 *
 * @module
 */

import { SeededRandom } from '../core/random.ts';

/** Small enough to stay in a core's cache: fetching plaintexts is no part of a pipeline. */
const OFFSETS = 65_536;

export class Payload {
  readonly #corpus: Uint8Array;

  /** @param longest Bytes of the longest message. */
  constructor(seed: number, longest: number) {
    this.#corpus = new Uint8Array(OFFSETS + longest);
    new SeededRandom(seed, 0x7061_796c).fill(this.#corpus);
  }

  /** The plaintext of message `message` of session `session`: always the same bytes. */
  plaintext(session: number, message: number, length: number): Uint8Array {
    let hash = Math.imul(session, 0x9e37_79b1) ^ Math.imul(message + 1, 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2_ae35);
    const offset = (hash ^ (hash >>> 13)) & (OFFSETS - 1);
    return this.#corpus.subarray(offset, offset + length);
  }
}
