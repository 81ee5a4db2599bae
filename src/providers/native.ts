/**
 * `native`: sodium-native, that is libsodium in C, which writes into the caller's buffers.
 *
 * sodium-native exports no HMAC-SHA256, HKDF, AES-GCM, ML-KEM or ristretto255. HMAC and HKDF are
 * composed over its SHA-256, because one `createHmac` of node:crypto costs about twice as much as
 * those two hashes; AES-256-GCM and ML-KEM are those of node:crypto, X-Wing is put together from
 * that ML-KEM and its own X25519, and ristretto255 is that of the WebAssembly build of libsodium,
 * loaded for pipelines that need it and for no other.
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
  type PrimeGroup,
  type Provider,
  type ProviderModule,
} from '../crypto/provider.ts';
import { requireAeadLengths, requireLength, requireStreamLengths } from './_lengths.ts';
import { nodeAead } from './_node-aead.ts';
import { nodeKem } from './_node-kem.ts';
import { OPENSSL_VERSION, requireRawKeys } from './_node-keys.ts';
import { loadLibrary, packageVersion } from './_package.ts';
import { sodiumRistretto255 } from './_sodium-ristretto.ts';
import { loadSodiumWasm } from './_sodium-wasm.ts';
import { assembledXWing } from './_x-wing.ts';

/** crypto_sign_SECRETKEYBYTES of libsodium: seed || public key. */
const EXPANDED_SECRET_BYTES = 64;

const native: ProviderModule = {
  name: 'native',
  title:
    'sodium-native: libsodium in C; node:crypto for AES-256-GCM and ML-KEM; libsodium in WebAssembly for ristretto255',
  licence: 'MIT (sodium-native), ISC (libsodium, libsodium-wrappers-sumo), Apache-2.0 (OpenSSL)',
  caveats: [
    'A mixture: HMAC and HKDF are composed over the SHA-256 of libsodium; AES-256-GCM and ML-KEM are those of node:crypto.',
    'X-Wing is put together by sealbench from that ML-KEM-768, the X25519 of libsodium, and SHA3-256 and SHAKE256 of node:crypto.',
    'ristretto255 is that of libsodium-wrappers-sumo, libsodium compiled to WebAssembly, as in the provider `libsodium`, since no native package exports it; it is loaded for pipelines that need it and for no other.',
    "ML-KEM and X-Wing take no randomness from outside, so their transcripts are not reproducible; their private keys are expanded from the seed at each call, but for keys that decapsulate often, as an authority's does.",
  ],
  load: (needs = []) =>
    loadLibrary(['sodium-native'], async () => {
      const { default: sodium } = await import('sodium-native');
      requireRawKeys();
      const group = needs.includes('ristretto255') ? await loadRistretto255() : undefined;
      return nativeProvider(sodium, group);
    }),
};

export default native;

type Sodium = typeof import('sodium-native').default;

interface LoadedGroup {
  readonly group: PrimeGroup;
  readonly version: string;
}

/** A WebAssembly module with its wrapper, half a megabyte, that no other primitive has to carry. */
async function loadRistretto255(): Promise<LoadedGroup> {
  const { sodium, version } = await loadSodiumWasm();
  return { group: sodiumRistretto255(sodium), version };
}

const x25519Handle: Provider['x25519Handle'] = (secret) => {
  requireLength(secret, X25519_BYTES);
  return { handle: new Uint8Array(secret) };
};

function nativeProvider(sodium: Sodium, ristretto255: LoadedGroup | undefined): Provider {
  const sha256: Sha256 = (out, data) => {
    requireLength(out, SHA256_BYTES);
    sodium.crypto_hash_sha256(out, data);
  };
  const hmacSha256 = composeHmacSha256(sha256);
  const x25519Public: Provider['x25519Public'] = (out, secret) => {
    requireLength(out, X25519_BYTES);
    requireLength(secret, X25519_BYTES);
    sodium.crypto_scalarmult_base(out, secret);
  };
  const x25519: Provider['x25519'] = (out, secret, publicKey) => {
    const bytes = secret instanceof Uint8Array ? secret : (secret.handle as Uint8Array);
    requireLength(out, X25519_BYTES);
    requireLength(bytes, X25519_BYTES);
    requireLength(publicKey, X25519_BYTES);
    try {
      sodium.crypto_scalarmult(out, bytes, publicKey);
    } catch {
      throw new RefusedError();
    }
  };
  const unusedPublic = new Uint8Array(ED25519_PUBLIC_BYTES);
  const unusedSecret = new Uint8Array(EXPANDED_SECRET_BYTES);
  return {
    name: 'native',
    version: [packageVersion('sodium-native'), OPENSSL_VERSION, ristretto255?.version]
      .filter((part) => part !== undefined)
      .join(', '),
    sources: {
      random: 'library',
      sha256: 'library',
      'hmac-sha256': 'composed',
      'hkdf-sha256': 'composed',
      x25519: 'library',
      ed25519: 'library',
      chacha20: 'library',
      ristretto255: ristretto255 ? 'libsodium (WASM)' : 'none',
      'chacha20-poly1305': 'library',
      'aes-256-gcm': 'node:crypto',
      'ml-kem-768': 'node:crypto',
      'ml-kem-1024': 'node:crypto',
      'x-wing': 'assembled',
    },
    randomBytes(out) {
      sodium.randombytes_buf(out);
    },
    sha256,
    hmacSha256,
    hkdfSha256: composeHkdfSha256(hmacSha256),
    x25519Public,
    x25519,
    x25519Handle,
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
    chacha20(out, key, nonce, data) {
      requireStreamLengths(out, key, nonce, data);
      sodium.crypto_stream_chacha20_ietf_xor(out, data, nonce, key);
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
      'x-wing': assembledXWing({
        randomBytes: (out) => sodium.randombytes_buf(out),
        x25519,
        keyPair(publicKey, secretKey) {
          x25519Public(publicKey, secretKey);
          return x25519Handle(secretKey);
        },
      }),
    },
    ...(ristretto255 && { ristretto255: ristretto255.group }),
  };
}
