/**
 * Ratchet ends of ours whose escrow field a library makes, which answers later.
 *
 * @module
 */

import type { EscrowField, FieldSource } from '../_escrow-field.ts';
import { openEscrowEnds } from '../_escrow-ratchet.ts';
import type { AsyncClients, Outbox, Setup } from '../_pipeline.ts';
import type { RatchetEnds } from '../_ratchet-ends.ts';
import { foreignFailure } from './_library.ts';

/** Makes the field of each frame. */
export interface FieldMaker {
  /** Of the frames, as receivers tell them apart. */
  readonly type: number;
  readonly fieldBytes: number;
  /** @param source Stays as it is until the promise is kept. */
  write(out: Uint8Array, source: FieldSource): Promise<void>;
}

export class AwaitedFieldClients implements AsyncClients {
  readonly asynchronous = true;
  readonly #package: string;
  readonly #ends: RatchetEnds;
  readonly #maker: FieldMaker;

  /** @param packageName Of the library, for what it throws. */
  constructor(setup: Setup, packageName: string, maker: FieldMaker) {
    this.#package = packageName;
    this.#maker = maker;
    this.#ends = openEscrowEnds(setup, placeFor(maker));
  }

  /** Public identities of all users. */
  get directory(): Uint8Array {
    return this.#ends.accounts.directory;
  }

  async publish(user: number, atMs: number, outbox: Outbox): Promise<void> {
    this.#ends.publish(user, atMs, outbox);
  }

  async initiate(
    session: number,
    member: number,
    bundle: Uint8Array,
    atMs: number,
  ): Promise<number> {
    return this.#ends.initiate(session, member, bundle, atMs);
  }

  async send(
    session: number,
    member: number,
    plaintext: Uint8Array,
    atMs: number,
    outbox: Outbox,
  ): Promise<void> {
    const ends = this.#ends;
    const field = ends.beginSending(session, member, plaintext.length, atMs, outbox);
    try {
      await this.#maker.write(field, ends.fieldSource);
    } catch (error) {
      throw foreignFailure(this.#package, error);
    }
    ends.finishSending(plaintext, outbox);
  }

  async receive(
    session: number,
    member: number,
    frame: Uint8Array,
    atMs: number,
    out: Uint8Array,
  ): Promise<number> {
    return this.#ends.receive(session, member, frame, atMs, out);
  }
}

/** What the ends know of the field: that it is in every frame, and how long it is. */
function placeFor({ type, fieldBytes }: FieldMaker): EscrowField {
  return {
    type,
    bytes: () => fieldBytes,
    write() {
      throw new TypeError('"write" expected not to be called: the field is awaited');
    },
    fits: (_n, length) => length === fieldBytes,
  };
}
