/**
 * The ratchet header in a message of libsignal or libolm: which chain it is of, and which number it
 * has there. Both write messages in the encoding of Protocol Buffers with the same field numbers:
 * libsignal, rust/protocol/src/proto/wire.proto, SignalMessage 1 and 2; Olm, "Olm: A Cryptographic
 * Ratchet", section "The Olm Message Format", Ratchet-Key 0x0A and Chain-Index 0x10.
 *
 * Neither library says what it refused a message for, and an outcome must have a name: that is all
 * this is for.
 *
 * @module
 */

export interface RatchetHeader {
  /** As in the message, with libsignal's type byte. A view. */
  readonly ratchetKey: Uint8Array;
  /** From 0. */
  readonly counter: number;
}

/** In front of the fields. */
const VERSION_BYTES = 1;
/** Tags, field number and wire type, of the two fields with which every message begins. */
const RATCHET_KEY = 0x0a;
const COUNTER = 0x10;
/** The field of a message with a handshake that holds the message itself. */
const INNER_MESSAGE = 4;

/** @returns Undefined when `message` does not begin as either library begins one. */
export function ratchetHeaderOf(message: Uint8Array): RatchetHeader | undefined {
  const keyAt = VERSION_BYTES + 2;
  const counterAt = keyAt + (message[VERSION_BYTES + 1] ?? 0);
  if (message[VERSION_BYTES] !== RATCHET_KEY || message[counterAt] !== COUNTER) return undefined;
  const counter = new Varints(message, counterAt + 1).next();
  if (counter === undefined) return undefined;
  return { ratchetKey: message.subarray(keyAt, counterAt), counter };
}

/** The message in one that carries a handshake; undefined when there is none. A view. */
export function innerMessageOf(message: Uint8Array): Uint8Array | undefined {
  const fields = fieldsOf(message.subarray(VERSION_BYTES));
  const inner = fields?.find(({ number }) => number === INNER_MESSAGE)?.value;
  return inner instanceof Uint8Array ? inner : undefined;
}

export interface Field {
  readonly number: number;
  /** A view, or the value of a varint. */
  readonly value: Uint8Array | number;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** @returns Undefined when `message` is not made of varints and length-delimited fields. */
export function fieldsOf(message: Uint8Array): Field[] | undefined {
  const fields: Field[] = [];
  const varints = new Varints(message, 0);
  while (varints.at < message.length) {
    const tag = varints.next();
    const value = varints.next();
    if (tag === undefined || value === undefined) return undefined;
    const number = Math.floor(tag / 8);
    const end = varints.at + value;
    if (tag % 8 === VARINT) {
      fields.push({ number, value });
    } else if (tag % 8 === LENGTH_DELIMITED && end <= message.length) {
      fields.push({ number, value: message.subarray(varints.at, end) });
      varints.at = end;
    } else {
      return undefined;
    }
  }
  return fields;
}

/** Little-endian groups of seven bits, the high bit of a byte set when another follows. */
class Varints {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** @returns Undefined at the end of the bytes and for numbers that are not exact. */
  next(): number | undefined {
    let value = 0;
    for (let scale = 1; this.at < this.#bytes.length; scale *= 128) {
      const byte = this.#bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value <= Number.MAX_SAFE_INTEGER ? value : undefined;
    }
    return undefined;
  }
}
