/**
 * E4, Shamir's variants: each message key shared, and each share sealed to its trustee.
 *
 * @module
 */

import { concatBytes, utf8 } from '../core/bytes.ts';
import type { Aead, Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import { FIELD_SECRET_BYTES, type FieldSeal, type FieldSecret } from '../protocols/field-kem.ts';
import { joinShares, SHARE_INDEX_BYTES, writeShare } from '../protocols/shamir.ts';
import { chosenAead } from './_carrier.ts';
import type { EvidenceFrame, KeyRecovery } from './_escrow-authority.ts';
import { FieldInfo } from './_escrow-field.ts';
import { openField } from './_escrow-ratchet.ts';
import {
  EPHEMERAL_LABEL,
  ESCROW_THRESHOLD_TYPE,
  MESSAGE_KEY_BYTES,
  sharingParameters,
  TAG_BYTES,
  ZERO_SALT,
  type KeySharing,
  type SharingParameters,
} from './_key-sharing.ts';
import { OUTCOME, type AuthorityOpening, type Options, type Setup } from './_pipeline.ts';

const NONCE = new Uint8Array(12);
const COEFFICIENTS_LABEL = utf8('esc-shares');
const SHARED_KEY_LABEL = utf8('sealbench share key');
const SHARE_BYTES: number = SHARE_INDEX_BYTES + MESSAGE_KEY_BYTES;

/** The message key shared, and each share sealed to its trustee. */
export class ShamirSharing implements KeySharing {
  readonly fieldBytes: number;
  readonly #seal: FieldSeal;
  readonly #provider: Provider;
  readonly #aead: Aead;
  readonly #randomness: Randomness;
  readonly #publicKeys: readonly Uint8Array[];
  readonly #parameters: SharingParameters;
  readonly #sharedEphemeral: boolean;
  readonly #coefficients: Uint8Array;
  readonly #share = new Uint8Array(SHARE_BYTES);
  readonly #seeds: Uint8Array;
  readonly #sharedSecrets: Uint8Array;
  readonly #shareKey = new Uint8Array(MESSAGE_KEY_BYTES);

  constructor(
    { provider, randomness, options }: Setup,
    seal: FieldSeal,
    publicKeys: readonly Uint8Array[],
    parameters: SharingParameters,
  ) {
    this.#seal = seal;
    this.#provider = provider;
    this.#aead = chosenAead(provider, options);
    this.#randomness = randomness;
    this.#publicKeys = publicKeys;
    this.#parameters = parameters;
    this.#sharedEphemeral = options['variant'] === 'shamir-shared';
    this.#coefficients = new Uint8Array((parameters.threshold - 1) * MESSAGE_KEY_BYTES);
    this.#sharedSecrets = new Uint8Array(parameters.trustees * FIELD_SECRET_BYTES);
    this.#seeds = new Uint8Array(parameters.trustees * FIELD_SECRET_BYTES);
    this.fieldBytes = shamirFieldBytes(seal, options, parameters);
  }

  write(out: Uint8Array, messageKey: Uint8Array, info: Uint8Array, aad: Uint8Array): void {
    this.#draw(this.#coefficients, messageKey, COEFFICIENTS_LABEL);
    if (this.#sharedEphemeral) this.#writeShared(out, messageKey, info, aad);
    else this.#writeSeparate(out, messageKey, info, aad);
    this.#coefficients.fill(0);
    this.#share.fill(0);
    this.#seeds.fill(0);
    this.#sharedSecrets.fill(0);
    this.#shareKey.fill(0);
  }

  #writeSeparate(out: Uint8Array, messageKey: Uint8Array, info: Uint8Array, aad: Uint8Array): void {
    const { verifiable } = this.#parameters;
    if (verifiable) this.#draw(this.#seeds, messageKey, EPHEMERAL_LABEL);
    const sealedBytes = SHARE_BYTES + this.#seal.overheadBytes;
    for (const [index, publicKey] of this.#publicKeys.entries()) {
      writeShare(this.#share, index + 1, messageKey, this.#coefficients);
      const field = out.subarray(index * sealedBytes, (index + 1) * sealedBytes);
      const own = trusteeInfo(info, index + 1);
      if (verifiable) {
        this.#seal.sealWith(field, this.#seed(index), publicKey, own, aad, this.#share);
      } else {
        this.#seal.seal(field, publicKey, own, aad, this.#share);
      }
    }
  }

  /** One ephemeral key for all trustees, as in Sealed Sender v2. */
  #writeShared(out: Uint8Array, messageKey: Uint8Array, info: Uint8Array, aad: Uint8Array): void {
    const { encBytes } = this.#seal;
    const seed = this.#seed(0);
    this.#draw(seed, messageKey, EPHEMERAL_LABEL);
    this.#seal.encapsulateToAll(
      out.subarray(0, encBytes),
      this.#sharedSecrets,
      seed,
      this.#publicKeys,
    );
    const sealedBytes = SHARE_BYTES + TAG_BYTES;
    for (let index = 0; index < this.#publicKeys.length; index++) {
      writeShare(this.#share, index + 1, messageKey, this.#coefficients);
      const secretAt = index * FIELD_SECRET_BYTES;
      const sharedSecret = this.#sharedSecrets.subarray(secretAt, secretAt + FIELD_SECRET_BYTES);
      deriveShareKey(this.#provider, this.#shareKey, sharedSecret, info, index + 1);
      const at = encBytes + index * sealedBytes;
      const field = out.subarray(at, at + sealedBytes);
      this.#aead.seal(field, this.#shareKey, NONCE, aad, this.#share);
    }
  }

  #seed(index: number): Uint8Array {
    return this.#seeds.subarray(index * FIELD_SECRET_BYTES, (index + 1) * FIELD_SECRET_BYTES);
  }

  /** Fresh, or from the message key alone so that the receiver draws the same. */
  #draw(out: Uint8Array, messageKey: Uint8Array, label: Uint8Array): void {
    if (out.length === 0) return; // A threshold of one has no coefficients.
    if (this.#parameters.verifiable) {
      this.#provider.hkdfSha256(out, ZERO_SALT, messageKey, label);
    } else {
      this.#randomness.fill(out);
    }
  }
}

function shamirFieldBytes(
  seal: FieldSeal,
  options: Options,
  { trustees }: SharingParameters,
): number {
  return options['variant'] === 'shamir-shared'
    ? seal.encBytes + trustees * (SHARE_BYTES + TAG_BYTES)
    : trustees * (SHARE_BYTES + seal.overheadBytes);
}

/** What the share of one trustee is sealed with. */
export function trusteeInfo(info: Uint8Array, trustee: number): Uint8Array {
  return concatBytes(info, Uint8Array.of(trustee));
}

function deriveShareKey(
  provider: Provider,
  out: Uint8Array,
  sharedSecret: Uint8Array,
  info: Uint8Array,
  trustee: number,
): void {
  const bound = concatBytes(SHARED_KEY_LABEL, trusteeInfo(info, trustee));
  provider.hkdfSha256(out, ZERO_SALT, sharedSecret, bound);
}

/** Trustees who each open their share; as many as the threshold are joined. */
export class ShamirRecovery implements KeyRecovery {
  readonly #seal: FieldSeal;
  readonly #provider: Provider;
  readonly #aead: Aead;
  readonly #secrets: readonly FieldSecret[];
  readonly #parameters: SharingParameters;
  readonly #sharedEphemeral: boolean;
  readonly #fieldBytes: number;
  readonly #info = new FieldInfo(ESCROW_THRESHOLD_TYPE);
  readonly #shares: readonly Uint8Array[];
  readonly #sharedSecret = new Uint8Array(FIELD_SECRET_BYTES);
  readonly #shareKey = new Uint8Array(MESSAGE_KEY_BYTES);

  constructor({ provider, options, secrets }: AuthorityOpening) {
    this.#seal = openField(provider, undefined, options);
    this.#provider = provider;
    this.#aead = chosenAead(provider, options);
    this.#secrets = secrets.map((secret) => this.#seal.prepareSecret(secret));
    this.#parameters = sharingParameters(options);
    this.#sharedEphemeral = options['variant'] === 'shamir-shared';
    this.#fieldBytes = shamirFieldBytes(this.#seal, options, this.#parameters);
    const { threshold } = this.#parameters;
    this.#shares = Array.from({ length: threshold }, () => new Uint8Array(SHARE_BYTES));
  }

  encryptionKey(frame: EvidenceFrame, out: Uint8Array): number {
    if (frame.fieldBytes !== this.#fieldBytes) return OUTCOME.ESCROW_INVALID;
    const info = this.#info.of(frame.session, frame.sender, frame.n);
    const aad = frame.ofMessage();
    const { field } = frame;
    for (const [index, share] of this.#shares.entries()) {
      const opened = this.#sharedEphemeral
        ? this.#openShared(share, index, info, aad, field)
        : this.#openSeparate(share, index, info, aad, field);
      if (!opened) return OUTCOME.ESCROW_INVALID;
    }
    return joinShares(out, this.#shares) ? 0 : OUTCOME.ESCROW_INVALID;
  }

  #openSeparate(
    share: Uint8Array,
    index: number,
    info: Uint8Array,
    aad: Uint8Array,
    field: Uint8Array,
  ): boolean {
    const sealedBytes = SHARE_BYTES + this.#seal.overheadBytes;
    const sealed = field.subarray(index * sealedBytes, (index + 1) * sealedBytes);
    const own = trusteeInfo(info, index + 1);
    return this.#seal.open(share, this.#secrets[index]!, own, aad, sealed);
  }

  #openShared(
    share: Uint8Array,
    index: number,
    info: Uint8Array,
    aad: Uint8Array,
    field: Uint8Array,
  ): boolean {
    const { encBytes } = this.#seal;
    const enc = field.subarray(0, encBytes);
    if (!this.#seal.decapsulate(this.#sharedSecret, this.#secrets[index]!, enc)) return false;
    deriveShareKey(this.#provider, this.#shareKey, this.#sharedSecret, info, index + 1);
    const at = encBytes + index * (SHARE_BYTES + TAG_BYTES);
    const sealed = field.subarray(at, at + SHARE_BYTES + TAG_BYTES);
    return this.#aead.open(share, this.#shareKey, NONCE, aad, sealed);
  }
}
