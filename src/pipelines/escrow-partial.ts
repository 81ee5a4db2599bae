import type { Aead } from '../crypto/provider.ts';
import type { FieldSeal, FieldSecret } from '../protocols/field-kem.ts';
import { carry, chosenAead, openCarrierRelay } from './_carrier.ts';
import { EvidenceReader } from './_escrow-authority.ts';
import { FieldInfo, type EscrowField, type FieldSource } from './_escrow-field.ts';
import {
  ESCROW_OPTIONS,
  openEscrowEnds,
  openField,
  publishAuthorityKey,
  TARGETS_OPTION,
  targetsOf,
} from './_escrow-ratchet.ts';
import {
  OUTCOME,
  type Authority,
  type AuthorityOpening,
  type Options,
  type Pipeline,
  type World,
} from './_pipeline.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';
import { ScratchViews } from './_views.ts';

const FIELD_TYPE = 6;
const KEY_BYTES = 32;
const NONCE = new Uint8Array(12);

/** Seals each message key without its last bits: who opens it guesses those. */
class PartialKeyField implements EscrowField {
  readonly type = FIELD_TYPE;
  readonly #seal: FieldSeal;
  readonly #publicKey: Uint8Array;
  readonly #bits: number;
  readonly #fieldBytes: number;
  readonly #partial = new Uint8Array(KEY_BYTES);
  readonly #info = new FieldInfo(FIELD_TYPE);

  constructor(seal: FieldSeal, publicKey: Uint8Array, bits: number) {
    this.#seal = seal;
    this.#publicKey = publicKey;
    this.#bits = bits;
    this.#fieldBytes = KEY_BYTES + seal.overheadBytes;
  }

  bytes(): number {
    return this.#fieldBytes;
  }

  write(out: Uint8Array, source: FieldSource): void {
    this.#partial.set(source.encryptionKey);
    putGuess(this.#partial, this.#bits, 0);
    const info = this.#info.of(source.session, source.sender, source.n);
    this.#seal.seal(out, this.#publicKey, info, source.ofMessage(), this.#partial);
  }

  fits(_n: number, length: number): boolean {
    return length === this.#fieldBytes;
  }
}

/** Sets the last `bits` bits of a key, at most 24, to those of `guess`. */
function putGuess(key: Uint8Array, bits: number, guess: number): void {
  let left = bits;
  for (let at = KEY_BYTES - 1; left > 0; at--, left -= 8) {
    const mask = left >= 8 ? 0xff : (1 << left) - 1;
    const byte = (guess >>> (bits - left)) & mask;
    key[at] = (key[at]! & ~mask) | byte;
  }
}

/** Opens a field and tries the missing bits until the tag of the message verifies. */
class GuessingAuthority implements Authority {
  readonly #reader: EvidenceReader;
  readonly #seal: FieldSeal;
  readonly #secret: FieldSecret;
  readonly #aead: Aead;
  readonly #bits: number;
  readonly #key = new Uint8Array(KEY_BYTES);
  readonly #info = new FieldInfo(FIELD_TYPE);
  readonly #views = new ScratchViews();

  constructor(opening: AuthorityOpening) {
    const { provider, options, secrets } = opening;
    this.#reader = new EvidenceReader(opening, 16);
    this.#seal = openField(provider, undefined, options);
    this.#secret = this.#seal.prepareSecret(secrets[0]!);
    this.#aead = chosenAead(provider, options);
    this.#bits = bitsOf(options);
  }

  recover(session: number, member: number, evidence: Uint8Array, out: Uint8Array): number {
    const frame = this.#reader.read(session, member, evidence);
    if (frame === undefined) return OUTCOME.AUTH_FAILED;
    if (frame.fieldBytes !== KEY_BYTES + this.#seal.overheadBytes) return OUTCOME.ESCROW_INVALID;
    const info = this.#info.of(session, member, frame.n);
    if (!this.#seal.open(this.#key, this.#secret, info, frame.ofMessage(), frame.field)) {
      return OUTCOME.ESCROW_INVALID;
    }
    const { text } = frame;
    const associated = frame.ofText();
    const plaintext = this.#views.take(text.length - 16);
    const guesses = 2 ** this.#bits;
    for (let guess = 0; guess < guesses; guess++) {
      putGuess(this.#key, this.#bits, guess);
      if (!this.#aead.open(plaintext, this.#key, NONCE, associated, text)) continue;
      this.#reader.confirm();
      out.set(plaintext);
      return plaintext.length;
    }
    return OUTCOME.AUTH_FAILED;
  }
}

function bitsOf(options: Options): number {
  return Number(options['bits']);
}

const { msg: _msg, ...ONE_KEY_OPTIONS } = ESCROW_OPTIONS;

/**
 * E6: each message key sealed to an authority without its last bits, which it must guess: access at a
 * price per message. The price is the same for every thief of the authority's key, and it falls with
 * the price of hardware.
 */
const escrowPartial: Pipeline = {
  name: 'escrow-partial',
  title: 'Double Ratchet with each message key sealed to an authority but for bits it must guess',
  family: 'escrow-wrapped',
  rung: 'E6',
  removes: 'hardness: who has the authority key pays 2^(bits - 1) guesses a message on average',
  specs: [
    'Wright and Varia, Crypto Crumple Zones, IEEE EuroS&P 2018',
    'Bellare and Goldwasser, Verifiable Partial Key Escrow, ACM CCS 1997',
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5; revision 1 (2016-11-20), section 5.2',
    'RFC 9180 section 6.1, base mode',
  ],
  caveats: [
    'The default of 8 bits lets every message be recovered for real; a deployment would choose 40 or more, at the same cost to the sender.',
    'A guess here is one try of the AEAD on one core. Dedicated hardware guesses faster by orders of magnitude.',
    'One-key form only: the tag of the message is what a guess is checked against.',
  ],
  options: {
    ...ONE_KEY_OPTIONS,
    bits: {
      title: 'bits of each message key that are not escrowed; recovery tries them for real',
      values: { min: 1, max: 24 },
      default: '8',
    },
    targets: TARGETS_OPTION,
  },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const { provider, randomness, options, members } = setup;
    const seal = openField(provider, randomness, options);
    const { publicKey, secret } = publishAuthorityKey(setup, seal);
    const field = new PartialKeyField(seal, publicKey, bitsOf(options));
    const ends = openEscrowEnds(setup, field);
    return {
      ...carry(setup, ends),
      authority: [secret],
      directory: ends.accounts.directory,
      targets: targetsOf(options, members.sessions),
      standsAlone: true,
    };
  },
  openRelay: openCarrierRelay,
  openAuthority: (opening) => new GuessingAuthority(opening),
};

export default escrowPartial;
