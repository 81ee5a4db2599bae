/**
 * Fields that the receiver can make again, because their randomness comes out of the key that they
 * hold: a sender that seals another key is refused. The trick is that of Fujisaki and Okamoto, CRYPTO
 * 1999; it answers Blaze, CCS 1994, who made the field of Clipper say what he liked.
 *
 * @module
 */

import { HarnessError } from '../core/errors.ts';
import type { Provider } from '../crypto/provider.ts';
import type { FieldSeal } from '../protocols/field-kem.ts';
import type { OptionSpec } from './_pipeline.ts';

export const VERIFIABLE_OPTION: OptionSpec = {
  title:
    'whether the receiver makes the field again, out of the key that it holds, and refuses another',
  values: ['no', 'yes'],
  default: 'no',
};

/** @throws HarnessError UNSUPPORTED when the provider's KEM draws its own randomness. */
export function requireRecomputable({ name }: Provider, seal: FieldSeal): void {
  if (seal.derandomised) return;
  throw new HarnessError(
    'UNSUPPORTED',
    `${name} draws the randomness of ${seal.kem} itself, so that no receiver can make a field again: choose verifiable=no or field=x25519`,
  );
}
