import type { FrameKind, Outbox } from './_pipeline.ts';

/** Sends what ends emit to a mailbox of the authority, as another kind. */
export class EscrowOutbox implements Outbox {
  readonly #mailbox: number;
  readonly #kind: FrameKind;
  #outbox: Outbox | undefined;

  constructor(mailbox: number, kind: FrameKind = 'escrow') {
    this.#mailbox = mailbox;
    this.#kind = kind;
  }

  /** The same instance, in front of another outbox. */
  into(outbox: Outbox): this {
    this.#outbox = outbox;
    return this;
  }

  reserve(bytes: number): Uint8Array {
    return this.#outbox!.reserve(bytes);
  }

  emit(_toUser: number, _kind: FrameKind, length: number): void {
    this.#outbox!.emit(this.#mailbox, this.#kind, length);
  }
}
