/**
 * Re-keying a Double Ratchet with ML-KEM every some messages, for all sessions of a world.
 *
 * In the manner of Apple's PQ3, and our own: not SPQR, not interoperable. An epoch has three steps,
 * each on the first frame of a sending chain, repeated on the next chain's until it is answered, so
 * that lost frames only delay it:
 *
 * 1. the initiator of the session sends a fresh ML-KEM public key;
 * 2. the responder encapsulates to it and sends the ciphertext;
 * 3. the initiator mixes the shared secret into its root key and next sending chain and says so in
 *    the header of every frame of that chain; the responder mixes it when it turns to that chain.
 *
 * A frame that is late may carry the key or ciphertext of an epoch that is over. Neither has a number,
 * so it is the chain that says which epoch they are of: only the newest chain counts, and a ciphertext
 * only on a chain that began after the key was first sent.
 *
 * @module
 */

import { EMPTY } from '../core/bytes.ts';
import { NONE, PackedPool } from '../core/packed.ts';
import type { Kem } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import type { DoubleRatchet, RatchetState } from '../protocols/double-ratchet.ts';
import { REKEY_CIPHERTEXT, REKEY_KEY, REKEY_MIXED } from './_ratchet-frame.ts';

/** Words that a session's state keeps: phase, messages since the last epoch, pool id, its day. */
export const REKEY_WORDS = 4;
const PHASE = 0;
const MESSAGES = 1;
const POOL_ID = 2;
const DAY = 3;

/** Nothing under way. */
const IDLE = 0;
/** Initiator: a key was made and is being sent. */
const OFFERED = 1;
/** Responder: a ciphertext was made and is being sent; its secret waits. */
const ANSWERED = 2;
/** Initiator: the secret is known and waits for the next chain. */
const AGREED = 3;
/** Flag beside the phase: the current sending chain is mixed. */
const SENDS_MIXED = 0x100;
/** Flag beside the phase: the key was made for the current sending chain. */
const JUST_OFFERED = 0x200;

const DAYS_MAX = 7;
const DAY_MS = 86_400_000;
const SECRET_BYTES = 32;

export class PqRekey {
  readonly #kem: Kem;
  readonly #randomness: Randomness;
  readonly #ratchet: DoubleRatchet;
  readonly #everyMessages: number;
  /** Initiator: seed, public key. Responder, or once agreed: shared secret, ciphertext. */
  readonly #pool: PackedPool;
  readonly #encapsulation = new Uint8Array(32);
  readonly #secret = new Uint8Array(SECRET_BYTES);
  readonly #ciphertext: Uint8Array;

  constructor(kem: Kem, randomness: Randomness, ratchet: DoubleRatchet, everyMessages: number) {
    this.#kem = kem;
    this.#randomness = randomness;
    this.#ratchet = ratchet;
    this.#everyMessages = everyMessages;
    this.#pool = new PackedPool(kem.secretKeyBytes + kem.publicKeyBytes, 0x7fff_ffff);
    this.#ciphertext = new Uint8Array(kem.ciphertextBytes);
  }

  /** The handshake of a new session counts as its last epoch. */
  begin(state: RatchetState, atMs: number): void {
    state.extra[DAY] = Math.floor(atMs / DAY_MS);
  }

  /**
   * Decides what the next frame carries; one key generation of the KEM when an epoch begins.
   *
   * @returns Bits of the header's last byte.
   */
  beforeSending(state: RatchetState, isInitiator: boolean, atMs: number): number {
    const extra = state.extra;
    extra[MESSAGES]! += 1;
    const mixed = (extra[PHASE]! & SENDS_MIXED) === 0 ? 0 : REKEY_MIXED;
    if (state.sent > 0) return mixed;
    if (isInitiator && this.#phase(state) === IDLE && state.canReceive) {
      const old = Math.floor(atMs / DAY_MS) - extra[DAY]! >= DAYS_MAX;
      if (old || extra[MESSAGES]! >= this.#everyMessages) this.#offer(state);
    }
    if (this.#phase(state) === OFFERED) return mixed | REKEY_KEY;
    return this.#phase(state) === ANSWERED ? mixed | REKEY_CIPHERTEXT : mixed;
  }

  /** Writes the key or the ciphertext that `beforeSending` announced. */
  writePayload(state: RatchetState, out: Uint8Array): void {
    const record = this.#pool.view(state.extra[POOL_ID]!);
    const at = this.#phase(state) === OFFERED ? this.#kem.secretKeyBytes : SECRET_BYTES;
    out.set(record.subarray(at, at + out.length));
  }

  /** What a chain that says it is mixed was mixed with; undefined when this end has nothing. */
  secretFor(state: RatchetState): Uint8Array | undefined {
    if (this.#phase(state) !== ANSWERED) return undefined;
    this.#secret.set(this.#pool.view(state.extra[POOL_ID]!).subarray(0, SECRET_BYTES));
    return this.#secret;
  }

  /**
   * Takes what a message carried, after its tag verified. One encapsulation or decapsulation when it
   * carried a key or a ciphertext.
   *
   * @param turned Whether this message turned the ratchet, so that the sending chain is new.
   * @param onNewestChain Whether it is of the chain that turned the ratchet last.
   * @throws RefusedError when the KEM refuses a key; then nothing has changed.
   */
  afterReceiving(
    state: RatchetState,
    rekeyBits: number,
    payload: Uint8Array,
    turned: boolean,
    onNewestChain: boolean,
    atMs: number,
  ): void {
    const phase = this.#phase(state);
    const justOffered = !turned && (state.extra[PHASE]! & JUST_OFFERED) !== 0;
    const completes = turned && (rekeyBits & REKEY_MIXED) !== 0 && phase === ANSWERED;
    const answers = onNewestChain && (rekeyBits & REKEY_KEY) !== 0 && (completes || phase === IDLE);
    const agrees =
      onNewestChain && (rekeyBits & REKEY_CIPHERTEXT) !== 0 && phase === OFFERED && !justOffered;
    if (answers) this.#encapsulate(payload);
    if (agrees) this.#decapsulate(state, payload);

    state.extra[MESSAGES]! += 1;
    if (turned) state.extra[PHASE]! &= ~(SENDS_MIXED | JUST_OFFERED);
    if (completes) this.#endEpoch(state, atMs);
    if (answers) this.#answer(state);
    if (agrees) this.#agree(state);
    // Only a chain that has sent nothing can still be mixed.
    if (this.#phase(state) === AGREED && state.sent === 0) this.#mix(state, atMs);
    this.#secret.fill(0);
  }

  /** What this end keeps for an epoch that is under way: for seizing a device. */
  export(state: RatchetState): Uint8Array {
    if (this.#phase(state) === IDLE) return EMPTY;
    return this.#pool.view(state.extra[POOL_ID]!).slice();
  }

  #phase(state: RatchetState): number {
    return state.extra[PHASE]! & 0xff;
  }

  #setPhase(state: RatchetState, phase: number): void {
    state.extra[PHASE] = (state.extra[PHASE]! & ~0xff) | phase;
  }

  #offer(state: RatchetState): void {
    const id = this.#pool.take();
    if (id === NONE) return;
    const record = this.#pool.view(id);
    const seed = record.subarray(0, this.#kem.secretKeyBytes);
    this.#randomness.fill(seed);
    this.#kem.publicKey(record.subarray(this.#kem.secretKeyBytes), seed);
    state.extra[POOL_ID] = id;
    this.#setPhase(state, OFFERED);
    state.extra[PHASE]! |= JUST_OFFERED;
  }

  #encapsulate(publicKey: Uint8Array): void {
    this.#randomness.fill(this.#encapsulation);
    this.#kem.encapsulate(this.#ciphertext, this.#secret, publicKey, this.#encapsulation);
  }

  #answer(state: RatchetState): void {
    const id = this.#pool.take();
    if (id === NONE) return;
    const record = this.#pool.view(id);
    record.set(this.#secret);
    record.set(this.#ciphertext, SECRET_BYTES);
    state.extra[POOL_ID] = id;
    this.#setPhase(state, ANSWERED);
  }

  #decapsulate(state: RatchetState, ciphertext: Uint8Array): void {
    const seed = this.#pool.view(state.extra[POOL_ID]!).subarray(0, this.#kem.secretKeyBytes);
    this.#kem.decapsulate(this.#secret, seed, ciphertext);
  }

  #agree(state: RatchetState): void {
    const record = this.#pool.view(state.extra[POOL_ID]!);
    record.fill(0);
    record.set(this.#secret);
    this.#setPhase(state, AGREED);
  }

  #mix(state: RatchetState, atMs: number): void {
    this.#secret.set(this.#pool.view(state.extra[POOL_ID]!).subarray(0, SECRET_BYTES));
    this.#ratchet.mixSending(state, this.#secret);
    this.#endEpoch(state, atMs);
    state.extra[PHASE]! |= SENDS_MIXED;
  }

  #endEpoch(state: RatchetState, atMs: number): void {
    this.#pool.release(state.extra[POOL_ID]!);
    state.extra[POOL_ID] = 0;
    state.extra[MESSAGES] = 0;
    state.extra[DAY] = Math.floor(atMs / DAY_MS);
    this.#setPhase(state, IDLE);
  }
}
