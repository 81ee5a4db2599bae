/**
 * Calls that take turns with their inputs, and a checksum of what came of them.
 *
 * @module
 */

import { fold, wrongResult, type AwaitedCall, type Call, type Prepared } from './operation.ts';

/**
 * The loop around the calls is all that is timed beside them: a turn costs some ns, which `null`
 * shows. Once for each process, so that its call site sees one operation only.
 */
export class Turns {
  readonly #prepared: Prepared;
  #at = 0;
  #sum = 0;
  #made = 0;
  #last: Uint8Array | undefined;

  constructor(prepared: Prepared) {
    this.#prepared = prepared;
  }

  /** How many calls were made. */
  get made(): number {
    return this.#made;
  }

  /** @param count Calls one after the other. */
  make(count: number): void {
    const calls = this.#prepared.calls as readonly Call[];
    const inputs = calls.length;
    let at = this.#at;
    let sum = this.#sum;
    let output: Uint8Array | undefined;
    for (let i = 0; i < count; i++) {
      output = calls[at]!();
      sum = (sum + fold(output)) | 0;
      at = at + 1 === inputs ? 0 : at + 1;
    }
    this.#close(at, sum, count, output);
  }

  /** The same, each call awaited before the next. */
  async makeAwaited(count: number): Promise<void> {
    const calls = this.#prepared.calls as readonly AwaitedCall[];
    const inputs = calls.length;
    let at = this.#at;
    let sum = this.#sum;
    let output: Uint8Array | undefined;
    for (let i = 0; i < count; i++) {
      output = await calls[at]!();
      sum = (sum + fold(output)) | 0;
      at = at + 1 === inputs ? 0 : at + 1;
    }
    this.#close(at, sum, count, output);
  }

  /** One call, for tools that call a function again and again. */
  readonly one = (): void => {
    const calls = this.#prepared.calls as readonly Call[];
    const at = this.#at;
    const output = calls[at]!();
    this.#close(at + 1 === calls.length ? 0 : at + 1, (this.#sum + fold(output)) | 0, 1, output);
  };

  #close(at: number, sum: number, count: number, output: Uint8Array | undefined): void {
    this.#at = at;
    this.#sum = sum;
    this.#made += count;
    this.#last = output ?? this.#last;
  }

  /**
   * Every call so far must have given what its input gives. One that was left out, or left the
   * result of the call before in place, changes the sum.
   *
   * @throws HarnessError WRONG_RESULT.
   */
  async check(name: string): Promise<void> {
    const { calls, expected, confirm } = this.#prepared;
    if (expected !== undefined && this.#sum !== sumOf(expected, this.#made)) {
      throw wrongResult(
        `${name}: the outputs of ${this.#made} calls do not add up to those of their inputs`,
      );
    }
    if (this.#last === undefined) return;
    const last = (this.#at + calls.length - 1) % calls.length;
    if (!(await confirm(last, this.#last))) {
      throw wrongResult(`${name}: what the last of ${this.#made} calls gave cannot be undone`);
    }
  }
}

/** Modulo 2^32, as the loops add. */
function sumOf(expected: Int32Array, made: number): number {
  let all = 0;
  let begun = 0;
  for (const [at, value] of expected.entries()) {
    if (at < made % expected.length) begun = (begun + value) | 0;
    all = (all + value) | 0;
  }
  return (Math.imul(all, Math.floor(made / expected.length)) + begun) | 0;
}

/** Of each input once: what two implementations must have in common. */
export function outputsSum(expected: Int32Array): number {
  return sumOf(expected, expected.length);
}
