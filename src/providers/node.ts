/**
 * `node`: node:crypto, that is OpenSSL.
 *
 * A secret given as bytes is imported at each call, which costs as much as the X25519 itself; a
 * handle is a KeyObject. Results come as fresh Buffers and are copied into `out`.
 *
 * @module
 */

import * as crypto from 'node:crypto';
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
import { requireHkdfOutput, requireLength } from './_lengths.ts';
import { nodeAead, nodeChacha20 } from './_node-aead.ts';
import { nodeKem } from './_node-kem.ts';
import { importPrivate, importPublic, OPENSSL_VERSION, requireRawKeys } from './_node-keys.ts';
import { assembledXWing } from './_x-wing.ts';

/** `hkdfSync` refuses a longer `info`; RFC 5869 does not. */
const NODE_INFO_BYTES_MAX = 1024;

const node: ProviderModule = {
  name: 'node',
  title: 'node:crypto: OpenSSL, in C and assembly, behind key, hash and cipher objects',
  licence: 'Apache-2.0 (OpenSSL)',
  caveats: [
    'A secret given as bytes is imported at each call (about as much as the X25519 itself); handles are imported once.',
    'Every result is a fresh Buffer, copied into the buffer of the caller.',
    "ML-KEM and X-Wing take no randomness from outside, so their transcripts are not reproducible; their private keys are expanded from the seed at each call, but for keys that decapsulate often, as an authority's does.",
    'X-Wing is put together by sealbench from its ML-KEM-768, X25519, SHA3-256 and SHAKE256; it has no ristretto255.',
    `HKDF with an info longer than ${NODE_INFO_BYTES_MAX} bytes is composed over HMAC, because hkdfSync refuses it.`,
  ],
  async load() {
    requireRawKeys();
    return nodeProvider();
  },
};

export default node;

const hmacSha256: HmacSha256 = (out, key, data) => {
  requireLength(out, SHA256_BYTES);
  out.set(crypto.createHmac('sha256', key).update(data).digest());
};

const composedHkdf = composeHkdfSha256(hmacSha256);

const x25519: Provider['x25519'] = (out, secret, publicKey) => {
  requireLength(out, X25519_BYTES);
  requireLength(publicKey, X25519_BYTES);
  let privateKey: crypto.KeyObject;
  if (secret instanceof Uint8Array) {
    requireLength(secret, X25519_BYTES);
    privateKey = importPrivate('x25519', secret);
  } else {
    privateKey = secret.handle as crypto.KeyObject;
  }
  const peer = importPublic('x25519', publicKey);
  let shared: Uint8Array;
  try {
    shared = crypto.diffieHellman({ privateKey, publicKey: peer });
  } catch {
    throw new RefusedError(); // OpenSSL fails to derive an all-zero secret.
  }
  out.set(shared);
};

function nodeProvider(): Provider {
  return {
    name: 'node',
    version: `${OPENSSL_VERSION} (Node ${process.version})`,
    sources: {
      random: 'library',
      sha256: 'library',
      'hmac-sha256': 'library',
      'hkdf-sha256': 'library',
      x25519: 'library',
      ed25519: 'library',
      chacha20: 'library',
      ristretto255: 'none',
      'chacha20-poly1305': 'library',
      'aes-256-gcm': 'library',
      'ml-kem-768': 'library',
      'ml-kem-1024': 'library',
      'x-wing': 'assembled',
    },
    randomBytes(out) {
      crypto.randomFillSync(out);
    },
    sha256(out, data) {
      requireLength(out, SHA256_BYTES);
      out.set(crypto.hash('sha256', data, 'buffer'));
    },
    hmacSha256,
    hkdfSha256(out, salt, ikm, info) {
      requireHkdfOutput(out);
      if (info.length > NODE_INFO_BYTES_MAX) composedHkdf(out, salt, ikm, info);
      else out.set(new Uint8Array(crypto.hkdfSync('sha256', ikm, salt, info, out.length)));
    },
    x25519Public(out, secret) {
      requireLength(out, X25519_BYTES);
      requireLength(secret, X25519_BYTES);
      const key = importPrivate('x25519', secret);
      out.set(crypto.createPublicKey(key).export({ format: 'raw-public' }));
    },
    x25519,
    x25519Handle(secret) {
      requireLength(secret, X25519_BYTES);
      return { handle: importPrivate('x25519', secret) };
    },
    ed25519Public(out, seed) {
      requireLength(out, ED25519_PUBLIC_BYTES);
      requireLength(seed, ED25519_SEED_BYTES);
      const key = importPrivate('ed25519', seed);
      out.set(crypto.createPublicKey(key).export({ format: 'raw-public' }));
    },
    ed25519Handle(seed) {
      requireLength(seed, ED25519_SEED_BYTES);
      return { handle: importPrivate('ed25519', seed) };
    },
    ed25519Sign(signature, key, message) {
      requireLength(signature, ED25519_SIGNATURE_BYTES);
      signature.set(crypto.sign(null, message, key.handle as crypto.KeyObject));
    },
    ed25519Verify(signature, publicKey, message) {
      requireLength(signature, ED25519_SIGNATURE_BYTES);
      requireLength(publicKey, ED25519_PUBLIC_BYTES);
      return crypto.verify(null, message, importPublic('ed25519', publicKey), signature);
    },
    chacha20: nodeChacha20,
    aead: {
      'chacha20-poly1305': nodeAead('chacha20-poly1305'),
      'aes-256-gcm': nodeAead('aes-256-gcm'),
    },
    kem: {
      'ml-kem-768': nodeKem('ml-kem-768'),
      'ml-kem-1024': nodeKem('ml-kem-1024'),
      'x-wing': assembledXWing({
        randomBytes: (out) => crypto.randomFillSync(out),
        x25519,
        keyPair(publicKey, secretKey) {
          const handle = importPrivate('x25519', secretKey);
          publicKey.set(crypto.createPublicKey(handle).export({ format: 'raw-public' }));
          return { handle };
        },
      }),
    },
  };
}
