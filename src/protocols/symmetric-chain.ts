/**
 * The symmetric-key ratchet alone: Double Ratchet revision 4 (2025-11-04) section 2.2, with the
 * KDF_CK of revision 1, section 5.2.
 *
 * A stepped chain key does not lead back, so past messages stay closed to whoever takes it; it leads
 * on to every later one, because nothing fresh enters the chain.
 *
 * @module
 */

import type { Provider } from '../crypto/provider.ts';

export const CHAIN_KEY_BYTES = 32;

const MESSAGE_KEY_CONSTANT = Uint8Array.of(0x01);
const CHAIN_KEY_CONSTANT = Uint8Array.of(0x02);

/** One instance per world; owns its scratch, so it is not re-entrant. */
export class SymmetricChain {
  readonly #provider: Provider;
  readonly #stepped = new Uint8Array(CHAIN_KEY_BYTES);
  /** The message key of the last step. */
  readonly messageKey: Uint8Array;

  /** @param messageKey Where message keys go: 32 bytes. */
  constructor(provider: Provider, messageKey: Uint8Array = new Uint8Array(CHAIN_KEY_BYTES)) {
    this.#provider = provider;
    this.messageKey = messageKey;
  }

  /** KDF_CK: steps `chain` in place and leaves the message key in `messageKey`. Two HMAC. */
  step(chain: Uint8Array): void {
    this.#provider.hmacSha256(this.messageKey, chain, MESSAGE_KEY_CONSTANT);
    this.#provider.hmacSha256(this.#stepped, chain, CHAIN_KEY_CONSTANT);
    chain.set(this.#stepped);
  }
}
