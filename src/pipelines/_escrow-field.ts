/**
 * The contract of an escrow field: what a sender adds to frames for an authority.
 *
 * The message's associated data covers the field, so nobody between the ends strips or swaps it. The
 * field's own associated data never covers the ciphertext: the message is bound by the field.
 *
 * @module
 */

import { putUint32, utf8, concatBytes } from '../core/bytes.ts';
import type { DoubleRatchet, RatchetState } from '../protocols/double-ratchet.ts';
import { AssociatedData } from './_ratchet-frame.ts';

/** Adds an escrow field to the frames of the ratchet pipelines; one instance per world. */
export interface EscrowField {
  readonly type: number;
  /** Words of a session end's state that are the field's: the first of `RatchetState.extra`. */
  readonly stateWords?: number;
  /**
   * How long the field of the next frame is, 0 for none; `state` stands before its step.
   *
   * @param end session * 2 + member.
   */
  bytes(state: RatchetState, end: number): number;
  /** Writes that field; the ratchet has taken the frame's step. */
  write(out: Uint8Array, source: FieldSource): void;
  /**
   * Whether a frame with this N may carry a field of this length; else ESCROW_INVALID.
   *
   * @param fromInitiator Whether the end that opened the session sent it.
   */
  fits(n: number, length: number, fromInitiator: boolean): boolean;
  /**
   * At the receiver, once the message opened: whether the field is what an honest sender would have
   * made. Else ESCROW_INVALID, and neither the ratchet nor the field may have moved.
   */
  verify?(field: Uint8Array, source: FieldSource): boolean;
  /**
   * A session began at this end, whose state is not stored yet: at the initiator before its first
   * frame, at the responder when the first frame opened.
   *
   * @param secret SK of the handshake.
   */
  begin?(source: FieldSource, secret: Uint8Array): void;
  /** The relay has stored the last frame of this end. */
  acknowledge?(end: number): void;
  /** The private half of the next ratchet key, into `state.ourSecret`, instead of fresh randomness. */
  newSecret?(state: RatchetState): void;
  /** What the device of this end holds of the field's own; for seizing it. */
  export?(end: number): Uint8Array;
}

/** What a field may be made of; one instance is used again for each frame. */
export class FieldSource {
  readonly #associated: AssociatedData;
  readonly #ratchet: DoubleRatchet;
  session = 0;
  member = 0;
  /** session * 2 + member. */
  end = 0;
  user = 0;
  peer = 0;
  isInitiator = false;
  atMs = 0;
  /** The number of the message in its chain. */
  n = 0;
  /**
   * The first key of the frame's chain at a sender whose frame has n = 0, and at a receiver whose
   * ratchet this frame turned; otherwise unspecified.
   */
  readonly chainKey: Uint8Array = new Uint8Array(32);
  /** Of this message; the whole message key where there are no MAC chains. */
  encryptionKey: Uint8Array;
  /** Whether, at a receiver, this frame turned the ratchet. */
  turned = false;
  /** In the clear: ratchet key 32, PN 4, N 4. */
  readonly header: Uint8Array;
  /** After the frame's step. */
  readonly state: RatchetState;

  /**
   * @param directory Public identities of all users.
   * @param header Filled by the ends.
   */
  constructor(
    directory: Uint8Array,
    ratchet: DoubleRatchet,
    header: Uint8Array,
    state: RatchetState,
  ) {
    this.#associated = new AssociatedData(directory);
    this.#ratchet = ratchet;
    this.encryptionKey = ratchet.encryptionKey;
    this.header = header;
    this.state = state;
  }

  /** Back to the key of the ratchet's last step. */
  useRatchetKey(): void {
    this.encryptionKey = this.#ratchet.encryptionKey;
  }

  /** Who sent the frame: this end while sending, the other while receiving. */
  get sender(): number {
    return this.sending ? this.member : 1 - this.member;
  }
  /** Whether the frame is being sent; else received. */
  sending = true;

  /** Both identities and the ratchet key of the frame's chain. Valid until the next call of either. */
  ofChain(): Uint8Array {
    return this.#build(32);
  }

  /** Both identities and the header. Valid until the next call of either. */
  ofMessage(): Uint8Array {
    return this.#build(this.header.length);
  }

  #build(headerBytes: number): Uint8Array {
    const initiator = this.isInitiator ? this.user : this.peer;
    const responder = this.isInitiator ? this.peer : this.user;
    return this.#associated.build(initiator, responder, this.header, 0, headerBytes);
  }
}

/**
 * The HPKE info of a field: "esc/v1|", type 1, session 4, sender 4, n 4; n is 0 for a field of a
 * chain or a session. The chain is bound by the field's associated data, whose ratchet key names it.
 */
export class FieldInfo {
  readonly #bytes: Uint8Array;
  readonly #at: number;

  constructor(type: number) {
    const prefix = concatBytes(utf8('esc/v1|'), Uint8Array.of(type));
    this.#at = prefix.length;
    this.#bytes = concatBytes(prefix, new Uint8Array(12));
  }

  /**
   * @param sender The member who sends.
   * @returns Valid until the next call.
   */
  of(session: number, sender: number, n: number): Uint8Array {
    putUint32(this.#bytes, this.#at, session);
    putUint32(this.#bytes, this.#at + 4, sender);
    putUint32(this.#bytes, this.#at + 8, n);
    return this.#bytes;
  }
}
