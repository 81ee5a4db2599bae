/**
 * X-Wing, draft-connolly-cfrg-xwing-kem-10, put together from the ML-KEM-768 and the hashes of
 * node:crypto and from an X25519, for providers whose library has none.
 *
 * @module
 */

import { createHash, hash } from 'node:crypto';
import { utf8 } from '../core/bytes.ts';
import { X25519_BYTES, type Kem, type KeyHandle, type Provider } from '../crypto/provider.ts';
import { KEM_SIZES } from './_kem-sizes.ts';
import { requireLength } from './_lengths.ts';
import { nodeKem } from './_node-kem.ts';

/** XWingLabel, §5.3 of the draft: 5c2e2f2f5e5c, in ASCII a picture of the fighter. */
const LABEL: Uint8Array = utf8('\\.//^\\');

/** What §5.2 of the draft expands the 32-byte seed to, as long as a key stays imported. */
interface ExpandedKey {
  readonly mlKem: KeyHandle;
  readonly x25519: KeyHandle;
  readonly x25519Public: Uint8Array;
}

/** The X25519 of a provider. */
export interface XWingCurve extends Pick<Provider, 'randomBytes' | 'x25519'> {
  /** Imports a secret key once for both: its handle, and its public key, written to `publicKey`. */
  keyPair(publicKey: Uint8Array, secretKey: Uint8Array): KeyHandle;
}

/** Not derandomised, since the ML-KEM of node:crypto takes no randomness from outside. */
export function assembledXWing(curve: XWingCurve): Kem {
  const sizes = KEM_SIZES['x-wing'];
  const mlKem = nodeKem('ml-kem-768');
  const ephemeral = new Uint8Array(X25519_BYTES);

  // Combiner(ss_M, ss_X, ct_X, pk_X), §5.3 of the draft: its input, with a view for each part.
  const combined = new Uint8Array(4 * 32 + LABEL.length);
  const mlKemShared = combined.subarray(0, 32);
  const x25519Shared = combined.subarray(32, 64);
  const x25519Ciphertext = combined.subarray(64, 96);
  const x25519Recipient = combined.subarray(96, 128);
  combined.set(LABEL, 128);

  const combine = (sharedSecret: Uint8Array): void => {
    sharedSecret.set(hash('sha3-256', combined, 'buffer'));
    combined.fill(0, 0, 64);
  };

  /** SHAKE256(sk, 96): the seed d || z of ML-KEM-768, then the X25519 key. */
  const expand = (secretKey: Uint8Array): { mlKem: Uint8Array; x25519: Uint8Array } => {
    requireLength(secretKey, sizes.secretKeyBytes);
    const expanded = new Uint8Array(
      createHash('shake256', { outputLength: 96 }).update(secretKey).digest(),
    );
    return { mlKem: expanded.subarray(0, 64), x25519: expanded.subarray(64) };
  };

  const importKey = (secretKey: Uint8Array): ExpandedKey => {
    const expanded = expand(secretKey);
    const x25519Public = new Uint8Array(X25519_BYTES);
    const x25519 = curve.keyPair(x25519Public, expanded.x25519);
    return { mlKem: mlKem.handle(expanded.mlKem), x25519, x25519Public };
  };

  return {
    ...sizes,
    derandomised: false,
    publicKey(out, secretKey) {
      requireLength(out, sizes.publicKeyBytes);
      const expanded = expand(secretKey);
      mlKem.publicKey(out.subarray(0, mlKem.publicKeyBytes), expanded.mlKem);
      curve.keyPair(out.subarray(mlKem.publicKeyBytes), expanded.x25519);
    },
    handle: (secretKey) => ({ handle: importKey(secretKey) }),
    encapsulate(ciphertext, sharedSecret, publicKey, randomness) {
      requireLength(ciphertext, sizes.ciphertextBytes);
      requireLength(sharedSecret, sizes.sharedSecretBytes);
      requireLength(publicKey, sizes.publicKeyBytes);
      requireLength(randomness, sizes.randomnessBytes);
      const mlKemPublic = publicKey.subarray(0, mlKem.publicKeyBytes);
      const mlKemCiphertext = ciphertext.subarray(0, mlKem.ciphertextBytes);
      const unused = randomness.subarray(0, mlKem.randomnessBytes);
      mlKem.encapsulate(mlKemCiphertext, mlKemShared, mlKemPublic, unused);
      x25519Recipient.set(publicKey.subarray(mlKem.publicKeyBytes));
      curve.randomBytes(ephemeral);
      const key = curve.keyPair(x25519Ciphertext, ephemeral);
      ephemeral.fill(0);
      curve.x25519(x25519Shared, key, x25519Recipient);
      ciphertext.set(x25519Ciphertext, mlKem.ciphertextBytes);
      combine(sharedSecret);
    },
    decapsulate(sharedSecret, secretKey, ciphertext) {
      requireLength(sharedSecret, sizes.sharedSecretBytes);
      requireLength(ciphertext, sizes.ciphertextBytes);
      const key =
        secretKey instanceof Uint8Array ? importKey(secretKey) : (secretKey.handle as ExpandedKey);
      mlKem.decapsulate(mlKemShared, key.mlKem, ciphertext.subarray(0, mlKem.ciphertextBytes));
      x25519Ciphertext.set(ciphertext.subarray(mlKem.ciphertextBytes));
      curve.x25519(x25519Shared, key.x25519, x25519Ciphertext);
      x25519Recipient.set(key.x25519Public);
      combine(sharedSecret);
    },
  };
}
