import { PackedRecords } from '../core/packed.ts';
import type { Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import {
  DoubleRatchet,
  HEADER_BYTES,
  RatchetState,
  type SkippedKeys,
} from '../protocols/double-ratchet.ts';
import type { FieldSeal, FieldSecret } from '../protocols/field-kem.ts';
import { Hpke } from '../protocols/hpke.ts';
import { SymmetricChain } from '../protocols/symmetric-chain.ts';
import { carry, openCarrierRelay } from './_carrier.ts';
import { ChainFollower } from './_chain-follower.ts';
import { RatchetAuthority, type EvidenceFrame, type KeyRecovery } from './_escrow-authority.ts';
import { FieldInfo } from './_escrow-field.ts';
import {
  ESCROW_OPTIONS,
  openEscrowEnds,
  openField,
  publishAuthorityKey,
} from './_escrow-ratchet.ts';
import { openMessageForm } from './_message-form.ts';
import { OUTCOME, type AuthorityOpening, type Pipeline, type World } from './_pipeline.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';
import { SessionField } from './_session-field.ts';

const FIELD_TYPE = 7;
const SEED_BYTES = 32;
const SECRET_BYTES = 32;
/** seed_0, SK, and the peer's signed prekey, which a frame names by its id only. */
const PREKEY_AT: number = SEED_BYTES + SECRET_BYTES;
const SEALED_BYTES: number = PREKEY_AT + 32;
const NEXT_SEED = Uint8Array.of(0x02);
const SEED_WORDS: number = SEED_BYTES / 4;
/** Where the seed stands in `RatchetState.extra` of a client, after what `SessionField` keeps. */
const SEED_WORD = 1;

/** The generator of ratchet keys: key i is DeriveKeyPair(seed_i), and seed_i+1 = HMAC(seed_i, 0x02). */
class SeededKeys {
  readonly #provider: Provider;
  readonly #hpke: Hpke;
  /** seed_i of the last key. */
  readonly last: Uint8Array = new Uint8Array(SEED_BYTES);

  constructor(provider: Provider) {
    this.#provider = provider;
    this.#hpke = new Hpke(provider);
  }

  /** Takes a step: `seed` becomes the next one. One HMAC and the two HKDF calls of DeriveKeyPair. */
  next(ourSecret: Uint8Array, seed: Uint8Array): void {
    this.last.set(seed);
    this.#hpke.deriveSecretKey(ourSecret, this.last);
    this.#provider.hmacSha256(seed, this.last, NEXT_SEED);
  }
}

/** The clients' side: the end that opens a session derives its ratchet keys from a seed. */
function newSecretOf(keys: SeededKeys, randomness: Randomness): (state: RatchetState) => void {
  const seed = new Uint8Array(SEED_BYTES);
  const words = new Uint32Array(seed.buffer);
  return (state) => {
    const kept = state.extra.subarray(SEED_WORD, SEED_WORD + SEED_WORDS);
    words.set(kept);
    const isNew = words.every((word) => word === 0);
    if (isNew && state.canReceive) {
      // The end that answers: its keys are not needed, so they are as fresh as in L6.
      randomness.fill(state.ourSecret);
      return;
    }
    if (isNew) randomness.fill(seed);
    keys.next(state.ourSecret, seed);
    kept.set(words);
  };
}

/** Nobody needs keys that are passed over: chains are followed from their first key. */
const NO_SKIPPED: SkippedKeys = { add: () => undefined };

/** Whether a session's field was opened. */
const FOLLOWED_WORD = SEED_WORDS;

/**
 * Opens seed_0 and SK once per session and then is the end that opened it: takes every step of its
 * ratchet, with the same private keys.
 */
class SeedRecovery implements KeyRecovery {
  readonly #seal: FieldSeal;
  readonly #secret: FieldSecret;
  readonly #keys: SeededKeys;
  readonly #ratchet: DoubleRatchet;
  readonly #symmetric: SymmetricChain;
  readonly #chains: ChainFollower;
  readonly #records: PackedRecords;
  readonly #state: RatchetState;
  readonly #seed = new Uint8Array(SEED_BYTES);
  readonly #seedWords = new Uint32Array(this.#seed.buffer);
  readonly #opened = new Uint8Array(SEALED_BYTES);
  readonly #info = new FieldInfo(FIELD_TYPE);
  /** A ratchet key with PN and N zero: the turn alone, since chains are followed apart. */
  readonly #turnHeader = new Uint8Array(HEADER_BYTES);
  /** Whether `#state` moved on with the frame at hand, which nothing authenticated yet. */
  #moved = false;

  constructor(opening: AuthorityOpening) {
    const { provider, options, secrets, members } = opening;
    this.#seal = openField(provider, undefined, options);
    this.#secret = this.#seal.prepareSecret(secrets[0]!);
    this.#keys = new SeededKeys(provider);
    const macChains = openMessageForm(provider, options).keyBytes > 32;
    const unused = { seeded: false, fill: (): void => undefined };
    this.#ratchet = new DoubleRatchet(provider, unused, { macChains }, (state) => {
      // A state that begins has no seed yet: it is the one of the field.
      if (state.canReceive) this.#seedWords.set(state.extra.subarray(0, SEED_WORDS));
      this.#keys.next(state.ourSecret, this.#seed);
      state.extra.set(this.#seedWords);
    });
    this.#symmetric = new SymmetricChain(provider);
    this.#chains = new ChainFollower(members.sessions * 2, (chain) => this.#symmetric.step(chain));
    this.#state = new RatchetState({ macChains, extraWords: SEED_WORDS + 1 });
    this.#records = new PackedRecords(this.#state.bytes.length, members.sessions);
  }

  encryptionKey(frame: EvidenceFrame, out: Uint8Array): number {
    const state = this.#state;
    this.#records.load(frame.session, state.words);
    this.#moved = false;
    if (state.extra[FOLLOWED_WORD] === 0) {
      if (frame.fieldBytes === 0) return OUTCOME.UNKNOWN_KEY;
      if (!this.#follow(frame)) return OUTCOME.ESCROW_INVALID;
    }
    if (!this.#chains.find(frame.end, frame.ratchetKey)) {
      if (frame.sender === frame.initiator) {
        // Its chain is the one that this end began when it last turned.
        if (!sameKey(state.ourPublic, frame.ratchetKey)) return OUTCOME.UNKNOWN_KEY;
        this.#chains.begin(frame.ratchetKey, state.sendChain);
      } else {
        this.#turnHeader.set(frame.ratchetKey);
        const turn = this.#ratchet.stepReceiving(state, this.#turnHeader, SKIP_LIMIT, NO_SKIPPED);
        if (turn !== 0) return OUTCOME.AUTH_FAILED;
        this.#moved = true;
        this.#chains.begin(frame.ratchetKey, this.#ratchet.turnedChain);
      }
    }
    if (!this.#chains.stepTo(frame.n)) return OUTCOME.TOO_FAR;
    out.set(this.#symmetric.messageKey);
    return 0;
  }

  opened(frame: EvidenceFrame): void {
    this.#chains.keep();
    if (this.#moved) this.#records.store(frame.session, this.#state.words);
  }

  /** Opens the field and takes the first step of the end that sealed it. */
  #follow(frame: EvidenceFrame): boolean {
    if (frame.fieldBytes !== SEALED_BYTES + this.#seal.overheadBytes) return false;
    const info = this.#info.of(frame.session, frame.sender, 0);
    if (!this.#seal.open(this.#opened, this.#secret, info, frame.ofChain(), frame.field)) {
      return false;
    }
    const prekey = this.#opened.subarray(PREKEY_AT);
    const state = this.#state;
    this.#seed.set(this.#opened.subarray(0, SEED_BYTES));
    this.#ratchet.initInitiator(state, this.#opened.subarray(SEED_BYTES, PREKEY_AT), prekey);
    state.extra[FOLLOWED_WORD] = 1;
    this.#moved = true;
    return sameKey(state.ourPublic, frame.ratchetKey);
  }
}

function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  let different = 0;
  for (let i = 0; i < 32; i++) different |= a[i]! ^ b[i]!;
  return different === 0;
}

/**
 * E7: the generator of a session's ratchet keys sealed to an authority, once per session. The cheapest
 * design that works, and the one that takes post-compromise security from everybody: whoever gets the
 * seed, from the authority or from the device, follows the session to its end.
 */
const escrowSeed: Pipeline = {
  name: 'escrow-seed',
  title: 'Double Ratchet whose key seed is sealed to an authority, once per session',
  family: 'escrow-wrapped',
  rung: 'E7',
  removes:
    'end-to-end custody, and post-compromise security for all: one key, or one seized seed, opens the rest of a session',
  specs: [
    'X3DH revision 1 (2016-11-04), sections 3.1 to 3.4',
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5; revision 1 (2016-11-20), section 5.2',
    'RFC 9180 section 6.1, base mode, DHKEM(X25519, HKDF-SHA256); section 7.1.3, DeriveKeyPair',
  ],
  caveats: [
    'Only the end that opens a session complies: its private ratchet keys and the other end’s public ones give every agreement.',
    'The authority must have seen every chain since the field: a chain whose frames the relay lost ends the recovery of that session.',
    'The receiver checks neither that the field is there nor what it opens to.',
  ],
  options: ESCROW_OPTIONS,
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const { provider, randomness, options } = setup;
    const seal = openField(provider, randomness, options);
    const { publicKey, secret } = publishAuthorityKey(setup, seal);
    const info = new FieldInfo(FIELD_TYPE);
    const keys = new SeededKeys(provider);
    const sealed = new Uint8Array(SEALED_BYTES);
    const field = new SessionField(
      FIELD_TYPE,
      SEALED_BYTES + seal.overheadBytes,
      (out, source, sk) => {
        sealed.set(keys.last);
        sealed.set(sk, SEED_BYTES);
        sealed.set(source.state.theirPublic, PREKEY_AT);
        const { session, sender } = source;
        seal.seal(out, publicKey, info.of(session, sender, 0), source.ofChain(), sealed);
        sealed.fill(0);
      },
      { words: SEED_WORDS, newSecret: newSecretOf(keys, randomness) },
    );
    const ends = openEscrowEnds(setup, field);
    return { ...carry(setup, ends), authority: [secret], directory: ends.accounts.directory };
  },
  openRelay: openCarrierRelay,
  openAuthority: (opening) => new RatchetAuthority(opening, new SeedRecovery(opening)),
};

export default escrowSeed;
