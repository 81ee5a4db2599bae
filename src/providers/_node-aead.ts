/**
 * AEADs of node:crypto (OpenSSL EVP), for every provider that has no better one.
 *
 * Each call makes a cipher object and fresh buffers, whose content is copied into `out`: the API
 * offers no other way, and that cost is part of what is measured.
 *
 * @module
 */

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { AEAD_TAG_BYTES, type Aead, type AeadName } from '../crypto/provider.ts';
import { requireAeadLengths } from './_lengths.ts';

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
