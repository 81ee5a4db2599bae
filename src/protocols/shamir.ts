/**
 * Shamir's secret sharing over GF(256) with the polynomial of AES, 0x11b: Shamir, How to Share a
 * Secret, CACM 22(11), 1979, byte by byte.
 *
 * A share is its x, 1 to 255, then one y for each byte of the secret. Multiplication looks up tables,
 * so its time depends on shares and coefficients: for measuring, not for guarding keys.
 *
 * @module
 */

/** A share's x. */
export const SHARE_INDEX_BYTES = 1;

const EXP = new Uint8Array(510);
const LOG = new Uint8Array(256);
{
  let value = 1;
  for (let power = 0; power < 255; power++) {
    EXP[power] = value;
    EXP[power + 255] = value;
    LOG[value] = power;
    // Times 3, a generator: (x + 1) modulo x^8 + x^4 + x^3 + x + 1.
    value ^= (value << 1) ^ (value & 0x80 ? 0x11b : 0);
    value &= 0xff;
  }
}

function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : EXP[LOG[a]! + LOG[b]!]!;
}

/** @param b Not zero. */
function divide(a: number, b: number): number {
  return a === 0 ? 0 : EXP[LOG[a]! + 255 - LOG[b]!]!;
}

/**
 * Share number `x` of a secret.
 *
 * @param coefficients Of the polynomials, secret.length for each power from 1 to k - 1, uniform.
 * @param out 1 + secret.length.
 */
export function writeShare(
  out: Uint8Array,
  x: number,
  secret: Uint8Array,
  coefficients: Uint8Array,
): void {
  out[0] = x;
  const { length } = secret;
  for (let i = 0; i < length; i++) {
    let y = 0; // Horner, from the highest power down.
    for (let at = coefficients.length - length + i; at >= 0; at -= length) {
      y = multiply(y, x) ^ coefficients[at]!;
    }
    out[SHARE_INDEX_BYTES + i] = multiply(y, x) ^ secret[i]!;
  }
}

/**
 * The secret at x = 0 of the polynomials through these shares: Lagrange's interpolation.
 *
 * @param shares Of equal length, and as many as the threshold; fewer give something else.
 * @returns False when two have the same x or one has x = 0.
 */
export function joinShares(out: Uint8Array, shares: readonly Uint8Array[]): boolean {
  out.fill(0);
  for (const share of shares) {
    const x = share[0]!;
    if (x === 0) return false;
    let weight = 1;
    for (const other of shares) {
      if (other === share) continue;
      const otherX = other[0]!;
      if (otherX === x) return false;
      weight = multiply(weight, divide(otherX, otherX ^ x));
    }
    for (let i = 0; i < out.length; i++) {
      out[i]! ^= multiply(weight, share[SHARE_INDEX_BYTES + i]!);
    }
  }
  return true;
}
