/**
 * The Double Ratchet, revision 4 (2025-11-04): section 3, and the header keys of section 4. SPQR,
 * section 5, is not built.
 *
 * Choices the specification leaves open (section 5.2 of revision 1): HKDF-SHA256 for KDF_RK with a
 * 64-byte output, HMAC-SHA256 with 0x01 and 0x02 for KDF_CK, X25519, and an AEAD whose key is the
 * message key and whose nonce is constant, because each message key seals once (section 3.1).
 *
 * Works on one state at a time, in place: the caller loads a packed state, takes a step and stores
 * the state only when the message's tag verified, because a header is not authenticated before.
 *
 * @module
 */

import { EMPTY, getUint32, putUint32, utf8 } from '../core/bytes.ts';
import { RefusedError, type Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import { SymmetricChain } from './symmetric-chain.ts';

const KEY_BYTES = 32;
/** Ratchet public key, PN, N. */
export const HEADER_BYTES: number = KEY_BYTES + 8;
/** Where N stands in a header. */
export const HEADER_N_AT: number = KEY_BYTES + 4;

/** One packed state: six keys and four 32-bit words. */
export const RATCHET_STATE_BYTES: number = 6 * KEY_BYTES + 16;
/** With header encryption four keys more: HKs, HKr, NHKs, NHKr. */
export const HEADER_KEYS_BYTES: number = 4 * KEY_BYTES;
/** With chains for MAC keys two more: one beside CKs, one beside CKr. */
const MAC_CHAINS_BYTES: number = 2 * KEY_BYTES;

/** What a ratchet derives besides what section 3 does. */
export interface RatchetKeys {
  /** Header keys, section 4. */
  readonly headerKeys?: boolean;
  /**
   * A second chain beside each chain, for MAC keys, so that the encryption keys can be given away
   * without the power to forge: KDF_RK yields one key more, and KDF_CK steps both chains.
   */
  readonly macChains?: boolean;
}

/** How a ratchet works, besides the keys that it derives. */
export interface RatchetBehaviour extends RatchetKeys {
  /**
   * Makes the next ratchet key when it is needed to send and not on receipt, section 6.5 of
   * revision 1. The old key and the old sending chain are deleted on receipt all the same.
   */
  readonly isDeferred?: boolean;
}

/** What the states of a pipeline hold. */
export interface RatchetShape extends RatchetKeys {
  /** How many 32-bit words the pipeline adds. */
  readonly extraWords?: number;
}

export const ROOT_INFO: Uint8Array = utf8('sealbench Double Ratchet root');
const HEADER_KEYS_INFO = utf8('sealbench Double Ratchet first header keys');
export const MIX_INFO: Uint8Array = utf8('sealbench Double Ratchet mixed secret');
const ZERO_SALT = new Uint8Array(32);

/** The state of one end, sections 3.2 and 4.3, as views of one small buffer. */
export class RatchetState {
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  readonly rootKey: Uint8Array; // RK
  readonly sendChain: Uint8Array; // CKs
  readonly receiveChain: Uint8Array; // CKr
  readonly ourSecret: Uint8Array; // DHs, private
  readonly ourPublic: Uint8Array; // DHs, public
  readonly theirPublic: Uint8Array; // DHr
  /** Empty without header encryption. */
  readonly sendHeaderKey: Uint8Array; // HKs
  readonly receiveHeaderKey: Uint8Array; // HKr
  readonly nextSendHeaderKey: Uint8Array; // NHKs
  readonly nextReceiveHeaderKey: Uint8Array; // NHKr
  /** Empty without chains for MAC keys. */
  readonly sendMacChain: Uint8Array;
  readonly receiveMacChain: Uint8Array;
  /** Words of the pipeline, after all keys. */
  readonly extra: Uint32Array;

  constructor({ headerKeys = false, macChains = false, extraWords = 0 }: RatchetShape = {}) {
    const macChainsAt = RATCHET_STATE_BYTES + (headerKeys ? HEADER_KEYS_BYTES : 0);
    const extraAt = macChainsAt + (macChains ? MAC_CHAINS_BYTES : 0);
    this.words = new Uint32Array(extraAt / 4 + extraWords);
    this.bytes = new Uint8Array(this.words.buffer);
    const key = (index: number): Uint8Array =>
      this.bytes.subarray(index * KEY_BYTES, (index + 1) * KEY_BYTES);
    this.rootKey = key(0);
    this.sendChain = key(1);
    this.receiveChain = key(2);
    this.ourSecret = key(3);
    this.ourPublic = key(4);
    this.theirPublic = key(5);
    const headerKey = (index: number): Uint8Array => {
      const at = RATCHET_STATE_BYTES + index * KEY_BYTES;
      return headerKeys ? this.bytes.subarray(at, at + KEY_BYTES) : EMPTY;
    };
    this.sendHeaderKey = headerKey(0);
    this.receiveHeaderKey = headerKey(1);
    this.nextSendHeaderKey = headerKey(2);
    this.nextReceiveHeaderKey = headerKey(3);
    const macChain = (index: number): Uint8Array => {
      const at = macChainsAt + index * KEY_BYTES;
      return macChains ? this.bytes.subarray(at, at + KEY_BYTES) : EMPTY;
    };
    this.sendMacChain = macChain(0);
    this.receiveMacChain = macChain(1);
    this.extra = this.words.subarray(extraAt / 4);
  }

  get sent(): number {
    return this.words[48]!; // Ns
  }
  set sent(value: number) {
    this.words[48] = value;
  }
  get received(): number {
    return this.words[49]!; // Nr
  }
  set received(value: number) {
    this.words[49] = value;
  }
  get sentBefore(): number {
    return this.words[50]!; // PN
  }
  set sentBefore(value: number) {
    this.words[50] = value;
  }
  /** For the pipeline: what is known of the session besides the ratchet. Bits 0 and 1 are ours. */
  get flags(): number {
    return this.words[51]!;
  }
  set flags(value: number) {
    this.words[51] = value;
  }

  get canSend(): boolean {
    return (this.flags & CAN_SEND) !== 0;
  }
  get canReceive(): boolean {
    return (this.flags & CAN_RECEIVE) !== 0;
  }
}

/** Set when CKs, or CKr, is not empty. */
const CAN_SEND = 1;
const CAN_RECEIVE = 2;

/** Writes the private half of the next ratchet key into `state.ourSecret`. */
export type NewSecret = (state: RatchetState) => void;

/** Receives the keys of messages that were passed over. */
export interface SkippedKeys {
  /**
   * The message key of message `n` of a chain.
   *
   * @param chain What names the chain: the sender's ratchet key, or with header encryption its
   *   header key.
   * @param messageKey As `DoubleRatchet.messageKey`.
   */
  add(chain: Uint8Array, n: number, messageKey: Uint8Array): void;
}

/** One instance per world; owns its scratch, so it is not re-entrant. */
export class DoubleRatchet {
  readonly #provider: Provider;
  readonly #randomness: Randomness;
  readonly #shared = new Uint8Array(KEY_BYTES);
  readonly #headerKeys: boolean;
  readonly #isDeferred: boolean;
  readonly #newSecret: NewSecret | undefined;
  /** Root key, chain key and, where they are derived, next header key and MAC chain out of KDF_RK. */
  readonly #derived: Uint8Array;
  readonly #nextRoot: Uint8Array;
  readonly #nextChain: Uint8Array;
  readonly #nextHeaderKey: Uint8Array;
  readonly #nextMacChain: Uint8Array;
  readonly #chain: SymmetricChain;
  readonly #macChain: SymmetricChain | undefined;
  /** The message key of the last step: 32 bytes, and with chains for MAC keys 32 of the MAC. */
  readonly messageKey: Uint8Array;
  /** The encryption half of `messageKey`. */
  readonly encryptionKey: Uint8Array;

  /** Whether the last `stepReceiving` turned the ratchet. */
  turned = false;
  /** The first key of the receiving chain that the last turn began. */
  readonly turnedChain: Uint8Array = new Uint8Array(KEY_BYTES);

  /**
   * @param behaviour Each state must have room for the keys that are derived.
   * @param newSecret Instead of fresh randomness for ratchet keys.
   */
  constructor(
    provider: Provider,
    randomness: Randomness,
    { headerKeys = false, macChains = false, isDeferred = false }: RatchetBehaviour = {},
    newSecret?: NewSecret,
  ) {
    this.#provider = provider;
    this.#randomness = randomness;
    this.#headerKeys = headerKeys;
    this.#isDeferred = isDeferred;
    this.#newSecret = newSecret;
    this.messageKey = new Uint8Array((macChains ? 2 : 1) * KEY_BYTES);
    this.encryptionKey = this.messageKey.subarray(0, KEY_BYTES);
    this.#chain = new SymmetricChain(provider, this.encryptionKey);
    this.#macChain = macChains
      ? new SymmetricChain(provider, this.messageKey.subarray(KEY_BYTES))
      : undefined;
    const keys = 2 + (headerKeys ? 1 : 0) + (macChains ? 1 : 0);
    this.#derived = new Uint8Array(keys * KEY_BYTES);
    this.#nextRoot = this.#derived.subarray(0, KEY_BYTES);
    this.#nextChain = this.#derived.subarray(KEY_BYTES, 2 * KEY_BYTES);
    this.#nextHeaderKey = this.#derived.subarray(2 * KEY_BYTES, 3 * KEY_BYTES);
    this.#nextMacChain = this.#derived.subarray((keys - 1) * KEY_BYTES);
  }

  /**
   * RatchetInitAlice, sections 3.3 and 4.3. One key generation, one X25519, one HKDF; with header
   * keys one HKDF more.
   *
   * @throws RefusedError when their key is a low-order point.
   */
  initInitiator(state: RatchetState, secret: Uint8Array, theirSignedPrekey: Uint8Array): void {
    state.words.fill(0);
    state.rootKey.set(secret);
    state.theirPublic.set(theirSignedPrekey);
    if (this.#headerKeys)
      this.#firstHeaderKeys(secret, state.nextSendHeaderKey, state.nextReceiveHeaderKey);
    this.#newKeyPair(state);
    this.#turnSending(state);
  }

  /** RatchetInitBob, sections 3.3 and 4.3: the first header turns the ratchet. */
  initResponder(
    state: RatchetState,
    secret: Uint8Array,
    signedPrekeySecret: Uint8Array,
    signedPrekey: Uint8Array,
  ): void {
    state.words.fill(0);
    state.rootKey.set(secret);
    state.ourSecret.set(signedPrekeySecret);
    state.ourPublic.set(signedPrekey);
    if (this.#headerKeys)
      this.#firstHeaderKeys(secret, state.nextReceiveHeaderKey, state.nextSendHeaderKey);
  }

  /**
   * Where the ratchet is deferred and has turned, makes the key with which the sending chain begins:
   * before the first `stepSending` after that. One key generation, one X25519, one HKDF; else nothing.
   */
  prepareSending(state: RatchetState): void {
    if (state.canSend) return;
    this.#newKeyPair(state);
    this.#turnSending(state);
  }

  /**
   * The sending half of RatchetEncrypt, section 3.4: writes the header, steps the chain and leaves
   * the message key in `messageKey`. Two HMAC.
   */
  stepSending(state: RatchetState, header: Uint8Array): void {
    header.set(state.ourPublic);
    putUint32(header, KEY_BYTES, state.sentBefore);
    putUint32(header, KEY_BYTES + 4, state.sent);
    this.#chain.step(state.sendChain);
    this.#macChain?.step(state.sendMacChain);
    state.sent += 1;
  }

  /**
   * The receiving half of RatchetDecrypt, section 3.5, for a message whose key was not skipped:
   * turns the ratchet when the header has a new key, passes over missing messages and leaves the
   * message key in `messageKey`. Two HMAC, plus two for each message passed over; for a turn one
   * key generation, two X25519 and two HKDF more, of which a deferred ratchet leaves all but one
   * X25519 and one HKDF to `prepareSending`.
   *
   * @param mixed A secret that the sender mixed into this chain, see `mixSending`.
   * @returns 0; -1 when the message lies in the past of its chain; -2 when it is more than
   *   `skipLimit` messages ahead; -3 when its ratchet key is refused. `state` is spoilt unless 0.
   */
  stepReceiving(
    state: RatchetState,
    header: Uint8Array,
    skipLimit: number,
    skipped: SkippedKeys,
    mixed?: Uint8Array,
  ): 0 | -1 | -2 | -3 {
    const theirPublic = header.subarray(0, KEY_BYTES);
    const before = getUint32(header, KEY_BYTES);
    const n = getUint32(header, KEY_BYTES + 4);
    const turns = !state.canReceive || !sameKey(theirPublic, state.theirPublic);
    let missing = n;
    if (turns) {
      if (state.canReceive) missing += Math.max(0, before - state.received);
    } else {
      missing = n - state.received;
      if (missing < 0) return -1;
    }
    if (missing > skipLimit) return -2;

    this.turned = turns;
    if (turns) {
      // They turn in answer to a key of ours, and the next one does not exist yet.
      if (state.canReceive && !state.canSend) return -3;
      if (state.canReceive) this.#passOver(state, before, skipped);
      try {
        this.#turn(state, theirPublic, mixed);
      } catch (error) {
        if (error instanceof RefusedError) return -3;
        throw error;
      }
    }
    this.#passOver(state, n, skipped);
    this.#chain.step(state.receiveChain);
    this.#macChain?.step(state.receiveMacChain);
    state.received += 1;
    return 0;
  }

  /**
   * Mixes a further secret into the root key and into the sending chain, which must not have sent
   * yet; the receiver gives the same secret to `stepReceiving`. One HKDF.
   */
  mixSending(state: RatchetState, secret: Uint8Array): void {
    this.#mix(state, secret, state.sendChain);
  }

  /** KDF_CK: steps `chain` in place and leaves the message key in `messageKey`. Two HMAC. */
  stepChain(chain: Uint8Array): void {
    this.#chain.step(chain);
  }

  /** DHRatchet, sections 3.5 and 4.5. */
  #turn(state: RatchetState, theirPublic: Uint8Array, mixed: Uint8Array | undefined): void {
    state.sentBefore = state.sent;
    state.sent = 0;
    state.received = 0;
    state.theirPublic.set(theirPublic);
    // Receiving half: their new key against our old one.
    this.#stepRoot(state);
    state.receiveChain.set(this.#nextChain);
    this.turnedChain.set(this.#nextChain);
    if (this.#macChain !== undefined) state.receiveMacChain.set(this.#nextMacChain);
    state.flags |= CAN_RECEIVE;
    if (this.#headerKeys) {
      state.receiveHeaderKey.set(state.nextReceiveHeaderKey);
      state.nextReceiveHeaderKey.set(this.#nextHeaderKey);
    }
    if (mixed !== undefined) this.#mix(state, mixed, state.receiveChain);
    if (this.#isDeferred) {
      state.ourSecret.fill(0);
      state.sendChain.fill(0);
      state.sendMacChain.fill(0);
      state.sendHeaderKey.fill(0);
      state.flags &= ~CAN_SEND;
      return;
    }
    // Sending half: our new key against their new one.
    this.#newKeyPair(state);
    this.#turnSending(state);
  }

  #turnSending(state: RatchetState): void {
    this.#stepRoot(state);
    state.sendChain.set(this.#nextChain);
    if (this.#macChain !== undefined) state.sendMacChain.set(this.#nextMacChain);
    state.flags |= CAN_SEND;
    if (this.#headerKeys) {
      state.sendHeaderKey.set(state.nextSendHeaderKey);
      state.nextSendHeaderKey.set(this.#nextHeaderKey);
    }
  }

  #mix(state: RatchetState, secret: Uint8Array, chain: Uint8Array): void {
    const derived = this.#derived.subarray(0, 2 * KEY_BYTES);
    this.#provider.hkdfSha256(derived, state.rootKey, secret, MIX_INFO);
    state.rootKey.set(this.#nextRoot);
    chain.set(this.#nextChain);
  }

  /** shared_hka and shared_nhkb of section 4.3, out of the handshake's secret. */
  #firstHeaderKeys(secret: Uint8Array, ofInitiator: Uint8Array, ofResponder: Uint8Array): void {
    const derived = this.#derived.subarray(0, 2 * KEY_BYTES);
    this.#provider.hkdfSha256(derived, ZERO_SALT, secret, HEADER_KEYS_INFO);
    ofInitiator.set(this.#nextRoot);
    ofResponder.set(this.#nextChain);
  }

  /** KDF_RK, or KDF_RK_HE, over DH(DHs, DHr); one HKDF, which also yields a MAC chain if there is one. */
  #stepRoot(state: RatchetState): void {
    this.#provider.x25519(this.#shared, state.ourSecret, state.theirPublic);
    this.#provider.hkdfSha256(this.#derived, state.rootKey, this.#shared, ROOT_INFO);
    state.rootKey.set(this.#nextRoot);
  }

  #newKeyPair(state: RatchetState): void {
    if (this.#newSecret === undefined) this.#randomness.fill(state.ourSecret);
    else this.#newSecret(state);
    this.#provider.x25519Public(state.ourPublic, state.ourSecret);
  }

  /** SkipMessageKeys, section 3.5, up to but not including message `until`. */
  #passOver(state: RatchetState, until: number, skipped: SkippedKeys): void {
    const chain = this.#headerKeys ? state.receiveHeaderKey : state.theirPublic;
    while (state.received < until) {
      this.#chain.step(state.receiveChain);
      this.#macChain?.step(state.receiveMacChain);
      skipped.add(chain, state.received, this.messageKey);
      state.received += 1;
    }
  }
}

function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < KEY_BYTES; i++) if (a[i] !== b[i]) return false;
  return true;
}
