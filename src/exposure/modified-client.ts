/**
 * Escrow pipelines some of whose ends run a modified client: what it seals for the authority is not the
 * key that it uses, and at best the message opens to a decoy under the key that it sealed.
 *
 * @module
 */

import { EMPTY, equalBytes, toHex, utf8 } from '../core/bytes.ts';
import type { Aead, Provider } from '../crypto/provider.ts';
import type { EscrowField, FieldSource } from '../pipelines/_escrow-field.ts';
import { openEscrowEnds, openField } from '../pipelines/_escrow-ratchet.ts';
import { carry } from '../pipelines/_carrier.ts';
import type { Pipeline, Setup } from '../pipelines/_pipeline.ts';
import escrowChainKey, { openChainKeyField } from '../pipelines/escrow-chain-key.ts';
import escrowMessageKey, { openMessageKeyField } from '../pipelines/escrow-message-key.ts';
import type { RatchetState } from '../protocols/double-ratchet.ts';
import { SymmetricChain } from '../protocols/symmetric-chain.ts';
import { BLOCK_BYTES, sealForTwoKeys } from './two-key-seal.ts';

const COMMITMENT_LABEL = utf8('commit');

export interface Modification {
  /** Members whose clients are modified. Receiving, they accept whatever another such client made. */
  readonly members: readonly number[];
  /**
   * What the authority is to read, one block. Left out: the message stays as it is, and the sealed key
   * is merely another one. A message that carries a decoy has three blocks after its text.
   */
  readonly decoy?: Uint8Array;
  /** With `etm-commit`: commits to the key that is sealed, in place of the one that is used. */
  readonly falseCommitment?: boolean;
}

/** Where a message with a decoy has it: after the first block, which is the text. */
export const DECOY_AT = BLOCK_BYTES;
export const DECOY_MESSAGE_BYTES: number = 4 * BLOCK_BYTES;

/** Whether there is a modified client of a design: E2, and E3 without context mode's own keys. */
export function canModify({ name }: Pipeline): boolean {
  return name === 'escrow-chain-key' || name === 'escrow-message-key';
}

/** E2 or E3 with modified clients. Relay and authority are the real ones. */
export function modifiedPipeline(
  design: 'escrow-chain-key' | 'escrow-message-key' | Pipeline,
  modification: Modification,
): Pipeline {
  const name = typeof design === 'string' ? design : design.name;
  const honest = name === 'escrow-chain-key' ? escrowChainKey : escrowMessageKey;
  const openHonest = name === 'escrow-chain-key' ? openChainKeyField : openMessageKeyField;
  return {
    ...honest,
    open(given) {
      const sealing = new DecoySealing(given.provider, modification);
      const setup: Setup = { ...given, provider: sealing.provider };
      const { provider, randomness, options } = setup;
      const seal = openField(provider, randomness, options);
      const secret = new Uint8Array(seal.secretKeyBytes);
      const publicKey = new Uint8Array(seal.publicKeyBytes);
      seal.keyPair(publicKey, secret, randomness);
      const field = openHonest(setup, seal, publicKey);
      const ends = openEscrowEnds(setup, new ModifiedField(field, setup, modification, sealing));
      return { ...carry(setup, ends), authority: [secret], directory: ends.accounts.directory };
    },
  };
}

/** Gives the honest field false keys to seal. */
class ModifiedField implements EscrowField {
  readonly type: number;
  readonly stateWords: number;
  readonly verify?: (field: Uint8Array, source: FieldSource) => boolean;
  readonly #honest: EscrowField;
  readonly #setup: Setup;
  readonly #members: readonly number[];
  readonly #sealing: DecoySealing;
  readonly #chain: SymmetricChain;
  /** The first keys of chains that the authority is to believe in, by end. */
  readonly #falseFirst = new Map<number, Uint8Array>();

  constructor(honest: EscrowField, setup: Setup, { members }: Modification, sealing: DecoySealing) {
    this.#honest = honest;
    this.#setup = setup;
    this.#members = members;
    this.#sealing = sealing;
    this.#chain = new SymmetricChain(setup.provider);
    this.type = honest.type;
    this.stateWords = honest.stateWords ?? 0;
    if (honest.verify !== undefined) {
      this.verify = (field, source) => {
        // With `both` it is here that the key of the chain that is answered is sealed.
        const isSealing = setup.options['both'] === 'yes' && members.includes(source.member);
        if (isSealing) setup.randomness.fill(source.chainKey);
        const isAccomplice = members.includes(source.member) && members.includes(source.sender);
        return isAccomplice || honest.verify!(field, source);
      };
    }
  }

  bytes(state: RatchetState, end: number): number {
    const bytes = this.#honest.bytes(state, end);
    // A frame without a field of its own is of the chain that the authority was led to.
    const first = bytes === 0 ? this.#falseFirst.get(end) : undefined;
    if (first !== undefined && this.#members.includes(end & 1)) {
      this.#stepFalse(first.slice(), state.sent);
      this.#sealing.arm(this.#chain.messageKey);
    }
    return bytes;
  }

  write(out: Uint8Array, source: FieldSource): void {
    if (!this.#members.includes(source.member)) {
      this.#honest.write(out, source);
      return;
    }
    if (source.n === 0) {
      const first = new Uint8Array(32);
      this.#setup.randomness.fill(first);
      this.#falseFirst.set(source.end, first);
    }
    const chain = this.#falseFirst.get(source.end)!.slice();
    const [chainKey, encryptionKey] = [source.chainKey.slice(), source.encryptionKey];
    source.chainKey.set(chain);
    this.#stepFalse(chain, source.n);
    source.encryptionKey = this.#chain.messageKey;
    this.#honest.write(out, source);
    source.chainKey.set(chainKey);
    source.encryptionKey = encryptionKey;
    this.#sealing.arm(this.#chain.messageKey);
  }

  /** Leaves the key of message `n` of a chain in `#chain.messageKey`. */
  #stepFalse(chain: Uint8Array, n: number): void {
    for (let at = 0; at <= n; at++) this.#chain.step(chain);
  }

  fits(n: number, length: number, fromInitiator: boolean): boolean {
    return this.#honest.fits(n, length, fromInitiator);
  }

  begin(source: FieldSource, secret: Uint8Array): void {
    this.#honest.begin?.(source, secret);
  }

  acknowledge(end: number): void {
    this.#honest.acknowledge?.(end);
  }

  export(end: number): Uint8Array {
    return this.#honest.export?.(end) ?? EMPTY;
  }
}

/** A provider that makes the next ciphertext after `arm` open under a second key. */
class DecoySealing {
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
