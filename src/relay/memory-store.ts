import type { FrameStore, StoredFrame } from './frame-store.ts';

/** Frames in memory: the floor of what a store costs. Everything is gone when the process ends. */
export class MemoryStore implements FrameStore {
  readonly durability = 'nothing outlives the process';
  readonly isGrouped = false;
  readonly #frames = new Map<number, Uint8Array>();

  load(): void {
    // A new process begins with nothing.
  }

  begin(): void {
    // Each change holds at once.
  }

  commit(): void {
    // As for begin.
  }

  rollback(): void {
    // Nothing here fails.
  }

  putMailbox(): void {
    // Mailboxes are kept by the relay itself.
  }

  putFrame({ row }: StoredFrame, bytes: Uint8Array): void {
    this.#frames.set(row, bytes);
  }

  dropFrame(row: number): void {
    this.#frames.delete(row);
  }

  putLastId(): void {
    // As for mailboxes.
  }

  dropKeys(): void {
    // A pipeline keeps its keys itself, as it does without a relay.
  }

  read(row: number): Uint8Array {
    return this.#frames.get(row)!;
  }

  close(): void {
    this.#frames.clear();
  }
}
