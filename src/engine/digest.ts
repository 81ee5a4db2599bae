/**
 * The digest of a shard's deterministic facts.
 *
 * Facts are summed in any order, so that the digest does not depend on how messages fell into
 * batches: each fact is mixed into four 32-bit words, which are added to running sums.
 *
 * @module
 */

import { hash } from 'node:crypto';

export class FactsDigest {
  readonly #sums = new Uint32Array(4);
  #count = 0;

  /** Up to six small integers that say one thing that happened. */
  add(a: number, b: number, c: number, d: number, e: number, f: number): void {
    let word = 0x9e37_79b9;
    word = mix(word ^ a);
    word = mix(word ^ b);
    word = mix(word ^ c);
    word = mix(word ^ d);
    word = mix(word ^ e);
    word = mix(word ^ f);
    const sums = this.#sums;
    sums[0]! += word;
    sums[1]! += mix(word ^ 0x85eb_ca6b);
    sums[2]! += mix(word ^ 0xc2b2_ae35);
    sums[3]! += mix(word ^ 0x27d4_eb2f);
    this.#count += 1;
  }

  /** SHA-256, hex, of the sums and of further facts as JSON. */
  finish(further: unknown): string {
    return hash('sha256', JSON.stringify([[...this.#sums], this.#count, further]), 'hex');
  }
}

function mix(value: number): number {
  let word = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  word = Math.imul(word ^ (word >>> 13), 0xc2b2_ae35);
  return (word ^ (word >>> 16)) >>> 0;
}
