/**
 * A group for the `null` provider: the integers modulo a prime of 26 bits, with 1 as generator, so
 * that a "multiplication" of an element is one of numbers. The laws of a prime-order group hold, so
 * commitments open, proofs verify and Lagrange interpolation gives back what was shared; nothing is
 * hidden, since an element is its own discrete logarithm.
 *
 * @module
 */

import type { PrimeGroup } from '../crypto/provider.ts';
import { requireLength } from './_lengths.ts';
import { GROUP_BYTES } from './_scalars.ts';

/** The largest prime below 2^26: a product of two residues is exact in a number. */
const PRIME = 67_108_859;

export const NULL_GROUP: PrimeGroup = {
  scalarReduce(out, wide) {
    requireLength(wide, 2 * GROUP_BYTES);
    write(out, residue(wide));
  },
  scalarAdd: add,
  scalarSubtract: subtract,
  scalarMultiply: multiply,
  scalarInvert(out, a) {
    requireLength(a, GROUP_BYTES);
    write(out, power(residue(a), PRIME - 2)); // Fermat's little theorem.
  },
  multiplyBase(out, scalar) {
    requireLength(scalar, GROUP_BYTES);
    write(out, residue(scalar));
  },
  multiply,
  add,
  subtract,
};

function add(out: Uint8Array, a: Uint8Array, b: Uint8Array): void {
  requireLength(a, GROUP_BYTES);
  requireLength(b, GROUP_BYTES);
  write(out, (residue(a) + residue(b)) % PRIME);
}

function subtract(out: Uint8Array, a: Uint8Array, b: Uint8Array): void {
  requireLength(a, GROUP_BYTES);
  requireLength(b, GROUP_BYTES);
  write(out, (residue(a) + PRIME - residue(b)) % PRIME);
}

function multiply(out: Uint8Array, a: Uint8Array, b: Uint8Array): void {
  requireLength(a, GROUP_BYTES);
  requireLength(b, GROUP_BYTES);
  write(out, (residue(a) * residue(b)) % PRIME);
}

function power(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = (result * square) % PRIME;
    square = (square * square) % PRIME;
  }
  return result;
}

/** Of a little-endian number of any length. */
function residue(bytes: Uint8Array): number {
  let value = 0;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value * 256 + bytes[i]!) % PRIME;
  return value;
}

function write(out: Uint8Array, value: number): void {
  requireLength(out, GROUP_BYTES);
  out.fill(0);
  out[0] = value;
  out[1] = value >>> 8;
  out[2] = value >>> 16;
  out[3] = value >>> 24;
}
