/**
 * What was received last in the latest chains of each end.
 *
 * libolm refuses a replay, a message that is too far ahead and a wrong MAC with the same error. This
 * tells them apart, and costs a search among five chains and one copy of 60 bytes per message.
 *
 * @module
 */

import { getUint32 } from '../../core/bytes.ts';
import { PackedRecords } from '../../core/packed.ts';
import type { RatchetHeader } from './_ratchet-header.ts';

/** As many receiving chains as libolm keeps. */
const CHAINS = 5;
/** Of one chain: the last 8 bytes of its ratchet key, and the number after the latest received. */
const WORDS = 3;

export class ReceivedPositions {
  readonly #records: PackedRecords;
  /** The chains of one end, the latest first. */
  readonly #words = new Uint32Array(CHAINS * WORDS);

  constructor(ends: number) {
    this.#records = new PackedRecords(CHAINS * WORDS * 4, ends);
  }

  add(end: number, { ratchetKey, counter }: RatchetHeader): void {
    const words = this.#words;
    this.#records.load(end, words);
    const at = this.#find(ratchetKey);
    if (at >= 0) {
      if (counter < words[at + 2]!) return;
      words[at + 2] = counter + 1;
    } else {
      words.copyWithin(WORDS, 0);
      words[0] = getUint32(ratchetKey, ratchetKey.length - 8);
      words[1] = getUint32(ratchetKey, ratchetKey.length - 4);
      words[2] = counter + 1;
    }
    this.#records.store(end, words);
  }

  /** The number after the latest one received in the chain of `header`; 0 in an unknown chain. */
  next(end: number, { ratchetKey }: RatchetHeader): number {
    this.#records.load(end, this.#words);
    const at = this.#find(ratchetKey);
    return at < 0 ? 0 : this.#words[at + 2]!;
  }

  /** @returns Where the chain is in the words that were loaded, or -1. */
  #find(ratchetKey: Uint8Array): number {
    const first = getUint32(ratchetKey, ratchetKey.length - 8);
    const second = getUint32(ratchetKey, ratchetKey.length - 4);
    const words = this.#words;
    for (let at = 0; at < words.length; at += WORDS) {
      if (words[at] === first && words[at + 1] === second && words[at + 2] !== 0) return at;
    }
    return -1;
  }
}
