/**
 * Fixed-size records in a few large buffers, so that millions of them cost no objects.
 *
 * @module
 */

/** Records per buffer: keeps every buffer below 2^30 bytes for records of up to 16 KiB. */
const CHUNK_RECORDS = 65_536;

/** `count` records of `bytes` bytes each, zero at first. `bytes` must be a multiple of 4. */
export class PackedRecords {
  readonly bytes: number;
  readonly #words: number;
  readonly #chunks: Uint32Array[] = [];

  constructor(bytes: number, count: number) {
    if (bytes % 4 !== 0) throw new RangeError(`"bytes" expected a multiple of 4, got ${bytes}`);
    this.bytes = bytes;
    this.#words = bytes / 4;
    for (let left = count; left > 0; left -= CHUNK_RECORDS) {
      this.#chunks.push(new Uint32Array(this.#words * Math.min(left, CHUNK_RECORDS)));
    }
  }

  /** Copies record `index` to `into`. */
  load(index: number, into: Uint32Array): void {
    const chunk = this.#chunks[index >>> 16]!;
    const from = (index & 0xffff) * this.#words;
    for (let i = 0; i < this.#words; i++) into[i] = chunk[from + i]!;
  }

  /** Copies `from` to record `index`. */
  store(index: number, from: Uint32Array): void {
    const chunk = this.#chunks[index >>> 16]!;
    const to = (index & 0xffff) * this.#words;
    for (let i = 0; i < this.#words; i++) chunk[to + i] = from[i]!;
  }

  /** A view of record `index`, for parts that are touched rarely. */
  view(index: number): Uint8Array {
    const chunk = this.#chunks[index >>> 16]!;
    return new Uint8Array(chunk.buffer, (index & 0xffff) * this.bytes, this.bytes);
  }
}

/**
 * Records that come and go: a pool with a free list, which grows by half and is given up as a whole
 * when its last record goes.
 *
 * An id is valid from `take` to `release`.
 */
export class PackedPool {
  readonly bytes: number;
  readonly limit: number;
  #data: Uint8Array;
  #next: Uint32Array;
  #free = NONE;
  #used = 0;
  #live = 0;

  constructor(bytes: number, limit: number) {
    this.bytes = bytes;
    this.limit = limit;
    this.#data = new Uint8Array(0);
    this.#next = new Uint32Array(0);
  }

  /** Records taken and not released. */
  get live(): number {
    return this.#live;
  }

  /** @returns The id of a record with unspecified content, or NONE when the limit is reached. */
  take(): number {
    if (this.#free !== NONE) {
      const id = this.#free;
      this.#free = this.#next[id]!;
      this.#live += 1;
      return id;
    }
    if (this.#used >= this.limit) return NONE;
    if (this.#used === this.#next.length) this.#grow();
    this.#live += 1;
    return this.#used++;
  }

  release(id: number): void {
    this.#data.fill(0, id * this.bytes, (id + 1) * this.bytes);
    this.#next[id] = this.#free;
    this.#free = id;
    this.#live -= 1;
    if (this.#live === 0) this.#giveUp();
  }

  /** A view that is valid until the next `take`. */
  view(id: number): Uint8Array {
    return this.#data.subarray(id * this.bytes, (id + 1) * this.bytes);
  }

  #giveUp(): void {
    this.#data = new Uint8Array(0);
    this.#next = new Uint32Array(0);
    this.#free = NONE;
    this.#used = 0;
  }

  #grow(): void {
    const records = Math.min(this.limit, Math.max(64, Math.ceil(this.#next.length * 1.5)));
    const data = new Uint8Array(records * this.bytes);
    data.set(this.#data);
    this.#data = data;
    const next = new Uint32Array(records);
    next.set(this.#next);
    this.#next = next;
  }
}

/** No record. */
export const NONE = 0xffff_ffff;
