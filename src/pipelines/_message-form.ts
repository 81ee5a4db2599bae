/**
 * How the text of a message is sealed under its message key.
 *
 * `one-key`: an AEAD; who has the key reads and forges. `etm`: encrypt-then-MAC with a key for each, so
 * that the encryption key can be escrowed and its holder reads and cannot forge; ChaCha20 and the whole
 * of an HMAC-SHA256 tag. `etm-commit`: the same and a commitment to the encryption key, which the
 * receiver recomputes, so that a sender cannot have escrowed another key than the one that it used.
 *
 * | form | after the ciphertext | the holder of an encryption key alone |
 * | --- | --- | --- |
 * | `one-key` | tag 16 | reads, checks the tag, forges |
 * | `etm` | tag 32 | reads, checks nothing: any key opens to something |
 * | `etm-commit` | commitment 32, tag 32 | reads, checks that this is the key that was used |
 *
 * The AEADs commit to no key: Dodis, Grubbs, Ristenpart, Woodage, CRYPTO 2018; Len, Grubbs,
 * Ristenpart, USENIX Security 2021.
 *
 * @module
 */

import { putUint32, utf8 } from '../core/bytes.ts';
import type { Aead, Provider } from '../crypto/provider.ts';
import { chosenAead } from './_carrier.ts';
import type { Options, OptionSpec } from './_pipeline.ts';
import { ScratchViews } from './_views.ts';

/** The option of every pipeline that can choose. */
export const MESSAGE_FORM_OPTION: OptionSpec = {
  title:
    'one-key: an AEAD; etm: encrypt-then-MAC, only the encryption key is escrowed; etm-commit: the same with a commitment to that key',
  values: ['one-key', 'etm', 'etm-commit'],
  default: 'one-key',
};

/** One instance per world; owns its scratch, so it is not re-entrant. */
export interface MessageForm {
  /** Of a message key: the encryption key, and with `etm` the MAC key after it. */
  readonly keyBytes: 32 | 64;
  /** What is added to the plaintext. */
  readonly overheadBytes: number;
  /** @param out Exactly `plaintext.length + overheadBytes`. */
  seal(out: Uint8Array, key: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): void;
  /**
   * As the receiver.
   *
   * @param out Exactly `sealed.length - overheadBytes`; unspecified after a refusal.
   */
  open(out: Uint8Array, key: Uint8Array, associated: Uint8Array, sealed: Uint8Array): boolean;
  /**
   * As the holder of the encryption key alone.
   *
   * @returns False when what can be checked does not fit; with `etm` nothing can be.
   */
  openAsAuthority(
    out: Uint8Array,
    encryptionKey: Uint8Array,
    associated: Uint8Array,
    sealed: Uint8Array,
  ): boolean;
}

/** The form that the options ask for; `one-key` where they have no such option. */
export function openMessageForm(provider: Provider, options: Options): MessageForm {
  const form = options['msg'] ?? 'one-key';
  return form === 'one-key'
    ? new OneKey(chosenAead(provider, options))
    : new EncryptThenMac(provider, form === 'etm-commit');
}

/** Each message key seals once, so the nonce is constant: Double Ratchet section 3.1. */
const NONCE = new Uint8Array(12);

class OneKey implements MessageForm {
  readonly keyBytes = 32;
  readonly overheadBytes = 16;
  readonly #aead: Aead;

  constructor(aead: Aead) {
    this.#aead = aead;
  }

  seal(out: Uint8Array, key: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): void {
    this.#aead.seal(out, key, NONCE, associated, plaintext);
  }

  open(out: Uint8Array, key: Uint8Array, associated: Uint8Array, sealed: Uint8Array): boolean {
    return this.#aead.open(out, key, NONCE, associated, sealed);
  }

  openAsAuthority(
    out: Uint8Array,
    encryptionKey: Uint8Array,
    associated: Uint8Array,
    sealed: Uint8Array,
  ): boolean {
    return this.#aead.open(out, encryptionKey, NONCE, associated, sealed);
  }
}

const COMMITMENT_LABEL = utf8('commit');
const MAC_BYTES = 32;
const COMMITMENT_BYTES = 32;

class EncryptThenMac implements MessageForm {
  readonly keyBytes = 64;
  readonly overheadBytes: number;
  readonly #provider: Provider;
  readonly #commits: boolean;
  readonly #authenticated = new ScratchViews();
  readonly #ciphertext = new ScratchViews();
  readonly #encryptionKey = new Uint8Array(32);
  readonly #macKey = new Uint8Array(32);
  readonly #computed = new Uint8Array(MAC_BYTES);

  constructor(provider: Provider, commits: boolean) {
    this.#provider = provider;
    this.#commits = commits;
    this.overheadBytes = (commits ? COMMITMENT_BYTES : 0) + MAC_BYTES;
  }

  seal(out: Uint8Array, key: Uint8Array, associated: Uint8Array, plaintext: Uint8Array): void {
    this.#splitKey(key);
    const ciphertext = this.#ciphertext.take(plaintext.length);
    this.#provider.chacha20(ciphertext, this.#encryptionKey, NONCE, plaintext);
    out.set(ciphertext);
    if (this.#commits) {
      this.#provider.hmacSha256(this.#computed, this.#encryptionKey, COMMITMENT_LABEL);
      out.set(this.#computed, plaintext.length);
    }
    this.#computeMac(associated, out);
    out.set(this.#computed, out.length - MAC_BYTES);
  }

  open(out: Uint8Array, key: Uint8Array, associated: Uint8Array, sealed: Uint8Array): boolean {
    this.#splitKey(key);
    this.#computeMac(associated, sealed);
    if (!this.#fits(sealed, sealed.length - MAC_BYTES)) return false;
    return this.openAsAuthority(out, this.#encryptionKey, associated, sealed);
  }

  openAsAuthority(
    out: Uint8Array,
    encryptionKey: Uint8Array,
    _associated: Uint8Array,
    sealed: Uint8Array,
  ): boolean {
    if (this.#commits) {
      this.#provider.hmacSha256(this.#computed, encryptionKey, COMMITMENT_LABEL);
      if (!this.#fits(sealed, out.length)) return false;
    }
    const ciphertext = this.#ciphertext.take(out.length);
    for (let i = 0; i < ciphertext.length; i++) ciphertext[i] = sealed[i]!;
    this.#provider.chacha20(out, encryptionKey, NONCE, ciphertext);
    return true;
  }

  #splitKey(key: Uint8Array): void {
    for (let i = 0; i < 32; i++) {
      this.#encryptionKey[i] = key[i]!;
      this.#macKey[i] = key[32 + i]!;
    }
  }

  /** HMAC over associated data, all of `sealed` before its tag, and the length of the former. */
  #computeMac(associated: Uint8Array, sealed: Uint8Array): void {
    const bytes = sealed.length - MAC_BYTES;
    const data = this.#authenticated.take(associated.length + bytes + 4);
    data.set(associated);
    for (let i = 0; i < bytes; i++) data[associated.length + i] = sealed[i]!;
    putUint32(data, associated.length + bytes, associated.length);
    this.#provider.hmacSha256(this.#computed, this.#macKey, data);
  }

  /** Whether `#computed` stands at `at`; in constant time. */
  #fits(sealed: Uint8Array, at: number): boolean {
    let different = 0;
    for (let i = 0; i < 32; i++) different |= sealed[at + i]! ^ this.#computed[i]!;
    return different === 0;
  }
}
