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

  /**
   * Takes out the frames of the messages for which `isLost` says so.
   *
   * @returns The numbers that the others had.
   */
  lose(isLost: (message: number) => boolean): number[] {
    const kept: number[] = [];
    for (let frame = 0; frame < this.count; frame++) {
      if (isLost(this.messages[frame]!)) continue;
      const at = kept.push(frame) - 1;
      this.frames[at] = this.frames[frame]!;
      this.toUsers[at] = this.toUsers[frame]!;
      this.kinds[at] = this.kinds[frame]!;
      this.messages[at] = this.messages[frame]!;
    }
    this.count = kept.length;
    return kept;
  }
}

/** What is to be delivered in a batch; columns of `count` entries. */
export interface Deliveries {
  readonly sessions: number[];
  readonly members: number[];
  readonly messages: number[];
  /** What the relay stored, then what it delivers. */
  readonly frames: Uint8Array[];
  /** Whether the message was delivered before. */
  readonly again: boolean[];
  count: number;
}

/** What the authority gets of a batch; columns of `count` entries. */
export interface Evidence {
  readonly sessions: number[];
  /** Who sent it. */
  readonly members: number[];
  readonly messages: number[];
  /** In whose mailbox it is stored. */
  readonly toUsers: number[];
  /** What the relay stored, then what it hands over. */
  readonly frames: Uint8Array[];
  count: number;
}

/** The sending half of a batch: message `i` is `numbers[i]` of session `sessions[i]`. */
export class Sends {
  readonly sessions: Uint32Array;
  readonly numbers: Uint32Array;
  /** Where the message stands in the columns of the script. */
  readonly places: Uint32Array;
  readonly members: Uint8Array;
  readonly plaintexts: Uint8Array[];
  count = 0;

  constructor(capacity: number, plaintexts: Uint8Array[] = []) {
    this.plaintexts = plaintexts;
    this.sessions = new Uint32Array(capacity);
    this.numbers = new Uint32Array(capacity);
    this.places = new Uint32Array(capacity);
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

  /** Keeps those of these numbers, ascending, and numbers them anew. */
  keep(numbers: readonly number[]): void {
    for (const [at, number] of numbers.entries()) {
      this.buffers[at] = this.buffers[number]!;
      this.lengths[at] = this.lengths[number]!;
    }
    this.count = numbers.length;
  }

  /** What was written into buffer `at`; only where the length is not negative. */
  written(at: number): Uint8Array {
    return this.buffers[at]!.subarray(0, this.lengths[at]);
  }
}

/** Everything that the batches of a conversation are written into. */
export class Buffers {
  readonly outbox = new EngineOutbox();
  readonly stored: Outputs;
  readonly fetched: Outputs;
  readonly received: Outputs;
  readonly handed: Outputs;
  readonly recovered: Outputs;
  #sends: Sends;
  #flags: Uint8Array;

  /** As for {@link resize}. */
  constructor(batch = 0, flags = 0) {
    this.#flags = new Uint8Array(flags).fill(1);
    this.#sends = new Sends(batch);
    this.stored = new Outputs(batch);
    this.fetched = new Outputs(batch);
    this.received = new Outputs(batch);
    this.handed = new Outputs(batch);
    this.recovered = new Outputs(batch);
  }

  get sends(): Sends {
    return this.#sends;
  }

  /**
   * For the next conversation. Arrays are kept: code that was compiled for arrays that have held frames
   * is thrown away by a fresh one.
   *
   * @param batch Messages per batch.
   * @param flags Room for the flags of as many messages, touched now so that it is in the resident
   *   set before a world is.
   */
  resize(batch: number, flags = 0): void {
    this.#sends = new Sends(batch, this.#sends.plaintexts);
    this.#flags = new Uint8Array(flags).fill(1);
  }

  /**
   * One byte per message, all zero. Kept here and not by a conversation, whose memory would be counted
   * with what the sessions retain.
   */
  flags(messages: number): Uint8Array {
    if (this.#flags.length < messages) this.#flags = new Uint8Array(messages);
    return this.#flags.subarray(0, messages).fill(0);
  }
}
