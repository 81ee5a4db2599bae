/**
 * `native`: sodium-native, that is libsodium in C, which writes into the caller's buffers.
 *
 * sodium-native exports no HMAC-SHA256, HKDF, AES-GCM or ML-KEM. HMAC and HKDF are composed over its
 * SHA-256, because one `createHmac` of node:crypto costs about twice as much as those two hashes;
 * AES-256-GCM and ML-KEM are those of node:crypto.
 *
 * @module
 */

import { composeHkdfSha256, composeHmacSha256, type Sha256 } from '../crypto/hkdf.ts';
import {
  ED25519_PUBLIC_BYTES,
  ED25519_SEED_BYTES,
  ED25519_SIGNATURE_BYTES,
  RefusedError,
  SHA256_BYTES,
  X25519_BYTES,
  type Provider,
  type ProviderModule,
} from '../crypto/provider.ts';
import { requireAeadLengths, requireLength } from './_lengths.ts';
import { nodeAead } from './_node-aead.ts';
import { nodeKem } from './_node-kem.ts';
import { OPENSSL_VERSION, requireRawKeys } from './_node-keys.ts';
import { loadLibrary, packageVersion } from './_package.ts';

/** crypto_sign_SECRETKEYBYTES of libsodium: seed || public key. */
const EXPANDED_SECRET_BYTES = 64;

const native: ProviderModule = {
  name: 'native',
  title: 'sodium-native: libsodium in C; node:crypto for AES-256-GCM and ML-KEM',
  licence: 'MIT (sodium-native), ISC (libsodium), Apache-2.0 (OpenSSL)',
  caveats: [
    'A mixture: HMAC and HKDF are composed over the SHA-256 of libsodium; AES-256-GCM and ML-KEM are those of node:crypto.',
    'ML-KEM takes no randomness from outside, so its transcripts are not reproducible; its private keys are expanded from the seed at each call.',
  ],
  load: () =>
    loadLibrary(['sodium-native'], async () => {
      const { default: sodium } = await import('sodium-native');
      requireRawKeys();
      return nativeProvider(sodium);
    }),
};

export default native;

type Sodium = typeof import('sodium-native').default;

function nativeProvider(sodium: Sodium): Provider {
  const sha256: Sha256 = (out, data) => {
    requireLength(out, SHA256_BYTES);
    sodium.crypto_hash_sha256(out, data);
  };
  const hmacSha256 = composeHmacSha256(sha256);
  const unusedPublic = new Uint8Array(ED25519_PUBLIC_BYTES);
  const unusedSecret = new Uint8Array(EXPANDED_SECRET_BYTES);
  return {
    name: 'native',
    version: `${packageVersion('sodium-native')}, ${OPENSSL_VERSION}`,
    sources: {
      random: 'library',
      sha256: 'library',
      'hmac-sha256': 'composed',
      'hkdf-sha256': 'composed',
      x25519: 'library',
      ed25519: 'library',
      'chacha20-poly1305': 'library',
      'aes-256-gcm': 'node:crypto',
      'ml-kem-768': 'node:crypto',
      'ml-kem-1024': 'node:crypto',
    },
    randomBytes(out) {
      sodium.randombytes_buf(out);
    },
    sha256,
    hmacSha256,
    hkdfSha256: composeHkdfSha256(hmacSha256),
    x25519Public(out, secret) {
      requireLength(out, X25519_BYTES);
      requireLength(secret, X25519_BYTES);
      sodium.crypto_scalarmult_base(out, secret);
    },
    x25519(out, secret, publicKey) {
      const bytes = secret instanceof Uint8Array ? secret : (secret.handle as Uint8Array);
      requireLength(out, X25519_BYTES);
      requireLength(bytes, X25519_BYTES);
      requireLength(publicKey, X25519_BYTES);
      try {
        sodium.crypto_scalarmult(out, bytes, publicKey);
      } catch {
        throw new RefusedError();
      }
    },
    x25519Handle(secret) {
      requireLength(secret, X25519_BYTES);
      return { handle: new Uint8Array(secret) };
    },
    ed25519Public(out, seed) {
      requireLength(out, ED25519_PUBLIC_BYTES);
      requireLength(seed, ED25519_SEED_BYTES);
      sodium.crypto_sign_seed_keypair(out, unusedSecret, seed);
      unusedSecret.fill(0);
    },
    ed25519Handle(seed) {
      requireLength(seed, ED25519_SEED_BYTES);
      const handle = new Uint8Array(EXPANDED_SECRET_BYTES);
      sodium.crypto_sign_seed_keypair(unusedPublic, handle, seed);
      return { handle };
    },
    ed25519Sign(signature, key, message) {
      requireLength(signature, ED25519_SIGNATURE_BYTES);
      sodium.crypto_sign_detached(signature, message, key.handle as Uint8Array);
    },
    ed25519Verify(signature, publicKey, message) {
      requireLength(signature, ED25519_SIGNATURE_BYTES);
      requireLength(publicKey, ED25519_PUBLIC_BYTES);
      return sodium.crypto_sign_verify_detached(signature, message, publicKey);
    },
    aead: {
      'chacha20-poly1305': {
        seal(out, key, nonce, aad, plaintext) {
          requireAeadLengths(out, key, nonce, plaintext);
          sodium.crypto_aead_chacha20poly1305_ietf_encrypt(out, plaintext, aad, null, nonce, key);
        },
        open(out, key, nonce, aad, ciphertext) {
          requireAeadLengths(ciphertext, key, nonce, out);
          try {
            sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
              out,
              null,
              ciphertext,
              aad,
              nonce,
              key,
            );
          } catch {
            return false;
          }
          return true;
        },
      },
      'aes-256-gcm': nodeAead('aes-256-gcm'),
    },
    kem: {
      'ml-kem-768': nodeKem('ml-kem-768'),
      'ml-kem-1024': nodeKem('ml-kem-1024'),
    },
  };
}
