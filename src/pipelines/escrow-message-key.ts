import { EMPTY, equalBytes, utf8 } from '../core/bytes.ts';
import { HarnessError } from '../core/errors.ts';
import { AEAD_TAG_BYTES, type Aead, type Provider } from '../crypto/provider.ts';
import { FIELD_SECRET_BYTES, type FieldSeal, type FieldSecret } from '../protocols/field-kem.ts';
import { IDENTITY_BYTES } from '../protocols/x3dh.ts';
import type { RatchetState } from '../protocols/double-ratchet.ts';
import { carry, chosenAead, openCarrierRelay } from './_carrier.ts';
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
import { ratchetMemory, SKIP_LIMIT } from './_ratchet-ends.ts';
import {
  OUTCOME,
  type AuthorityOpening,
  type Pipeline,
  type Setup,
  type World,
} from './_pipeline.ts';

export const FIELD_TYPE = 3;
const MESSAGE_KEY_BYTES = 32;
const SEED_INFO = utf8('esc-eph');

/** Seals the encryption key of each message to the authority. */
class MessageKeyField implements EscrowField {
  readonly type = FIELD_TYPE;
  readonly verify?: (field: Uint8Array, source: FieldSource) => boolean;
  readonly #provider: Provider;
  readonly #seal: FieldSeal;
  readonly #authorityPublic: Uint8Array;
  readonly #isVerifiable: boolean;
  readonly #fieldBytes: number;
  readonly #seed = new Uint8Array(FIELD_SECRET_BYTES);
  readonly #expected: Uint8Array;
  readonly #info = new FieldInfo(FIELD_TYPE);

  constructor({ provider, options }: Setup, seal: FieldSeal, authorityPublic: Uint8Array) {
    this.#provider = provider;
    this.#seal = seal;
    this.#authorityPublic = authorityPublic;
    this.#isVerifiable = options['verifiable'] === 'yes';
    this.#fieldBytes = MESSAGE_KEY_BYTES + seal.overheadBytes;
    this.#expected = new Uint8Array(this.#fieldBytes);
    if (this.#isVerifiable) this.verify = (field, source) => this.#isHonest(field, source);
  }

  bytes(): number {
    return this.#fieldBytes;
  }

  write(out: Uint8Array, source: FieldSource): void {
    const info = this.#info.of(source.session, source.sender, source.n);
    const bound = source.ofMessage();
    const key = source.encryptionKey;
    if (!this.#isVerifiable) {
      this.#seal.seal(out, this.#authorityPublic, info, bound, key);
      return;
    }
    // E3v: who has the message key makes the same field again.
    this.#provider.hkdfSha256(this.#seed, EMPTY, key, SEED_INFO);
    this.#seal.sealWith(out, this.#seed, this.#authorityPublic, info, bound, key);
    this.#seed.fill(0);
  }

  fits(_n: number, length: number): boolean {
    return length === this.#fieldBytes;
  }

  #isHonest(field: Uint8Array, source: FieldSource): boolean {
    this.write(this.#expected, source);
    return equalBytes(field, this.#expected);
  }
}

/** Opens the key of each message by itself. */
class MessageKeyRecovery implements KeyRecovery {
  readonly #seal: FieldSeal;
  readonly #secret: FieldSecret;
  readonly #info = new FieldInfo(FIELD_TYPE);

  constructor({ provider, options, secrets }: AuthorityOpening) {
    this.#seal = openField(provider, undefined, options);
    this.#secret = this.#seal.prepareSecret(secrets[0]!);
  }

  encryptionKey(frame: EvidenceFrame, out: Uint8Array): number {
    if (frame.fieldBytes !== MESSAGE_KEY_BYTES + this.#seal.overheadBytes) {
      return OUTCOME.ESCROW_INVALID;
    }
    const info = this.#info.of(frame.session, frame.sender, frame.n);
    const isOpen = this.#seal.open(out, this.#secret, info, frame.ofMessage(), frame.field);
    return isOpen ? 0 : OUTCOME.ESCROW_INVALID;
  }
}

/** wk_n: each wraps the key of one message, and steps to the next. */
const WRAP_KEY_BYTES = 32;
const WRAP_KEY_WORDS: number = WRAP_KEY_BYTES / 4;
const WRAPPED_BYTES: number = MESSAGE_KEY_BYTES + AEAD_TAG_BYTES;
const NEXT_WRAP_KEY = Uint8Array.of(0x02);
/** Each wrap key seals once, so the nonce is constant. */
const NONCE = new Uint8Array(12);

/** wk_0 of a chain out of the KEM's secret, bound to the session, its ends and the chain. */
class FirstWrapKey {
  readonly #provider: Provider;
  readonly #info = new FieldInfo(FIELD_TYPE);
  readonly #bound: Uint8Array;
  readonly #infoBytes: number;

  constructor(provider: Provider) {
    this.#provider = provider;
    this.#infoBytes = this.#info.of(0, 0, 0).length;
    this.#bound = new Uint8Array(this.#infoBytes + 2 * IDENTITY_BYTES + 32);
  }

  /**
   * @param sharedSecret Erased.
   * @param ofChain Both identities and the ratchet key.
   */
  derive(
    out: Uint8Array,
    sharedSecret: Uint8Array,
    session: number,
    sender: number,
    ofChain: Uint8Array,
  ): void {
    this.#bound.set(this.#info.of(session, sender, 0));
    this.#bound.set(ofChain, this.#infoBytes);
    this.#provider.hkdfSha256(out, EMPTY, sharedSecret, this.#bound);
    sharedSecret.fill(0);
  }
}

/**
 * E3b: one encapsulation per chain, and per message one AEAD under a key that then steps on. A seized
 * device gives wk_n, which opens no earlier field of the chain; an HPKE context kept in its place
 * would open all of them.
 */
class ContextField implements EscrowField {
  readonly type = FIELD_TYPE;
  readonly stateWords = WRAP_KEY_WORDS;
  readonly #provider: Provider;
  readonly #aead: Aead;
  readonly #seal: FieldSeal;
  readonly #authorityPublic: Uint8Array;
  readonly #firstWrapKey: FirstWrapKey;
  readonly #repetition: FieldRepetition;
  readonly #sharedSecret = new Uint8Array(FIELD_SECRET_BYTES);
  readonly #wrapKeyWords = new Uint32Array(WRAP_KEY_WORDS);
  readonly #wrapKey = new Uint8Array(this.#wrapKeyWords.buffer);
  readonly #nextWords = new Uint32Array(WRAP_KEY_WORDS);
  readonly #next = new Uint8Array(this.#nextWords.buffer);

  constructor(setup: Setup, seal: FieldSeal, authorityPublic: Uint8Array) {
    const { provider, options, members } = setup;
    this.#provider = provider;
    this.#aead = chosenAead(provider, options);
    this.#seal = seal;
    this.#authorityPublic = authorityPublic;
    this.#firstWrapKey = new FirstWrapKey(provider);
    this.#repetition = new FieldRepetition(options, seal.encBytes, members.sessions * 2);
  }

  bytes(state: RatchetState, end: number): number {
    const encBytes = state.sent === 0 ? this.#seal.encBytes : this.#repetition.bytes(end);
    return encBytes + WRAPPED_BYTES;
  }

  /** One AEAD seal and one HMAC; on the first frame of a chain an encapsulation and an HKDF more. */
  write(out: Uint8Array, source: FieldSource): void {
    const { extra } = source.state;
    const words = this.#wrapKeyWords;
    const isLong = out.length > WRAPPED_BYTES;
    if (source.n === 0) this.#begin(out.subarray(0, this.#seal.encBytes), source);
    else {
      for (let i = 0; i < WRAP_KEY_WORDS; i++) words[i] = extra[i]!;
      if (isLong) this.#repetition.write(source.end, out);
    }
    const wrapped = isLong ? out.subarray(out.length - WRAPPED_BYTES) : out;
    this.#aead.seal(wrapped, this.#wrapKey, NONCE, source.ofMessage(), source.encryptionKey);
    this.#provider.hmacSha256(this.#next, this.#wrapKey, NEXT_WRAP_KEY);
    for (let i = 0; i < WRAP_KEY_WORDS; i++) {
      extra[i] = this.#nextWords[i]!;
      words[i] = 0;
    }
  }

  fits(n: number, length: number): boolean {
    const encBytes = length - WRAPPED_BYTES;
    return (
      (encBytes === 0 || encBytes === this.#seal.encBytes) && this.#repetition.fits(n, encBytes > 0)
    );
  }

  acknowledge(end: number): void {
    this.#repetition.acknowledge(end);
  }

  /** What it repeats; the wrap key is a part of the session's state. */
  export(end: number): Uint8Array {
    return this.#repetition.export(end);
  }

  /** Leaves wk_0 of a new chain in `#wrapKey`. */
  #begin(enc: Uint8Array, source: FieldSource): void {
    this.#seal.encapsulate(enc, this.#sharedSecret, this.#authorityPublic);
    const { session, sender } = source;
    const secret = this.#sharedSecret;
    this.#firstWrapKey.derive(this.#wrapKey, secret, session, sender, source.ofChain());
    this.#repetition.keep(source.end, enc);
  }
}

/** Decapsulates once per chain and steps the wrap key to the message. */
class ContextRecovery implements KeyRecovery {
  readonly #seal: FieldSeal;
  readonly #secret: FieldSecret;
  readonly #aead: Aead;
  readonly #firstWrapKey: FirstWrapKey;
  readonly #chains: ChainFollower;
  readonly #repetition: FieldRepetition;
  readonly #sharedSecret = new Uint8Array(FIELD_SECRET_BYTES);
  /** Of the message at hand. */
  readonly #wrapKey = new Uint8Array(WRAP_KEY_BYTES);

  constructor({ provider, options, secrets, members }: AuthorityOpening) {
    this.#seal = openField(provider, undefined, options);
    this.#secret = this.#seal.prepareSecret(secrets[0]!);
    this.#aead = chosenAead(provider, options);
    this.#firstWrapKey = new FirstWrapKey(provider);
    const next = new Uint8Array(WRAP_KEY_BYTES);
    this.#chains = new ChainFollower(members.sessions * 2, (wrapKey) => {
      this.#wrapKey.set(wrapKey);
      provider.hmacSha256(next, wrapKey, NEXT_WRAP_KEY);
      wrapKey.set(next);
    });
    this.#repetition = new FieldRepetition(options, 0, 0);
  }

  encryptionKey(frame: EvidenceFrame, out: Uint8Array): number {
    const encBytes = frame.fieldBytes - WRAPPED_BYTES;
    const hasEnc = encBytes === this.#seal.encBytes;
    if ((!hasEnc && encBytes !== 0) || !this.#repetition.fits(frame.n, hasEnc)) {
      return OUTCOME.ESCROW_INVALID;
    }
    const { field } = frame;
    if (!this.#chains.find(frame.end, frame.ratchetKey)) {
      if (!hasEnc) return OUTCOME.UNKNOWN_KEY;
      if (!this.#begin(frame, field.subarray(0, encBytes))) return OUTCOME.ESCROW_INVALID;
    }
    if (!this.#chains.stepTo(frame.n)) return OUTCOME.TOO_FAR;
    const wrapped = field.subarray(encBytes);
    const isOpen = this.#aead.open(out, this.#wrapKey, NONCE, frame.ofMessage(), wrapped);
    return isOpen ? 0 : OUTCOME.ESCROW_INVALID;
  }

  opened(): void {
    this.#chains.keep();
  }

  #begin(frame: EvidenceFrame, enc: Uint8Array): boolean {
    if (!this.#seal.decapsulate(this.#sharedSecret, this.#secret, enc)) return false;
    const { session, sender } = frame;
    const secret = this.#sharedSecret;
    this.#firstWrapKey.derive(this.#wrapKey, secret, session, sender, frame.ofChain());
    this.#chains.begin(frame.ratchetKey, this.#wrapKey);
    return true;
  }
}

/**
 * The field of the clients, as the options say.
 *
 * @throws HarnessError UNSUPPORTED for options that exclude each other, or when the provider's KEM
 *   takes no randomness and the field must be made again.
 */
function openMessageKeyField(
  setup: Setup,
  seal: FieldSeal,
  authorityPublic: Uint8Array,
): EscrowField {
  const { provider, options } = setup;
  const isVerifiable = options['verifiable'] === 'yes';
  if (isVerifiable) requireRecomputable(provider, seal);
  if (options['context'] === 'yes') {
    if (isVerifiable) throw new HarnessError('UNSUPPORTED', CONTEXT_VERIFIABLE);
    return new ContextField(setup, seal, authorityPublic);
  }
  if (options['repeat'] !== 'none') throw new HarnessError('UNSUPPORTED', REPEAT_ALONE);
  return new MessageKeyField(setup, seal, authorityPublic);
}

const CONTEXT_VERIFIABLE =
  'escrow-message-key has no verifiable=yes with context=yes: the receiver would have to follow the wrap keys of every chain and keep one for each message that it passes over; choose one of the two';
const REPEAT_ALONE =
  'escrow-message-key has nothing to repeat without context=yes, because every frame has a field of its own: choose repeat=none or context=yes';

/** How the authority comes by keys. */
export function openMessageKeyRecovery(opening: AuthorityOpening): KeyRecovery {
  return opening.options['context'] === 'yes'
    ? new ContextRecovery(opening)
    : new MessageKeyRecovery(opening);
}

/**
 * E3: a Double Ratchet whose sender seals the key of each message to an authority: what the authority
 * discloses can be as little as one message.
 */
const escrowMessageKey: Pipeline = {
  name: 'escrow-message-key',
  title: 'Double Ratchet with each message key sealed to an authority',
  family: 'escrow-wrapped',
  rung: 'E3',
  removes: 'end-to-end custody: one key opens every message of everyone',
  specs: [
    'X3DH revision 1 (2016-11-04), sections 3.1 to 3.4',
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5; revision 1 (2016-11-20), section 5.2',
    'RFC 9180 section 6.1, base mode, and with context=yes section 4.1, DHKEM(X25519, HKDF-SHA256); with field=x-wing draft-connolly-cfrg-xwing-kem-10',
  ],
  caveats: [
    'Without verifiable=yes the receiver checks that a field is there and unchanged, not what it opens to. With it one end that seals another key is caught, and two ends that agree are not.',
    'With context=yes and repeat=none only the first frame of a chain has what opens the fields of the chain: if it is lost on its way to the relay, the authority cannot read the chain. With until-relay-ack it cannot if the relay stores the frame and loses it before evidence is taken.',
    'With context=yes an authority whose evidence of a chain begins more than 1000 messages into it reads nothing of that chain.',
  ],
  options: {
    ...ESCROW_OPTIONS,
    context: {
      title:
        'yes: one encapsulation per chain, and per message one AEAD under a key that steps on; no: a seal by itself per message',
      values: ['no', 'yes'],
      default: 'no',
    },
    repeat: REPEAT_OPTION,
    verifiable: VERIFIABLE_OPTION,
  },
  memory: ratchetMemory,
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const { provider, randomness, options } = setup;
    const seal = openField(provider, randomness, options);
    const { publicKey, secret } = publishAuthorityKey(setup, seal);
    const ends = openEscrowEnds(setup, openMessageKeyField(setup, seal, publicKey));
    return { ...carry(setup, ends), authority: [secret], directory: ends.accounts.directory };
  },
  openRelay: openCarrierRelay,
  openAuthority: (opening) => new RatchetAuthority(opening, openMessageKeyRecovery(opening)),
};

export default escrowMessageKey;
