/**
 * The two ends of conversations with one symmetric chain per direction after X3DH, for all sessions
 * of a world.
 *
 * A frame:
 *
 * | bytes | what |
 * | --- | --- |
 * | 1 | form: bit 0 set when a handshake follows |
 * | 104 | handshake, X3DH revision 1 section 3.3: IKa 64, EKa 32, signed prekey id 4, one-time id 4 |
 * | 4 | N, the number of the message in its chain, big-endian |
 * | p + 16 | ciphertext and tag |
 *
 * Associated data: Encode(IKa) || Encode(IKb) || everything in front of the ciphertext. The initiator
 * repeats the handshake until the first reply.
 *
 * @module
 */

import { concatBytes, EMPTY, getUint32, putUint32, utf8 } from '../core/bytes.ts';
import { NONE } from '../core/packed.ts';
import type { Aead, Provider } from '../crypto/provider.ts';
import { CHAIN_KEY_BYTES, SymmetricChain } from '../protocols/symmetric-chain.ts';
import { IDENTITY_BYTES } from '../protocols/x3dh.ts';
import type { Accounts } from './_accounts.ts';
import { chosenAead, type EndToEnd } from './_carrier.ts';
import { openSessionRecords, type SessionRecords } from './_session-records.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';
import { SkippedStore } from './_skipped-store.ts';
import { ScratchViews } from './_views.ts';
import { HANDSHAKE_BYTES, X3dhSessions } from './_x3dh-sessions.ts';
import type { PackedMembers } from './_members.ts';
import {
  OUTCOME,
  type Outbox,
  type SeizedDevice,
  type SeizedSession,
  type Setup,
} from './_pipeline.ts';

const FORM_HANDSHAKE = 1;
const TAG_BYTES = 16;
/** Each message key seals once, so the nonce is constant: Double Ratchet section 3.1. */
const NONCE = new Uint8Array(12);
/** An end receives on one chain only, so its skipped keys need no label. */
const CHAIN_LABEL = new Uint8Array(32);
/** Message numbers stay below this, so that the number after each fits in 32 bits. */
const NUMBER_LIMIT = 0xffff_ffff;

const ZERO_SALT = new Uint8Array(32);
/** Of the HKDF that makes both chain keys out of SK, with a zero salt. */
export const CHAINS_INFO: Uint8Array = utf8('sealbench forward secrecy chains');

/** Two chain keys, EKa, and five words. */
export const CHAIN_STATE_BYTES: number = 3 * CHAIN_KEY_BYTES + 20;

/** The state of one end, as views of one small buffer. */
export class ChainState {
  readonly words: Uint32Array = new Uint32Array(CHAIN_STATE_BYTES / 4);
  readonly bytes: Uint8Array = new Uint8Array(this.words.buffer);
  readonly sendChain: Uint8Array = this.bytes.subarray(0, CHAIN_KEY_BYTES); // CKs
  readonly receiveChain: Uint8Array = this.bytes.subarray(CHAIN_KEY_BYTES, 2 * CHAIN_KEY_BYTES); // CKr
  /** EKa at the initiator's end. */
  readonly ephemeralPublic: Uint8Array = this.bytes.subarray(
    2 * CHAIN_KEY_BYTES,
    3 * CHAIN_KEY_BYTES,
  );

  get sent(): number {
    return this.words[24]!; // Ns
  }
  set sent(value: number) {
    this.words[24] = value;
  }
  get received(): number {
    return this.words[25]!; // Nr
  }
  set received(value: number) {
    this.words[25] = value;
  }
  get signedPrekeyId(): number {
    return this.words[26]!;
  }
  set signedPrekeyId(value: number) {
    this.words[26] = value;
  }
  get oneTimeId(): number {
    return this.words[27]!;
  }
  set oneTimeId(value: number) {
    this.words[27] = value;
  }
  get flags(): number {
    return this.words[28]!;
  }
  set flags(value: number) {
    this.words[28] = value;
  }
}

const IS_OPEN = 1;
const IS_INITIATOR = 2;
/** The initiator heard from the responder, which therefore has the handshake. */
const WAS_ANSWERED = 4;

export class ChainEnds implements EndToEnd {
  readonly #provider: Provider;
  readonly #aead: Aead;
  readonly #members: PackedMembers;
  readonly #sessions: X3dhSessions;
  readonly #chain: SymmetricChain;
  /** The initiator's chain, then the responder's. */
  readonly #chains = new Uint8Array(2 * CHAIN_KEY_BYTES);
  readonly #initiatorChain = this.#chains.subarray(0, CHAIN_KEY_BYTES);
  readonly #responderChain = this.#chains.subarray(CHAIN_KEY_BYTES);
  readonly #records: SessionRecords;
  readonly #state = new ChainState();
  readonly #skipped = new SkippedStore();
  readonly #skippedKey = new Uint8Array(CHAIN_KEY_BYTES);
  readonly #associated = new ScratchViews();
  readonly #views = new ScratchViews();

  constructor(setup: Setup) {
    this.#provider = setup.provider;
    this.#aead = chosenAead(setup.provider, setup.options);
    this.#members = setup.members;
    this.#sessions = new X3dhSessions(setup);
    this.#chain = new SymmetricChain(setup.provider);
    this.#records = openSessionRecords(
      setup.options,
      CHAIN_STATE_BYTES,
      setup.members.sessions * 2,
    );
  }

  get accounts(): Accounts {
    return this.#sessions.accounts;
  }

  publish(user: number, atMs: number, outbox: Outbox): void {
    this.accounts.publish(user, atMs, user, outbox);
  }

  initiate(session: number, member: number, bundle: Uint8Array, _atMs: number): number {
    const state = this.#state;
    const user = this.#members.user(session, member);
    const peer = this.#members.user(session, 1 - member);
    state.words.fill(0);
    const read = this.#sessions.initiate(user, peer, bundle, state.ephemeralPublic);
    if (read === undefined) return OUTCOME.AUTH_FAILED;
    this.#deriveChains();
    state.sendChain.set(this.#initiatorChain);
    state.receiveChain.set(this.#responderChain);
    state.signedPrekeyId = read.signedPrekeyId;
    state.oneTimeId = read.oneTimeId;
    state.flags = IS_OPEN | IS_INITIATOR;
    this.#records.store(session * 2 + member, state.words);
    return 0;
  }

  send(
    session: number,
    member: number,
    plaintext: Uint8Array,
    _atMs: number,
    outbox: Outbox,
  ): void {
    const end = session * 2 + member;
    const state = this.#state;
    this.#records.load(end, state.words);
    const { flags, sent } = state;
    if (flags === 0)
      throw new RangeError('"session" expected one that is open, got one that is not');
    if (sent === NUMBER_LIMIT) throw new RangeError('"session" expected one with numbers left');
    const pending = (flags & (IS_INITIATOR | WAS_ANSWERED)) === IS_INITIATOR;
    const numberAt = pending ? 1 + HANDSHAKE_BYTES : 1;
    const ciphertextAt = numberAt + 4;
    const length = ciphertextAt + plaintext.length + TAG_BYTES;
    const frame = outbox.reserve(length);

    frame[0] = pending ? FORM_HANDSHAKE : 0;
    if (pending) this.#sessions.write(frame, 1, this.#members.user(session, member), state);
    putUint32(frame, numberAt, sent);
    this.#chain.step(state.sendChain);
    state.sent = sent + 1;
    const aad = this.#bind(session, member, frame, ciphertextAt);
    const sealed = frame.subarray(ciphertextAt);
    this.#aead.seal(sealed, this.#chain.messageKey, NONCE, aad, plaintext);
    this.#records.store(end, state.words);
    outbox.emit(this.#members.user(session, 1 - member), 'message', length);
  }

  receive(
    session: number,
    member: number,
    frame: Uint8Array,
    _atMs: number,
    out: Uint8Array,
  ): number {
    if (frame.length < 1 || (frame[0]! & ~FORM_HANDSHAKE) !== 0) return OUTCOME.AUTH_FAILED;
    const hasHandshake = (frame[0]! & FORM_HANDSHAKE) !== 0;
    const numberAt = hasHandshake ? 1 + HANDSHAKE_BYTES : 1;
    const ciphertextAt = numberAt + 4;
    if (frame.length < ciphertextAt + TAG_BYTES) return OUTCOME.AUTH_FAILED;
    const n = getUint32(frame, numberAt);
    if (n === NUMBER_LIMIT) return OUTCOME.AUTH_FAILED;

    const end = session * 2 + member;
    const state = this.#state;
    this.#records.load(end, state.words);
    const isFirst = state.flags === 0;
    if (isFirst) {
      if (!hasHandshake) return OUTCOME.UNKNOWN_KEY;
      const outcome = this.#respond(session, member, frame);
      if (outcome < 0) return outcome;
    }
    if (n < state.received) return this.#openSkipped(session, member, n, frame, ciphertextAt, out);
    if (n - state.received > SKIP_LIMIT) return OUTCOME.TOO_FAR;

    this.#passOver(n);
    this.#chain.step(state.receiveChain);
    state.received = n + 1;
    const length = this.#open(this.#chain.messageKey, session, member, frame, ciphertextAt, out);
    if (length < 0) {
      this.#skipped.discard();
      return length;
    }
    if ((state.flags & IS_INITIATOR) !== 0) state.flags |= WAS_ANSWERED;
    this.#skipped.commit(end);
    this.#records.store(end, state.words);
    if (isFirst) this.#sessions.spend(this.#members.user(session, member), frame, 1);
    return length;
  }

  storedKeys(): number {
    return this.#skipped.stored;
  }

  snapshot(user: number): Uint8Array {
    const parts: Uint8Array[] = [this.accounts.secrets(user)];
    for (let end = 0; end < this.#members.users.length; end++) {
      if (this.#members.users[end] !== user) continue;
      parts.push(this.#records.read(end), this.#skipped.export(end));
    }
    return concatBytes(...parts);
  }

  seize(user: number): SeizedDevice {
    const { accounts } = this;
    const sessions: SeizedSession[] = [];
    for (let end = 0; end < this.#members.users.length; end++) {
      if (this.#members.users[end] !== user) continue;
      sessions.push({
        session: end >>> 1,
        member: end & 1,
        state: this.#records.read(end).slice(),
        underWay: EMPTY,
        skipped: this.#skipped.export(end),
      });
    }
    return { secrets: accounts.secrets(user), prekeys: accounts.unusedPrekeys(user), sessions };
  }

  keys(user: number): Uint8Array {
    return this.accounts.secrets(user);
  }

  /** Builds the responder's state from the handshake of a first frame. */
  #respond(session: number, member: number, frame: Uint8Array): number {
    const state = this.#state;
    const user = this.#members.user(session, member);
    const peer = this.#members.user(session, 1 - member);
    const outcome = this.#sessions.respond(user, peer, frame, 1);
    if (outcome < 0) return outcome;
    this.#deriveChains();
    state.sendChain.set(this.#responderChain);
    state.receiveChain.set(this.#initiatorChain);
    state.flags = IS_OPEN;
    return 0;
  }

  /** One HKDF: both chain keys from SK. */
  #deriveChains(): void {
    this.#provider.hkdfSha256(this.#chains, ZERO_SALT, this.#sessions.secret, CHAINS_INFO);
    this.#sessions.secret.fill(0);
  }

  /** SkipMessageKeys, Double Ratchet section 3.5, up to but not including message `until`. */
  #passOver(until: number): void {
    const state = this.#state;
    while (state.received < until) {
      this.#chain.step(state.receiveChain);
      this.#skipped.add(CHAIN_LABEL, state.received, this.#chain.messageKey);
      state.received += 1;
    }
  }

  #openSkipped(
    session: number,
    member: number,
    n: number,
    frame: Uint8Array,
    ciphertextAt: number,
    out: Uint8Array,
  ): number {
    const end = session * 2 + member;
    const id = this.#skipped.find(end, CHAIN_LABEL, n);
    if (id === NONE) return OUTCOME.DUPLICATE;
    this.#skipped.read(id, this.#skippedKey);
    const length = this.#open(this.#skippedKey, session, member, frame, ciphertextAt, out);
    if (length >= 0) this.#skipped.remove(end, id);
    return length;
  }

  #open(
    messageKey: Uint8Array,
    session: number,
    member: number,
    frame: Uint8Array,
    ciphertextAt: number,
    out: Uint8Array,
  ): number {
    const aad = this.#bind(session, member, frame, ciphertextAt);
    const ciphertext = frame.subarray(ciphertextAt);
    const plaintext = this.#views.take(ciphertext.length - TAG_BYTES);
    if (!this.#aead.open(plaintext, messageKey, NONCE, aad, ciphertext)) return OUTCOME.AUTH_FAILED;
    out.set(plaintext);
    return plaintext.length;
  }

  /** The associated data of a frame, for the loaded state. Valid until the next call. */
  #bind(session: number, member: number, frame: Uint8Array, ciphertextAt: number): Uint8Array {
    const isInitiator = (this.#state.flags & IS_INITIATOR) !== 0;
    const initiator = isInitiator ? member : 1 - member;
    const out = this.#associated.take(2 * IDENTITY_BYTES + ciphertextAt);
    this.#copyIdentity(out, 0, this.#members.user(session, initiator));
    this.#copyIdentity(out, IDENTITY_BYTES, this.#members.user(session, 1 - initiator));
    for (let i = 0; i < ciphertextAt; i++) out[2 * IDENTITY_BYTES + i] = frame[i]!;
    return out;
  }

  #copyIdentity(out: Uint8Array, at: number, user: number): void {
    const { directory } = this.accounts;
    const from = user * IDENTITY_BYTES;
    for (let i = 0; i < IDENTITY_BYTES; i++) out[at + i] = directory[from + i]!;
  }
}
