import { equalBytes } from '../core/bytes.ts';
import { ThresholdElgamal } from '../protocols/threshold-elgamal.ts';
import { carry, openCarrierRelay } from './_carrier.ts';
import { RatchetAuthority } from './_escrow-authority.ts';
import { FieldInfo, type EscrowField, type FieldSource } from './_escrow-field.ts';
import {
  ESCROW_OPTIONS,
  openEscrowEnds,
  openField,
  TARGETS_OPTION,
  targetsOf,
} from './_escrow-ratchet.ts';
import { requireRecomputable, VERIFIABLE_OPTION } from './_escrow-verifiable.ts';
import {
  ESCROW_THRESHOLD_TYPE,
  requireFieldFits,
  sharingParameters,
  type KeySharing,
  type SharingParameters,
} from './_key-sharing.ts';
import type { Pipeline, Setup, World } from './_pipeline.ts';
import { SKIP_LIMIT } from './_ratchet-ends.ts';
import { ShamirRecovery, ShamirSharing } from './_shamir-sharing.ts';
import { packTrustees, ThresholdRecovery, ThresholdSharing } from './_threshold-sharing.ts';

/** The field of each message: its key, shared. */
class SharedKeyField implements EscrowField {
  readonly type = ESCROW_THRESHOLD_TYPE;
  readonly #sharing: KeySharing;
  readonly #info = new FieldInfo(ESCROW_THRESHOLD_TYPE);
  readonly #expected: Uint8Array;
  readonly verify?: (field: Uint8Array, source: FieldSource) => boolean;

  constructor(sharing: KeySharing, verifiable: boolean) {
    this.#sharing = sharing;
    this.#expected = new Uint8Array(verifiable ? sharing.fieldBytes : 0);
    if (verifiable) {
      this.verify = (field, source) => {
        this.write(this.#expected, source);
        return equalBytes(this.#expected, field);
      };
    }
  }

  bytes(): number {
    return this.#sharing.fieldBytes;
  }

  write(out: Uint8Array, source: FieldSource): void {
    const info = this.#info.of(source.session, source.sender, source.n);
    this.#sharing.write(out, source.encryptionKey, info, source.ofMessage());
  }

  fits(_n: number, length: number): boolean {
    return length === this.#sharing.fieldBytes;
  }
}

/** The trustees' secrets and what clients do. */
function shareKeys(setup: Setup): {
  readonly sharing: KeySharing;
  readonly secrets: readonly Uint8Array[];
  readonly parameters: SharingParameters;
} {
  const { provider, randomness, options } = setup;
  const parameters = sharingParameters(options);
  const { threshold, trustees, verifiable } = parameters;
  if (options['variant'] === 'threshold') {
    const elgamal = new ThresholdElgamal(provider);
    const { keys, shares } = elgamal.deal(threshold, trustees, randomness);
    const sharing = new ThresholdSharing(setup, elgamal, keys.publicKey, verifiable);
    return { sharing, secrets: packTrustees(keys, shares), parameters };
  }
  const seal = openField(provider, randomness, options);
  if (verifiable) requireRecomputable(provider, seal);
  const pairs = Array.from({ length: trustees }, () => {
    const secret = new Uint8Array(seal.secretKeyBytes);
    const publicKey = new Uint8Array(seal.publicKeyBytes);
    seal.keyPair(publicKey, secret, randomness);
    return { publicKey, secret };
  });
  const publicKeys = pairs.map(({ publicKey }) => publicKey);
  const sharing = new ShamirSharing(setup, seal, publicKeys, parameters);
  return { sharing, secrets: pairs.map(({ secret }) => secret), parameters };
}

/** E4: no one holds the key. It takes k of n trustees, for every field anew. */
const escrowThreshold: Pipeline = {
  name: 'escrow-threshold',
  title: 'Double Ratchet with each message key open to k of n trustees together',
  family: 'escrow-wrapped',
  rung: 'E4',
  removes: 'end-to-end custody: k of n trustees together open every message of everyone',
  specs: [
    'RFC 9496 (ristretto255)',
    'Shoup and Gennaro, EUROCRYPT 1998 (of whose schemes this is the plain one, without the proof against chosen ciphertexts)',
    'Chaum and Pedersen, CRYPTO 1992 (the proofs of trustees)',
    'Shamir, How to Share a Secret, CACM 22(11), 1979',
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5; revision 1 (2016-11-20), section 5.2',
  ],
  caveats: [
    'Hashed ElGamal, not TDH2: a trustee answers before anything shows that the sender knew what it sealed.',
    'One dealer makes the key and is trusted to forget it; a distributed key generation is not modelled.',
    'All trustees answer in one process: their network and their procedures are not in the figures.',
    'variant=shamir assembles each message key; variant=threshold assembles no key but the message’s.',
    'The table lookups of the Shamir variants take time that depends on what they look up.',
  ],
  options: {
    ...ESCROW_OPTIONS,
    variant: {
      title:
        'threshold: threshold decryption on ristretto255; shamir: the key shared and each share sealed to its trustee; shamir-shared: the same with one ephemeral key for all',
      values: ['threshold', 'shamir', 'shamir-shared'],
      default: 'threshold',
    },
    threshold: {
      title: 'how many trustees it takes',
      values: { min: 1, max: 100 },
      default: '3',
    },
    trustees: { title: 'how many trustees there are', values: { min: 1, max: 100 }, default: '5' },
    verifiable: VERIFIABLE_OPTION,
    targets: TARGETS_OPTION,
  },
  needs: ['ristretto255'],
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  open(setup): World {
    const { sharing, secrets, parameters } = shareKeys(setup);
    requireFieldFits(sharing);
    const ends = openEscrowEnds(setup, new SharedKeyField(sharing, parameters.verifiable));
    return {
      ...carry(setup, ends),
      authority: secrets,
      directory: ends.accounts.directory,
      targets: targetsOf(setup.options, setup.members.sessions),
      standsAlone: true,
    };
  },
  openRelay: openCarrierRelay,
  openAuthority: (opening) =>
    new RatchetAuthority(
      opening,
      opening.options['variant'] === 'threshold'
        ? new ThresholdRecovery(opening)
        : new ShamirRecovery(opening),
    ),
};

export default escrowThreshold;
