/**
 * The two ends of an X3DH or PQXDH and Double Ratchet conversation, for all sessions of a world.
 *
 * @module
 */

import { concatBytes, EMPTY, equalBytes, getUint32, putUint16 } from '../core/bytes.ts';
import { NONE, PackedPool } from '../core/packed.ts';
import { RefusedError, type Kem } from '../crypto/provider.ts';
import { DoubleRatchet, HEADER_N_AT, RatchetState } from '../protocols/double-ratchet.ts';
import { HEADER_SEAL_BYTES, HeaderSeal } from '../protocols/header-seal.ts';
import type { Accounts, Strangers } from './_accounts.ts';
import { chosenAead, type EndToEnd } from './_carrier.ts';
import { FieldSource, type EscrowField } from './_escrow-field.ts';
import type { PackedMembers } from './_members.ts';
import { openMessageForm, type MessageForm } from './_message-form.ts';
import {
  OUTCOME,
  type MemoryNeeds,
  type Options,
  type OptionSpec,
  type Outbox,
  type SeizedDevice,
  type SeizedSession,
  type Setup,
} from './_pipeline.ts';
import { PqRekey, REKEY_WORDS } from './_pq-rekey.ts';
import { AssociatedData, FIELD_HEAD_BYTES, RatchetFrame, REKEY_MIXED } from './_ratchet-frame.ts';
import { openSessionRecords, type SessionRecords } from './_session-records.ts';
import { SkippedStore } from './_skipped-store.ts';
import { ScratchViews } from './_views.ts';
import { X3dhSessions } from './_x3dh-sessions.ts';

/**
 * Two states, each an array of its own where it is serialised, and a one-time prekey, and under a
 * post-quantum handshake its ciphertext until the first reply; of a user keys with their handles, and with
 * a hop or a seal its connections and its key of the day.
 */
export function ratchetMemory({ persist, hop, rest, ratchet }: Options): MemoryNeeds {
  const ofHandshake = ratchet === 'pqxdh-ratchet' ? 2_560 : 0;
  return {
    sessionBytes: (persist === 'record' ? 1_536 : 768) + ofHandshake,
    userBytes: hop === 'none' && rest === 'none' ? 2_048 : 3_072,
  };
}

/** Whether an end makes its next ratchet key on receipt of theirs, or when it next sends. */
export const TURN_OPTION: OptionSpec = {
  title:
    'eager: the next ratchet key is made on receipt of theirs; deferred: when it is needed to send, so that it is on a device for less time',
  values: ['eager', 'deferred'],
  default: 'eager',
};

/** Of a pipeline that has TURN_OPTION; false where it has none. */
export function hasDeferredKeys(options: Options): boolean {
  return options['turn'] === 'deferred';
}

/** Messages of a chain that may be missing before the next one. */
export const SKIP_LIMIT = 1000;

/** Set at the end that opened the session. The lowest bits are the ratchet's, see RatchetState. */
const IS_INITIATOR = 4;
/** The id of the responder's signed prekey, at the initiator's end until the first reply. */
const PREKEY_ID_SHIFT = 8;

/** What a pipeline adds to X3DH and the Double Ratchet. */
export interface RatchetFeatures {
  readonly field?: EscrowField;
  /** PQXDH in place of X3DH. */
  readonly handshakeKem?: Kem;
  readonly rekey?: { readonly kem: Kem; readonly everyMessages: number };
  readonly headerEncryption?: boolean;
  /** Users whose secrets are not of this world's clients. */
  readonly strangers?: Strangers;
}

export class RatchetEnds implements EndToEnd {
  readonly accounts: Accounts;
  readonly #form: MessageForm;
  readonly #members: PackedMembers;
  readonly #field: EscrowField | undefined;
  readonly #sessions: X3dhSessions;
  readonly #ratchet: DoubleRatchet;
  readonly #rekey: PqRekey | undefined;
  readonly #headers: HeaderSeal | undefined;
  readonly #records: SessionRecords;
  readonly #state: RatchetState;
  readonly #skipped: SkippedStore;
  readonly #frame: RatchetFrame;
  /** A header in the clear. */
  readonly #header: Uint8Array;
  readonly #associated: AssociatedData;
  /** Of a message that was skipped. */
  readonly #messageKey: Uint8Array;
  readonly #skippedEncryptionKey: Uint8Array;
  readonly #views = new ScratchViews();
  readonly #source: FieldSource;
  readonly #ephemeral = new Uint8Array(32);
  /** What is being sent, between `beginSending` and `finishSending`. */
  #sending: Uint8Array = EMPTY;
  /** KEM ciphertexts of handshakes without a reply yet, and the word that holds their id. */
  readonly #pending: PackedPool;
  readonly #pendingWord: number;

  constructor(setup: Setup, features: RatchetFeatures = {}) {
    const { provider, randomness, members, options } = setup;
    const { field, handshakeKem, rekey, headerEncryption = false } = features;
    if (field !== undefined && (rekey !== undefined || headerEncryption)) {
      throw new RangeError('"features" expected no field beside rekey or headerEncryption');
    }
    this.#form = openMessageForm(provider, options);
    const macChains = this.#form.keyBytes > 32;
    this.#messageKey = new Uint8Array(this.#form.keyBytes);
    this.#skippedEncryptionKey = this.#messageKey.subarray(0, 32);
    this.#skipped = new SkippedStore(this.#form.keyBytes);
    this.#members = members;
    this.#field = field;
    this.#sessions = new X3dhSessions(setup, handshakeKem, features.strangers);
    this.accounts = this.#sessions.accounts;
    const keys = { headerKeys: headerEncryption, macChains };
    const behaviour = { ...keys, isDeferred: hasDeferredKeys(options) };
    this.#ratchet = new DoubleRatchet(
      provider,
      randomness,
      behaviour,
      field?.newSecret?.bind(field),
    );
    this.#pendingWord = rekey === undefined ? (field?.stateWords ?? 0) : REKEY_WORDS;
    this.#pending = new PackedPool(handshakeKem?.ciphertextBytes ?? 0, 0x7fff_ffff);
    const extraWords = this.#pendingWord + (handshakeKem === undefined ? 0 : 1);
    this.#state = new RatchetState({ ...keys, extraWords });
    this.#records = openSessionRecords(options, this.#state.bytes.length, members.sessions * 2);
    this.#frame = new RatchetFrame({
      escrowed: field !== undefined,
      kemCiphertextBytes: handshakeKem?.ciphertextBytes ?? 0,
      rekeyPublicKeyBytes: rekey?.kem.publicKeyBytes ?? 0,
      rekeyCiphertextBytes: rekey?.kem.ciphertextBytes ?? 0,
      headerEncryption,
      sealBytes: this.#form.overheadBytes,
    });
    this.#rekey =
      rekey === undefined
        ? undefined
        : new PqRekey(rekey.kem, randomness, this.#ratchet, rekey.everyMessages);
    this.#header = new Uint8Array(this.#frame.headerBytes);
    this.#headers = headerEncryption
      ? new HeaderSeal(provider, chosenAead(provider, options), this.#header.length)
      : undefined;
    this.#associated = new AssociatedData(this.accounts.directory);
    const { directory } = this.accounts;
    this.#source = new FieldSource(directory, this.#ratchet, this.#header, this.#state);
  }

  publish(user: number, atMs: number, outbox: Outbox): void {
    this.accounts.publish(user, atMs, user, outbox);
  }

  initiate(session: number, member: number, bundle: Uint8Array, atMs: number): number {
    const state = this.#state;
    const user = this.#members.user(session, member);
    const peer = this.#members.user(session, 1 - member);
    // Until the first reply every frame repeats the handshake. Its ephemeral key waits in the field
    // of the receiving chain, which is empty until then.
    const ephemeral = this.#ephemeral;
    const pendingId = this.#frame.shape.kemCiphertextBytes > 0 ? this.#pending.take() : NONE;
    const ciphertext = pendingId === NONE ? undefined : this.#pending.view(pendingId);
    const read = this.#sessions.initiate(user, peer, bundle, ephemeral, ciphertext);
    if (read === undefined || !this.#begin(state, read.signedPrekey)) {
      if (pendingId !== NONE) this.#pending.release(pendingId);
      return OUTCOME.AUTH_FAILED;
    }
    state.receiveChain.set(ephemeral);
    state.received = read.oneTimeId;
    state.flags |= IS_INITIATOR | (read.signedPrekeyId << PREKEY_ID_SHIFT);
    if (pendingId !== NONE) state.extra[this.#pendingWord] = pendingId;
    this.#rekey?.begin(state, atMs);
    if (this.#field?.begin !== undefined) {
      this.#header.set(state.ourPublic);
      this.#describe(session, member, atMs, true);
      this.#field.begin(this.#source, this.#sessions.secret);
    }
    this.#records.store(session * 2 + member, state.words);
    return 0;
  }

  send(session: number, member: number, plaintext: Uint8Array, atMs: number, outbox: Outbox): void {
    const field = this.beginSending(session, member, plaintext.length, atMs, outbox);
    if (field.length > 0) {
      this.#field!.write(field, this.#source);
      this.#source.chainKey.fill(0);
    }
    this.finishSending(plaintext, outbox);
  }

  /**
   * The first half of `send`, for a field that is not written at once: takes the ratchet's step and
   * writes the frame up to its field. `finishSending` must follow before any other call.
   *
   * @returns The field, to be filled; empty when the frame has none.
   */
  beginSending(
    session: number,
    member: number,
    plaintextBytes: number,
    atMs: number,
    outbox: Outbox,
  ): Uint8Array {
    const end = session * 2 + member;
    const state = this.#state;
    this.#records.load(end, state.words);
    if (!state.canSend && !state.canReceive) {
      throw new RangeError(`"session" expected one that is open at this end, got ${session}`);
    }
    this.#ratchet.prepareSending(state);
    const field = this.#field;
    const rekey = this.#rekey;
    const isInitiator = (state.flags & IS_INITIATOR) !== 0;
    const rekeyBits = rekey === undefined ? 0 : rekey.beforeSending(state, isInitiator, atMs);
    const layout = this.#frame;
    const fieldBytes = field === undefined ? 0 : field.bytes(state, end);
    const ciphertextAt = layout.lay(!state.canReceive, rekeyBits, fieldBytes);
    const frame = outbox.reserve(ciphertextAt + plaintextBytes + this.#form.overheadBytes);

    frame[0] = layout.form;
    if (layout.hasHandshake) this.#writeHandshake(frame, this.#members.user(session, member));
    if (layout.payloadBytes > 0) {
      const { payloadAt, payloadBytes } = layout;
      rekey!.writePayload(state, frame.subarray(payloadAt, payloadAt + payloadBytes));
    }
    const source = this.#source;
    this.#describe(session, member, atMs, true);
    source.n = state.sent;
    if (fieldBytes > 0 && state.sent === 0) source.chainKey.set(state.sendChain);

    const header = this.#header;
    this.#ratchet.stepSending(state, header);
    if (rekey !== undefined) header[header.length - 1] = rekeyBits;
    this.#writeHeader(frame);
    this.#sending = frame;
    if (field === undefined) return EMPTY;
    const { fieldAt } = layout;
    frame[fieldAt - FIELD_HEAD_BYTES] = field.type;
    putUint16(frame, fieldAt - 2, fieldBytes);
    return fieldBytes === 0 ? EMPTY : frame.subarray(fieldAt, ciphertextAt);
  }

  /** Seals the plaintext into the frame and emits it. */
  finishSending(plaintext: Uint8Array, outbox: Outbox): void {
    const frame = this.#sending;
    const { user, peer, end } = this.#source;
    const sealed = frame.subarray(this.#frame.ciphertextAt, frame.length);
    const aad = this.#messageData(user, peer, frame);
    this.#form.seal(sealed, this.#ratchet.messageKey, aad, plaintext);
    this.#records.store(end, this.#state.words);
    outbox.emit(peer, 'message', frame.length);
  }

  /** What a field that is not written at once is made of; after `beginSending`. */
  get fieldSource(): FieldSource {
    return this.#source;
  }

  acknowledge(session: number, member: number): void {
    this.#field?.acknowledge?.(session * 2 + member);
  }

  receive(
    session: number,
    member: number,
    frame: Uint8Array,
    atMs: number,
    out: Uint8Array,
  ): number {
    const layout = this.#frame;
    if (!layout.read(frame)) return OUTCOME.AUTH_FAILED;
    const end = session * 2 + member;
    const state = this.#state;
    this.#records.load(end, state.words);
    const user = this.#members.user(session, member);
    const peer = this.#members.user(session, 1 - member);
    const accepting = state.flags === 0;
    // Only the end that opens a session sends handshakes; one in its mailbox is somebody's addition.
    if (layout.hasHandshake && (state.flags & IS_INITIATOR) !== 0) return OUTCOME.AUTH_FAILED;
    if (accepting) {
      if (!layout.hasHandshake) return OUTCOME.UNKNOWN_KEY;
      const outcome = this.#respond(user, peer, frame);
      if (outcome < 0) return outcome;
    }

    const opened = this.#readHeader(frame);
    const skippedId = this.#skipped.isEmpty ? NONE : this.#findSkipped(end, frame, opened);
    if (skippedId === NONE && !opened) return OUTCOME.AUTH_FAILED;
    const header = this.#header;
    const rekeyBits = this.#rekey === undefined ? 0 : header[header.length - 1]!;
    if (!layout.readOn(frame, rekeyBits)) return OUTCOME.AUTH_FAILED;
    if (this.#field !== undefined) {
      const n = getUint32(header, HEADER_N_AT);
      const fromInitiator = (state.flags & IS_INITIATOR) === 0;
      if (!this.#field.fits(n, layout.fieldBytes, fromInitiator)) return OUTCOME.ESCROW_INVALID;
      this.#describe(session, member, atMs, false);
      this.#source.n = n;
    }
    if (skippedId !== NONE) return this.#openSkipped(end, skippedId, user, peer, frame, atMs, out);

    const wasPending = !state.canReceive && (state.flags & IS_INITIATOR) !== 0;
    const mixed = (rekeyBits & REKEY_MIXED) === 0 ? undefined : this.#rekey!.secretFor(state);
    const step = this.#ratchet.stepReceiving(state, header, SKIP_LIMIT, this.#skipped, mixed);
    if (step !== 0) {
      this.#skipped.discard();
      if (step === -1) return OUTCOME.DUPLICATE;
      return step === -2 ? OUTCOME.TOO_FAR : OUTCOME.AUTH_FAILED;
    }
    const length = this.#open(this.#ratchet.messageKey, user, peer, frame, out);
    if (length < 0 || !this.#takePayload(frame, rekeyBits, this.#ratchet.turned, true, atMs)) {
      this.#skipped.discard();
      return OUTCOME.AUTH_FAILED;
    }
    if (this.#field !== undefined) {
      this.#source.turned = this.#ratchet.turned;
      this.#source.useRatchetKey();
      if (this.#source.turned) this.#source.chainKey.set(this.#ratchet.turnedChain);
      if (!this.#verifyField(frame)) {
        this.#skipped.discard();
        return OUTCOME.ESCROW_INVALID;
      }
      if (accepting) this.#field.begin?.(this.#source, this.#sessions.secret);
      this.#source.chainKey.fill(0);
    }
    // The first key of a chain must not outlive the step over it.
    if (this.#ratchet.turned) this.#ratchet.turnedChain.fill(0);
    this.#skipped.commit(end);
    if (wasPending && this.#frame.shape.kemCiphertextBytes > 0) {
      this.#pending.release(state.extra[this.#pendingWord]!);
    }
    this.#records.store(end, state.words);
    if (accepting) this.#sessions.spend(user, frame, 1);
    return length;
  }

  storedKeys(): number {
    return this.#skipped.stored;
  }

  snapshot(user: number): Uint8Array {
    const parts: Uint8Array[] = [this.accounts.secrets(user)];
    for (let end = 0; end < this.#members.users.length; end++) {
      if (this.#members.users[end] !== user) continue;
      this.#records.load(end, this.#state.words);
      const underWay = this.#rekey?.export(this.#state) ?? EMPTY;
      const ofField = this.#field?.export?.(end) ?? EMPTY;
      parts.push(this.#records.read(end), underWay, this.#skipped.export(end), ofField);
    }
    return concatBytes(...parts);
  }

  seize(user: number): SeizedDevice {
    const { accounts } = this;
    const sessions: SeizedSession[] = [];
    for (let end = 0; end < this.#members.users.length; end++) {
      if (this.#members.users[end] !== user) continue;
      this.#records.load(end, this.#state.words);
      sessions.push({
        session: end >>> 1,
        member: end & 1,
        state: this.#records.read(end).slice(),
        underWay: this.#rekey?.export(this.#state) ?? EMPTY,
        skipped: this.#skipped.export(end),
      });
    }
    return { secrets: accounts.secrets(user), prekeys: accounts.unusedPrekeys(user), sessions };
  }

  keys(user: number): Uint8Array {
    const parts: Uint8Array[] = [this.accounts.secrets(user)];
    for (let end = 0; end < this.#members.users.length; end++) {
      if (this.#members.users[end] !== user) continue;
      this.#records.load(end, this.#state.words);
      if (this.#state.canSend) parts.push(this.#state.ourSecret.slice());
    }
    return concatBytes(...parts);
  }

  /** RatchetInitAlice. @returns False when their signed prekey is refused. */
  #begin(state: RatchetState, signedPrekey: Uint8Array): boolean {
    try {
      this.#ratchet.initInitiator(state, this.#sessions.secret, signedPrekey);
      return true;
    } catch (error) {
      if (error instanceof RefusedError) return false;
      throw error;
    }
  }

  #writeHandshake(frame: Uint8Array, user: number): void {
    const state = this.#state;
    const pending = {
      ephemeralPublic: state.receiveChain,
      signedPrekeyId: state.flags >>> PREKEY_ID_SHIFT,
      oneTimeId: state.received,
    };
    if (this.#frame.shape.kemCiphertextBytes === 0) {
      this.#sessions.write(frame, 1, user, pending);
    } else {
      const kemCiphertext = this.#pending.view(state.extra[this.#pendingWord]!);
      this.#sessions.write(frame, 1, user, { ...pending, kemCiphertext });
    }
  }

  /** Says in the field's source which frame this is. */
  #describe(session: number, member: number, atMs: number, sending: boolean): void {
    const source = this.#source;
    source.session = session;
    source.member = member;
    source.end = session * 2 + member;
    source.user = this.#members.user(session, member);
    source.peer = this.#members.user(session, 1 - member);
    source.isInitiator = (this.#state.flags & IS_INITIATOR) !== 0;
    source.atMs = atMs;
    source.sending = sending;
    source.turned = false;
    if (sending) source.useRatchetKey();
  }

  /** Once the message opened: whether its field is what an honest sender would have made. */
  #verifyField(frame: Uint8Array): boolean {
    const field = this.#field;
    if (field?.verify === undefined) return true;
    const { fieldAt, ciphertextAt } = this.#frame;
    return field.verify(frame.subarray(fieldAt, ciphertextAt), this.#source);
  }

  #writeHeader(frame: Uint8Array): void {
    const { headerAt } = this.#frame;
    const header = this.#header;
    if (this.#headers === undefined) {
      frame.set(header, headerAt);
    } else {
      const sealed = frame.subarray(headerAt, headerAt + HEADER_SEAL_BYTES + header.length);
      this.#headers.seal(sealed, this.#state.sendHeaderKey, header);
    }
  }

  /** DecryptHeader, section 4.6: under the current header key, then under the next one. */
  #readHeader(frame: Uint8Array): boolean {
    const { headerAt } = this.#frame;
    const header = this.#header;
    if (this.#headers === undefined) {
      for (let i = 0; i < header.length; i++) header[i] = frame[headerAt + i]!;
      return true;
    }
    const state = this.#state;
    const sealed = frame.subarray(headerAt, headerAt + HEADER_SEAL_BYTES + header.length);
    return (
      (state.canReceive &&
        this.#headers.open(header, state.receiveHeaderKey, sealed, state.theirPublic)) ||
      this.#headers.open(header, state.nextReceiveHeaderKey, sealed)
    );
  }

  /**
   * TrySkippedMessageKeys, sections 3.5 and 4.6: leaves the header in `#header` when a key is found.
   *
   * Asked after the current header keys, where the specification asks first: a stored key is of an
   * older chain, or of a number in the current one that was passed over, so that the answer is the
   * same, and a message that is in order does not pay for the stored keys.
   *
   * @param opened Whether the current header keys opened the header, which is then in `#header`.
   */
  #findSkipped(end: number, frame: Uint8Array, opened: boolean): number {
    const { headerAt } = this.#frame;
    const header = this.#header;
    const headers = this.#headers;
    const state = this.#state;
    if (opened && state.canReceive) {
      const n = getUint32(header, HEADER_N_AT);
      const isCurrent = equalBytes(header.subarray(0, 32), state.theirPublic);
      if (isCurrent && n >= state.received) return NONE;
      const chain = headers === undefined ? header : state.receiveHeaderKey;
      if (isCurrent || headers === undefined) return this.#skipped.find(end, chain, n);
      return NONE; // The next header key opened it: a new chain.
    }
    if (headers === undefined) return NONE;
    const sealed = frame.subarray(headerAt, headerAt + HEADER_SEAL_BYTES + header.length);
    return this.#skipped.findByChain(end, (headerKey) =>
      headers.open(header, headerKey, sealed) ? getUint32(header, HEADER_N_AT) : -1,
    );
  }

  /** Section 3.4 of X3DH: builds the responder's state from the handshake of a first frame. */
  #respond(user: number, peer: number, frame: Uint8Array): number {
    const outcome = this.#sessions.respond(user, peer, frame, 1);
    if (outcome < 0) return outcome;
    const secret = this.accounts.signedPrekeySecret(user);
    const prekey = this.accounts.signedPrekey(user);
    this.#ratchet.initResponder(this.#state, this.#sessions.secret, secret, prekey);
    return 0;
  }

  #openSkipped(
    end: number,
    id: number,
    user: number,
    peer: number,
    frame: Uint8Array,
    atMs: number,
    out: Uint8Array,
  ): number {
    this.#skipped.read(id, this.#messageKey);
    const length = this.#open(this.#messageKey, user, peer, frame, out);
    if (length < 0) return length;
    if (this.#field !== undefined) {
      this.#source.encryptionKey = this.#skippedEncryptionKey;
      if (!this.#verifyField(frame)) return OUTCOME.ESCROW_INVALID;
    }
    const header = this.#header;
    const rekeyBits = this.#rekey === undefined ? 0 : header[header.length - 1]!;
    const onNewestChain =
      this.#rekey !== undefined && equalBytes(header.subarray(0, 32), this.#state.theirPublic);
    if (!this.#takePayload(frame, rekeyBits, false, onNewestChain, atMs)) {
      return OUTCOME.AUTH_FAILED;
    }
    this.#skipped.remove(end, id);
    if (this.#rekey !== undefined) this.#records.store(end, this.#state.words);
    return length;
  }

  /** Gives the re-keying what a verified message carried. @returns False when it is refused. */
  #takePayload(
    frame: Uint8Array,
    rekeyBits: number,
    turned: boolean,
    onNewestChain: boolean,
    atMs: number,
  ): boolean {
    if (this.#rekey === undefined) return true;
    const { payloadAt, payloadBytes } = this.#frame;
    const payload =
      payloadBytes === 0 ? EMPTY : frame.subarray(payloadAt, payloadAt + payloadBytes);
    try {
      this.#rekey.afterReceiving(this.#state, rekeyBits, payload, turned, onNewestChain, atMs);
    } catch (error) {
      if (error instanceof RefusedError) return false;
      throw error;
    }
    return true;
  }

  #open(
    messageKey: Uint8Array,
    user: number,
    peer: number,
    frame: Uint8Array,
    out: Uint8Array,
  ): number {
    const aad = this.#messageData(user, peer, frame);
    const sealed = frame.subarray(this.#frame.ciphertextAt);
    const plaintext = this.#views.take(sealed.length - this.#form.overheadBytes);
    if (!this.#form.open(plaintext, messageKey, aad, sealed)) return OUTCOME.AUTH_FAILED;
    out.set(plaintext);
    return plaintext.length;
  }

  /** The associated data of a message at the end of `user`. */
  #messageData(user: number, peer: number, frame: Uint8Array): Uint8Array {
    const { headerAt, ciphertextAt } = this.#frame;
    return (this.#state.flags & IS_INITIATOR) === 0
      ? this.#associated.build(peer, user, frame, headerAt, ciphertextAt)
      : this.#associated.build(user, peer, frame, headerAt, ciphertextAt);
  }
}
