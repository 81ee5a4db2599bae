/**
 * The frame of the Double Ratchet pipelines.
 *
 * | bytes | what |
 * | --- | --- |
 * | 1 | form: bit 0 set when a handshake follows |
 * | 104 | handshake, X3DH revision 1 section 3.3: IKa 64, EKa 32, signed prekey id 4, one-time id 4 |
 * | 40 | header, Double Ratchet section 3.4: ratchet key 32, PN 4, N 4 |
 * | 3 + n | escrow pipelines only: type 1, length 2, field n |
 * | p + 16 | ciphertext and tag |
 *
 * Associated data: Encode(IKa) || Encode(IKb) || header || escrow field, so that nothing between
 * sender and receiver can strip or change the field.
 *
 * @module
 */

import { getUint16, getUint32 } from '../core/bytes.ts';
import { HEADER_BYTES } from '../protocols/double-ratchet.ts';
import { IDENTITY_BYTES } from '../protocols/x3dh.ts';
import { ScratchViews } from './_views.ts';

export const FORM_HANDSHAKE = 1;
export const HANDSHAKE_BYTES: number = IDENTITY_BYTES + 32 + 4 + 4;
/** Both identities. */
export const ASSOCIATED_BYTES: number = 2 * IDENTITY_BYTES;
/** Type and length in front of an escrow field. */
export const FIELD_HEAD_BYTES = 3;

/** Where the parts of a frame are; one instance is read again for each frame. */
export class RatchetFrame {
  readonly #escrowed: boolean;
  hasHandshake = false;
  headerAt = 0;
  n = 0;
  fieldAt = 0;
  fieldLength = 0;
  ciphertextAt = 0;

  /** @param escrowed Whether frames of this pipeline carry an escrow field. */
  constructor(escrowed: boolean) {
    this.#escrowed = escrowed;
  }

  /** @returns False when `frame` is too short for what it says it carries. */
  read(frame: Uint8Array): boolean {
    if (frame.length < 1 || (frame[0]! & ~FORM_HANDSHAKE) !== 0) return false;
    this.hasHandshake = (frame[0]! & FORM_HANDSHAKE) !== 0;
    this.headerAt = 1 + (this.hasHandshake ? HANDSHAKE_BYTES : 0);
    this.fieldAt = this.headerAt + HEADER_BYTES;
    this.fieldLength = 0;
    this.ciphertextAt = this.fieldAt;
    if (this.#escrowed) {
      if (frame.length < this.fieldAt + FIELD_HEAD_BYTES) return false;
      this.fieldLength = getUint16(frame, this.fieldAt + 1);
      this.fieldAt += FIELD_HEAD_BYTES;
      this.ciphertextAt = this.fieldAt + this.fieldLength;
    }
    if (frame.length < this.ciphertextAt + 16) return false;
    this.n = getUint32(frame, this.headerAt + 36);
    return true;
  }
}

/** Builds associated data in one scratch buffer. */
export class AssociatedData {
  readonly #directory: Uint8Array;
  readonly #views = new ScratchViews();

  /** @param directory Public identities of all users, 64 bytes each. */
  constructor(directory: Uint8Array) {
    this.#directory = directory;
  }

  /**
   * @param bound The part of the frame from its header to its ciphertext, as positions.
   * @returns A view that is valid until the next call.
   */
  build(
    initiator: number,
    responder: number,
    frame: Uint8Array,
    boundFrom: number,
    boundTo: number,
  ): Uint8Array {
    const out = this.#views.take(ASSOCIATED_BYTES + boundTo - boundFrom);
    this.#copyIdentity(out, 0, initiator);
    this.#copyIdentity(out, IDENTITY_BYTES, responder);
    for (let i = boundFrom; i < boundTo; i++) out[ASSOCIATED_BYTES + i - boundFrom] = frame[i]!;
    return out;
  }

  #copyIdentity(out: Uint8Array, at: number, user: number): void {
    const from = user * IDENTITY_BYTES;
    for (let i = 0; i < IDENTITY_BYTES; i++) out[at + i] = this.#directory[from + i]!;
  }
}
