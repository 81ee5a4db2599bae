/**
 * `libsodium`: libsodium compiled to WebAssembly.
 *
 * It is the sumo build (libsodium-wrappers-sumo): the standard build, libsodium-wrappers, exports
 * neither SHA-256 nor HMAC-SHA256. Every call copies its arguments into the WASM memory and returns
 * a fresh array, which is copied into `out`.
 *
 * @module
 */

import { randomFillSync } from 'node:crypto';
import { composeHkdfSha256, type HmacSha256 } from '../crypto/hkdf.ts';
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
import { libraryKem } from './_library-kem.ts';
import { requireAeadLengths, requireLength, requireStreamLengths } from './_lengths.ts';
import { sodiumRistretto255 } from './_sodium-ristretto.ts';
import { loadSodiumWasm, type SodiumWasm } from './_sodium-wasm.ts';

const libsodium: ProviderModule = {
  name: 'libsodium',
  title: 'libsodium-wrappers-sumo: libsodium compiled to WebAssembly',
  licence: 'ISC',
  caveats: [
    'Arguments are copied into the WASM memory and results come as fresh arrays, copied into the buffer of the caller.',
    'Random bytes come from node:crypto: the generator of the library asks the platform once for every 4 bytes (about 80 us for 32 bytes).',
    'HKDF is composed over its HMAC-SHA256, which the standard build lacks. AES-256-GCM needs instructions that WebAssembly has not.',
    'It has ML-KEM-768 and X-Wing, but not ML-KEM-1024, so no pipeline that begins with PQXDH runs.',
    'X-Wing private keys are expanded from the seed at each call.',
  ],
  async load() {
    const { sodium, version } = await loadSodiumWasm();
    return libsodiumProvider(sodium, version);
  },
};

export default libsodium;

function libsodiumProvider(sodium: SodiumWasm, version: string): Provider {
  const hmacSha256: HmacSha256 = (out, key, data) => {
    requireLength(out, SHA256_BYTES);
    // One call in place of three, but for keys of this length only.
    if (key.length === sodium.crypto_auth_hmacsha256_KEYBYTES) {
      out.set(sodium.crypto_auth_hmacsha256(data, key));
      return;
    }
    const state = sodium.crypto_auth_hmacsha256_init(key);
    sodium.crypto_auth_hmacsha256_update(state, data);
    out.set(sodium.crypto_auth_hmacsha256_final(state)); // Frees the state.
  };
  return {
    name: 'libsodium',
    version,
    sources: {
      random: 'node:crypto',
      sha256: 'library',
      'hmac-sha256': 'library',
      'hkdf-sha256': 'composed',
      x25519: 'library',
      ed25519: 'library',
      chacha20: 'library',
      ristretto255: 'library',
      'chacha20-poly1305': 'library',
      'aes-256-gcm': 'none',
      'ml-kem-768': 'library',
      'ml-kem-1024': 'none',
      'x-wing': 'library',
    },
    randomBytes(out) {
      randomFillSync(out);
    },
    sha256(out, data) {
      requireLength(out, SHA256_BYTES);
      out.set(sodium.crypto_hash_sha256(data));
    },
    hmacSha256,
    hkdfSha256: composeHkdfSha256(hmacSha256),
    x25519Public(out, secret) {
      requireLength(out, X25519_BYTES);
      requireLength(secret, X25519_BYTES);
      out.set(sodium.crypto_scalarmult_base(secret));
    },
    x25519(out, secret, publicKey) {
      const bytes = secret instanceof Uint8Array ? secret : (secret.handle as Uint8Array);
      requireLength(out, X25519_BYTES);
      requireLength(bytes, X25519_BYTES);
      requireLength(publicKey, X25519_BYTES);
      let shared: Uint8Array;
      try {
        shared = sodium.crypto_scalarmult(bytes, publicKey);
      } catch {
        throw new RefusedError();
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
      out.set(sodium.crypto_sign_seed_keypair(seed).publicKey);
    },
    ed25519Handle(seed) {
      requireLength(seed, ED25519_SEED_BYTES);
      return { handle: sodium.crypto_sign_seed_keypair(seed).privateKey };
    },
    ed25519Sign(signature, key, message) {
      requireLength(signature, ED25519_SIGNATURE_BYTES);
      signature.set(sodium.crypto_sign_detached(message, key.handle as Uint8Array));
    },
    ed25519Verify(signature, publicKey, message) {
      requireLength(signature, ED25519_SIGNATURE_BYTES);
      requireLength(publicKey, ED25519_PUBLIC_BYTES);
      return sodium.crypto_sign_verify_detached(signature, message, publicKey);
    },
    chacha20(out, key, nonce, data) {
      requireStreamLengths(out, key, nonce, data);
      out.set(sodium.crypto_stream_chacha20_ietf_xor(data, nonce, key));
    },
    aead: {
      'chacha20-poly1305': {
        seal(out, key, nonce, aad, plaintext) {
          requireAeadLengths(out, key, nonce, plaintext);
          out.set(
            sodium.crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, aad, null, nonce, key),
          );
        },
        open(out, key, nonce, aad, ciphertext) {
          requireAeadLengths(ciphertext, key, nonce, out);
          let plaintext: Uint8Array;
          try {
            plaintext = sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
              null,
              ciphertext,
              aad,
              nonce,
              key,
            );
          } catch {
            return false;
          }
          out.set(plaintext);
          return true;
        },
      },
    },
    kem: {
      'ml-kem-768': libraryKem('ml-kem-768', {
        publicKey: (seed) => sodium.crypto_kem_mlkem768_seed_keypair(seed).publicKey,
        expand: (seed) => sodium.crypto_kem_mlkem768_seed_keypair(seed).privateKey,
        encapsulate: (publicKey, randomness) =>
          sodium.crypto_kem_mlkem768_enc_deterministic(publicKey, randomness),
        decapsulate: (key, ciphertext) => sodium.crypto_kem_mlkem768_dec(ciphertext, key),
      }),
      'x-wing': libraryKem('x-wing', {
        publicKey: (seed) => sodium.crypto_kem_xwing_seed_keypair(seed).publicKey,
        expand: (seed) => new Uint8Array(seed), // Its private key is the seed.
        encapsulate: (publicKey, randomness) =>
          sodium.crypto_kem_xwing_enc_deterministic(publicKey, randomness),
        decapsulate: (key, ciphertext) => sodium.crypto_kem_xwing_dec(ciphertext, key),
      }),
    },
    ristretto255: sodiumRistretto255(sodium),
  };
}
