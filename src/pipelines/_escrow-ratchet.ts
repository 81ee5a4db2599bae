/**
 * What every escrow design that stands on a ratchet shares: the options, the ends and the frame.
 *
 * @module
 */

import type { Kem, KemName, Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import { openFieldSeal, type FieldSeal } from '../protocols/field-kem.ts';
import { aeadName, carrierOptions } from './_carrier.ts';
import type { EscrowField } from './_escrow-field.ts';
import { chosenKem } from './_kem.ts';
import { MESSAGE_FORM_OPTION } from './_message-form.ts';
import type { Options, OptionSpec, Setup } from './_pipeline.ts';
import { RatchetEnds } from './_ratchet-ends.ts';
import type { FrameShape } from './_ratchet-frame.ts';
import { PERSIST_OPTION } from './_session-records.ts';

const HANDSHAKE_KEM: KemName = 'ml-kem-1024';
/** FIPS 203, table 3. */
const HANDSHAKE_CIPHERTEXT_BYTES = 1568;

/** The ratchet on which a design stands. */
export const RATCHET_OPTION: OptionSpec = {
  title: 'the ratchet underneath: double-ratchet (L6) or pqxdh-ratchet (L7)',
  values: ['double-ratchet', 'pqxdh-ratchet'],
  default: 'double-ratchet',
};

/** What seals a field to the authority. */
export const FIELD_OPTION: OptionSpec = {
  title:
    'what seals the escrow field: x25519 (HPKE base mode), or x-wing, which a quantum computer does not open',
  values: ['x25519', 'x-wing'],
  default: 'x25519',
};

/** Sessions under a warrant, where recovering, or being a target, costs more than all could pay. */
export const TARGETS_OPTION: OptionSpec = {
  title: 'sessions under a warrant; 0 for all',
  values: { min: 0, max: 100_000_000 },
  default: '0',
};

/** How many sessions are under a warrant: those with the lowest numbers. */
export function targetsOf(options: Options, sessions: number): number {
  const targets = Number(options['targets']);
  return targets === 0 ? sessions : Math.min(targets, sessions);
}

/** The options of every escrow design on a ratchet. */
export const ESCROW_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  ...carrierOptions({ hop: 'on', rest: 'user-day' }),
  persist: PERSIST_OPTION,
  ratchet: RATCHET_OPTION,
  field: FIELD_OPTION,
  msg: MESSAGE_FORM_OPTION,
};

/** What only attacks ask of a world besides. */
export interface EscrowSetup extends Setup {
  /** What clients that are modified have in place of the design's field. */
  readonly modifyField?: (honest: EscrowField) => EscrowField;
  /**
   * Is given what changes the authority's key: it publishes a fresh one in the place of the one before,
   * to which clients seal from then on, and returns its secret.
   */
  readonly onAuthorityKey?: (change: (randomness: Randomness) => Uint8Array) => void;
}

/** The authority's key: the public half as clients find it in the directory, and its secret. */
export function publishAuthorityKey(
  { randomness, onAuthorityKey }: EscrowSetup,
  seal: FieldSeal,
): { readonly publicKey: Uint8Array; readonly secret: Uint8Array } {
  const publicKey = new Uint8Array(seal.publicKeyBytes);
  const draw = (from: Randomness): Uint8Array => {
    const secret = new Uint8Array(seal.secretKeyBytes);
    seal.keyPair(publicKey, secret, from);
    return secret;
  };
  onAuthorityKey?.(draw);
  return { publicKey, secret: draw(randomness) };
}

/** The ends of the ratchet that the options ask for, with this field. @throws HarnessError UNSUPPORTED. */
export function openEscrowEnds(setup: EscrowSetup, field: EscrowField): RatchetEnds {
  const ofClients = setup.modifyField?.(field) ?? field;
  return new RatchetEnds(setup, { ...chosenRatchet(setup), field: ofClients });
}

/** L6 or L7, as the options say. @throws HarnessError UNSUPPORTED. */
export function chosenRatchet({ provider, options }: Pick<Setup, 'provider' | 'options'>): {
  readonly handshakeKem?: Kem;
} {
  return options['ratchet'] === 'pqxdh-ratchet'
    ? { handshakeKem: chosenKem(provider, HANDSHAKE_KEM) }
    : {};
}

/** How an authority reads the frames of these ends. */
export function escrowFrameShape(options: Options, sealBytes: number): FrameShape {
  return {
    escrowed: true,
    kemCiphertextBytes: options['ratchet'] === 'pqxdh-ratchet' ? HANDSHAKE_CIPHERTEXT_BYTES : 0,
    rekeyPublicKeyBytes: 0,
    rekeyCiphertextBytes: 0,
    headerEncryption: false,
    sealBytes,
  };
}

/**
 * What seals fields, as the options say.
 *
 * @param randomness Only for sealing; an authority opens without.
 */
export function openField(
  provider: Provider,
  randomness: Randomness | undefined,
  options: Options,
): FieldSeal {
  const kem = options['field'] === 'x-wing' ? 'x-wing' : 'x25519';
  return openFieldSeal(provider, randomness ?? NO_RANDOMNESS, aeadName(options), kem);
}

const NO_RANDOMNESS: Randomness = {
  seeded: false,
  fill() {
    throw new TypeError('an authority draws no randomness');
  },
};
