/**
 * HMAC-SHA256 (RFC 2104) and HKDF-SHA256 (RFC 5869), for providers that lack them, and the two
 * halves of HKDF for protocols that keep the key between them.
 *
 * Nothing is allocated per call: a fresh array costs more than the hash (about 1 us). Inputs are
 * laid out in scratch buffers of this module, which therefore is not re-entrant: a `Sha256` or
 * `HmacSha256` given to it must not call back into it, except that HKDF runs over a composed HMAC.
 * The scratch holds the last call's key and data until the next one overwrites them.
 *
 * @module
 */

import { RefusedError, SHA256_BYTES, type Provider } from './provider.ts';

export type Sha256 = Provider['sha256'];
export type HmacSha256 = Provider['hmacSha256'];
export type HkdfSha256 = Provider['hkdfSha256'];

/** RFC 5869 §2.3: L <= 255 * HashLen. */
export const HKDF_MAX_BYTES: number = 255 * SHA256_BYTES;

/** B of RFC 2104 §2 for SHA-256, in bytes. */
const BLOCK_BYTES = 64;

/** Views up to this length are kept: each `subarray` costs about 70 ns. */
const KEPT_VIEWS = 1024;

/** A buffer that grows, seen through prefixes, because bindings take the length from the view. */
class Scratch {
  readonly #kept: Uint8Array = new Uint8Array(KEPT_VIEWS);
  readonly #views: (Uint8Array | undefined)[] = Array.from(
    { length: KEPT_VIEWS + 1 },
    () => undefined,
  );
  #long: Uint8Array = new Uint8Array(0);

  /** `length` bytes; their content is whatever was written last. */
  view(length: number): Uint8Array {
    if (length > KEPT_VIEWS) {
      if (length > this.#long.length) this.#long = new Uint8Array(2 * length);
      return this.#long.subarray(0, length);
    }
    const kept = this.#views[length];
    if (kept !== undefined) return kept;
    const made = this.#kept.subarray(0, length);
    this.#views[length] = made;
    return made;
  }
}

/** (K xor ipad) || text, and (K xor opad) || inner hash, of RFC 2104 §2. */
const INNER = new Scratch();
const OUTER: Uint8Array = new Uint8Array(BLOCK_BYTES + SHA256_BYTES);
const INNER_HASH: Uint8Array = OUTER.subarray(BLOCK_BYTES);
const HASHED_KEY: Uint8Array = new Uint8Array(SHA256_BYTES);

/** T(n-1) || info || n, and the T(n) and PRK of RFC 5869 §2. */
const EXPAND_INPUT = new Scratch();
const EXPANDED: Uint8Array = new Uint8Array(SHA256_BYTES);
const EXTRACTED: Uint8Array = new Uint8Array(SHA256_BYTES);

/** RFC 5869 §2.2: "if not provided, [salt] is set to a string of HashLen zeros". */
const NO_SALT: Uint8Array = new Uint8Array(SHA256_BYTES);

/** Exactly two calls of `sha256`; a third one first for keys longer than 64 bytes. */
export function composeHmacSha256(sha256: Sha256): HmacSha256 {
  return function composedHmacSha256(out, key, data) {
    if (out.length !== SHA256_BYTES) throw new RefusedError();
    let blockKey = key;
    if (key.length > BLOCK_BYTES) {
      sha256(HASHED_KEY, key);
      blockKey = HASHED_KEY;
    }
    const inner = INNER.view(BLOCK_BYTES + data.length);
    const keyBytes = blockKey.length;
    for (let i = 0; i < keyBytes; i++) {
      const byte = blockKey[i]!;
      inner[i] = byte ^ 0x36;
      OUTER[i] = byte ^ 0x5c;
    }
    for (let i = keyBytes; i < BLOCK_BYTES; i++) {
      inner[i] = 0x36;
      OUTER[i] = 0x5c;
    }
    inner.set(data, BLOCK_BYTES);
    sha256(INNER_HASH, inner);
    sha256(out, OUTER);
  };
}

/** One call of `hmac` to extract and one for each 32 bytes of output, or part of them. */
export function composeHkdfSha256(hmac: HmacSha256): HkdfSha256 {
  const over = { hmacSha256: hmac };
  return function composedHkdfSha256(out, salt, ikm, info) {
    if (out.length < 1 || out.length > HKDF_MAX_BYTES) throw new RefusedError();
    hmac(EXTRACTED, salt.length === 0 ? NO_SALT : salt, ikm);
    expand(over, out, EXTRACTED, info);
  };
}

/**
 * RFC 5869 §2.2: PRK = HMAC(salt, ikm).
 *
 * @param out 32 bytes: the pseudorandom key.
 * @param salt Empty for the salt of 32 zero bytes.
 */
export function hkdfExtract(
  provider: Provider,
  out: Uint8Array,
  salt: Uint8Array,
  ikm: Uint8Array,
): void {
  provider.hmacSha256(out, salt.length === 0 ? NO_SALT : salt, ikm);
}

/**
 * RFC 5869 §2.3.
 *
 * @param out 1 to 8,160 bytes.
 * @param prk At least 32 bytes, usually from `hkdfExtract`.
 */
export function hkdfExpand(
  provider: Provider,
  out: Uint8Array,
  prk: Uint8Array,
  info: Uint8Array,
): void {
  if (out.length < 1 || out.length > HKDF_MAX_BYTES) throw new RefusedError();
  if (prk.length < SHA256_BYTES) throw new RefusedError();
  expand(provider, out, prk, info);
}

function expand(
  over: { readonly hmacSha256: HmacSha256 },
  out: Uint8Array,
  prk: Uint8Array,
  info: Uint8Array,
): void {
  let before = 0; // Length of T(n-1): T(0) is empty.
  let counter = 1;
  for (let at = 0; at < out.length; at += SHA256_BYTES) {
    const input = EXPAND_INPUT.view(before + info.length + 1);
    if (before > 0) input.set(EXPANDED);
    input.set(info, before);
    input[before + info.length] = counter++;
    over.hmacSha256(EXPANDED, prk, input);
    const wanted = Math.min(SHA256_BYTES, out.length - at);
    if (wanted === SHA256_BYTES) out.set(EXPANDED, at);
    else for (let i = 0; i < wanted; i++) out[at + i] = EXPANDED[i]!;
    before = SHA256_BYTES;
  }
}
