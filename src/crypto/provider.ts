/**
 * The interface of a provider: one implementation of the primitives.
 *
 * Every call is synchronous, over plain `Uint8Array`s of exactly the stated lengths, and writes into
 * an `out` that the caller owns. An output never overlaps an input. Nothing is kept of an argument
 * after the call, except by the functions that make a handle, which copy.
 *
 * What the specifications refuse is refused here: a wrong length, a low-order X25519 point (RFC 7748
 * §6.1), a tag that does not verify. Refusals leak nothing: `RefusedError` has one message.
 *
 * @module
 */

/** Sizes in bytes. */
export const X25519_BYTES = 32; // RFC 7748 §5: scalars, u-coordinates and outputs.
export const ED25519_SEED_BYTES = 32; // RFC 8032 §5.1.5
export const ED25519_PUBLIC_BYTES = 32;
export const ED25519_SIGNATURE_BYTES = 64;
export const SHA256_BYTES = 32; // FIPS 180-4
export const AEAD_KEY_BYTES = 32;
export const AEAD_NONCE_BYTES = 12; // RFC 8439 §2.8; SP 800-38D §8.2
export const AEAD_TAG_BYTES = 16;

/** The one refusal. It says that something was refused and nothing about what or why. */
export class RefusedError extends Error {
  constructor() {
    super('refused');
    this.name = 'RefusedError';
  }
}

/** Opaque and only of use to the provider that made it: a long-lived key, already imported. */
export interface KeyHandle {
  readonly handle: unknown;
}

export type AeadName = 'chacha20-poly1305' | 'aes-256-gcm';
export type KemName = 'ml-kem-768' | 'ml-kem-1024' | 'x-wing';

export type PrimitiveName =
  | 'random'
  | 'sha256'
  | 'hmac-sha256'
  | 'hkdf-sha256'
  | 'x25519'
  | 'ed25519'
  | 'chacha20'
  | 'ristretto255'
  | AeadName
  | KemName;

/**
 * `library`: the package's own function. `composed`: ours, over its SHA-256 or HMAC, and counted
 * down to these. `assembled`: ours, out of the ML-KEM and X25519 at hand, and counted as one call.
 * The others name who computes instead of the package.
 */
export type PrimitiveSource =
  | 'library'
  | 'composed'
  | 'assembled'
  | 'node:crypto'
  | 'libsodium (WASM)'
  | 'none';

/** Keys 32 bytes, nonces 12, tags 16; a ciphertext is the encrypted text followed by the tag. */
export interface Aead {
  /** @param out Exactly `plaintext.length + 16` bytes. */
  seal(
    out: Uint8Array,
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    plaintext: Uint8Array,
  ): void;
  /**
   * @param out Exactly `ciphertext.length - 16` bytes; its content is unspecified after a refusal.
   * @returns Whether the tag verified.
   */
  open(
    out: Uint8Array,
    key: Uint8Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    ciphertext: Uint8Array,
  ): boolean;
}

/** ML-KEM, FIPS 203; or X-Wing, draft-connolly-cfrg-xwing-kem-10. */
export interface Kem {
  readonly publicKeyBytes: number;
  /** ML-KEM: the seed form d || z of FIPS 203 §7.1, 64 bytes. X-Wing: its 32-byte seed. */
  readonly secretKeyBytes: number;
  /** Bytes of randomness that `encapsulate` takes: 32 for ML-KEM, 64 for X-Wing. */
  readonly randomnessBytes: number;
  readonly ciphertextBytes: number;
  readonly sharedSecretBytes: number;
  /** Whether `encapsulate` uses the `randomness` given, so that its output is reproducible. */
  readonly derandomised: boolean;
  /** Derives the public key of a secret key in seed form. */
  publicKey(out: Uint8Array, secretKey: Uint8Array): void;
  /**
   * For a key that decapsulates often, as that of an authority does: where the library lets it, the
   * seed is expanded here and not at each call.
   */
  handle(secretKey: Uint8Array): KeyHandle;
  /** @param randomness `randomnessBytes` long; ignored where `derandomised` is false. */
  encapsulate(
    ciphertext: Uint8Array,
    sharedSecret: Uint8Array,
    publicKey: Uint8Array,
    randomness: Uint8Array,
  ): void;
  /**
   * A changed ciphertext gives another secret (FIPS 203 §6.3).
   *
   * @throws RefusedError for an X-Wing ciphertext whose X25519 part is of low order.
   */
  decapsulate(
    sharedSecret: Uint8Array,
    secretKey: Uint8Array | KeyHandle,
    ciphertext: Uint8Array,
  ): void;
}

/**
 * ristretto255, RFC 9496: a group of prime order ℓ. Elements are its 32-byte encodings, scalars 32
 * bytes little-endian below ℓ; one that is not below ℓ is refused.
 */
export interface PrimeGroup {
  /** Reduces 64 uniform bytes, little-endian, modulo ℓ. */
  scalarReduce(out: Uint8Array, wide: Uint8Array): void;
  scalarAdd(out: Uint8Array, a: Uint8Array, b: Uint8Array): void;
  scalarSubtract(out: Uint8Array, a: Uint8Array, b: Uint8Array): void;
  scalarMultiply(out: Uint8Array, a: Uint8Array, b: Uint8Array): void;
  /** @throws RefusedError for zero. */
  scalarInvert(out: Uint8Array, a: Uint8Array): void;
  /** scalar · generator. @throws RefusedError when the result is the identity. */
  multiplyBase(out: Uint8Array, scalar: Uint8Array): void;
  /** @throws RefusedError when `element` is no canonical encoding or the result is the identity. */
  multiply(out: Uint8Array, scalar: Uint8Array, element: Uint8Array): void;
  /** @throws RefusedError when `a` or `b` is no canonical encoding. */
  add(out: Uint8Array, a: Uint8Array, b: Uint8Array): void;
  subtract(out: Uint8Array, a: Uint8Array, b: Uint8Array): void;
}

export interface Provider {
  readonly name: string;
  /** Version of the library that computes; having one is the proof that it loaded. */
  readonly version: string;
  readonly sources: Readonly<Record<PrimitiveName, PrimitiveSource>>;

  /** Cryptographically secure random bytes. */
  randomBytes(out: Uint8Array): void;

  /** FIPS 180-4. `out` is 32 bytes. */
  sha256(out: Uint8Array, data: Uint8Array): void;
  /** RFC 2104 over SHA-256. `out` is 32 bytes, the key any length. */
  hmacSha256(out: Uint8Array, key: Uint8Array, data: Uint8Array): void;
  /** RFC 5869. `out` is 1 to 255 * 32 bytes; an empty salt is the salt of 32 zero bytes. */
  hkdfSha256(out: Uint8Array, salt: Uint8Array, ikm: Uint8Array, info: Uint8Array): void;

  /** The public key of a secret: X25519(secret, 9). */
  x25519Public(out: Uint8Array, secret: Uint8Array): void;
  /** @throws RefusedError when the result is all zero. */
  x25519(out: Uint8Array, secret: Uint8Array | KeyHandle, publicKey: Uint8Array): void;
  /** For keys that live long (identity, signed prekey, relay, authority): imports once. */
  x25519Handle(secret: Uint8Array): KeyHandle;

  /** @param seed The 32-byte private key of RFC 8032 §5.1.5. */
  ed25519Public(out: Uint8Array, seed: Uint8Array): void;
  ed25519Handle(seed: Uint8Array): KeyHandle;
  ed25519Sign(signature: Uint8Array, key: KeyHandle, message: Uint8Array): void;
  ed25519Verify(signature: Uint8Array, publicKey: Uint8Array, message: Uint8Array): boolean;

  readonly aead: Readonly<Partial<Record<AeadName, Aead>>> & { readonly 'chacha20-poly1305': Aead };
  readonly kem: Readonly<Partial<Record<KemName, Kem>>>;
  /**
   * The stream cipher alone, RFC 8439 §2.4, from block 0: `out = data XOR key stream`. No tag: only for
   * encrypt-then-MAC.
   */
  chacha20(out: Uint8Array, key: Uint8Array, nonce: Uint8Array, data: Uint8Array): void;
  readonly ristretto255?: PrimeGroup;
}

/** What a file in `src/providers/` exports as default. Loading it must not load the library. */
export interface ProviderModule {
  /** The file's name. */
  readonly name: string;
  /** One line: the library and how it computes. */
  readonly title: string;
  readonly licence: string;
  readonly caveats: readonly string[];
  /**
   * @param needs Primitives that the caller will use besides those that every provider has; what is
   *   costly to load is loaded only for them.
   * @throws HarnessError with code UNAVAILABLE when the library cannot be loaded.
   */
  load(needs?: readonly PrimitiveName[]): Promise<Provider>;
}
