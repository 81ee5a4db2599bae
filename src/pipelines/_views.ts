/**
 * Views of one scratch buffer by length, made once each.
 *
 * Libraries take the length of an argument from its view; making a view costs about 70 ns and a new
 * array about 1 us, so lengths that come again are kept.
 *
 * @module
 */

/** Lengths up to this are kept; longer ones are made each time, and the buffer grows with them. */
const KEPT_LENGTHS = 4096;

export class ScratchViews {
  #buffer = new Uint8Array(KEPT_LENGTHS);
  readonly #views: (Uint8Array | undefined)[] = [];

  /** A view of exactly `length` bytes, which the next call may hand out again. */
  take(length: number): Uint8Array {
    const kept = this.#views[length];
    if (kept !== undefined) return kept;
    if (length > this.#buffer.length) {
      this.#buffer = new Uint8Array(2 ** Math.ceil(Math.log2(length)));
      this.#views.length = 0;
    }
    const view = this.#buffer.subarray(0, length);
    if (length <= KEPT_LENGTHS) this.#views[length] = view;
    return view;
  }
}
