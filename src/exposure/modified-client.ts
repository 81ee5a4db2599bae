/**
 * Escrow pipelines some of whose ends run a modified client: what it seals for the authority is not the
 * key that it uses, and at best the message opens to a decoy under the key that it sealed.
 *
 * @module
 */

import { EMPTY } from '../core/bytes.ts';
import type { EscrowField, FieldSource } from '../pipelines/_escrow-field.ts';
import type { EscrowSetup } from '../pipelines/_escrow-ratchet.ts';
import type { Pipeline, Setup } from '../pipelines/_pipeline.ts';
import type { RatchetState } from '../protocols/double-ratchet.ts';
import { SymmetricChain } from '../protocols/symmetric-chain.ts';
import { DecoySealing, type Modification } from './decoy-sealing.ts';
import { ModifiedSeedField } from './modified-seed-field.ts';

/** Whether a design has a field that a modified client can make another way: E2 to E7. */
export function canModify({ rung }: Pipeline): boolean {
  return /^E[2-7]$/.test(rung);
}

/** A design of E2 to E7, with modified clients. Relay and authority are the real ones. */
export function modifiedPipeline(honest: Pipeline, modification: Modification): Pipeline {
  return {
    ...honest,
    open(given) {
      const sealing = new DecoySealing(given.provider, modification);
      const setup: Setup = { ...given, provider: sealing.provider };
      const modified: EscrowSetup = {
        ...setup,
        modifyField: (field) =>
          honest.rung === 'E7'
            ? new ModifiedSeedField(field, setup, modification, sealing)
            : new ModifiedField(field, setup, modification, sealing),
      };
      return honest.open(modified);
    },
  };
}

/** Gives the honest field of a chain or a message false keys to seal. */
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
