import { AwaitedFieldClients, type FieldMaker } from './_awaited-field.ts';
import { directOptions, installedVersion, loadOptional, type OptionalPackage } from './_library.ts';
import { openCarrier, openCarrierRelay } from '../_carrier.ts';
import { RatchetAuthority } from '../_escrow-authority.ts';
import { FieldInfo, type FieldSource } from '../_escrow-field.ts';
import { ESCROW_OPTIONS, openField, TARGETS_OPTION, targetsOf } from '../_escrow-ratchet.ts';
import { ESCROW_THRESHOLD_TYPE, MESSAGE_KEY_BYTES, sharingParameters } from '../_key-sharing.ts';
import type { Pipeline, World } from '../_pipeline.ts';
import { SKIP_LIMIT } from '../_ratchet-ends.ts';
import { ShamirRecovery, trusteeInfo } from '../_shamir-sharing.ts';
import type { FieldSeal } from '../../protocols/field-kem.ts';
import { SHARE_INDEX_BYTES } from '../../protocols/shamir.ts';

type ShamirSecretSharing = typeof import('shamir-secret-sharing');

const PACKAGE: OptionalPackage = { name: 'shamir-secret-sharing', tested: '0.0.4' };

function loadShamirSecretSharing(): Promise<ShamirSecretSharing> {
  return loadOptional(PACKAGE, () => import('shamir-secret-sharing'));
}

const SHARE_BYTES: number = SHARE_INDEX_BYTES + MESSAGE_KEY_BYTES;

/** Shares each message key with the library, and seals each share to its trustee with our HPKE. */
class SplitKeyField implements FieldMaker {
  readonly type = ESCROW_THRESHOLD_TYPE;
  readonly fieldBytes: number;
  readonly #split: ShamirSecretSharing['split'];
  readonly #seal: FieldSeal;
  readonly #publicKeys: readonly Uint8Array[];
  readonly #threshold: number;
  readonly #info = new FieldInfo(ESCROW_THRESHOLD_TYPE);
  readonly #share = new Uint8Array(SHARE_BYTES);

  constructor(
    { split }: ShamirSecretSharing,
    seal: FieldSeal,
    publicKeys: readonly Uint8Array[],
    threshold: number,
  ) {
    this.#split = split;
    this.#seal = seal;
    this.#publicKeys = publicKeys;
    this.#threshold = threshold;
    this.fieldBytes = publicKeys.length * (SHARE_BYTES + seal.overheadBytes);
  }

  async write(out: Uint8Array, source: FieldSource): Promise<void> {
    const publicKeys = this.#publicKeys;
    const shares = await this.#split(source.encryptionKey, publicKeys.length, this.#threshold);
    const info = this.#info.of(source.session, source.sender, source.n);
    const bound = source.ofMessage();
    const sealedBytes = this.fieldBytes / publicKeys.length;
    const share = this.#share;
    for (const [index, publicKey] of publicKeys.entries()) {
      // Its x comes last, ours first.
      const theirs = shares[index]!;
      share[0] = theirs[MESSAGE_KEY_BYTES]!;
      share.set(theirs.subarray(0, MESSAGE_KEY_BYTES), SHARE_INDEX_BYTES);
      theirs.fill(0);
      const field = out.subarray(index * sealedBytes, (index + 1) * sealedBytes);
      this.#seal.seal(field, publicKey, trusteeInfo(info, index + 1), bound, share);
    }
    share.fill(0);
  }
}

/** It splits into two shares at least, and takes two to join. */
const NUMBER_OF_SHARES = { min: 2, max: 100 } as const;

/** `escrow-threshold` in Shamir's variant with its shares made by the library. */
const escrowThreshold: Pipeline = {
  name: 'escrow-threshold.shamir-secret-sharing',
  title: 'Double Ratchet with each message key shared among trustees by shamir-secret-sharing',
  family: 'escrow-wrapped',
  rung: 'side',
  removes:
    'as escrow-threshold with variant=shamir: the same function, its shares computed by another implementation',
  specs: [
    'Shamir, How to Share a Secret, CACM 22(11), 1979, over GF(256) with the polynomial of AES',
    'Double Ratchet revision 4 (2025-11-04), sections 3.1 to 3.5; revision 1 (2016-11-20), section 5.2',
    'RFC 9180 section 6.1, base mode, DHKEM(X25519, HKDF-SHA256); with field=x-wing draft-connolly-cfrg-xwing-kem-10',
  ],
  caveats: [
    'The library answers with promises and computes on the calling thread; CPU is that of the process.',
    'Its random numbers are its own: a run cannot be repeated to the byte.',
    "What it returns in arrays of its own is copied into the engine's buffers.",
    'All trustees answer in one process: their network and their procedures are not in the figures.',
  ],
  options: {
    ...ESCROW_OPTIONS,
    ...directOptions(),
    variant: {
      title: 'shamir: the key shared and each share sealed to its trustee',
      values: ['shamir'],
      default: 'shamir',
    },
    threshold: { title: 'how many trustees it takes', values: NUMBER_OF_SHARES, default: '3' },
    trustees: { title: 'how many trustees there are', values: NUMBER_OF_SHARES, default: '5' },
    targets: TARGETS_OPTION,
  },
  replayProtection: true,
  skipLimit: SKIP_LIMIT,
  foreign: {
    implementation: 'shamir-secret-sharing',
    package: PACKAGE.name,
    licence: 'Apache-2.0',
    asynchronous: true,
    async version() {
      await loadShamirSecretSharing();
      return installedVersion(PACKAGE.name);
    },
    comparedWith: 'escrow-threshold:hop=none,rest=none,variant=shamir',
    differences: [
      'Only the making of shares is its own: ratchet, receiver, the seal of each share and the authority are ours, by the provider, so what differs is in the sending.',
      'Shares have the same form, so that each joins what the other split. Its x are 1 to 255 in an order drawn anew for every key; ours are the numbers of the trustees.',
      'It draws random numbers once for the order of x and once for every byte of the key, ours all at once; its bytes are checked to be in range at every step in GF(256).',
      'Arrays that held coefficients stay with its garbage; ours are erased.',
      'It has no verifiable=yes: a receiver cannot make its shares again.',
    ],
  },
  async open(setup): Promise<World> {
    const { provider, randomness, options, members } = setup;
    const { threshold, trustees } = sharingParameters(options);
    const library = await loadShamirSecretSharing();
    const seal = openField(provider, randomness, options);
    const pairs = Array.from({ length: trustees }, () => {
      const secret = new Uint8Array(seal.secretKeyBytes);
      const publicKey = new Uint8Array(seal.publicKeyBytes);
      seal.keyPair(publicKey, secret, randomness);
      return { publicKey, secret };
    });
    const publicKeys = pairs.map(({ publicKey }) => publicKey);
    const field = new SplitKeyField(library, seal, publicKeys, threshold);
    const clients = new AwaitedFieldClients(setup, PACKAGE.name, field);
    return {
      ...openCarrier(setup, 'authenticated'),
      clients,
      authority: pairs.map(({ secret }) => secret),
      directory: clients.directory,
      targets: targetsOf(options, members.sessions),
    };
  },
  openRelay: openCarrierRelay,
  openAuthority: (opening) => new RatchetAuthority(opening, new ShamirRecovery(opening)),
};

export default escrowThreshold;
