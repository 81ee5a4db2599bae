/**
 * `null`: no cryptography. What a pipeline costs with it is the floor of protocol and harness.
 *
 * Outputs are made of input bytes, so that both ends of a protocol still derive the same values and
 * different inputs still give different ones: X25519 is an exclusive or, which commutes; a hash is a
 * sum over the first and last bytes; a tag is the start of the key, so that a receiver that tries
 * several keys (header encryption) finds the right one. In place of ristretto255 stands a group of
 * 26 bits, whose laws hold.
 *
 * @module
 */

import { randomFillSync } from 'node:crypto';
import {
  AEAD_TAG_BYTES,
  ED25519_PUBLIC_BYTES,
  ED25519_SEED_BYTES,
  ED25519_SIGNATURE_BYTES,
  SHA256_BYTES,
  X25519_BYTES,
  type Aead,
  type Kem,
  type KemName,
  type Provider,
  type ProviderModule,
} from '../crypto/provider.ts';
import { KEM_SIZES } from './_kem-sizes.ts';
import {
  requireAeadLengths,
  requireHkdfOutput,
  requireLength,
  requireStreamLengths,
} from './_lengths.ts';
import { NULL_GROUP } from './_null-group.ts';

const none: ProviderModule = {
  name: 'null',
  title: 'no cryptography: the floor that harness and protocol cost without it',
  licence: 'MIT (part of sealbench)',
  caveats: [
    'Protects nothing: ciphertexts are plaintexts, secrets are public and signatures always verify.',
    'Refuses wrong lengths and nothing else; a frame that was changed is delivered as changed.',
    'Random bytes are real, from node:crypto, so that keys and identifiers still differ.',
  ],
  load: async () => nullProvider(),
};

export default none;

function nullProvider(): Provider {
  return {
    name: 'null',
    version: 'built in',
    sources: {
      random: 'node:crypto',
      sha256: 'library',
      'hmac-sha256': 'library',
      'hkdf-sha256': 'library',
      x25519: 'library',
      ed25519: 'library',
      chacha20: 'library',
      ristretto255: 'library',
      'chacha20-poly1305': 'library',
      'aes-256-gcm': 'library',
      'ml-kem-768': 'library',
      'ml-kem-1024': 'library',
      'x-wing': 'library',
    },
    randomBytes(out) {
      randomFillSync(out);
    },
    sha256(out, data) {
      requireLength(out, SHA256_BYTES);
      out.fill(data.length);
      absorb(out, data);
    },
    hmacSha256(out, key, data) {
      requireLength(out, SHA256_BYTES);
      out.fill(data.length);
      absorb(out, key);
      absorb(out, data);
    },
    hkdfSha256(out, salt, ikm, info) {
      requireHkdfOutput(out);
      out.fill(info.length);
      absorb(out, salt);
      absorb(out, ikm);
      absorb(out, info);
      for (let i = SHA256_BYTES; i < out.length; i++) out[i] = out[i - SHA256_BYTES]! + 1;
    },
    x25519Public(out, secret) {
      requireLength(out, X25519_BYTES);
      requireLength(secret, X25519_BYTES);
      out.set(secret);
    },
    x25519(out, secret, publicKey) {
      const bytes = secret instanceof Uint8Array ? secret : (secret.handle as Uint8Array);
      requireLength(out, X25519_BYTES);
      requireLength(bytes, X25519_BYTES);
      requireLength(publicKey, X25519_BYTES);
      for (let i = 0; i < X25519_BYTES; i++) out[i] = bytes[i]! ^ publicKey[i]!;
    },
    x25519Handle(secret) {
      requireLength(secret, X25519_BYTES);
      return { handle: new Uint8Array(secret) };
    },
    ed25519Public(out, seed) {
      requireLength(out, ED25519_PUBLIC_BYTES);
      requireLength(seed, ED25519_SEED_BYTES);
      out.set(seed);
    },
    ed25519Handle(seed) {
      requireLength(seed, ED25519_SEED_BYTES);
      return { handle: undefined };
    },
    ed25519Sign(signature) {
      requireLength(signature, ED25519_SIGNATURE_BYTES);
      signature.fill(0);
    },
    ed25519Verify(signature, publicKey) {
      requireLength(signature, ED25519_SIGNATURE_BYTES);
      requireLength(publicKey, ED25519_PUBLIC_BYTES);
      return true;
    },
    chacha20(out, key, nonce, data) {
      requireStreamLengths(out, key, nonce, data);
      out.set(data);
    },
    aead: { 'chacha20-poly1305': COPY, 'aes-256-gcm': COPY },
    kem: {
      'ml-kem-768': nullKem('ml-kem-768'),
      'ml-kem-1024': nullKem('ml-kem-1024'),
      'x-wing': nullKem('x-wing'),
    },
    ristretto255: NULL_GROUP,
  };
}

/**
 * Adds the first 32 bytes of an input, and its last 32 backwards, to the first 32 of `out`. The
 * factor 2 keeps the map from a key to its successor invertible, so that a chain of keys neither
 * collapses nor stands still.
 */
function absorb(out: Uint8Array, input: Uint8Array): void {
  const bytes = Math.min(SHA256_BYTES, out.length, input.length);
  const last = input.length - 1;
  for (let i = 0; i < bytes; i++) out[i] = out[i]! + input[i]! + 2 * input[last - i]!;
}

const COPY: Aead = {
  seal(out, key, nonce, _aad, plaintext) {
    requireAeadLengths(out, key, nonce, plaintext);
    out.set(plaintext);
    for (let i = 0; i < AEAD_TAG_BYTES; i++) out[plaintext.length + i] = key[i]!;
  },
  open(out, key, nonce, _aad, ciphertext) {
    requireAeadLengths(ciphertext, key, nonce, out);
    for (let i = 0; i < AEAD_TAG_BYTES; i++) {
      if (ciphertext[out.length + i] !== key[i]) return false;
    }
    out.set(ciphertext.subarray(0, out.length));
    return true;
  },
};

/** The public key carries the seed, the ciphertext the randomness; the secret is both, xored. */
function nullKem(name: KemName): Kem {
  const sizes = KEM_SIZES[name];
  return {
    ...sizes,
    derandomised: true,
    publicKey(out, secretKey) {
      requireLength(out, sizes.publicKeyBytes);
      requireLength(secretKey, sizes.secretKeyBytes);
      out.fill(0);
      out.set(secretKey);
    },
    encapsulate(ciphertext, sharedSecret, publicKey, randomness) {
      requireLength(ciphertext, sizes.ciphertextBytes);
      requireLength(sharedSecret, sizes.sharedSecretBytes);
      requireLength(publicKey, sizes.publicKeyBytes);
      requireLength(randomness, sizes.randomnessBytes);
      ciphertext.fill(0);
      ciphertext.set(randomness);
      for (let i = 0; i < sizes.sharedSecretBytes; i++) {
        sharedSecret[i] = publicKey[i]! ^ randomness[i]!;
      }
    },
    handle(secretKey) {
      requireLength(secretKey, sizes.secretKeyBytes);
      return { handle: new Uint8Array(secretKey) };
    },
    decapsulate(sharedSecret, secretKey, ciphertext) {
      const bytes = secretKey instanceof Uint8Array ? secretKey : (secretKey.handle as Uint8Array);
      requireLength(sharedSecret, sizes.sharedSecretBytes);
      requireLength(bytes, sizes.secretKeyBytes);
      requireLength(ciphertext, sizes.ciphertextBytes);
      for (let i = 0; i < sizes.sharedSecretBytes; i++) {
        sharedSecret[i] = bytes[i]! ^ ciphertext[i]!;
      }
    },
  };
}
