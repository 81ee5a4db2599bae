/**
 * Seeded random inputs. NOT cryptographic, and no secret: each is thrown away with its process.
 *
 * @module
 */

import type { SeededRandom } from '../core/random.ts';

/** How many inputs take turns where setting one up, or a call, is a millisecond of JavaScript. */
export const COSTLY_INPUTS_MAX = 8;

export function drawBytes(random: SeededRandom, bytes: number): Uint8Array {
  const drawn = new Uint8Array(bytes);
  random.fill(drawn);
  return drawn;
}

/**
 * A u-coordinate of the curve or its twist, which every implementation takes alike: RFC 7748 §5
 * multiplies both in the same steps. The top bit is clear, as in what X25519 puts out.
 */
export function drawX25519Public(random: SeededRandom): Uint8Array {
  const drawn = drawBytes(random, 32);
  drawn[31]! &= 0x7f;
  return drawn;
}

/** Below the order of ristretto255 and not zero: less than 2^252 (RFC 9496 §4.4). */
export function drawScalar(random: SeededRandom): Uint8Array {
  const drawn = drawBytes(random, 32);
  drawn[31]! &= 0x0f;
  drawn[0]! |= 1;
  return drawn;
}
