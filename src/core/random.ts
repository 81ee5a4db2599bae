/**
 * Seeded pseudo-random numbers for workloads, orders and tests. NOT cryptographic.
 *
 * sfc32, B. Doty-Humphrey, PractRand 0.94 (`sfc32`): 128 bits of state, 32 bits out. Seeds are mixed
 * with the 32-bit finaliser of MurmurHash3 so that neighbouring seeds give unrelated streams.
 *
 * @module
 */

/** A stream of 32-bit words; the same seed gives the same stream on every machine. */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param parts Any integers; each different list is a different stream. */
  constructor(...parts: readonly number[]) {
    let hash = 0x9e3779b9;
    const words = new Int32Array(3);
    for (let word = 0; word < 3; word++) {
      hash = mix(hash ^ Math.imul(word + 1, 0x85ebca6b));
      for (const part of parts) {
        hash = mix(hash ^ (part | 0));
        hash = mix(hash ^ Math.floor(part / 0x1_0000_0000));
      }
      words[word] = hash;
    }
    this.#a = words[0]!;
    this.#b = words[1]!;
    this.#c = words[2]!;
    for (let i = 0; i < 12; i++) this.uint32();
  }

  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1), 32 bits of it. */
  fraction(): number {
    return this.uint32() / 0x1_0000_0000;
  }

  /** Uniform integer in [0, bound); the bias is below bound / 2^32. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** Standard normal deviate (Box and Muller 1958). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.fraction()));
    return radius * Math.cos(2 * Math.PI * this.fraction());
  }

  fill(out: Uint8Array): void {
    for (let i = 0; i < out.length; i += 4) {
      const word = this.uint32();
      out[i] = word;
      if (i + 1 < out.length) out[i + 1] = word >>> 8;
      if (i + 2 < out.length) out[i + 2] = word >>> 16;
      if (i + 3 < out.length) out[i + 3] = word >>> 24;
    }
  }

  /** Fisher and Yates, in place. */
  shuffle<Items extends Indexed>(items: Items): Items {
    const list: { [index: number]: unknown } = items;
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = list[i];
      list[i] = list[j];
      list[j] = held;
    }
    return items;
  }
}

/** An array of any kind. */
interface Indexed {
  readonly length: number;
  readonly [index: number]: unknown;
}

function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
