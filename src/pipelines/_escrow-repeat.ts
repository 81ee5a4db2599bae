/**
 * On which frames of a chain the part of a field goes that belongs to the whole chain.
 *
 * What an end keeps to repeat it are the sealed bytes, never what they hold: the first key of a chain
 * would open the chain's past to whoever seizes the device.
 *
 * @module
 */

import { EMPTY } from '../core/bytes.ts';
import { PackedRecords } from '../core/packed.ts';
import type { Options, OptionSpec } from './_pipeline.ts';

export const REPEAT_OPTION: OptionSpec = {
  title:
    'which frames carry what is sealed once per chain: the first alone (none), every-frame, or all until-relay-ack, when the relay has stored one of them',
  values: ['none', 'every-frame', 'until-relay-ack'],
  default: 'none',
};

export class FieldRepetition {
  readonly #repeat: string;
  /** The sealed bytes of each end's newest chain, and how many there are. */
  readonly #records: PackedRecords | undefined;
  readonly #lengths: Uint16Array;
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;

  /** @param maxBytes Of what is repeated: a multiple of 4. @param ends Two per session. */
  constructor(options: Options, maxBytes: number, ends: number) {
    this.#repeat = options['repeat'] ?? 'none';
    const repeats = this.#repeat !== 'none';
    this.#records = repeats ? new PackedRecords(maxBytes, ends) : undefined;
    this.#lengths = new Uint16Array(repeats ? ends : 0);
    this.#words = new Uint32Array(repeats ? maxBytes / 4 : 0);
    this.#bytes = new Uint8Array(this.#words.buffer);
  }

  /** Whether message `n` of a chain may come with this part, or without it. */
  fits(n: number, isThere: boolean): boolean {
    if (n === 0 || this.#repeat === 'every-frame') return isThere;
    return !isThere || this.#repeat === 'until-relay-ack';
  }

  /** How much the next frame of this end repeats, when it is not the first of its chain. */
  bytes(end: number): number {
    return this.#records === undefined ? 0 : this.#lengths[end]!;
  }

  /** Keeps what the first frame of a chain carried, to repeat it. */
  keep(end: number, sealed: Uint8Array): void {
    if (this.#records === undefined) return;
    this.#bytes.set(sealed);
    this.#records.store(end, this.#words);
    this.#lengths[end] = sealed.length;
  }

  /** Writes it again. @param out At least `bytes(end)` long. */
  write(end: number, out: Uint8Array): void {
    this.#records!.load(end, this.#words);
    const length = this.#lengths[end]!;
    for (let i = 0; i < length; i++) out[i] = this.#bytes[i]!;
  }

  /** The relay has stored the last frame of this end. */
  acknowledge(end: number): void {
    if (this.#repeat === 'until-relay-ack') this.#lengths[end] = 0;
  }

  /** The sealed bytes that a device holds. */
  export(end: number): Uint8Array {
    const length = this.bytes(end);
    return length === 0 ? EMPTY : this.#records!.view(end).slice(0, length);
  }
}
