import type { FrameStore, StoredFrame } from './frame-store.ts';

/** Frames in memory: the floor of what a store costs. Everything is gone when the process ends. */
export class MemoryStore implements FrameStore {
  readonly durability = 'nothing outlives the process';
  readonly isGrouped = false;

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

  putFrame(frame: StoredFrame, bytes: Uint8Array): void {
    frame.bytes = bytes;
  }

  dropFrame(frame: StoredFrame): void {
    frame.bytes = undefined;
  }

  putLastId(): void {
    // As for mailboxes.
  }

  dropKeys(): void {
    // A pipeline keeps its keys itself, as it does without a relay.
  }

  read({ bytes }: StoredFrame): Uint8Array {
    return bytes!;
  }

  close(): void {
    // Nothing is open.
  }
}
