/**
 * One batch: the messages that go through the stages together, and all their buffers.
 *
 * The engine owns every buffer. Views are made between the stages, never inside a timed loop, except
 * the one of `reserve`, which stands for the buffer a real client would write its frame into.
 *
 * @module
 */

import { EMPTY } from '../core/bytes.ts';
import type { FrameKind, Outbox } from '../pipelines/_pipeline.ts';

const CHUNK_BYTES = 2 ** 21;

/** A bump allocator of views, emptied between batches. */
class Arena {
  /** The first is written to, so that no timed loop is the first to touch its pages. */
  readonly #chunks: Uint8Array[] = [new Uint8Array(CHUNK_BYTES).fill(1)];
  #chunk = EMPTY;
  #next = 0;
  #at = 0;

  take(bytes: number): Uint8Array {
    if (this.#at + bytes > this.#chunk.length) this.#nextChunk(bytes);
    const view = this.#chunk.subarray(this.#at, this.#at + bytes);
    this.#at += bytes;
    return view;
  }

  clear(): void {
    this.#next = 0;
    this.#chunk = EMPTY;
    this.#at = 0;
  }

  #nextChunk(bytes: number): void {
    if (this.#next === this.#chunks.length || this.#chunks[this.#next]!.length < bytes) {
      this.#chunks.splice(this.#next, 0, new Uint8Array(Math.max(CHUNK_BYTES, bytes)));
    }
    this.#chunk = this.#chunks[this.#next]!;
    this.#next += 1;
    this.#at = 0;
  }
}

/** Where the clients write. Frames are numbered as they are emitted. */
export class EngineOutbox implements Outbox {
  readonly frames: Uint8Array[] = [];
  readonly toUsers: number[] = [];
  readonly kinds: FrameKind[] = [];
  /** For each frame, which message of the batch it belongs to. */
  readonly messages: number[] = [];
  /** Set by the driver before each call. */
  message = 0;
  count = 0;
  readonly #arena = new Arena();
  #reserved: Uint8Array = EMPTY;

  reserve(bytes: number): Uint8Array {
    this.#reserved = this.#arena.take(bytes);
    return this.#reserved;
  }

  emit(toUser: number, kind: FrameKind, length: number): void {
    const at = this.count;
    const reserved = this.#reserved;
    this.frames[at] = length === reserved.length ? reserved : reserved.subarray(0, length);
    this.toUsers[at] = toUser;
    this.kinds[at] = kind;
    this.messages[at] = this.message;
    this.count = at + 1;
  }

  clear(): void {
    this.count = 0;
    this.#arena.clear();
  }
}

/** The sending half of a batch: message `i` is `numbers[i]` of session `sessions[i]`. */
export class Sends {
  readonly sessions: Uint32Array;
  readonly members: Uint8Array;
  readonly plaintexts: Uint8Array[] = [];
  count = 0;

  constructor(capacity: number) {
    this.sessions = new Uint32Array(capacity);
    this.members = new Uint8Array(capacity);
  }
}

/** A list of byte strings with the buffer each is written into, and the length that came out. */
export class Outputs {
  readonly buffers: Uint8Array[] = [];
  lengths: Int32Array;
  count = 0;
  readonly #arena = new Arena();

  constructor(capacity: number) {
    this.lengths = new Int32Array(capacity);
  }

  clear(): void {
    this.count = 0;
    this.#arena.clear();
  }

  /** Adds a buffer. @returns Its number. */
  add(bytes: number): number {
    const at = this.count;
    this.buffers[at] = this.#arena.take(bytes);
    this.count = at + 1;
    if (at >= this.lengths.length) {
      const longer = new Int32Array(Math.max(16, at * 2));
      longer.set(this.lengths);
      this.lengths = longer;
    }
    return at;
  }

  /** What was written into buffer `at`; only where the length is not negative. */
  written(at: number): Uint8Array {
    return this.buffers[at]!.subarray(0, this.lengths[at]);
  }
}

/** Everything that the batches of a conversation are written into. */
export class Buffers {
  readonly outbox = new EngineOutbox();
  readonly sends: Sends;
  readonly stored: Outputs;
  readonly fetched: Outputs;
  readonly received: Outputs;
  readonly evidence: Outputs;
  readonly recovered: Outputs;

  /** @param batch Messages per batch. */
  constructor(batch: number) {
    this.sends = new Sends(batch);
    this.stored = new Outputs(batch);
    this.fetched = new Outputs(batch);
    this.received = new Outputs(batch);
    this.evidence = new Outputs(batch);
    this.recovered = new Outputs(batch);
  }
}
