/**
 * What every authority over a ratchet does: reads the frames that the relay handed over, asks its
 * design for the encryption key of each, and opens the message with it.
 *
 * @module
 */

import { getUint32 } from '../core/bytes.ts';
import { HEADER_BYTES, HEADER_N_AT } from '../protocols/double-ratchet.ts';
import type { PackedMembers } from './_members.ts';
import { openMessageForm, type MessageForm } from './_message-form.ts';
import { OUTCOME, type Authority, type AuthorityOpening } from './_pipeline.ts';
import { AssociatedData, RatchetFrame } from './_ratchet-frame.ts';
import { escrowFrameShape } from './_escrow-ratchet.ts';
import { ScratchViews } from './_views.ts';

/** One frame that was handed over; one instance is used again for each. */
export class EvidenceFrame {
  readonly #associated: AssociatedData;
  readonly #layout: RatchetFrame;
  readonly #members: PackedMembers;
  bytes: Uint8Array;
  session = 0;
  /** Who sent it. */
  sender = 0;
  /** session * 2 + sender. */
  end = 0;
  /** Which member opened the session. */
  initiator = 0;
  n = 0;
  /** In the clear: ratchet key 32, PN 4, N 4. A copy. */
  readonly header: Uint8Array = new Uint8Array(HEADER_BYTES);
  readonly ratchetKey: Uint8Array = this.header.subarray(0, 32);

  constructor(directory: Uint8Array, members: PackedMembers, layout: RatchetFrame) {
    this.#associated = new AssociatedData(directory);
    this.#members = members;
    this.#layout = layout;
    this.bytes = this.header;
  }

  get hasHandshake(): boolean {
    return this.#layout.hasHandshake;
  }

  /** The handshake as `X3dhSessions` lays it out; only where `hasHandshake`. */
  get handshake(): Uint8Array {
    return this.bytes.subarray(1, 1 + this.#layout.handshakeBytes);
  }

  get fieldBytes(): number {
    return this.#layout.fieldBytes;
  }

  get field(): Uint8Array {
    return this.bytes.subarray(this.#layout.fieldAt, this.#layout.ciphertextAt);
  }

  /** As `FieldSource.ofChain`. Valid until the next call of either. */
  ofChain(): Uint8Array {
    return this.#build(32);
  }

  /** As `FieldSource.ofMessage`. Valid until the next call of either. */
  ofMessage(): Uint8Array {
    return this.#build(HEADER_BYTES);
  }

  /** The associated data of the message itself. */
  ofText(): Uint8Array {
    const { headerAt, ciphertextAt } = this.#layout;
    return this.#associated.build(
      this.#user(this.initiator),
      this.#user(1 - this.initiator),
      this.bytes,
      headerAt,
      ciphertextAt,
    );
  }

  get text(): Uint8Array {
    return this.bytes.subarray(this.#layout.ciphertextAt);
  }

  #build(headerBytes: number): Uint8Array {
    const initiator = this.#user(this.initiator);
    const responder = this.#user(1 - this.initiator);
    return this.#associated.build(initiator, responder, this.header, 0, headerBytes);
  }

  #user(member: number): number {
    return this.#members.user(this.session, member);
  }
}

/** Reads frames that were handed over. */
export class EvidenceReader {
  readonly #layout: RatchetFrame;
  readonly #frame: EvidenceFrame;
  /** Which member opened the session, plus one: that of the first handshake whose message opened. */
  readonly #initiators: Uint8Array;

  /** @param sealBytes What the message form adds to the plaintext. */
  constructor({ options, directory, members }: AuthorityOpening, sealBytes: number) {
    this.#layout = new RatchetFrame(escrowFrameShape(options, sealBytes));
    this.#frame = new EvidenceFrame(directory, members, this.#layout);
    this.#initiators = new Uint8Array(members.sessions);
  }

  /** @returns Valid until the next call; undefined when it is no frame of these ends. */
  read(session: number, sender: number, evidence: Uint8Array): EvidenceFrame | undefined {
    const layout = this.#layout;
    if (!layout.read(evidence) || !layout.readOn(evidence, 0)) return undefined;
    const frame = this.#frame;
    frame.bytes = evidence;
    frame.session = session;
    frame.sender = sender;
    frame.end = session * 2 + sender;
    const known = this.#initiators[session]!;
    // Nothing authenticates that a frame has a handshake before its message opens under it.
    const assumed = layout.hasHandshake ? sender : 0;
    frame.initiator = known === 0 ? assumed : known - 1;
    const { header } = frame;
    for (let i = 0; i < header.length; i++) header[i] = evidence[layout.headerAt + i]!;
    frame.n = getUint32(header, HEADER_N_AT);
    return frame;
  }

  /** The message of the frame that was read last opened. */
  confirm(): void {
    const { session, initiator } = this.#frame;
    if (this.#layout.hasHandshake) this.#initiators[session] ||= initiator + 1;
  }
}

/** How a design comes by encryption keys. */
export interface KeyRecovery {
  /** As `Authority.advance`. */
  advance?(atMs: number): void;
  /**
   * The key of this frame's message.
   *
   * @param out 32 bytes, to be filled.
   * @returns 0, or a negative outcome: ESCROW_INVALID for a field that does not open, UNKNOWN_KEY
   *   when no evidence leads to it.
   */
  encryptionKey(frame: EvidenceFrame, out: Uint8Array): number;
  /** The message opened under that key: what was learnt from the frame may be kept. */
  opened?(frame: EvidenceFrame): void;
}

/** An authority over X3DH or PQXDH and Double Ratchet frames with an escrow field. */
export class RatchetAuthority implements Authority {
  readonly #recovery: KeyRecovery;
  readonly #form: MessageForm;
  readonly #reader: EvidenceReader;
  readonly #key = new Uint8Array(32);
  readonly #views = new ScratchViews();

  constructor(opening: AuthorityOpening, recovery: KeyRecovery) {
    this.#recovery = recovery;
    this.#form = openMessageForm(opening.provider, opening.options);
    this.#reader = new EvidenceReader(opening, this.#form.overheadBytes);
  }

  advance(atMs: number): void {
    this.#recovery.advance?.(atMs);
  }

  recover(session: number, member: number, evidence: Uint8Array, out: Uint8Array): number {
    const frame = this.#reader.read(session, member, evidence);
    if (frame === undefined) return OUTCOME.AUTH_FAILED;
    const outcome = this.#recovery.encryptionKey(frame, this.#key);
    if (outcome < 0) return outcome;
    const sealed = frame.text;
    const plaintext = this.#views.take(sealed.length - this.#form.overheadBytes);
    if (!this.#form.openAsAuthority(plaintext, this.#key, frame.ofText(), sealed)) {
      return OUTCOME.AUTH_FAILED;
    }
    this.#reader.confirm();
    this.#recovery.opened?.(frame);
    out.set(plaintext);
    return plaintext.length;
  }
}
