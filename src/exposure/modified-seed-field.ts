/**
 * E7 with a modified client: the seed that it seals is the right one, so that its ratchet keys are as
 * the authority expects, and SK is another, so that every chain that the authority follows is too.
 *
 * @module
 */

import type { EscrowField, FieldSource } from '../pipelines/_escrow-field.ts';
import { openMessageForm } from '../pipelines/_message-form.ts';
import type { Setup } from '../pipelines/_pipeline.ts';
import { SKIP_LIMIT } from '../pipelines/_ratchet-ends.ts';
import {
  DoubleRatchet,
  HEADER_BYTES,
  RatchetState,
  type SkippedKeys,
} from '../protocols/double-ratchet.ts';
import { SymmetricChain } from '../protocols/symmetric-chain.ts';
import type { DecoySealing, Modification } from './decoy-sealing.ts';

const KEY_BYTES = 32;
const NO_SKIPPED: SkippedKeys = { add: () => undefined };

/**
 * Keeps, beside the real ratchet, the one that the authority follows: the same ratchet keys over a
 * false SK. Only the end that opens a session has anything to falsify; one that answers and is in
 * league with it is told the false root key, to make decoys too.
 */
export class ModifiedSeedField implements EscrowField {
  readonly type: number;
  readonly stateWords: number;
  readonly newSecret: (state: RatchetState) => void;
  readonly #honest: EscrowField;
  readonly #setup: Setup;
  readonly #members: readonly number[];
  readonly #sealing: DecoySealing;
  readonly #macChains: boolean;
  readonly #ratchet: DoubleRatchet;
  readonly #chain: SymmetricChain;
  /** The private half of the real ratchet's newest key. */
  #ratchetSecret: Uint8Array = new Uint8Array(KEY_BYTES);
  /** By end: where the ratchet that the authority follows stands, and the first key of its chain. */
  readonly #followed = new Map<number, { state: RatchetState; firstKey: Uint8Array }>();
  /** By session: the false root key after the first agreement, which accomplices share. */
  readonly #falseRoots = new Map<number, Uint8Array>();

  constructor(honest: EscrowField, setup: Setup, { members }: Modification, sealing: DecoySealing) {
    this.#honest = honest;
    this.#setup = setup;
    this.#members = members;
    this.#sealing = sealing;
    this.type = honest.type;
    this.stateWords = honest.stateWords!;
    this.newSecret = (state) => honest.newSecret!(state);
    this.#macChains = openMessageForm(setup.provider, setup.options).keyBytes > KEY_BYTES;
    const keys = { macChains: this.#macChains };
    this.#ratchet = new DoubleRatchet(setup.provider, setup.randomness, keys, (state) =>
      state.ourSecret.set(this.#ratchetSecret),
    );
    this.#chain = new SymmetricChain(setup.provider);
  }

  begin(source: FieldSource, secret: Uint8Array): void {
    const { session, member, isInitiator, state } = source;
    const root = isInitiator ? new Uint8Array(KEY_BYTES) : this.#falseRoots.get(session);
    if (!this.#members.includes(member) || root === undefined) {
      this.#honest.begin!(source, secret);
      return;
    }
    if (isInitiator) this.#setup.randomness.fill(root);
    // An end that answers turned once already: its chain comes out of the root key after that turn.
    const followed = new RatchetState({ macChains: this.#macChains });
    this.#ratchetSecret = state.ourSecret;
    this.#ratchet.initInitiator(followed, root, state.theirPublic);
    this.#followed.set(source.end, { state: followed, firstKey: followed.sendChain.slice() });
    if (isInitiator) this.#falseRoots.set(session, followed.rootKey.slice());
    this.#honest.begin!(source, root);
  }

  bytes(state: RatchetState, end: number): number {
    const followed = this.#followed.get(end);
    if (followed !== undefined) {
      const chain = followed.firstKey.slice();
      for (let n = 0; n <= state.sent; n++) this.#chain.step(chain);
      this.#sealing.arm(this.#chain.messageKey);
    }
    return this.#honest.bytes(state, end);
  }

  write(out: Uint8Array, source: FieldSource): void {
    this.#honest.write(out, source);
  }

  fits(n: number, length: number, fromInitiator: boolean): boolean {
    return this.#honest.fits(n, length, fromInitiator);
  }

  /** Nothing is verified: where the real ratchet turned, so does the one that the authority follows. */
  verify(_field: Uint8Array, { end, turned, header, state }: FieldSource): boolean {
    const followed = this.#followed.get(end);
    if (followed === undefined || !turned) return true;
    this.#ratchetSecret = state.ourSecret;
    const turnHeader = new Uint8Array(HEADER_BYTES);
    turnHeader.set(header.subarray(0, KEY_BYTES));
    this.#ratchet.stepReceiving(followed.state, turnHeader, SKIP_LIMIT, NO_SKIPPED);
    followed.firstKey = followed.state.sendChain.slice();
    return true;
  }
}
