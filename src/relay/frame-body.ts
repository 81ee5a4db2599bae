import { EMPTY } from '../core/bytes.ts';

/**
 * The body of one request as it comes, up to a bound. What comes in one piece is not copied; in many
 * small pieces it costs no more memory than the bound.
 */
export class FrameBody {
  readonly #boundBytes: number;
  readonly #declaredBytes: number;
  #bytes: Uint8Array = EMPTY;
  #length = 0;

  /** @param declaredBytes Of the length that the request names, not above the bound; 0 where it names none. */
  constructor(boundBytes: number, declaredBytes: number) {
    this.#boundBytes = boundBytes;
    this.#declaredBytes = declaredBytes;
  }

  /** @returns Whether it still is within the bound; beyond it nothing is kept. */
  add(chunk: Uint8Array): boolean {
    const start = this.#length;
    this.#length += chunk.length;
    if (this.#length > this.#boundBytes) {
      this.#bytes = EMPTY;
      return false;
    }
    if (start === 0) {
      this.#bytes = chunk;
    } else {
      if (start === this.#bytes.length) {
        const whole = new Uint8Array(this.#declaredBytes || this.#boundBytes);
        whole.set(this.#bytes);
        this.#bytes = whole;
      }
      this.#bytes.set(chunk, start);
    }
    return true;
  }

  /** What has come, in memory of its own. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer.byteLength === this.#length) return this.#bytes;
    return new Uint8Array(this.#bytes.subarray(0, this.#length));
  }
}
