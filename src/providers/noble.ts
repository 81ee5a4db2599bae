/**
 * `noble`: the @noble packages, audited JavaScript without bindings.
 *
 * The output parameters of the packages are used where there are any (SHA-256, HMAC,
 * ChaCha20-Poly1305); elsewhere the fresh array is copied into `out`.
 *
 * @module
 */

import { randomFillSync } from 'node:crypto';
import {
  ED25519_PUBLIC_BYTES,
  ED25519_SEED_BYTES,
  ED25519_SIGNATURE_BYTES,
  RefusedError,
  SHA256_BYTES,
  X25519_BYTES,
  type Kem,
  type KemName,
  type Provider,
  type ProviderModule,
} from '../crypto/provider.ts';
import { libraryKem } from './_library-kem.ts';
import {
  requireAeadLengths,
  requireHkdfOutput,
  requireLength,
  requireStreamLengths,
} from './_lengths.ts';
import { nobleRistretto255 } from './_noble-ristretto.ts';
import { loadLibrary, packageVersion } from './_package.ts';

const PACKAGES = ['@noble/curves', '@noble/hashes', '@noble/ciphers', '@noble/post-quantum'];

const noble: ProviderModule = {
  name: 'noble',
  title: '@noble/curves, hashes, ciphers and post-quantum: JavaScript without bindings',
  licence: 'MIT',
  caveats: [
    'JavaScript gives no guarantee of constant time.',
    'Ed25519 verification is cofactored, where libsodium and OpenSSL compare without the cofactor (RFC 8032 §5.1.7 allows both): they differ on signatures that no honest signer makes.',
    'Curve, AES-GCM, HKDF, ML-KEM and X-Wing results are fresh arrays, copied into the buffer of the caller.',
    'Random bytes come from node:crypto: the packages have no generator of their own.',
    'X-Wing private keys are expanded from the seed at each call, those of ML-KEM too, but for keys that decapsulate often.',
  ],
  load: () =>
    loadLibrary(PACKAGES, async () => {
      const [curves, sha2, hmac, hkdf, chacha, aes, mlKem, hybrid] = await Promise.all([
        import('@noble/curves/ed25519.js'),
        import('@noble/hashes/sha2.js'),
        import('@noble/hashes/hmac.js'),
        import('@noble/hashes/hkdf.js'),
        import('@noble/ciphers/chacha.js'),
        import('@noble/ciphers/aes.js'),
        import('@noble/post-quantum/ml-kem.js'),
        import('@noble/post-quantum/hybrid.js'),
      ]);
      return nobleProvider({
        ...curves,
        ...sha2,
        ...hmac,
        ...hkdf,
        ...chacha,
        ...aes,
        ...mlKem,
        ...hybrid,
      });
    }),
};

export default noble;

type Noble = Pick<
  typeof import('@noble/curves/ed25519.js'),
  'x25519' | 'ed25519' | 'ristretto255'
> &
  Pick<typeof import('@noble/hashes/sha2.js'), 'sha256'> &
  Pick<typeof import('@noble/hashes/hmac.js'), 'hmac'> &
  Pick<typeof import('@noble/hashes/hkdf.js'), 'hkdf'> &
  Pick<typeof import('@noble/ciphers/chacha.js'), 'chacha20' | 'chacha20poly1305'> &
  Pick<typeof import('@noble/ciphers/aes.js'), 'gcm'> &
  Pick<typeof import('@noble/post-quantum/ml-kem.js'), 'ml_kem768' | 'ml_kem1024'> &
  Pick<typeof import('@noble/post-quantum/hybrid.js'), 'ml_kem768_x25519'>;

type NobleKem = Pick<Noble['ml_kem768_x25519'], 'keygen' | 'encapsulate' | 'decapsulate'>;

function nobleProvider(library: Noble): Provider {
  const { x25519, ed25519, sha256, hmac, hkdf, chacha20, chacha20poly1305, gcm } = library;
  return {
    name: 'noble',
    version: PACKAGES.map(packageVersion).join(', '),
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
      sha256.create().update(data).digestInto(out);
    },
    hmacSha256(out, key, data) {
      requireLength(out, SHA256_BYTES);
      hmac.create(sha256, key).update(data).digestInto(out);
    },
    hkdfSha256(out, salt, ikm, info) {
      requireHkdfOutput(out);
      out.set(hkdf(sha256, ikm, salt, info, out.length));
    },
    x25519Public(out, secret) {
      requireLength(out, X25519_BYTES);
      requireLength(secret, X25519_BYTES);
      out.set(x25519.getPublicKey(secret));
    },
    x25519(out, secret, publicKey) {
      const bytes = secret instanceof Uint8Array ? secret : (secret.handle as Uint8Array);
      requireLength(out, X25519_BYTES);
      requireLength(bytes, X25519_BYTES);
      requireLength(publicKey, X25519_BYTES);
      let shared: Uint8Array;
      try {
        shared = x25519.getSharedSecret(bytes, publicKey);
      } catch {
        throw new RefusedError(); // It throws on an all-zero result and on nothing else of these lengths.
      }
      out.set(shared);
    },
    x25519Handle(secret) {
      requireLength(secret, X25519_BYTES);
      return { handle: new Uint8Array(secret) };
    },
    ed25519Public(out, seed) {
      requireLength(out, ED25519_PUBLIC_BYTES);
      requireLength(seed, ED25519_SEED_BYTES);
      out.set(ed25519.getPublicKey(seed));
    },
    ed25519Handle(seed) {
      requireLength(seed, ED25519_SEED_BYTES);
      return { handle: new Uint8Array(seed) };
    },
    ed25519Sign(signature, key, message) {
      requireLength(signature, ED25519_SIGNATURE_BYTES);
      signature.set(ed25519.sign(message, key.handle as Uint8Array));
    },
    ed25519Verify(signature, publicKey, message) {
      requireLength(signature, ED25519_SIGNATURE_BYTES);
      requireLength(publicKey, ED25519_PUBLIC_BYTES);
      return ed25519.verify(signature, message, publicKey, STRICT);
    },
    chacha20(out, key, nonce, data) {
      requireStreamLengths(out, key, nonce, data);
      chacha20(key, nonce, data, out);
    },
    aead: {
      'chacha20-poly1305': {
        seal(out, key, nonce, aad, plaintext) {
          requireAeadLengths(out, key, nonce, plaintext);
          chacha20poly1305(key, nonce, aad).encrypt(plaintext, out);
        },
        open(out, key, nonce, aad, ciphertext) {
          requireAeadLengths(ciphertext, key, nonce, out);
          try {
            chacha20poly1305(key, nonce, aad).decrypt(ciphertext, out);
          } catch {
            return false;
          }
          return true;
        },
      },
      'aes-256-gcm': {
        seal(out, key, nonce, aad, plaintext) {
          requireAeadLengths(out, key, nonce, plaintext);
          out.set(gcm(key, nonce, aad).encrypt(plaintext));
        },
        open(out, key, nonce, aad, ciphertext) {
          requireAeadLengths(ciphertext, key, nonce, out);
          let plaintext: Uint8Array;
          try {
            plaintext = gcm(key, nonce, aad).decrypt(ciphertext);
          } catch {
            return false;
          }
          out.set(plaintext);
          return true;
        },
      },
    },
    kem: {
      'ml-kem-768': nobleKem('ml-kem-768', library.ml_kem768, false),
      'ml-kem-1024': nobleKem('ml-kem-1024', library.ml_kem1024, false),
      'x-wing': nobleKem('x-wing', library.ml_kem768_x25519, true),
    },
    ristretto255: nobleRistretto255(library.ristretto255),
  };
}

/** The decoding of RFC 8032 §5.1.7, as in the other libraries, not that of ZIP 215. */
const STRICT = { zip215: false };

function nobleKem(name: KemName, kem: NobleKem, privateKeyIsSeed: boolean): Kem {
  return libraryKem(name, {
    publicKey: (seed) => kem.keygen(seed).publicKey,
    expand: (seed) => (privateKeyIsSeed ? new Uint8Array(seed) : kem.keygen(seed).secretKey),
    encapsulate(publicKey, randomness) {
      const { cipherText, sharedSecret } = kem.encapsulate(publicKey, randomness);
      return { ciphertext: cipherText, sharedSecret };
    },
    decapsulate: (key, ciphertext) => kem.decapsulate(ciphertext, key),
  });
}
