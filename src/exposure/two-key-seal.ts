/**
 * A ciphertext of ChaCha20-Poly1305 that opens under two keys, to two different texts.
 *
 * Poly1305 (RFC 8439 section 2.5) is a polynomial in a key, over the integers modulo 2^130 - 5. That it
 * takes the same value under two keys is one linear equation in one block of the ciphertext, which
 * nobody needs for text. The attack is that of Dodis, Grubbs, Ristenpart and Woodage, CRYPTO 2018, and
 * of Len, Grubbs and Ristenpart, USENIX Security 2021.
 *
 * @module
 */

import { SeededRandom } from '../core/random.ts';
import type { Provider } from '../crypto/provider.ts';

export const BLOCK_BYTES = 16;
const TAG_BYTES = 16;
const P = 2n ** 130n - 5n;
const TWO_128 = 2n ** 128n;
/** RFC 8439 section 2.5.1. */
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn;
/** More than are ever needed: each succeeds about every second time, whatever became of others. */
const TRIES = 200;

interface PolyKey {
  readonly r: bigint;
  readonly s: bigint;
}

/**
 * @param texts Under the first key the first block opens to that of the first text; under the second
 *   key the second block opens to the second text, which is one block long. All else is noise.
 * @returns As long as the first text, which must be four blocks, and a tag.
 */
export function sealForTwoKeys(
  provider: Provider,
  keys: readonly [Uint8Array, Uint8Array],
  nonce: Uint8Array,
  aad: Uint8Array,
  [text, decoy]: readonly [Uint8Array, Uint8Array],
): Uint8Array {
  if (text.length !== 4 * BLOCK_BYTES || decoy.length !== BLOCK_BYTES) {
    throw new RangeError('"texts" expected four blocks and one block');
  }
  const [first, second] = keys.map((key) => keyStream(provider, key, nonce, text.length));
  const sealed = new Uint8Array(text.length + TAG_BYTES);
  for (let i = 0; i < BLOCK_BYTES; i++) {
    sealed[i] = text[i]! ^ first!.stream[i]!;
    sealed[BLOCK_BYTES + i] = decoy[i]! ^ second!.stream[BLOCK_BYTES + i]!;
  }
  const ciphertext = sealed.subarray(0, text.length);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    // The third block may be anything. It is drawn, not counted: under some pairs of keys the solutions
    // for neighbouring blocks are neighbours, and all of them may be too large for a block.
    new SeededRandom(attempt).fill(ciphertext.subarray(2 * BLOCK_BYTES, 3 * BLOCK_BYTES));
    const tag = solveLastBlock(ciphertext, aad, first!.polyKey, second!.polyKey);
    if (tag === undefined) continue;
    sealed.set(tag, text.length);
    return sealed;
  }
  throw new Error('no block makes both tags the same');
}

/** Fills the last block of the ciphertext. @returns The tag, the same under both keys. */
function solveLastBlock(
  ciphertext: Uint8Array,
  aad: Uint8Array,
  a: PolyKey,
  b: PolyKey,
): Uint8Array | undefined {
  const solved = ciphertext.subarray(ciphertext.length - BLOCK_BYTES);
  solved.fill(0);
  // Its place is the last but one, before the lengths: its coefficient is r squared.
  const slope = modulo(a.r * a.r - b.r * b.r);
  const offset = evaluate(ciphertext, aad, a) - evaluate(ciphertext, aad, b);
  for (let carry = -4n; carry <= 4n; carry++) {
    const block = modulo((b.s - a.s + carry * TWO_128 - offset) * inverse(slope));
    if (block >= TWO_128) continue;
    solved.set(littleEndian(block));
    const tags = [a, b].map((key) => (evaluate(ciphertext, aad, key) + key.s) % TWO_128) as [
      bigint,
      bigint,
    ];
    if (tags[0] === tags[1]) return littleEndian(tags[0]);
  }
  return undefined;
}

/** RFC 8439 section 2.8: the polynomial of associated data, ciphertext and their lengths. */
function evaluate(ciphertext: Uint8Array, aad: Uint8Array, { r }: PolyKey): bigint {
  const lengths = new Uint8Array(BLOCK_BYTES);
  const view = new DataView(lengths.buffer);
  view.setBigUint64(0, BigInt(aad.length), true);
  view.setBigUint64(8, BigInt(ciphertext.length), true);
  let accumulator = 0n;
  for (const part of [aad, ciphertext, lengths]) {
    for (let at = 0; at < part.length; at += BLOCK_BYTES) {
      const block = new Uint8Array(BLOCK_BYTES);
      block.set(part.subarray(at, at + BLOCK_BYTES));
      accumulator = modulo((accumulator + fromLittleEndian(block) + TWO_128) * r);
    }
  }
  return accumulator;
}

/** RFC 8439 sections 2.6 and 2.8: block 0 of the key stream is the key of Poly1305. */
function keyStream(
  provider: Provider,
  key: Uint8Array,
  nonce: Uint8Array,
  length: number,
): { readonly polyKey: PolyKey; readonly stream: Uint8Array } {
  const all = new Uint8Array(64 + length);
  provider.chacha20(all, key, nonce, new Uint8Array(64 + length));
  const r = fromLittleEndian(all.subarray(0, 16)) & CLAMP;
  return { polyKey: { r, s: fromLittleEndian(all.subarray(16, 32)) }, stream: all.subarray(64) };
}

function modulo(value: bigint): bigint {
  return ((value % P) + P) % P;
}

/** Fermat: value^(P - 2). */
function inverse(value: bigint): bigint {
  let result = 1n;
  let power = modulo(value);
  for (let exponent = P - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = modulo(result * power);
    power = modulo(power * power);
  }
  return result;
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: BLOCK_BYTES }, (_, i) =>
    Number((value >> BigInt(8 * i)) & 255n),
  );
}
