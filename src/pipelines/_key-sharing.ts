/**
 * What the variants of E4 share: their numbers, and how a message key becomes a field.
 *
 * @module
 */

import { utf8 } from '../core/bytes.ts';
import { HarnessError } from '../core/errors.ts';
import type { Options } from './_pipeline.ts';

export const ESCROW_THRESHOLD_TYPE = 4;
export const MESSAGE_KEY_BYTES = 32;
export const TAG_BYTES = 16;
export const EPHEMERAL_LABEL: Uint8Array = utf8('esc-eph');
export const ZERO_SALT: Uint8Array = new Uint8Array(32);

/** How many trustees there are, and how many it takes. */
export interface SharingParameters {
  readonly trustees: number;
  readonly threshold: number;
  readonly verifiable: boolean;
}

/** @throws HarnessError UNSUPPORTED for numbers and combinations that make no sense. */
export function sharingParameters(options: Options): SharingParameters {
  const trustees = Number(options['trustees']);
  const threshold = Number(options['threshold']);
  if (threshold > trustees) {
    throw new HarnessError(
      'UNSUPPORTED',
      `escrow-threshold: expected a threshold of at most the ${trustees} trustees, got ${threshold}`,
    );
  }
  if (options['variant'] !== 'shamir' && options['field'] === 'x-wing') {
    throw new HarnessError(
      'UNSUPPORTED',
      `escrow-threshold: field=x-wing needs variant=shamir; ${options['variant']} has no hybrid form`,
    );
  }
  return { trustees, threshold, verifiable: options['verifiable'] === 'yes' };
}

/** @throws HarnessError UNSUPPORTED for a field whose length two bytes do not hold. */
export function requireFieldFits(sharing: KeySharing): void {
  if (sharing.fieldBytes <= 0xffff) return;
  throw new HarnessError(
    'UNSUPPORTED',
    `escrow-threshold: expected a field of at most 65,535 bytes, got ${sharing.fieldBytes}: choose fewer trustees`,
  );
}

/** Makes the field of a message key; the same bytes again from the same key where it is verifiable. */
export interface KeySharing {
  readonly fieldBytes: number;
  write(out: Uint8Array, messageKey: Uint8Array, info: Uint8Array, aad: Uint8Array): void;
}
