/**
 * A provider that does some of its work twice: a slowdown that is real, grows with the work, and is
 * known beforehand, for trying whether a gate notices it.
 *
 * @module
 */

import type { Aead, Provider } from './provider.ts';

/** Of what is owed, one call. */
const WHOLE = 2 ** 16;

/**
 * Repeats calls of the AEADs, with the same inputs and into the same output, so that nothing but the
 * cost changes. Every message of every pipeline with encryption makes such calls.
 *
 * @param extraCalls For each call, on average and evenly spread: 0.25 repeats every fourth, 2 makes
 *   each call three times. With 0 the wrapper is there and repeats nothing, so that it is itself no
 *   difference between two sides that both have it.
 */
export function slowed(inner: Provider, extraCalls: number): Provider {
  // Small integers, whatever is repeated: a fraction that changes would be allocated anew each time.
  const step = Math.round(extraCalls * WHOLE);
  let owed = 0;
  const slow = (aead: Aead): Aead => ({
    seal(out, key, nonce, aad, plaintext) {
      aead.seal(out, key, nonce, aad, plaintext);
      for (owed += step; owed >= WHOLE; owed -= WHOLE) aead.seal(out, key, nonce, aad, plaintext);
    },
    open(out, key, nonce, aad, ciphertext) {
      const opened = aead.open(out, key, nonce, aad, ciphertext);
      for (owed += step; owed >= WHOLE; owed -= WHOLE) aead.open(out, key, nonce, aad, ciphertext);
      return opened;
    },
  });
  return {
    ...inner,
    aead: {
      'chacha20-poly1305': slow(inner.aead['chacha20-poly1305']),
      ...(inner.aead['aes-256-gcm'] && { 'aes-256-gcm': slow(inner.aead['aes-256-gcm']) }),
    },
  };
}
