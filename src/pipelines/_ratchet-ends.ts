/**
 * The two ends of an X3DH and Double Ratchet conversation, for all sessions of a world.
 *
 * @module
 */

import { concatBytes, equalBytes, getUint32, putUint16, putUint32 } from '../core/bytes.ts';
import { NONE, PackedRecords } from '../core/packed.ts';
import { RefusedError, type Aead, type Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import {
  DoubleRatchet,
  HEADER_BYTES,
  RATCHET_STATE_BYTES,
  RatchetState,
} from '../protocols/double-ratchet.ts';
import { IDENTITY_BYTES, SHARED_SECRET_BYTES, X3dh } from '../protocols/x3dh.ts';
import { Accounts } from './_accounts.ts';
import { chosenAead, type EndToEnd } from './_carrier.ts';
import {
  AssociatedData,
  FIELD_HEAD_BYTES,
  FORM_HANDSHAKE,
  HANDSHAKE_BYTES,
  RatchetFrame,
} from './_ratchet-frame.ts';
import { SkippedStore } from './_skipped-store.ts';
import { ScratchViews } from './_views.ts';
import type { PackedMembers } from './_members.ts';
import { OUTCOME, type Outbox, type Setup } from './_pipeline.ts';

/** Messages of a chain that may be missing before the next one. */
export const SKIP_LIMIT = 1000;

/** Each message key seals once, so the nonce is constant: Double Ratchet section 3.1. */
const NONCE = new Uint8Array(12);

/** Set at the end that opened the session. The lowest bits are the ratchet's, see RatchetState. */
const IS_INITIATOR = 4;
/** The id of the responder's signed prekey, at the initiator's end until the first reply. */
const PREKEY_ID_SHIFT = 8;

/** Adds an escrow field to each frame. */
export interface EscrowField {
  readonly type: number;
  /** How long the field of the next frame is; `state` stands before its step. */
  bytes(state: RatchetState): number;
  /**
   * Writes that field; `state` stands before its step.
   *
   * @param associated Both identities, then the frame's header with its ratchet key.
   */
  write(
    out: Uint8Array,
    session: number,
    member: number,
    state: RatchetState,
    associated: Uint8Array,
  ): void;
  /** Whether a frame with this N may carry a field of this length; else ESCROW_INVALID. */
  fits(n: number, length: number): boolean;
}

export class RatchetEnds implements EndToEnd {
  readonly accounts: Accounts;
  readonly #provider: Provider;
  readonly #randomness: Randomness;
  readonly #aead: Aead;
  readonly #members: PackedMembers;
  readonly #field: EscrowField | undefined;
  readonly #x3dh: X3dh;
  readonly #ratchet: DoubleRatchet;
  readonly #records: PackedRecords;
  readonly #state = new RatchetState();
  readonly #skipped = new SkippedStore();
  readonly #frame: RatchetFrame;
  readonly #associated: AssociatedData;
  readonly #secret = new Uint8Array(SHARED_SECRET_BYTES);
  readonly #ephemeral = new Uint8Array(32);
  readonly #messageKey = new Uint8Array(32);
  readonly #views = new ScratchViews();

  constructor(setup: Setup, field?: EscrowField) {
    this.#provider = setup.provider;
    this.#randomness = setup.randomness;
    this.#aead = chosenAead(setup.provider, setup.options);
    this.#members = setup.members;
    this.#field = field;
    this.accounts = new Accounts(setup.provider, setup.randomness, setup.users);
    this.#x3dh = new X3dh(setup.provider);
    this.#ratchet = new DoubleRatchet(setup.provider, setup.randomness);
    this.#records = new PackedRecords(RATCHET_STATE_BYTES, setup.members.sessions * 2);
    this.#frame = new RatchetFrame(field !== undefined);
    this.#associated = new AssociatedData(this.accounts.directory);
  }

  publish(user: number, atMs: number, outbox: Outbox): void {
    this.accounts.publish(user, atMs, user, outbox);
  }

  initiate(session: number, member: number, bundle: Uint8Array, _atMs: number): number {
    const read = this.accounts.readBundle(bundle);
    if (read === undefined) return OUTCOME.AUTH_FAILED;
    const user = this.#members.user(session, member);
    this.#randomness.fill(this.#ephemeral);
    try {
      this.#x3dh.initiate(this.#secret, {
        identity: this.accounts.identityHandle(user),
        ephemeralSecret: this.#ephemeral,
        theirIdentity: read.identity.subarray(0, 32),
        theirSignedPrekey: read.signedPrekey,
        theirOneTimePrekey: read.oneTimePrekey,
      });
      this.#ratchet.initInitiator(this.#state, this.#secret, read.signedPrekey);
    } catch (error) {
      if (error instanceof RefusedError) return OUTCOME.AUTH_FAILED;
      throw error;
    }
    // Until the first reply every frame repeats the handshake; what it needs waits in the fields
    // of the receiving chain, which are empty until then.
    this.#provider.x25519Public(this.#state.receiveChain, this.#ephemeral);
    this.#state.received = read.oneTimeId;
    this.#state.flags |= IS_INITIATOR | (read.signedPrekeyId << PREKEY_ID_SHIFT);
    this.#records.store(session * 2 + member, this.#state.words);
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
    if (!state.canSend) throw new RangeError('"session" expected one that is open, got one that is not');
    const user = this.#members.user(session, member);
    const peer = this.#members.user(session, 1 - member);
    const pending = !state.canReceive;
    const headerAt = pending ? 1 + HANDSHAKE_BYTES : 1;
    const field = this.#field;
    const fieldLength = field === undefined ? 0 : field.bytes(state);
    const boundTo =
      headerAt + HEADER_BYTES + (field === undefined ? 0 : FIELD_HEAD_BYTES + fieldLength);
    const length = boundTo + plaintext.length + 16;
    const frame = outbox.reserve(length);

    frame[0] = pending ? FORM_HANDSHAKE : 0;
    if (pending) this.#writeHandshake(frame, user);
    const isInitiator = (state.flags & IS_INITIATOR) !== 0;
    const initiator = isInitiator ? user : peer;
    const responder = isInitiator ? peer : user;
    if (field !== undefined) {
      const head = headerAt + HEADER_BYTES;
      frame[head] = field.type;
      putUint16(frame, head + 1, fieldLength);
      if (fieldLength > 0) {
        frame.set(state.ourPublic, headerAt);
        const bound = this.#associated.build(initiator, responder, frame, headerAt, headerAt + 32);
        field.write(frame.subarray(head + FIELD_HEAD_BYTES, boundTo), session, member, state, bound);
      }
    }
    this.#ratchet.stepSending(state, frame.subarray(headerAt, headerAt + HEADER_BYTES));
    const aad = this.#associated.build(initiator, responder, frame, headerAt, boundTo);
    const sealed = frame.subarray(boundTo, length);
    this.#aead.seal(sealed, this.#ratchet.messageKey, NONCE, aad, plaintext);
    this.#records.store(end, state.words);
    outbox.emit(peer, 'message', length);
  }

  receive(
    session: number,
    member: number,
    frame: Uint8Array,
    _atMs: number,
    out: Uint8Array,
  ): number {
    const read = this.#frame;
    if (!read.read(frame)) return OUTCOME.AUTH_FAILED;
    if (this.#field !== undefined && !this.#field.fits(read.n, read.fieldLength)) {
      return OUTCOME.ESCROW_INVALID;
    }
    const end = session * 2 + member;
    const state = this.#state;
    this.#records.load(end, state.words);
    const peer = this.#members.user(session, 1 - member);
    let oneTimeId = NONE;
    if (state.flags === 0) {
      if (!read.hasHandshake) return OUTCOME.UNKNOWN_KEY;
      const outcome = this.#respond(this.#members.user(session, member), peer, frame);
      if (outcome < 0) return outcome;
      oneTimeId = getUint32(frame, 1 + IDENTITY_BYTES + 36);
    }

    const header = frame.subarray(read.headerAt, read.headerAt + HEADER_BYTES);
    if (!this.#skipped.isEmpty) {
      const id = this.#skipped.find(end, header, read.n);
      if (id !== NONE) return this.#openSkipped(end, id, session, member, frame, out);
    }
    const step = this.#ratchet.stepReceiving(state, header, SKIP_LIMIT, this.#skipped);
    if (step !== 0) {
      this.#skipped.discard();
      if (step === -1) return OUTCOME.DUPLICATE;
      return step === -2 ? OUTCOME.TOO_FAR : OUTCOME.AUTH_FAILED;
    }
    const length = this.#open(this.#ratchet.messageKey, session, member, frame, out);
    if (length < 0) {
      this.#skipped.discard();
      return length;
    }
    this.#skipped.commit(end);
    this.#records.store(end, state.words);
    if (oneTimeId !== NONE) this.accounts.spendOneTime(oneTimeId);
    return length;
  }

  snapshot(user: number): Uint8Array {
    const parts: Uint8Array[] = [this.accounts.secrets(user)];
    for (let end = 0; end < this.#members.users.length; end++) {
      if (this.#members.users[end] !== user) continue;
      parts.push(this.#records.view(end), this.#skipped.export(end));
    }
    return concatBytes(...parts);
  }

  keys(user: number): Uint8Array {
    const parts: Uint8Array[] = [this.accounts.secrets(user)];
    for (let end = 0; end < this.#members.users.length; end++) {
      if (this.#members.users[end] !== user) continue;
      this.#records.load(end, this.#state.words);
      parts.push(this.#state.ourSecret.slice());
    }
    return concatBytes(...parts);
  }

  #writeHandshake(frame: Uint8Array, user: number): void {
    const state = this.#state;
    frame.set(this.accounts.identity(user), 1);
    frame.set(state.receiveChain, 1 + IDENTITY_BYTES);
    putUint32(frame, 1 + IDENTITY_BYTES + 32, state.flags >>> PREKEY_ID_SHIFT);
    putUint32(frame, 1 + IDENTITY_BYTES + 36, state.received);
  }

  /** Section 3.4 of X3DH: builds the responder's state from the handshake of a first frame. */
  #respond(user: number, peer: number, frame: Uint8Array): number {
    const identity = frame.subarray(1, 1 + IDENTITY_BYTES);
    if (!equalBytes(identity, this.accounts.identity(peer))) return OUTCOME.AUTH_FAILED;
    if (!this.accounts.hasSignedPrekey(user, getUint32(frame, 1 + IDENTITY_BYTES + 32))) {
      return OUTCOME.UNKNOWN_KEY;
    }
    const oneTimeSecret = this.accounts.oneTimeSecret(getUint32(frame, 1 + IDENTITY_BYTES + 36));
    if (oneTimeSecret.length !== 32) return OUTCOME.UNKNOWN_KEY;
    try {
      this.#x3dh.respond(this.#secret, {
        identity: this.accounts.identityHandle(user),
        signedPrekey: this.accounts.signedPrekeyHandle(user),
        oneTimeSecret,
        theirIdentity: identity.subarray(0, 32),
        theirEphemeral: frame.subarray(1 + IDENTITY_BYTES, 1 + IDENTITY_BYTES + 32),
      });
    } catch (error) {
      if (error instanceof RefusedError) return OUTCOME.AUTH_FAILED;
      throw error;
    }
    this.#ratchet.initResponder(
      this.#state,
      this.#secret,
      this.accounts.signedPrekeySecret(user),
      this.accounts.signedPrekey(user),
    );
    return 0;
  }

  #openSkipped(
    end: number,
    id: number,
    session: number,
    member: number,
    frame: Uint8Array,
    out: Uint8Array,
  ): number {
    this.#skipped.read(id, this.#messageKey);
    const length = this.#open(this.#messageKey, session, member, frame, out);
    if (length >= 0) this.#skipped.remove(end, id);
    return length;
  }

  #open(
    messageKey: Uint8Array,
    session: number,
    member: number,
    frame: Uint8Array,
    out: Uint8Array,
  ): number {
    const { headerAt, ciphertextAt } = this.#frame;
    const user = this.#members.user(session, member);
    const peer = this.#members.user(session, 1 - member);
    const isInitiator = (this.#state.flags & IS_INITIATOR) !== 0;
    const initiator = isInitiator ? user : peer;
    const responder = isInitiator ? peer : user;
    const aad = this.#associated.build(initiator, responder, frame, headerAt, ciphertextAt);
    const ciphertext = frame.subarray(ciphertextAt);
    const plaintext = this.#views.take(ciphertext.length - 16);
    if (!this.#aead.open(plaintext, messageKey, NONCE, aad, ciphertext)) return OUTCOME.AUTH_FAILED;
    out.set(plaintext);
    return plaintext.length;
  }
}
