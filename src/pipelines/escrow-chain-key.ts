import { concatBytes, EMPTY, equalBytes, getUint32, utf8 } from '../core/bytes.ts';
import { HarnessError } from '../core/errors.ts';
import { PackedRecords } from '../core/packed.ts';
import type { Provider } from '../crypto/provider.ts';
import type { RatchetState } from '../protocols/double-ratchet.ts';
import { FIELD_SECRET_BYTES, type FieldSeal, type FieldSecret } from '../protocols/field-kem.ts';
import { SymmetricChain } from '../protocols/symmetric-chain.ts';
import { carry, openCarrierRelay } from './_carrier.ts';
import { ChainFollower } from './_chain-follower.ts';
import { RatchetAuthority, type EvidenceFrame, type KeyRecovery } from './_escrow-authority.ts';
import { FieldInfo, type EscrowField, type FieldSource } from './_escrow-field.ts';
import {
  ESCROW_OPTIONS,
  openEscrowEnds,
  openField,
  publishAuthorityKey,
} from './_escrow-ratchet.ts';
import { FieldRepetition, REPEAT_OPTION } from './_escrow-repeat.ts';
import { requireRecomputable, VERIFIABLE_OPTION } from './_escrow-verifiable.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';
import {
  OUTCOME,
  type AuthorityOpening,
  type Pipeline,
  type Setup,
  type World,
} from './_pipeline.ts';

const FIELD_TYPE = 2;
const CHAIN_KEY_BYTES = 32;
const SEED_INFO = utf8('sealbench escrowed chain encapsulation');

/** Seals `source.chainKey`, for the chain that the source's header names. */
type SealKey = (out: Uint8Array, source: FieldSource) => void;

/** With fresh randomness. */
function freshSealKey(seal: FieldSeal, authorityPublic: Uint8Array): SealKey {
  const infos = new FieldInfo(FIELD_TYPE);
  return (out, source) => {
    const info = infos.of(source.session, source.sender, 0);
    seal.seal(out, authorityPublic, info, source.ofChain(), source.chainKey);
  };
}

/** With randomness out of the chain key: who has that key makes the same field again. */
function derivedSealKey(provider: Provider, seal: FieldSeal, authorityPublic: Uint8Array): SealKey {
  const infos = new FieldInfo(FIELD_TYPE);
  const seed = new Uint8Array(FIELD_SECRET_BYTES);
  return (out, source) => {
    provider.hkdfSha256(seed, EMPTY, source.chainKey, SEED_INFO);
    const info = infos.of(source.session, source.sender, 0);
    seal.sealWith(out, seed, authorityPublic, info, source.ofChain(), source.chainKey);
    seed.fill(0);
  };
}

/**
 * Seals the first key of each sending chain to the authority, on the chain's first frame and on those
 * that repeat it.
 */
class ChainKeyField implements EscrowField {
  readonly type = FIELD_TYPE;
  readonly stateWords: number;
  readonly verify?: (field: Uint8Array, source: FieldSource) => boolean;
  readonly #sealKey: SealKey;
  readonly #sealedBytes: number;
  readonly #repetition: FieldRepetition;

  constructor(
    { options, members }: Setup,
    sealKey: SealKey,
    sealedBytes: number,
    expected?: ExpectedFields,
  ) {
    this.#sealKey = sealKey;
    this.#sealedBytes = sealedBytes;
    this.#repetition = new FieldRepetition(options, sealedBytes, members.sessions * 2);
    this.stateWords = expected === undefined ? 0 : EXPECTED_WORDS;
    if (expected !== undefined) this.verify = expected.verify.bind(expected);
  }

  bytes(state: RatchetState, end: number): number {
    return state.sent === 0 ? this.#sealedBytes : this.#repetition.bytes(end);
  }

  write(out: Uint8Array, source: FieldSource): void {
    if (source.n > 0) {
      this.#repetition.write(source.end, out);
    } else {
      this.#sealKey(out, source);
      this.#repetition.keep(source.end, out);
    }
  }

  fits(n: number, length: number): boolean {
    const isThere = length > 0;
    return (!isThere || length === this.#sealedBytes) && this.#repetition.fits(n, isThere);
  }

  acknowledge(end: number): void {
    this.#repetition.acknowledge(end);
  }

  export(end: number): Uint8Array {
    return this.#repetition.export(end);
  }
}

/** Of two chains the hash of the expected field, then of both the first word of the ratchet key. */
const HASH_WORDS = 8;
const ID_WORD: number = 2 * HASH_WORDS;
const EXPECTED_WORDS: number = ID_WORD + 2;

/**
 * E2v at the receiver, who has the chain key and so makes the field again. It does so when its ratchet
 * turns, whichever frame of the chain that is, and keeps a hash for the frames that repeat the field
 * or come late.
 *
 * Kept are the hashes of the newest two chains. A field of an older one is not looked at: that the
 * receiver has keys of that chain is because it turned, and what the frame that turned it carried was
 * looked at.
 */
class ExpectedFields {
  readonly #provider: Provider;
  readonly #sealKey: SealKey;
  readonly #expected: Uint8Array;
  readonly #hash = new Uint8Array(32);
  readonly #hashWords = new Uint32Array(this.#hash.buffer);

  constructor(provider: Provider, sealKey: SealKey, sealedBytes: number) {
    this.#provider = provider;
    this.#sealKey = sealKey;
    this.#expected = new Uint8Array(sealedBytes);
  }

  verify(field: Uint8Array, source: FieldSource): boolean {
    const { extra, theirPublic } = source.state;
    const id = getUint32(source.header, 0);
    if (source.turned) {
      this.#sealKey(this.#expected, source);
      if (field.length > 0 && !equalBytes(field, this.#expected)) return false;
      extra.copyWithin(HASH_WORDS, 0, HASH_WORDS);
      extra[ID_WORD + 1] = extra[ID_WORD]!;
      this.#provider.sha256(this.#hash, this.#expected);
      extra.set(this.#hashWords);
      extra[ID_WORD] = id;
      return true;
    }
    if (field.length === 0) return true;
    const isNewest = equalBytes(source.header.subarray(0, 32), theirPublic);
    if (!isNewest && id !== extra[ID_WORD + 1]) return true;
    this.#provider.sha256(this.#hash, field);
    const at = isNewest ? 0 : HASH_WORDS;
    return this.#hashWords.every((word, i) => word === extra[at + i]);
  }
}

/** What the chains of an end carry, with `both`. */
const CARRIES_NONE = 0;
/** The first chain of the end that complies, which answers nothing. */
const CARRIES_OWN = 1;
/** Its own key and that of the chain that it answers. */
const CARRIES_BOTH = 2;

/**
 * Only the end that opened the session complies, and escrows both directions: when the other end's
 * chain begins it seals that chain's first key too, at once, so that only sealed bytes wait for its
 * next frame.
 */
class BothChainKeysField implements EscrowField {
  readonly type = FIELD_TYPE;
  readonly #sealKey: SealKey;
  readonly #sealedBytes: number;
  readonly #repetition: FieldRepetition;
  readonly #carries: Uint8Array;
  /** Of each end: the sealed first key of the chain that it will answer. */
  readonly #answered: PackedRecords;
  readonly #words: Uint32Array;
  readonly #sealed: Uint8Array;

  constructor({ options, members }: Setup, sealKey: SealKey, sealedBytes: number) {
    const ends = members.sessions * 2;
    this.#sealKey = sealKey;
    this.#sealedBytes = sealedBytes;
    this.#repetition = new FieldRepetition(options, 2 * sealedBytes, ends);
    this.#carries = new Uint8Array(ends);
    this.#answered = new PackedRecords(sealedBytes, ends);
    this.#words = new Uint32Array(sealedBytes / 4);
    this.#sealed = new Uint8Array(this.#words.buffer);
  }

  begin(source: FieldSource): void {
    if (source.isInitiator) this.#carries[source.end] = CARRIES_OWN;
  }

  bytes(state: RatchetState, end: number): number {
    return state.sent === 0 ? this.#carries[end]! * this.#sealedBytes : this.#repetition.bytes(end);
  }

  write(out: Uint8Array, source: FieldSource): void {
    const { end } = source;
    if (source.n > 0) {
      this.#repetition.write(end, out);
      return;
    }
    this.#sealKey(out.subarray(0, this.#sealedBytes), source);
    if (out.length > this.#sealedBytes) {
      this.#answered.load(end, this.#words);
      out.set(this.#sealed, this.#sealedBytes);
    }
    this.#repetition.keep(end, out);
  }

  fits(n: number, length: number, fromInitiator: boolean): boolean {
    if (!fromInitiator) return length === 0;
    const keys = length / this.#sealedBytes;
    return (keys === 0 || keys === 1 || keys === 2) && this.#repetition.fits(n, keys > 0);
  }

  /** Nothing is verified: the chain that a frame of the other end began is sealed. */
  verify(_field: Uint8Array, source: FieldSource): boolean {
    if (source.isInitiator && source.turned) {
      this.#sealKey(this.#sealed, source);
      this.#answered.store(source.end, this.#words);
      this.#carries[source.end] = CARRIES_BOTH;
    }
    return true;
  }

  acknowledge(end: number): void {
    this.#repetition.acknowledge(end);
  }

  export(end: number): Uint8Array {
    if (this.#carries[end] === CARRIES_NONE) return EMPTY;
    return concatBytes(this.#repetition.export(end), this.#answered.view(end));
  }
}

/**
 * The field of the clients, as the options say.
 *
 * @throws HarnessError UNSUPPORTED for options that exclude each other, or when the provider's KEM
 *   takes no randomness and the field must be made again.
 */
function openChainKeyField(
  setup: Setup,
  seal: FieldSeal,
  authorityPublic: Uint8Array,
): EscrowField {
  const { provider, options } = setup;
  const sealedBytes = CHAIN_KEY_BYTES + seal.overheadBytes;
  const isVerifiable = options['verifiable'] === 'yes';
  if (options['both'] === 'yes') {
    if (isVerifiable) throw new HarnessError('UNSUPPORTED', BOTH_VERIFIABLE);
    return new BothChainKeysField(setup, freshSealKey(seal, authorityPublic), sealedBytes);
  }
  if (!isVerifiable) {
    return new ChainKeyField(setup, freshSealKey(seal, authorityPublic), sealedBytes);
  }
  requireRecomputable(provider, seal);
  const sealKey = derivedSealKey(provider, seal, authorityPublic);
  const expected = new ExpectedFields(provider, sealKey, sealedBytes);
  return new ChainKeyField(setup, sealKey, sealedBytes, expected);
}

const BOTH_VERIFIABLE =
  'escrow-chain-key has no verifiable=yes with both=yes, which lets the other end run any client, so that nobody verifies: choose one of the two';

/** Sealed keys of answered chains that an authority keeps per session, with `both`. */
const ANSWERED_KEPT = 2;

/**
 * Opens the first key of each chain, once, and steps it to the message.
 *
 * With `both`, a message of the end that does not comply opens only after a frame of the other end
 * that answers it: until then `encryptionKey` says UNKNOWN_KEY, and the authority comes back to the
 * frame later. What lies sealed in the answer is opened when a frame asks for it, because only that
 * frame names the chain.
 */
class ChainKeyRecovery implements KeyRecovery {
  readonly #seal: FieldSeal;
  readonly #secret: FieldSecret;
  readonly #symmetric: SymmetricChain;
  readonly #chains: ChainFollower;
  readonly #repetition: FieldRepetition;
  readonly #sealedBytes: number;
  readonly #firstKey = new Uint8Array(CHAIN_KEY_BYTES);
  readonly #info = new FieldInfo(FIELD_TYPE);
  /** With `both`, per session: sealed keys out of the newest answers, the newest first. */
  readonly #answers: PackedRecords | undefined;
  readonly #words: Uint32Array;
  readonly #sealed: Uint8Array;

  constructor({ provider, options, secrets, members }: AuthorityOpening) {
    this.#seal = openField(provider, undefined, options);
    this.#secret = this.#seal.prepareSecret(secrets[0]!);
    this.#symmetric = new SymmetricChain(provider);
    const ends = members.sessions * 2;
    this.#chains = new ChainFollower(ends, (chain) => this.#symmetric.step(chain));
    this.#sealedBytes = CHAIN_KEY_BYTES + this.#seal.overheadBytes;
    this.#repetition = new FieldRepetition(options, 0, 0);
    this.#answers =
      options['both'] === 'yes'
        ? new PackedRecords(this.#sealedBytes, members.sessions * ANSWERED_KEPT)
        : undefined;
    this.#words = new Uint32Array(this.#sealedBytes / 4);
    this.#sealed = new Uint8Array(this.#words.buffer);
  }

  encryptionKey(frame: EvidenceFrame, out: Uint8Array): number {
    if (!this.#fits(frame)) return OUTCOME.ESCROW_INVALID;
    if (!this.#chains.find(frame.end, frame.ratchetKey)) {
      if (frame.fieldBytes > 0) {
        if (!this.#open(frame, frame.field.subarray(0, this.#sealedBytes))) {
          return OUTCOME.ESCROW_INVALID;
        }
      } else if (!this.#openAnswer(frame)) {
        return OUTCOME.UNKNOWN_KEY;
      }
      this.#chains.begin(frame.ratchetKey, this.#firstKey);
    }
    if (!this.#chains.stepTo(frame.n)) return OUTCOME.TOO_FAR;
    out.set(this.#symmetric.messageKey);
    return 0;
  }

  opened(frame: EvidenceFrame): void {
    this.#chains.keep();
    if (frame.fieldBytes > this.#sealedBytes) this.#keepAnswer(frame);
  }

  /** Whether a frame with this N may have a field of this length. */
  #fits({ n, fieldBytes, sender, initiator }: EvidenceFrame): boolean {
    const sealed = this.#sealedBytes;
    if (this.#answers !== undefined) {
      if (sender !== initiator) return fieldBytes === 0;
      if (fieldBytes === 2 * sealed) return this.#repetition.fits(n, true);
    }
    return (fieldBytes === 0 || fieldBytes === sealed) && this.#repetition.fits(n, fieldBytes > 0);
  }

  /** Leaves CK_0 of the frame's chain in `#firstKey`. */
  #open(frame: EvidenceFrame, sealed: Uint8Array): boolean {
    const info = this.#info.of(frame.session, frame.sender, 0);
    return this.#seal.open(this.#firstKey, this.#secret, info, frame.ofChain(), sealed);
  }

  /** The same, out of what the other end sealed when it answered. */
  #openAnswer(frame: EvidenceFrame): boolean {
    if (this.#answers === undefined) return false;
    const first = frame.session * ANSWERED_KEPT;
    for (let slot = first; slot < first + ANSWERED_KEPT; slot++) {
      this.#answers.load(slot, this.#words);
      if (this.#words.some((word) => word !== 0) && this.#open(frame, this.#sealed)) return true;
    }
    return false;
  }

  #keepAnswer({ session, field }: EvidenceFrame): void {
    const sealed = field.subarray(this.#sealedBytes);
    const answers = this.#answers!;
    const first = session * ANSWERED_KEPT;
    for (let slot = first; slot < first + ANSWERED_KEPT; slot++) {
      answers.load(slot, this.#words);
      if (equalBytes(this.#sealed, sealed)) return; // Repeated.
    }
    for (let slot = first + ANSWERED_KEPT - 1; slot > first; slot--) {
      answers.load(slot - 1, this.#words);
      answers.store(slot, this.#words);
    }
    this.#sealed.set(sealed);
    answers.store(first, this.#words);
  }
}

/** How the authority comes by keys. */
export function openChainKeyRecovery(opening: AuthorityOpening): KeyRecovery {
  return new ChainKeyRecovery(opening);
}

/**
 * E2: a Double Ratchet whose sender seals the first key of each sending chain to an authority, as
 * the Data Recovery Field of the 1990s did for session keys.
 */
const escrowChainKey: Pipeline = {
  name: 'escrow-chain-key',
  title: 'Double Ratchet with each chain key sealed to an authority',
  family: 'escrow-wrapped',
  rung: 'E2',
  removes: 'end-to-end custody: one key opens every chain of everyone',
  specs: [
    'X3DH revision 1 (2016-11-04), sections 3.1 to 3.4',
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5; revision 1 (2016-11-20), section 5.2',
    'RFC 9180 section 6.1, base mode, DHKEM(X25519, HKDF-SHA256); with field=x-wing draft-connolly-cfrg-xwing-kem-10',
  ],
  caveats: [
    'With repeat=none the field is on the first frame of a chain only: if that frame is lost on its way to the relay, the authority cannot read the chain. With until-relay-ack it cannot if the relay stores the frame and loses it before evidence is taken.',
    'Without verifiable=yes the receiver checks that a field is there and unchanged, not what it opens to.',
    'With verifiable=yes it catches one end that seals another key. It does not catch two ends that agree, nor, unless repeat=every-frame, one that withholds the first frame of each chain: a receiver cannot tell that from loss.',
    'With both=yes only the end that opened the session complies. What the other end sends opens only once the complying end has answered it, and nothing that it sends after the last answer.',
    'An authority whose evidence of a chain begins more than 1000 messages into it reads nothing of that chain.',
  ],
  options: {
    ...ESCROW_OPTIONS,
    repeat: REPEAT_OPTION,
    verifiable: VERIFIABLE_OPTION,
    both: {
      title:
        'whether the end that opened the session escrows both directions, and the other end none',
      values: ['no', 'yes'],
      default: 'no',
    },
  },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const { provider, randomness, options } = setup;
    const seal = openField(provider, randomness, options);
    const { publicKey, secret } = publishAuthorityKey(setup, seal);
    const ends = openEscrowEnds(setup, openChainKeyField(setup, seal, publicKey));
    return {
      ...carry(setup, ends),
      authority: [secret],
      directory: ends.accounts.directory,
      ...(options['both'] === 'yes' ? { answersLate: true } : {}),
    };
  },
  openRelay: openCarrierRelay,
  openAuthority: (opening) => new RatchetAuthority(opening, openChainKeyRecovery(opening)),
};

export default escrowChainKey;
