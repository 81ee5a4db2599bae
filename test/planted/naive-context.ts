/**
 * The naive form of E3's context mode: one HPKE sender context per chain, kept on the device. Its
 * fields are as long as the real ones, and its context is one symmetric key for the whole chain.
 *
 * @module
 */

import { toHex } from '../../src/core/bytes.ts';
import { aeadName, carry } from '../../src/pipelines/_carrier.ts';
import {
  RatchetAuthority,
  type EvidenceFrame,
  type KeyRecovery,
} from '../../src/pipelines/_escrow-authority.ts';
import {
  FieldInfo,
  type EscrowField,
  type FieldSource,
} from '../../src/pipelines/_escrow-field.ts';
import { openEscrowEnds } from '../../src/pipelines/_escrow-ratchet.ts';
import {
  OUTCOME,
  type AuthorityOpening,
  type Pipeline,
  type Setup,
} from '../../src/pipelines/_pipeline.ts';
import escrowMessageKey from '../../src/pipelines/escrow-message-key.ts';
import {
  Hpke,
  HPKE_CONTEXT_KEY_BYTES,
  HPKE_ENC_BYTES,
  HpkeContext,
} from '../../src/protocols/hpke.ts';
import type { RatchetState } from '../../src/protocols/double-ratchet.ts';

const FIELD_TYPE = 3;
const WRAPPED_BYTES = 48;
const CONTEXT_WORDS = HPKE_CONTEXT_KEY_BYTES / 4;

class NaiveField implements EscrowField {
  readonly type = FIELD_TYPE;
  readonly stateWords = CONTEXT_WORDS;
  readonly #setup: Setup;
  readonly #hpke: Hpke;
  readonly #authorityPublic: Uint8Array;
  readonly #context = new HpkeContext();
  readonly #info = new FieldInfo(FIELD_TYPE);

  constructor(setup: Setup, hpke: Hpke, authorityPublic: Uint8Array) {
    this.#setup = setup;
    this.#hpke = hpke;
    this.#authorityPublic = authorityPublic;
  }

  bytes({ sent }: RatchetState): number {
    return (sent === 0 ? HPKE_ENC_BYTES : 0) + WRAPPED_BYTES;
  }

  write(out: Uint8Array, source: FieldSource): void {
    const { extra } = source.state;
    const kept = new Uint8Array(extra.buffer, extra.byteOffset, HPKE_CONTEXT_KEY_BYTES);
    if (source.n === 0) {
      const info = this.#info.of(source.session, source.sender, 0);
      const enc = out.subarray(0, HPKE_ENC_BYTES);
      const { randomness } = this.#setup;
      this.#hpke.setupBaseSender(this.#context, enc, randomness, this.#authorityPublic, info);
      kept.set(this.#context.contextKey);
    }
    const wrapped = out.subarray(out.length - WRAPPED_BYTES);
    this.#hpke.sealAt(kept, source.n, wrapped, source.ofMessage(), source.encryptionKey);
  }

  fits(n: number, length: number): boolean {
    return length === (n === 0 ? HPKE_ENC_BYTES : 0) + WRAPPED_BYTES;
  }
}

class NaiveRecovery implements KeyRecovery {
  readonly #hpke: Hpke;
  readonly #secret: Uint8Array;
  readonly #publicKey = new Uint8Array(32);
  readonly #contexts = new Map<string, HpkeContext>();
  readonly #info = new FieldInfo(FIELD_TYPE);

  constructor({ provider, options, secrets }: AuthorityOpening) {
    this.#hpke = new Hpke(provider, aeadName(options));
    this.#secret = secrets[0]!;
    provider.x25519Public(this.#publicKey, this.#secret);
  }

  encryptionKey(frame: EvidenceFrame, out: Uint8Array): number {
    const { field } = frame;
    const name = toHex(frame.ratchetKey);
    if (field.length > WRAPPED_BYTES) {
      const context = new HpkeContext();
      const info = this.#info.of(frame.session, frame.sender, 0);
      const enc = field.subarray(0, HPKE_ENC_BYTES);
      this.#hpke.setupBaseReceiver(context, enc, this.#secret, this.#publicKey, info);
      this.#contexts.set(name, context);
    }
    const context = this.#contexts.get(name);
    if (context === undefined) return OUTCOME.UNKNOWN_KEY;
    const wrapped = field.subarray(field.length - WRAPPED_BYTES);
    const { contextKey } = context;
    const isOpen = this.#hpke.openAt(contextKey, frame.n, out, frame.ofMessage(), wrapped);
    return isOpen ? 0 : OUTCOME.ESCROW_INVALID;
  }
}

/** E3 with that field; `context=yes,repeat=none` and an X25519 field are what it does. */
export const naiveContext: Pipeline = {
  ...escrowMessageKey,
  open(setup) {
    const { provider, randomness, options } = setup;
    const secret = new Uint8Array(32);
    const publicKey = new Uint8Array(32);
    randomness.fill(secret);
    provider.x25519Public(publicKey, secret);
    const hpke = new Hpke(provider, aeadName(options));
    const ends = openEscrowEnds(setup, new NaiveField(setup, hpke, publicKey));
    return { ...carry(setup, ends), authority: [secret], directory: ends.accounts.directory };
  },
  openAuthority: (opening) => new RatchetAuthority(opening, new NaiveRecovery(opening)),
};
