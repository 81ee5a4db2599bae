/**
 * A KEM of a library whose functions take keys, and randomness, as bytes and return fresh arrays.
 *
 * @module
 */

import { RefusedError, type Kem, type KemName } from '../crypto/provider.ts';
import { KEM_SIZES } from './_kem-sizes.ts';
import { requireLength } from './_lengths.ts';

export interface LibraryKem {
  publicKey(seed: Uint8Array): Uint8Array;
  /** What `decapsulate` takes: the expanded private key, or the seed where the library keeps that. */
  expand(seed: Uint8Array): Uint8Array;
  encapsulate(
    publicKey: Uint8Array,
    randomness: Uint8Array,
  ): { readonly ciphertext: Uint8Array; readonly sharedSecret: Uint8Array };
  decapsulate(expandedKey: Uint8Array, ciphertext: Uint8Array): Uint8Array;
}

/** Results are copied into the buffers of the caller; what the library throws becomes a refusal. */
export function libraryKem(name: KemName, library: LibraryKem): Kem {
  const sizes = KEM_SIZES[name];
  const expand = (secretKey: Uint8Array): Uint8Array => {
    requireLength(secretKey, sizes.secretKeyBytes);
    return library.expand(secretKey);
  };
  return {
    ...sizes,
    derandomised: true,
    publicKey(out, secretKey) {
      requireLength(out, sizes.publicKeyBytes);
      requireLength(secretKey, sizes.secretKeyBytes);
      out.set(library.publicKey(secretKey));
    },
    handle: (secretKey) => ({ handle: expand(secretKey) }),
    encapsulate(ciphertext, sharedSecret, publicKey, randomness) {
      requireLength(ciphertext, sizes.ciphertextBytes);
      requireLength(sharedSecret, sizes.sharedSecretBytes);
      requireLength(publicKey, sizes.publicKeyBytes);
      requireLength(randomness, sizes.randomnessBytes);
      let made: ReturnType<LibraryKem['encapsulate']>;
      try {
        made = library.encapsulate(publicKey, randomness);
      } catch {
        throw new RefusedError(); // The modulus check of FIPS 203 §7.2; X25519's of low order.
      }
      ciphertext.set(made.ciphertext);
      sharedSecret.set(made.sharedSecret);
    },
    decapsulate(sharedSecret, secretKey, ciphertext) {
      requireLength(sharedSecret, sizes.sharedSecretBytes);
      requireLength(ciphertext, sizes.ciphertextBytes);
      const key =
        secretKey instanceof Uint8Array ? expand(secretKey) : (secretKey.handle as Uint8Array);
      let shared: Uint8Array;
      try {
        shared = library.decapsulate(key, ciphertext);
      } catch {
        throw new RefusedError(); // An X25519 part of X-Wing that is of low order.
      }
      sharedSecret.set(shared);
    },
  };
}
