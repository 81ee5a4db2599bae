/**
 * A scan of every message for a list of words: what a provider that reads may do besides. It is no
 * part of removing a protection and is never counted as one.
 */
export class KeywordScan {
  readonly #pattern: RegExp;
  readonly #decoder = new TextDecoder();
  /** Messages with at least one of the words. */
  hits = 0;

  /** @param words At least one; upper and lower case are the same. */
  constructor(words: readonly string[]) {
    const whole = words.map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|');
    this.#pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${whole})(?![\\p{L}\\p{N}])`, 'iu');
  }

  look(plaintext: Uint8Array): void {
    if (this.#pattern.test(this.#decoder.decode(plaintext))) this.hits += 1;
  }
}
