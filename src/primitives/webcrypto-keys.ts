/**
 * Raw keys in WebCrypto, which imports private keys of curves in PKCS #8 only.
 *
 * @module
 */

import { concatBytes, fromHex } from '../core/bytes.ts';
import type { WebCrypto } from './operation.ts';

/** The type of a key follows from what imports it. */
export type ImportedKey = Awaited<ReturnType<WebCrypto['subtle']['importKey']>>;

/** RFC 8410 §7: a PrivateKeyInfo of version 1 up to the 32 bytes of the key. */
const PKCS8_PREFIX = {
  X25519: fromHex('302e020100300506032b656e04220420'),
  Ed25519: fromHex('302e020100300506032b657004220420'),
} as const;

export function importX25519(webCrypto: WebCrypto, secret: Uint8Array): Promise<ImportedKey> {
  const key = owned(concatBytes(PKCS8_PREFIX.X25519, secret));
  return webCrypto.subtle.importKey('pkcs8', key, 'X25519', false, ['deriveBits']);
}

export function importX25519Public(
  webCrypto: WebCrypto,
  publicKey: Uint8Array,
): Promise<ImportedKey> {
  return webCrypto.subtle.importKey('raw', owned(publicKey), 'X25519', true, []);
}

export function importEd25519(webCrypto: WebCrypto, seed: Uint8Array): Promise<ImportedKey> {
  const key = owned(concatBytes(PKCS8_PREFIX.Ed25519, seed));
  return webCrypto.subtle.importKey('pkcs8', key, 'Ed25519', true, ['sign']);
}

/** A byte array over memory of its own, as WebCrypto's types demand. */
export function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

/** Asserts the same without copying: for what this folder allocated itself. */
export function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.buffer instanceof ArrayBuffer) return bytes as Uint8Array<ArrayBuffer>;
  throw new TypeError('"bytes" expected memory that is not shared, got a SharedArrayBuffer');
}
