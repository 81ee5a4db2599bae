/**
 * A provider for modified clients, whose ciphertexts open under a second key: to a decoy.
 *
 * @module
 */

import { equalBytes, toHex, utf8 } from '../core/bytes.ts';
import type { Aead, Provider } from '../crypto/provider.ts';
import { BLOCK_BYTES, sealForTwoKeys } from './two-key-seal.ts';

const COMMITMENT_LABEL = utf8('commit');

/** Where a message with a decoy has it: after the first block, which is the text. */
export const DECOY_AT = BLOCK_BYTES;
export const DECOY_MESSAGE_BYTES: number = 4 * BLOCK_BYTES;

export interface Modification {
  /** Members whose clients are modified. Receiving, they accept whatever another such client made. */
  readonly members: readonly number[];
  /**
   * What the authority is to read, one block. Left out: the message stays as it is, and what is sealed
   * for the authority merely leads to another key. A message that carries a decoy has three blocks
   * after its text.
   */
  readonly decoy?: Uint8Array;
  /** With `etm-commit`: commits to the key that is sealed, in place of the one that is used. */
  readonly falseCommitment?: boolean;
}

/** A provider that makes the next ciphertext after `arm` open under a second key. */
export class DecoySealing {
  readonly provider: Provider;
  readonly #modification: Modification;
  /** The second key, from `arm` to the ciphertext, and to the commitment. */
  #forCiphertext: Uint8Array | undefined;
  #forCommitment: Uint8Array | undefined;
  /** What accomplices take for the commitment to a key: that to another one. */
  readonly #agreed = new Map<string, Uint8Array>();

  constructor(inner: Provider, modification: Modification) {
    this.#modification = modification;
    const { decoy } = modification;
    const aead = inner.aead['chacha20-poly1305'];
    const seal: Aead['seal'] = (out, key, nonce, aad, plaintext) => {
      const second = this.#takeSecond();
      if (second === undefined) aead.seal(out, key, nonce, aad, plaintext);
      else out.set(sealForTwoKeys(inner, [key, second], nonce, aad, [plaintext, decoy!]));
    };
    this.provider = {
      ...inner,
      aead: { ...inner.aead, 'chacha20-poly1305': { seal, open: aead.open.bind(aead) } },
      chacha20: (out, key, nonce, data) => {
        inner.chacha20(out, key, nonce, data);
        const second = this.#takeSecond();
        if (second === undefined) return;
        const withDecoy = new Uint8Array(data.length);
        withDecoy.set(decoy!, DECOY_AT);
        const other = new Uint8Array(data.length);
        inner.chacha20(other, second, nonce, withDecoy);
        out.set(other.subarray(DECOY_AT), DECOY_AT);
      },
      hmacSha256: (out, key, data) => {
        const isCommitment = equalBytes(data, COMMITMENT_LABEL);
        inner.hmacSha256(out, isCommitment ? this.#committed(key) : key, data);
      },
    };
  }

  arm(second: Uint8Array): void {
    if (this.#modification.decoy !== undefined) this.#forCiphertext = second.slice();
    if (this.#modification.falseCommitment === true) this.#forCommitment = second.slice();
  }

  #takeSecond(): Uint8Array | undefined {
    const second = this.#forCiphertext;
    this.#forCiphertext = undefined;
    return second;
  }

  /** The key whose commitment stands for that of `key`. */
  #committed(key: Uint8Array): Uint8Array {
    const second = this.#forCommitment;
    this.#forCommitment = undefined;
    const isPair = this.#modification.members.length > 1;
    if (second !== undefined && isPair) this.#agreed.set(toHex(key), second);
    return second ?? this.#agreed.get(toHex(key)) ?? key;
  }
}
