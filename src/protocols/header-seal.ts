/**
 * Header encryption for the Double Ratchet: HENCRYPT and HDECRYPT of revision 4, section 4.2.
 *
 * The specification asks for a nonce that is stateful or at least 128 bits of randomness. Ours is a
 * synthetic IV (Rogaway and Shrimpton, EUROCRYPT 2006): V = HMAC-SHA256(key, label || header), cut to
 * 16 bytes, is tag and nonce in one. Headers never repeat under one key, because N counts.
 *
 * The cipher is the stream of the AEAD under the nonce V[0..12]; its own tag is not sent. Sealing a
 * ciphertext again gives the plaintext back, which is how `open` decrypts.
 *
 * @module
 */

import { EMPTY, utf8 } from '../core/bytes.ts';
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, type Aead, type Provider } from '../crypto/provider.ts';

/** What sealing adds to a header. */
export const HEADER_SEAL_BYTES = 16;

/** Short, so that label and header fit the second block of the inner SHA-256. */
const LABEL = utf8('header');

/** One instance per world and header length; owns its scratch, so it is not re-entrant. */
export class HeaderSeal {
  readonly #provider: Provider;
  readonly #aead: Aead;
  readonly #length: number;
  /** Label and header. */
  readonly #input: Uint8Array;
  readonly #header: Uint8Array;
  readonly #mac = new Uint8Array(32);
  readonly #nonce = this.#mac.subarray(0, AEAD_NONCE_BYTES);
  readonly #theirNonce = new Uint8Array(AEAD_NONCE_BYTES);
  readonly #crypted: Uint8Array;

  constructor(provider: Provider, aead: Aead, headerBytes: number) {
    this.#provider = provider;
    this.#aead = aead;
    this.#length = headerBytes;
    this.#input = new Uint8Array(LABEL.length + headerBytes);
    this.#input.set(LABEL);
    this.#header = this.#input.subarray(LABEL.length);
    this.#crypted = new Uint8Array(headerBytes + AEAD_TAG_BYTES);
  }

  /**
   * One HMAC and one cipher call.
   *
   * @param out 16 bytes more than the header.
   */
  seal(out: Uint8Array, key: Uint8Array, header: Uint8Array): void {
    this.#header.set(header);
    this.#provider.hmacSha256(this.#mac, key, this.#input);
    this.#aead.seal(this.#crypted, key, this.#nonce, EMPTY, this.#header);
    for (let i = 0; i < HEADER_SEAL_BYTES; i++) out[i] = this.#mac[i]!;
    for (let i = 0; i < this.#length; i++) out[HEADER_SEAL_BYTES + i] = this.#crypted[i]!;
  }

  /**
   * The same cost as `seal`.
   *
   * @param out The header; unspecified when it does not open.
   * @param ratchetKey What the header of this chain must begin with, if that is known: another is
   *   refused before its HMAC is computed, so that a wrong key costs one cipher call.
   */
  open(out: Uint8Array, key: Uint8Array, sealed: Uint8Array, ratchetKey?: Uint8Array): boolean {
    this.#theirNonce.set(sealed.subarray(0, AEAD_NONCE_BYTES));
    const ciphertext = sealed.subarray(HEADER_SEAL_BYTES, HEADER_SEAL_BYTES + this.#length);
    this.#aead.seal(this.#crypted, key, this.#theirNonce, EMPTY, ciphertext);
    if (ratchetKey !== undefined && !beginsWith(this.#crypted, ratchetKey)) return false;
    for (let i = 0; i < this.#length; i++) this.#header[i] = this.#crypted[i]!;
    this.#provider.hmacSha256(this.#mac, key, this.#input);
    let difference = 0;
    for (let i = 0; i < HEADER_SEAL_BYTES; i++) difference |= this.#mac[i]! ^ sealed[i]!;
    if (difference !== 0) return false;
    out.set(this.#header);
    return true;
  }
}

function beginsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false;
  return true;
}
