/**
 * An escrow field that is sealed once per session, at the end that opens it, and sent with the
 * handshake: on every frame until the first reply.
 *
 * What is kept to repeat it are the sealed bytes, never what they hold.
 *
 * @module
 */

import { NONE, PackedPool } from '../core/packed.ts';
import type { RatchetState } from '../protocols/double-ratchet.ts';
import type { EscrowField, FieldSource } from './_escrow-field.ts';

/** Writes the field of a session that begins; `secret` is SK. */
export type SealSession = (out: Uint8Array, source: FieldSource, secret: Uint8Array) => void;

export class SessionField implements EscrowField {
  readonly type: number;
  readonly stateWords: number;
  readonly newSecret?: (state: RatchetState) => void;
  readonly #fieldBytes: number;
  readonly #seal: SealSession;
  /** Sealed bytes of sessions without a reply; the first word of a state is their id plus one. */
  readonly #sealed: PackedPool;

  /**
   * @param more Words of a state that the design keeps besides, after the first, and what makes its
   *   ratchet keys.
   */
  constructor(
    type: number,
    fieldBytes: number,
    seal: SealSession,
    more: { readonly words: number; readonly newSecret?: (state: RatchetState) => void } = {
      words: 0,
    },
  ) {
    this.type = type;
    this.#fieldBytes = fieldBytes;
    this.#seal = seal;
    this.#sealed = new PackedPool(fieldBytes, 0x7fff_ffff);
    this.stateWords = 1 + more.words;
    if (more.newSecret !== undefined) this.newSecret = more.newSecret;
  }

  begin(source: FieldSource, secret: Uint8Array): void {
    if (!source.isInitiator) return;
    const id = this.#sealed.take();
    if (id === NONE) throw new RangeError('"sessions" expected fewer that wait for a reply');
    this.#seal(this.#sealed.view(id), source, secret);
    source.state.extra[0] = id + 1;
  }

  bytes(state: RatchetState): number {
    const kept = state.extra[0]!;
    if (kept === 0) return 0;
    if (!state.canReceive) return this.#fieldBytes;
    this.#sealed.release(kept - 1);
    state.extra[0] = 0;
    return 0;
  }

  write(out: Uint8Array, source: FieldSource): void {
    out.set(this.#sealed.view(source.state.extra[0]! - 1));
  }

  fits(_n: number, length: number): boolean {
    return length === 0 || length === this.#fieldBytes;
  }
}
