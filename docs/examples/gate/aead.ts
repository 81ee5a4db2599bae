/** The library under test: it stands for yours. ChaCha20-Poly1305 (RFC 8439), over node:crypto. */

import { createCipheriv, createDecipheriv } from 'node:crypto';

const TAG_BYTES = 16;
const OPTIONS = { authTagLength: TAG_BYTES } as const;

export function seal(
  out: Uint8Array,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): void {
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, OPTIONS);
  cipher.setAAD(aad, { plaintextLength: plaintext.length });
  out.set(cipher.update(plaintext));
  cipher.final();
  out.set(cipher.getAuthTag(), plaintext.length);
}

/** @returns Whether the tag verified. */
export function open(
  out: Uint8Array,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
): boolean {
  const length = ciphertext.length - TAG_BYTES;
  const decipher = createDecipheriv('chacha20-poly1305', key, nonce, OPTIONS);
  decipher.setAAD(aad, { plaintextLength: length });
  decipher.setAuthTag(ciphertext.subarray(length));
  out.set(decipher.update(ciphertext.subarray(0, length)));
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}
