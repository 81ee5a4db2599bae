/**
 * Where the records of a world's session ends are kept between calls.
 *
 * @module
 */

import { EMPTY } from '../core/bytes.ts';
import { PackedRecords } from '../core/packed.ts';
import type { Options, OptionSpec } from './_pipeline.ts';

/** The option of every pipeline that keeps session records. */
export const PERSIST_OPTION: OptionSpec = {
  title:
    'packed: records stay in memory as they are; record: each call reads a serialised record and writes a new one, as libraries with a session store do',
  values: ['packed', 'record'],
  default: 'packed',
};

export interface SessionRecords {
  load(end: number, into: Uint32Array): void;
  store(end: number, from: Uint32Array): void;
  /** The bytes of a record, for seizing a device. */
  read(end: number): Uint8Array;
}

/** @param bytes Of one record: a multiple of 4. */
export function openSessionRecords(options: Options, bytes: number, ends: number): SessionRecords {
  return options['persist'] === 'record'
    ? new SerialisedRecords(bytes)
    : new PackedSessionRecords(bytes, ends);
}

class PackedSessionRecords extends PackedRecords implements SessionRecords {
  read(end: number): Uint8Array {
    return this.view(end);
  }
}

/** One byte array per record, made anew by each store. */
class SerialisedRecords implements SessionRecords {
  readonly #records: Uint8Array[] = [];
  readonly #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  load(end: number, into: Uint32Array): void {
    const record = this.#records[end];
    if (record === undefined) {
      into.fill(0);
    } else {
      new Uint8Array(into.buffer, into.byteOffset, this.#bytes).set(record);
    }
  }

  store(end: number, from: Uint32Array): void {
    this.#records[end] = new Uint8Array(from.buffer, from.byteOffset, this.#bytes).slice();
  }

  read(end: number): Uint8Array {
    return this.#records[end] ?? EMPTY;
  }
}
