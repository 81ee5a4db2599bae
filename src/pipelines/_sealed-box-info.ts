/**
 * The `info` of a sealed box: a label, the session 4, the recipient's identity 64. It names where a
 * box belongs, so that it is of no use elsewhere.
 *
 * @module
 */

import { concatBytes, putUint32, utf8 } from '../core/bytes.ts';
import { IDENTITY_BYTES } from '../protocols/x3dh.ts';

const LABEL = utf8('sealbench sealed-box');

export class SealedBoxInfo {
  readonly #info = concatBytes(LABEL, new Uint8Array(4 + IDENTITY_BYTES));

  /** @returns The same array each time. */
  of(session: number, recipientIdentity: Uint8Array): Uint8Array {
    putUint32(this.#info, LABEL.length, session);
    this.#info.set(recipientIdentity, LABEL.length + 4);
    return this.#info;
  }
}
