/**
 * Which message numbers of one direction were seen: a sliding window over the latest, as packed bits.
 *
 * RFC 6479 section 2: the bits lie in a ring of words, and moving the window clears whole words in
 * place of shifting. One word more than the window has keeps the newest, partly filled word apart
 * from the oldest that still counts.
 *
 * @module
 */

/**
 * How far behind the latest message one may arrive. Of the order of the skipped keys that the
 * pipelines with chains keep, so that the network may reorder as much as there.
 */
export const WINDOW_MESSAGES = 1024;

const WINDOW_WORDS = WINDOW_MESSAGES / 32;
const RING_WORDS = WINDOW_WORDS + 1;

/** The ring and the number after the latest message. */
export const WINDOW_BYTES: number = (RING_WORDS + 1) * 4;

/** One packed window; filled from a record and stored again. */
export class ReplayWindow {
  readonly words: Uint32Array = new Uint32Array(RING_WORDS + 1);

  /** The number after the latest that was seen; 0 when none was. */
  get next(): number {
    return this.words[RING_WORDS]!;
  }

  /** Whether `n` was seen, or lies too far back to know. */
  wasSeen(n: number): boolean {
    if (n >= this.next) return false;
    if (this.next - 1 - n >= WINDOW_MESSAGES) return true;
    return (this.words[ringWord(n)]! & (1 << (n & 31))) !== 0;
  }

  /** @param n Below 2^32 - 1, and not seen. */
  add(n: number): void {
    if (n >= this.next) {
      const newest = n >>> 5;
      const before = this.next === 0 ? -1 : (this.next - 1) >>> 5;
      const cleared = Math.min(newest - before, RING_WORDS);
      for (let i = 0; i < cleared; i++) this.words[(newest - i) % RING_WORDS] = 0;
      this.words[RING_WORDS] = n + 1;
    }
    this.words[ringWord(n)]! |= 1 << (n & 31);
  }
}

function ringWord(n: number): number {
  return (n >>> 5) % RING_WORDS;
}
