/**
 * Raw keys in node:crypto: the formats `raw-private`, `raw-public` and `raw-seed` of Node 26.
 *
 * @module
 */

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { HarnessError } from '../core/errors.ts';

export type CurveName = 'x25519' | 'ed25519';

/** `OpenSSL x.y.z`: what computes behind node:crypto. */
export const OPENSSL_VERSION: string = `OpenSSL ${process.versions.openssl}`;

/** About 40 us for both curves: OpenSSL derives the public key while it imports. */
export function importPrivate(curve: CurveName, secret: Uint8Array): KeyObject {
  return createPrivateKey({ key: secret, format: 'raw-private', asymmetricKeyType: curve });
}

/** About 4 us. */
export function importPublic(curve: CurveName, publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: publicKey, format: 'raw-public', asymmetricKeyType: curve });
}

/** @throws HarnessError with code UNAVAILABLE where this Node has no raw key formats. */
export function requireRawKeys(): void {
  try {
    importPrivate('x25519', new Uint8Array(32).fill(1));
  } catch {
    throw new HarnessError(
      'UNAVAILABLE',
      `node:crypto of Node ${process.versions.node} cannot import raw keys; run with Node 26 or later, as \`npm run -s sealbench\` does`,
    );
  }
}
