/**
 * The lengths that every provider refuses alike, before its library sees an argument.
 *
 * @module
 */

import { HKDF_MAX_BYTES } from '../crypto/hkdf.ts';
import {
  AEAD_KEY_BYTES,
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  RefusedError,
} from '../crypto/provider.ts';

/** @throws RefusedError unless `bytes` is exactly that long. */
export function requireLength(bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) throw new RefusedError();
}

/** @throws RefusedError unless RFC 5869 §2.3 allows as much output. */
export function requireHkdfOutput(out: Uint8Array): void {
  if (out.length < 1 || out.length > HKDF_MAX_BYTES) throw new RefusedError();
}

/** Of `seal`, whose `sealed` is `out`, and of `open`, whose `opened` is `out`. */
export function requireAeadLengths(
  sealed: Uint8Array,
  key: Uint8Array,
  nonce: Uint8Array,
  opened: Uint8Array,
): void {
  if (
    sealed.length !== opened.length + AEAD_TAG_BYTES ||
    key.length !== AEAD_KEY_BYTES ||
    nonce.length !== AEAD_NONCE_BYTES
  ) {
    throw new RefusedError();
  }
}

/** Of `chacha20`, whose text keeps its length. */
export function requireStreamLengths(
  out: Uint8Array,
  key: Uint8Array,
  nonce: Uint8Array,
  data: Uint8Array,
): void {
  if (
    out.length !== data.length ||
    key.length !== AEAD_KEY_BYTES ||
    nonce.length !== AEAD_NONCE_BYTES
  ) {
    throw new RefusedError();
  }
}
