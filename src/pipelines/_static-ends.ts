/**
 * The two ends of conversations under static keys: one authenticated context of RFC 9180 per session
 * and direction, for all sessions of a world.
 *
 * A frame:
 *
 * | bytes | what |
 * | --- | --- |
 * | 1 | form: bit 0 set when `enc` follows, bit 1 set when the sender holds its peer's context |
 * | 32 | `enc` of the direction's context, RFC 9180 section 5.1.3 |
 * | 4 | message number, from 0, big-endian |
 * | p + 16 | ciphertext and tag |
 *
 * Everything in front of the ciphertext is its associated data. A sender repeats `enc` until a frame
 * with bit 1 arrives, so that no loss and no reordering leaves a frame without its context.
 *
 * @module
 */

import { concatBytes, EMPTY, getUint32, putUint32, utf8 } from '../core/bytes.ts';
import { PackedRecords } from '../core/packed.ts';
import { RefusedError } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import { Hpke, HPKE_CONTEXT_KEY_BYTES, HPKE_ENC_BYTES, HpkeContext } from '../protocols/hpke.ts';
import { IDENTITY_BYTES } from '../protocols/x3dh.ts';
import { aeadName, type EndToEnd } from './_carrier.ts';
import { ReplayWindow, WINDOW_BYTES } from './_replay-window.ts';
import { StaticIdentities } from './_static-identities.ts';
import { openSessionRecords, type SessionRecords } from './_session-records.ts';
import { ScratchViews } from './_views.ts';
import type { PackedMembers } from './_members.ts';
import {
  OUTCOME,
  type Outbox,
  type SeizedDevice,
  type SeizedSession,
  type Setup,
} from './_pipeline.ts';

const FORM_ENC = 1;
const FORM_HOLDS_CONTEXT = 2;
const TAG_BYTES = 16;
/** Message numbers stay below this, so that the number after each fits in 32 bits. */
const NUMBER_LIMIT = 0xffff_ffff;

/** In front of the info of a context: then session 4, identities of sender and recipient. */
export const INFO_LABEL: Uint8Array = utf8('sealbench static-e2e');

/** Context keys of both directions, our `enc`, messages sent, flags. */
export const STATIC_STATE_BYTES: number = 2 * HPKE_CONTEXT_KEY_BYTES + HPKE_ENC_BYTES + 8;

/** Identity secret and signing seed, in front of the sessions of a snapshot. */
export const STATIC_SECRET_BYTES = 64;

/** The state of one end, as views of one small buffer. */
export class StaticState {
  readonly words: Uint32Array = new Uint32Array(STATIC_STATE_BYTES / 4);
  readonly bytes: Uint8Array = new Uint8Array(this.words.buffer);
  /** key || base_nonce of the context that we send under. */
  readonly sendKey: Uint8Array = this.bytes.subarray(0, HPKE_CONTEXT_KEY_BYTES);
  /** key || base_nonce of the context that we receive under. */
  readonly receiveKey: Uint8Array = this.bytes.subarray(
    HPKE_CONTEXT_KEY_BYTES,
    2 * HPKE_CONTEXT_KEY_BYTES,
  );
  /** `enc` of the context that we send under. */
  readonly encapsulated: Uint8Array = this.bytes.subarray(
    2 * HPKE_CONTEXT_KEY_BYTES,
    2 * HPKE_CONTEXT_KEY_BYTES + HPKE_ENC_BYTES,
  );

  get sent(): number {
    return this.words[30]!;
  }
  set sent(value: number) {
    this.words[30] = value;
  }
  get flags(): number {
    return this.words[31]!;
  }
  set flags(value: number) {
    this.words[31] = value;
  }
}

const CAN_SEND = 1;
const CAN_RECEIVE = 2;
/** The peer said that it holds the context that we send under. */
const PEER_HOLDS_CONTEXT = 4;

export class StaticEnds implements EndToEnd {
  readonly identities: StaticIdentities;
  readonly #randomness: Randomness;
  readonly #members: PackedMembers;
  readonly #hpke: Hpke;
  readonly #context = new HpkeContext();
  readonly #records: SessionRecords;
  readonly #state = new StaticState();
  readonly #windows: PackedRecords;
  readonly #window = new ReplayWindow();
  /** Session 4, identity of the sender 64, identity of the recipient 64, after the label. */
  readonly #info = concatBytes(INFO_LABEL, new Uint8Array(4 + 2 * IDENTITY_BYTES));
  readonly #views = new ScratchViews();

  constructor(setup: Setup) {
    this.#randomness = setup.randomness;
    this.#members = setup.members;
    this.#hpke = new Hpke(setup.provider, aeadName(setup.options));
    this.identities = new StaticIdentities(setup);
    this.#records = openSessionRecords(
      setup.options,
      STATIC_STATE_BYTES,
      setup.members.sessions * 2,
    );
    this.#windows = new PackedRecords(WINDOW_BYTES, setup.members.sessions * 2);
  }

  publish(user: number, _atMs: number, outbox: Outbox): void {
    this.identities.publish(user, outbox);
  }

  /** SetupAuthS: one key generation and two X25519, after one Ed25519 verification. */
  initiate(session: number, member: number, bundle: Uint8Array, _atMs: number): number {
    const user = this.#members.user(session, member);
    const peer = this.#members.user(session, 1 - member);
    if (!this.identities.verifies(peer, bundle)) return OUTCOME.AUTH_FAILED;
    const end = session * 2 + member;
    this.#records.load(end, this.#state.words);
    try {
      this.#openSending(session, user, peer);
    } catch (error) {
      if (error instanceof RefusedError) return OUTCOME.AUTH_FAILED;
      throw error;
    }
    this.#records.store(end, this.#state.words);
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
    if ((flags & CAN_SEND) === 0) {
      throw new RangeError('"session" expected one that is open, got one that is not');
    }
    if (sent === NUMBER_LIMIT) throw new RangeError('"session" expected one with numbers left');
    const withEnc = (flags & PEER_HOLDS_CONTEXT) === 0;
    const numberAt = withEnc ? 1 + HPKE_ENC_BYTES : 1;
    const ciphertextAt = numberAt + 4;
    const length = ciphertextAt + plaintext.length + TAG_BYTES;
    const frame = outbox.reserve(length);

    const holdsContext = (flags & CAN_RECEIVE) === 0 ? 0 : FORM_HOLDS_CONTEXT;
    frame[0] = holdsContext | (withEnc ? FORM_ENC : 0);
    if (withEnc) frame.set(state.encapsulated, 1);
    putUint32(frame, numberAt, sent);
    const aad = frame.subarray(0, ciphertextAt);
    this.#hpke.sealAt(state.sendKey, sent, frame.subarray(ciphertextAt), aad, plaintext);
    state.sent = sent + 1;
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
    if (frame.length < 1) return OUTCOME.AUTH_FAILED;
    const form = frame[0]!;
    if ((form & ~(FORM_ENC | FORM_HOLDS_CONTEXT)) !== 0) return OUTCOME.AUTH_FAILED;
    const numberAt = (form & FORM_ENC) === 0 ? 1 : 1 + HPKE_ENC_BYTES;
    const ciphertextAt = numberAt + 4;
    const length = frame.length - ciphertextAt - TAG_BYTES;
    if (length < 0) return OUTCOME.AUTH_FAILED;
    const n = getUint32(frame, numberAt);
    if (n === NUMBER_LIMIT) return OUTCOME.AUTH_FAILED;

    const end = session * 2 + member;
    const state = this.#state;
    this.#records.load(end, state.words);
    this.#windows.load(end, this.#window.words);
    const isFirst = (state.flags & CAN_RECEIVE) === 0;
    if (isFirst) {
      if ((form & FORM_ENC) === 0) return OUTCOME.UNKNOWN_KEY;
      const enc = frame.subarray(1, 1 + HPKE_ENC_BYTES);
      if (!this.#openReceiving(session, member, enc)) return OUTCOME.AUTH_FAILED;
    } else if (this.#window.wasSeen(n)) {
      return OUTCOME.DUPLICATE;
    }

    const plaintext = this.#views.take(length);
    const aad = frame.subarray(0, ciphertextAt);
    const ciphertext = frame.subarray(ciphertextAt);
    if (!this.#hpke.openAt(state.receiveKey, n, plaintext, aad, ciphertext)) {
      return OUTCOME.AUTH_FAILED;
    }
    this.#window.add(n);
    this.#windows.store(end, this.#window.words);
    if (isFirst || (form & FORM_HOLDS_CONTEXT) !== 0) this.#adopt(session, member, form);
    out.set(plaintext);
    return length;
  }

  snapshot(user: number): Uint8Array {
    const parts: Uint8Array[] = [this.identities.secrets(user)];
    for (let end = 0; end < this.#members.users.length; end++) {
      if (this.#members.users[end] !== user) continue;
      parts.push(this.#records.read(end), this.#windows.view(end));
    }
    return concatBytes(...parts);
  }

  seize(user: number): SeizedDevice {
    const sessions: SeizedSession[] = [];
    for (let end = 0; end < this.#members.users.length; end++) {
      if (this.#members.users[end] !== user) continue;
      const state = this.#records.read(end).slice();
      const [session, member] = [end >>> 1, end & 1];
      sessions.push({ session, member, state, underWay: EMPTY, skipped: EMPTY });
    }
    return { secrets: this.identities.secrets(user), prekeys: [], sessions };
  }

  keys(user: number): Uint8Array {
    return this.identities.secrets(user);
  }

  /** Keeps what an authentic frame brought; the first one also opens our own direction. */
  #adopt(session: number, member: number, form: number): void {
    const state = this.#state;
    const before = state.flags;
    state.flags |= CAN_RECEIVE;
    if ((form & FORM_HOLDS_CONTEXT) !== 0) state.flags |= PEER_HOLDS_CONTEXT;
    if (state.flags === before) return;
    if ((state.flags & CAN_SEND) === 0) {
      // No RefusedError: the peer's key has just passed in SetupAuthR.
      const user = this.#members.user(session, member);
      this.#openSending(session, user, this.#members.user(session, 1 - member));
    }
    this.#records.store(session * 2 + member, state.words);
  }

  /** SetupAuthS into the loaded state. @throws RefusedError when their key is of low order. */
  #openSending(session: number, user: number, peer: number): void {
    const { identities } = this;
    const state = this.#state;
    this.#hpke.setupAuthSender(
      this.#context,
      state.encapsulated,
      this.#randomness,
      identities.agreementKey(peer),
      this.#infoOf(session, user, peer),
      identities.agreementHandle(user),
      identities.agreementKey(user),
    );
    state.sendKey.set(this.#context.contextKey);
    state.sent = 0;
    state.flags |= CAN_SEND;
  }

  /** SetupAuthR into the loaded state: two X25519. */
  #openReceiving(session: number, member: number, enc: Uint8Array): boolean {
    const { identities } = this;
    const user = this.#members.user(session, member);
    const peer = this.#members.user(session, 1 - member);
    const opened = this.#hpke.setupAuthReceiver(
      this.#context,
      enc,
      identities.agreementHandle(user),
      identities.agreementKey(user),
      this.#infoOf(session, peer, user),
      identities.agreementKey(peer),
    );
    if (opened) this.#state.receiveKey.set(this.#context.contextKey);
    return opened;
  }

  #infoOf(session: number, sender: number, recipient: number): Uint8Array {
    const info = this.#info;
    const at = INFO_LABEL.length;
    putUint32(info, at, session);
    info.set(this.identities.identity(sender), at + 4);
    info.set(this.identities.identity(recipient), at + 4 + IDENTITY_BYTES);
    return info;
  }
}
