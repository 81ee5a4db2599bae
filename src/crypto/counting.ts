/**
 * What a protocol asks of its provider, call by call, with the lengths that set the cost.
 *
 * Names of the counts, lengths in bytes:
 *
 * | name | what was called, and the length |
 * | --- | --- |
 * | `random:LEN` | bytes drawn |
 * | `sha256:LEN`, `hmac-sha256:LEN` | input hashed, without HMAC's key |
 * | `hkdf-sha256:LEN` | output derived |
 * | `x25519-base`, `x25519`, `x25519-handle`, `x25519-import` | public key; agreement with a secret's bytes, with a handle; import |
 * | `ed25519-base`, `ed25519-import`, `ed25519-sign:LEN`, `ed25519-verify:LEN` | public key; import; message |
 * | `chacha20-poly1305-seal:AAD+TEXT`, `...-open:AAD+TEXT` | associated data and plaintext; likewise `aes-256-gcm` |
 * | `chacha20:LEN` | text encrypted or decrypted by the stream cipher alone |
 * | `ml-kem-768-public`, `...-encapsulate`, `...-decapsulate` | likewise `ml-kem-1024`, `x-wing` |
 * | `ml-kem-768-import`, `...-decapsulate-handle` | import of a key; with a handle |
 * | `ristretto255-base`, `ristretto255-multiply`, `ristretto255-add` | generator, element times a scalar; elements added or subtracted |
 * | `ristretto255-scalar`, `ristretto255-invert` | scalars reduced, added, subtracted or multiplied; inverted |
 *
 * Where a provider's HMAC or HKDF is `composed`, the counting provider composes it again over its
 * own counted functions, so that one HMAC appears both as `hmac-sha256:1` and as the `sha256:65` and
 * `sha256:96` that the library was asked for. Whoever adds up costs takes one level, not both: what
 * `sources` calls `composed` is made of the others. A call that is refused is counted too.
 *
 * @module
 */

import { composeHkdfSha256, composeHmacSha256 } from './hkdf.ts';
import {
  AEAD_TAG_BYTES,
  type Aead,
  type AeadName,
  type Kem,
  type KemName,
  type PrimeGroup,
  type Provider,
} from './provider.ts';

export interface CountedProvider {
  readonly provider: Provider;
  /** Calls by name. Clear it to begin again. */
  readonly counts: Map<string, number>;
}

/** For explaining and testing, never for timing: every call builds a name. */
export function countPrimitives(inner: Provider): CountedProvider {
  const counts = new Map<string, number>();
  const count = (name: string): void => {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  };

  const sha256: Provider['sha256'] = (out, data) => {
    count(`sha256:${data.length}`);
    inner.sha256(out, data);
  };
  const hmac: Provider['hmacSha256'] =
    inner.sources['hmac-sha256'] === 'composed'
      ? composeHmacSha256(sha256)
      : (out, key, data) => inner.hmacSha256(out, key, data);
  const hmacSha256: Provider['hmacSha256'] = (out, key, data) => {
    count(`hmac-sha256:${data.length}`);
    hmac(out, key, data);
  };
  const hkdf: Provider['hkdfSha256'] =
    inner.sources['hkdf-sha256'] === 'composed'
      ? composeHkdfSha256(hmacSha256)
      : (out, salt, ikm, info) => inner.hkdfSha256(out, salt, ikm, info);

  const provider: Provider = {
    name: inner.name,
    version: inner.version,
    sources: inner.sources,
    randomBytes(out) {
      count(`random:${out.length}`);
      inner.randomBytes(out);
    },
    sha256,
    hmacSha256,
    hkdfSha256(out, salt, ikm, info) {
      count(`hkdf-sha256:${out.length}`);
      hkdf(out, salt, ikm, info);
    },
    x25519Public(out, secret) {
      count('x25519-base');
      inner.x25519Public(out, secret);
    },
    x25519(out, secret, publicKey) {
      count(secret instanceof Uint8Array ? 'x25519' : 'x25519-handle');
      inner.x25519(out, secret, publicKey);
    },
    x25519Handle(secret) {
      count('x25519-import');
      return inner.x25519Handle(secret);
    },
    ed25519Public(out, seed) {
      count('ed25519-base');
      inner.ed25519Public(out, seed);
    },
    ed25519Handle(seed) {
      count('ed25519-import');
      return inner.ed25519Handle(seed);
    },
    ed25519Sign(signature, key, message) {
      count(`ed25519-sign:${message.length}`);
      inner.ed25519Sign(signature, key, message);
    },
    ed25519Verify(signature, publicKey, message) {
      count(`ed25519-verify:${message.length}`);
      return inner.ed25519Verify(signature, publicKey, message);
    },
    chacha20(out, key, nonce, data) {
      count(`chacha20:${data.length}`);
      inner.chacha20(out, key, nonce, data);
    },
    aead: {
      'chacha20-poly1305': countAead('chacha20-poly1305', inner.aead['chacha20-poly1305'], count),
      ...(inner.aead['aes-256-gcm'] && {
        'aes-256-gcm': countAead('aes-256-gcm', inner.aead['aes-256-gcm'], count),
      }),
    },
    kem: {
      ...(inner.kem['ml-kem-768'] && {
        'ml-kem-768': countKem('ml-kem-768', inner.kem['ml-kem-768'], count),
      }),
      ...(inner.kem['ml-kem-1024'] && {
        'ml-kem-1024': countKem('ml-kem-1024', inner.kem['ml-kem-1024'], count),
      }),
      ...(inner.kem['x-wing'] && { 'x-wing': countKem('x-wing', inner.kem['x-wing'], count) }),
    },
    ...(inner.ristretto255 && { ristretto255: countGroup(inner.ristretto255, count) }),
  };
  return { provider, counts };
}

function countAead(name: AeadName, inner: Aead, count: (name: string) => void): Aead {
  return {
    seal(out, key, nonce, aad, plaintext) {
      count(`${name}-seal:${aad.length}+${plaintext.length}`);
      inner.seal(out, key, nonce, aad, plaintext);
    },
    open(out, key, nonce, aad, ciphertext) {
      count(`${name}-open:${aad.length}+${ciphertext.length - AEAD_TAG_BYTES}`);
      return inner.open(out, key, nonce, aad, ciphertext);
    },
  };
}

function countKem(name: KemName, inner: Kem, count: (name: string) => void): Kem {
  return {
    publicKeyBytes: inner.publicKeyBytes,
    randomnessBytes: inner.randomnessBytes,
    secretKeyBytes: inner.secretKeyBytes,
    ciphertextBytes: inner.ciphertextBytes,
    sharedSecretBytes: inner.sharedSecretBytes,
    derandomised: inner.derandomised,
    publicKey(out, secretKey) {
      count(`${name}-public`);
      inner.publicKey(out, secretKey);
    },
    encapsulate(ciphertext, sharedSecret, publicKey, randomness) {
      count(`${name}-encapsulate`);
      inner.encapsulate(ciphertext, sharedSecret, publicKey, randomness);
    },
    handle(secretKey) {
      count(`${name}-import`);
      return inner.handle(secretKey);
    },
    decapsulate(sharedSecret, secretKey, ciphertext) {
      const form = secretKey instanceof Uint8Array ? '' : '-handle';
      count(`${name}-decapsulate${form}`);
      inner.decapsulate(sharedSecret, secretKey, ciphertext);
    },
  };
}

function countGroup(inner: PrimeGroup, count: (name: string) => void): PrimeGroup {
  return {
    scalarReduce(out, wide) {
      count('ristretto255-scalar');
      inner.scalarReduce(out, wide);
    },
    scalarAdd(out, a, b) {
      count('ristretto255-scalar');
      inner.scalarAdd(out, a, b);
    },
    scalarSubtract(out, a, b) {
      count('ristretto255-scalar');
      inner.scalarSubtract(out, a, b);
    },
    scalarMultiply(out, a, b) {
      count('ristretto255-scalar');
      inner.scalarMultiply(out, a, b);
    },
    scalarInvert(out, a) {
      count('ristretto255-invert');
      inner.scalarInvert(out, a);
    },
    multiplyBase(out, scalar) {
      count('ristretto255-base');
      inner.multiplyBase(out, scalar);
    },
    multiply(out, scalar, element) {
      count('ristretto255-multiply');
      inner.multiply(out, scalar, element);
    },
    add(out, a, b) {
      count('ristretto255-add');
      inner.add(out, a, b);
    },
    subtract(out, a, b) {
      count('ristretto255-add');
      inner.subtract(out, a, b);
    },
  };
}
