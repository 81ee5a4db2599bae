/**
 * What the frames of each pipeline are, as anyone knows who has its code.
 *
 * @module
 */

import { openMessageForm } from '../pipelines/_message-form.ts';
import type { Options, Pipeline } from '../pipelines/_pipeline.ts';
import type { FrameShape } from '../pipelines/_ratchet-frame.ts';
import type { Provider } from '../crypto/provider.ts';

/** How the text of a frame that goes to the receiver is sealed; `opaque` where that is not known. */
export type InnerKind = 'clear' | 'sealed-box' | 'static' | 'chain' | 'ratchet' | 'opaque';

/** Rungs in which each has all protections of those before it. */
const RATCHET_RUNGS = ['L6', 'L7', 'L8', 'L9', 'L10', 'L11'];

export function innerKindOf({ rung, name }: Pipeline): InnerKind {
  if (['L0', 'L1', 'L2', 'L3'].includes(rung)) return 'clear';
  if (name === 'sealed-box') return 'sealed-box';
  if (rung === 'L4') return 'static';
  if (rung === 'L5') return 'chain';
  const onRatchet = RATCHET_RUNGS.includes(rung) || /^(?:E[0-7]|C7)$/.test(rung);
  return onRatchet ? 'ratchet' : 'opaque';
}

export interface RatchetProfile {
  readonly shape: FrameShape;
  readonly macChains: boolean;
  readonly rekeys: boolean;
  readonly padded: boolean;
  readonly sealedSender: boolean;
  /** Words of a state after the ratchet's own. */
  readonly extraWords: number;
  /** Whether ratchet keys of the end that opens a session follow from a seed in its state. */
  readonly seeded: boolean;
}

const HANDSHAKE_CIPHERTEXT_BYTES = 1568; // FIPS 203, table 3: ML-KEM-1024.
const REKEY_PUBLIC_BYTES = 1184; // ML-KEM-768.
const REKEY_CIPHERTEXT_BYTES = 1088;

/** Of a pipeline whose inner kind is `ratchet`. */
export function ratchetProfile(
  provider: Provider,
  { rung }: Pipeline,
  options: Options,
): RatchetProfile {
  const level = RATCHET_RUNGS.indexOf(rung);
  const isPqxdh = level >= 1 || options['ratchet'] === 'pqxdh-ratchet';
  const rekeys = level >= 2;
  const form = openMessageForm(provider, options);
  return {
    shape: {
      escrowed: /^E[02-7]$/.test(rung),
      kemCiphertextBytes: isPqxdh ? HANDSHAKE_CIPHERTEXT_BYTES : 0,
      rekeyPublicKeyBytes: rekeys ? REKEY_PUBLIC_BYTES : 0,
      rekeyCiphertextBytes: rekeys ? REKEY_CIPHERTEXT_BYTES : 0,
      headerEncryption: level >= 3,
      sealBytes: form.overheadBytes,
    },
    macChains: form.keyBytes > 32,
    rekeys,
    padded: level >= 4,
    sealedSender: level >= 5,
    extraWords: rung === 'E7' ? 9 : 4,
    seeded: rung === 'E7',
  };
}

/** Whether an escrow field, or the copy for a ghost, is sealed over discrete logarithms alone. */
export function isClassicalField(options: Options): boolean {
  return options['field'] !== 'x-wing';
}
