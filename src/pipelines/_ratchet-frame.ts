/**
 * The frame of the Double Ratchet pipelines.
 *
 * | bytes | what |
 * | --- | --- |
 * | 1 | form: bit 0 set when a handshake follows |
 * | 104 | handshake, X3DH revision 1 section 3.3: IKa 64, EKa 32, signed prekey id 4, one-time id 4 |
 * | 1568 | with PQXDH, in the handshake: the ML-KEM-1024 ciphertext, PQXDH revision 3 section 3.3 |
 * | 40 | header, Double Ratchet section 3.4: ratchet key 32, PN 4, N 4 |
 * | 1 | with re-keying, in the header: bit 0 chain mixed, bit 1 key follows, bit 2 ciphertext follows |
 * | 16 | with header encryption, before the header: its synthetic IV |
 * | 1184 or 1088 | with re-keying: ML-KEM-768 public key, or ciphertext |
 * | 3 + n | escrow pipelines only: type 1, length 2, field n |
 * | p + 16 | ciphertext and tag; with encrypt-then-MAC p + 32, with a commitment p + 64 |
 *
 * Associated data: Encode(IKa) || Encode(IKb) || everything from the header, as sent, to the
 * ciphertext, so that nothing between sender and receiver can strip or change a part of it.
 *
 * @module
 */

import { getUint16 } from '../core/bytes.ts';
import { HEADER_BYTES } from '../protocols/double-ratchet.ts';
import { HEADER_SEAL_BYTES } from '../protocols/header-seal.ts';
import { IDENTITY_BYTES } from '../protocols/x3dh.ts';
import { ScratchViews } from './_views.ts';
import { HANDSHAKE_BYTES } from './_x3dh-sessions.ts';

export const FORM_HANDSHAKE = 1;

/** Bits of the header byte that re-keying adds. */
export const REKEY_MIXED = 1;
export const REKEY_KEY = 2;
export const REKEY_CIPHERTEXT = 4;

/** Type and length in front of an escrow field. */
export const FIELD_HEAD_BYTES = 3;
const RATCHET_KEY_BYTES = 32;

/** Which optional parts the frames of a pipeline have. */
export interface FrameShape {
  readonly escrowed: boolean;
  /** Bytes of the handshake's KEM ciphertext; 0 for X3DH. */
  readonly kemCiphertextBytes: number;
  /** ML-KEM of the re-keying; both 0 without it. */
  readonly rekeyPublicKeyBytes: number;
  readonly rekeyCiphertextBytes: number;
  readonly headerEncryption: boolean;
  /** What the message form adds to the plaintext; 16 where it is left out. */
  readonly sealBytes?: number;
}

/** Where the parts of one frame are; one instance is used again for each frame. */
export class RatchetFrame {
  readonly shape: FrameShape;
  /** Of the header in the clear. */
  readonly headerBytes: number;
  readonly handshakeBytes: number;
  readonly #headerSealBytes: number;
  readonly #sealBytes: number;
  hasHandshake = false;
  /** The header as sent, with its synthetic IV if it has one. */
  headerAt = 0;
  /** After the header. */
  payloadAt = 0;
  payloadBytes = 0;
  fieldAt = 0;
  fieldBytes = 0;
  ciphertextAt = 0;

  constructor(shape: FrameShape) {
    this.shape = shape;
    this.#headerSealBytes = shape.headerEncryption ? HEADER_SEAL_BYTES : 0;
    this.#sealBytes = shape.sealBytes ?? 16;
    this.headerBytes = HEADER_BYTES + (shape.rekeyPublicKeyBytes > 0 ? 1 : 0);
    this.handshakeBytes = HANDSHAKE_BYTES + shape.kemCiphertextBytes;
  }

  /** Lays out a frame to be sent. @returns Bytes up to its ciphertext. */
  lay(hasHandshake: boolean, rekeyBits: number, fieldBytes: number): number {
    this.hasHandshake = hasHandshake;
    this.headerAt = 1 + (hasHandshake ? this.handshakeBytes : 0);
    this.#layPayload(rekeyBits);
    this.fieldBytes = fieldBytes;
    this.ciphertextAt = this.fieldAt + fieldBytes;
    return this.ciphertextAt;
  }

  /** The first byte of a frame that was laid out. */
  get form(): number {
    return this.hasHandshake ? FORM_HANDSHAKE : 0;
  }

  /** Reads up to the header. @returns False when `frame` is too short or of another form. */
  read(frame: Uint8Array): boolean {
    if (frame.length < 1 || (frame[0]! & ~FORM_HANDSHAKE) !== 0) return false;
    this.hasHandshake = (frame[0]! & FORM_HANDSHAKE) !== 0;
    this.headerAt = 1 + (this.hasHandshake ? this.handshakeBytes : 0);
    const shortest = this.headerAt + this.#headerSealBytes + this.headerBytes + this.#sealBytes;
    return frame.length >= shortest;
  }

  /**
   * Reads on, once the header is known.
   *
   * @param rekeyBits The header's last byte; 0 without re-keying.
   */
  readOn(frame: Uint8Array, rekeyBits: number): boolean {
    this.#layPayload(rekeyBits);
    this.fieldBytes = 0;
    if (this.shape.escrowed) {
      if (frame.length < this.fieldAt) return false;
      this.fieldBytes = getUint16(frame, this.fieldAt - 2);
    }
    this.ciphertextAt = this.fieldAt + this.fieldBytes;
    return frame.length >= this.ciphertextAt + this.#sealBytes;
  }

  #layPayload(rekeyBits: number): void {
    this.payloadAt = this.headerAt + this.#headerSealBytes + this.headerBytes;
    this.payloadBytes =
      ((rekeyBits & REKEY_KEY) === 0 ? 0 : this.shape.rekeyPublicKeyBytes) +
      ((rekeyBits & REKEY_CIPHERTEXT) === 0 ? 0 : this.shape.rekeyCiphertextBytes);
    this.fieldAt = this.payloadAt + this.payloadBytes;
    if (this.shape.escrowed) this.fieldAt += FIELD_HEAD_BYTES;
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

  /** For an escrow field of a chain: both identities and the chain's ratchet key. */
  ofChain(
    initiator: number,
    responder: number,
    frame: Uint8Array,
    { headerAt }: RatchetFrame,
  ): Uint8Array {
    return this.build(initiator, responder, frame, headerAt, headerAt + RATCHET_KEY_BYTES);
  }

  /**
   * Both identities, then bytes `from` to `to` of the frame.
   *
   * @returns A view that is valid until the next call.
   */
  build(
    initiator: number,
    responder: number,
    frame: Uint8Array,
    from: number,
    to: number,
  ): Uint8Array {
    const out = this.#views.take(2 * IDENTITY_BYTES + to - from);
    this.#copyIdentity(out, 0, initiator);
    this.#copyIdentity(out, IDENTITY_BYTES, responder);
    for (let i = from; i < to; i++) out[2 * IDENTITY_BYTES + i - from] = frame[i]!;
    return out;
  }

  #copyIdentity(out: Uint8Array, at: number, user: number): void {
    const from = user * IDENTITY_BYTES;
    for (let i = 0; i < IDENTITY_BYTES; i++) out[at + i] = this.#directory[from + i]!;
  }
}
