/**
 * The ends of the upper rungs: PQXDH and a ratchet that re-keys with ML-KEM-768.
 *
 * @module
 */

import { chosenKem } from './_kem.ts';
import type { OptionSpec, Setup } from './_pipeline.ts';
import { RatchetEnds } from './_ratchet-ends.ts';

/** The option of every pipeline with these ends. */
export const REKEY_OPTION: OptionSpec = {
  title: 'messages of a session, both ways together, after which a new ML-KEM epoch begins',
  values: { min: 1, max: 1_000_000 },
  default: '50',
};

export function openPqRatchetEnds(setup: Setup, headerEncryption: boolean): RatchetEnds {
  return new RatchetEnds(setup, {
    handshakeKem: chosenKem(setup.provider, 'ml-kem-1024'),
    rekey: {
      kem: chosenKem(setup.provider, 'ml-kem-768'),
      everyMessages: Number(setup.options['rekey']),
    },
    headerEncryption,
  });
}
