/**
 * AEADs and the stream cipher of node:crypto (OpenSSL EVP), for providers that have no better ones.
 *
 * Each call makes a cipher object and fresh buffers, whose content is copied into `out`: the API
 * offers no other way, and that cost is part of what is measured.
 *
 * @module
 */

import { createCipheriv, createDecipheriv } from 'node:crypto';
import {
  AEAD_NONCE_BYTES,
  AEAD_TAG_BYTES,
  type Aead,
  type AeadName,
  type Provider,
} from '../crypto/provider.ts';
import { requireAeadLengths, requireStreamLengths } from './_lengths.ts';

const TAG: { readonly authTagLength: number } = { authTagLength: AEAD_TAG_BYTES };

export function nodeAead(name: AeadName): Aead {
  return {
    seal(out, key, nonce, aad, plaintext) {
      requireAeadLengths(out, key, nonce, plaintext);
      // node:crypto overloads on literal names; both have the same interface.
      const cipher = createCipheriv(name as 'chacha20-poly1305', key, nonce, TAG);
      cipher.setAAD(aad, { plaintextLength: plaintext.length });
      out.set(cipher.update(plaintext));
      cipher.final(); // Empty for both, which are stream modes.
      out.set(cipher.getAuthTag(), plaintext.length);
    },
    open(out, key, nonce, aad, ciphertext) {
      requireAeadLengths(ciphertext, key, nonce, out);
      const decipher = createDecipheriv(name as 'chacha20-poly1305', key, nonce, TAG);
      decipher.setAAD(aad, { plaintextLength: out.length });
      decipher.setAuthTag(ciphertext.subarray(out.length));
      const plaintext = decipher.update(ciphertext.subarray(0, out.length));
      try {
        decipher.final();
      } catch {
        return false;
      }
      out.set(plaintext);
      return true;
    },
  };
}

/** The 16 bytes that OpenSSL calls an IV: the block counter, 32 bits little-endian, then the nonce. */
const COUNTER_AND_NONCE: Uint8Array = new Uint8Array(4 + AEAD_NONCE_BYTES);

/** RFC 8439 §2.4 from block 0. About 4 us, most of it for the cipher object. */
export const nodeChacha20: Provider['chacha20'] = (out, key, nonce, data) => {
  requireStreamLengths(out, key, nonce, data);
  COUNTER_AND_NONCE.set(nonce, 4);
  out.set(createCipheriv('chacha20', key, COUNTER_AND_NONCE).update(data));
};
