/**
 * ML-KEM (FIPS 203) of node:crypto (OpenSSL 3.5). A seed given as bytes is imported, that is
 * expanded, at each call.
 *
 * @module
 */

import {
  createPrivateKey,
  createPublicKey,
  decapsulate,
  encapsulate,
  type KeyObject,
} from 'node:crypto';
import { RefusedError, type Kem } from '../crypto/provider.ts';
import { KEM_SIZES, type MlKemName } from './_kem-sizes.ts';
import { requireLength } from './_lengths.ts';

export function nodeKem(name: MlKemName): Kem {
  const sizes = KEM_SIZES[name];
  const importSeed = (seed: Uint8Array): KeyObject => {
    requireLength(seed, sizes.secretKeyBytes);
    return createPrivateKey({ key: seed, format: 'raw-seed', asymmetricKeyType: name });
  };
  return {
    ...sizes,
    derandomised: false,
    publicKey(out, secretKey) {
      requireLength(out, sizes.publicKeyBytes);
      out.set(createPublicKey(importSeed(secretKey)).export({ format: 'raw-public' }));
    },
    handle: (secretKey) => ({ handle: importSeed(secretKey) }),
    encapsulate(ciphertext, sharedSecret, publicKey, randomness) {
      requireLength(ciphertext, sizes.ciphertextBytes);
      requireLength(sharedSecret, sizes.sharedSecretBytes);
      requireLength(publicKey, sizes.publicKeyBytes);
      requireLength(randomness, sizes.randomnessBytes);
      let key: KeyObject;
      try {
        key = createPublicKey({ key: publicKey, format: 'raw-public', asymmetricKeyType: name });
      } catch {
        throw new RefusedError(); // The modulus check of FIPS 203 §7.2.
      }
      const made = encapsulate(key);
      ciphertext.set(made.ciphertext);
      sharedSecret.set(made.sharedKey);
    },
    decapsulate(sharedSecret, secretKey, ciphertext) {
      requireLength(sharedSecret, sizes.sharedSecretBytes);
      requireLength(ciphertext, sizes.ciphertextBytes);
      const key =
        secretKey instanceof Uint8Array ? importSeed(secretKey) : (secretKey.handle as KeyObject);
      sharedSecret.set(decapsulate(key, ciphertext));
    },
  };
}
