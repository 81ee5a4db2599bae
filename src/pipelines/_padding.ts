/**
 * Padding of plaintexts before they are encrypted end to end.
 *
 * | bytes | what |
 * | --- | --- |
 * | p | plaintext |
 * | 1 | 0x80 |
 * | n | zeros, up to a length that the scheme allows |
 *
 * That is ISO/IEC 7816-4 padding; the schemes differ in the lengths they allow.
 *
 * `bucket160`: multiples of 160, so that a bucket holds plaintexts of 160 lengths: 0 to 159 bytes, 160
 * to 319, ... Signal's clients pad with the same marker to one byte short of a multiple; the PKCS #7
 * padding of AES-CBC, which adds at least one byte, then ends at the multiple. The ciphers here add no
 * padding of their own, so the multiple itself is the padded length.
 *
 * `padme`: the Padmé lengths of Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
 * Communication with PURBs", PETS 2019, section 4: floating-point numbers whose mantissa is no longer
 * than their exponent. At most 12 % more, for long messages far less; of lengths up to 8, every one
 * is such a number, so short texts are hardly hidden.
 *
 * @module
 */

import { ForwardingEnds, type EndToEnd } from './_carrier.ts';
import { OUTCOME, type Options, type OptionSpec, type Outbox } from './_pipeline.ts';
import { ScratchViews } from './_views.ts';

export const PADDINGS = ['bucket160', 'padme'] as const;
export type PaddingName = (typeof PADDINGS)[number];

export const PADDING_OPTION: OptionSpec = {
  title: 'padded lengths: multiples of 160 bytes, or those of Padmé',
  values: PADDINGS,
  default: 'bucket160',
};

const MARKER = 0x80;
const BUCKET_BYTES = 160;

/** The length of a plaintext of `length` bytes with its marker and padding. */
export function paddedLength(padding: PaddingName, length: number): number {
  const least = length + 1;
  if (padding === 'bucket160') return Math.ceil(least / BUCKET_BYTES) * BUCKET_BYTES;
  if (least < 2) return least; // The exponent of 1 is 0 and has no logarithm.
  const exponent = 31 - Math.clz32(least); // E = floor(log2 L)
  const mantissaBits = 32 - Math.clz32(exponent); // S = floor(log2 E) + 1
  const mask = (1 << (exponent - mantissaBits)) - 1;
  return (least + mask) & ~mask;
}

/** Pads what the ends below send, and unpads what they receive. */
export class PaddedEnds extends ForwardingEnds implements EndToEnd {
  readonly #ends: EndToEnd;
  readonly #padding: PaddingName;
  readonly #views = new ScratchViews();

  constructor(ends: EndToEnd, options: Options) {
    super(ends);
    this.#ends = ends;
    this.#padding = options['padding'] === 'padme' ? 'padme' : 'bucket160';
  }

  send(session: number, member: number, plaintext: Uint8Array, atMs: number, outbox: Outbox): void {
    const padded = this.#views.take(paddedLength(this.#padding, plaintext.length));
    padded.set(plaintext);
    padded[plaintext.length] = MARKER;
    padded.fill(0, plaintext.length + 1);
    this.#ends.send(session, member, padded, atMs, outbox);
  }

  /**
   * The padded plaintext stands in `out` on the way; a frame is never shorter, so it fits where
   * frames fit.
   */
  receive(
    session: number,
    member: number,
    frame: Uint8Array,
    atMs: number,
    out: Uint8Array,
  ): number {
    const length = this.#ends.receive(session, member, frame, atMs, out);
    return length < 0 ? length : unpaddedLength(out, length);
  }
}

/**
 * Only the sender can have made a padding that is refused, as it came out of an authenticated frame.
 * Not constant time: what it costs depends on the padding, and nobody but the receiver sees it.
 */
export function unpaddedLength(padded: Uint8Array, length: number): number {
  let at = length - 1;
  while (at >= 0 && padded[at] === 0) at -= 1;
  return at >= 0 && padded[at] === MARKER ? at : OUTCOME.AUTH_FAILED;
}
