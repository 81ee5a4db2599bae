/**
 * What a store of frames does, whatever it writes to. Numbers of rows belong to the relay's process
 * and rise, so that the rows of a mailbox are in the order in which they came.
 *
 * @module
 */

/** Index into FRAME_KINDS of the protocol. */
export type KindNumber = 0 | 1 | 2;

/** A frame that is kept. */
export interface StoredFrame {
  readonly row: number;
  readonly mailbox: number;
  /** Its number in the mailbox. */
  readonly id: number;
  readonly atMs: number;
  /** A mailbox, or NO_SENDER. */
  readonly from: number;
  readonly kind: KindNumber;
  readonly length: number;
  /** For the store alone: what it was given, where it keeps that in memory. */
  bytes: Uint8Array | undefined;
}

export interface StoredMailbox {
  readonly id: number;
  readonly token: string;
  /** No frame with this number or a lower one will come again. */
  readonly lastId: number;
}

/**
 * Wrapped data keys of a relay that seals what it stores; they are written with the frames that they
 * seal, never later.
 */
export interface KeyShelf {
  /** Counts how often the store was opened: no two processes that write to it share one. */
  readonly epoch: number;
  get(id: number): Uint8Array | undefined;
  /** @param untilMs Nothing is sealed with it after this; Infinity where that is not known. */
  set(id: number, wrapped: Uint8Array, untilMs: number): void;
}

export interface FrameStore {
  /** What an answer promises, in words. */
  readonly durability: string;
  /**
   * Whether a commit costs so much that changes wait for each other. What is written between `begin`
   * and `commit` holds whole or not at all.
   */
  readonly isGrouped: boolean;
  /** Only where the store outlives the process. */
  readonly keys?: KeyShelf;
  load(onMailbox: (mailbox: StoredMailbox) => void, onFrame: (frame: StoredFrame) => void): void;
  begin(): void;
  /** @throws Error when what was written since `begin` does not hold; then `rollback` follows. */
  commit(): void;
  rollback(): void;
  putMailbox(mailbox: StoredMailbox): void;
  /** @param bytes Kept as they are, or copied: the caller never changes them. */
  putFrame(frame: StoredFrame, bytes: Uint8Array): void;
  dropFrame(frame: StoredFrame): void;
  /** Remembers the last number of a mailbox, without which a restart could give it again. */
  putLastId(mailbox: number, lastId: number): void;
  /** Forgets wrapped keys with which nothing that is kept was sealed. */
  dropKeys(untilMs: number): void;
  /** The bytes of a frame that was put and not dropped. */
  read(frame: StoredFrame): Uint8Array;
  close(): void;
}
