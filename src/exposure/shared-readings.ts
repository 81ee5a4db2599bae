/**
 * What attacks on one town have opened, so that another that has the same keys and the same bytes need
 * not compute it again: attacks are pure functions, and many are given the same.
 *
 * Holds the texts of one town, once for each kind of key.
 *
 * @module
 */

import { equalBytes } from '../core/bytes.ts';
import type { Frame } from './evidence.ts';

type Texts = ReadonlyMap<number, Uint8Array>;

interface Reading {
  readonly keys: readonly unknown[];
  readonly frames: readonly Frame[];
  readonly texts: Texts;
}

export interface Opened {
  readonly bytes: Uint8Array;
  readonly text: Uint8Array | undefined;
}

export class SharedReadings {
  /** While it is set nothing is taken from others: the CPU of the attack at hand counts. */
  isTimed = false;
  readonly #readings: Reading[] = [];
  readonly #opened = new Map<string, Map<string, Opened>>();

  /**
   * What a reader makes of frames in their order.
   *
   * @param keys All that it has besides: compared one by one, by identity where they are objects.
   */
  read(keys: readonly unknown[], frames: readonly Frame[], open: () => Texts): Texts {
    const known = this.#readings.find(
      (one) =>
        one.keys.length === keys.length &&
        one.keys.every((key, at) => key === keys[at]) &&
        areSame(one.frames, frames),
    );
    if (known !== undefined && !this.isTimed) return known.texts;
    const texts = open();
    if (known === undefined) this.#readings.push({ keys, frames, texts });
    return texts;
  }

  /**
   * What one frame opened to, where none before it mattered; undefined when it was not tried.
   *
   * @param key Names all that it takes.
   */
  find(key: string, frame: Frame): Opened | undefined {
    const known = this.#opened.get(key)?.get(nameOf(frame));
    const isKnown = known !== undefined && !this.isTimed && isSame(known.bytes, frame.bytes);
    return isKnown ? known : undefined;
  }

  /** @param text Undefined when it did not open. */
  keep(key: string, frame: Frame, text: Uint8Array | undefined): void {
    let opened = this.#opened.get(key);
    if (opened === undefined) this.#opened.set(key, (opened = new Map()));
    opened.set(nameOf(frame), { bytes: frame.bytes, text });
  }
}

function nameOf({ message, kind }: Frame): string {
  return `${message}/${kind}`;
}

function areSame(a: readonly Frame[], b: readonly Frame[]): boolean {
  return (
    a.length === b.length &&
    a.every((frame, at) => {
      const other = b[at]!;
      const isFiledAlike = frame.message === other.message && frame.kind === other.kind;
      return isFiledAlike && isSame(frame.bytes, other.bytes);
    })
  );
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || equalBytes(a, b);
}

const BY_TOWN = new WeakMap<object, SharedReadings>();

/** What was opened of a town so far. */
export function sharedOf(town: object): SharedReadings {
  let shared = BY_TOWN.get(town);
  if (shared === undefined) BY_TOWN.set(town, (shared = new SharedReadings()));
  return shared;
}
