/**
 * Lengths and ranges of ristretto255, RFC 9496 §4, refused alike by every provider.
 *
 * @module
 */

import { RefusedError } from '../crypto/provider.ts';
import { requireLength } from './_lengths.ts';

/** An element's encoding and a scalar, in bytes. */
export const GROUP_BYTES = 32;

/** The order ℓ = 2^252 + 27742317777372353535851937790883648493, little-endian. */
const ORDER: Uint8Array = Uint8Array.fromHex(
  'edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010',
);

/**
 * @throws RefusedError unless `scalar` is 32 bytes and below ℓ. For all but one scalar in 2^124 the
 *   first byte decides: no more than that shows in the time.
 */
export function requireScalar(scalar: Uint8Array): void {
  requireLength(scalar, GROUP_BYTES);
  for (let i = GROUP_BYTES - 1; i >= 0; i--) {
    if (scalar[i]! < ORDER[i]!) return;
    if (scalar[i]! > ORDER[i]!) break;
  }
  throw new RefusedError();
}

/** @throws RefusedError for the encoding of the identity, 32 zero bytes. */
export function requireNotIdentity(element: Uint8Array): void {
  for (let i = 0; i < GROUP_BYTES; i++) if (element[i] !== 0) return;
  throw new RefusedError();
}
