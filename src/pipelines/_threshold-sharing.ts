/**
 * E4, threshold decryption: a message key sealed once, to a key that the trustees share and that nobody
 * assembles.
 *
 * @module
 */

import { concatBytes, getUint16, putUint16 } from '../core/bytes.ts';
import type { Aead, Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';
import {
  ELEMENT_BYTES,
  PARTIAL_BYTES,
  SCALAR_BYTES,
  ThresholdElgamal,
  WIDE_BYTES,
  type ThresholdKeys,
} from '../protocols/threshold-elgamal.ts';
import { chosenAead } from './_carrier.ts';
import type { EvidenceFrame, KeyRecovery } from './_escrow-authority.ts';
import { FieldInfo } from './_escrow-field.ts';
import {
  EPHEMERAL_LABEL,
  ESCROW_THRESHOLD_TYPE,
  MESSAGE_KEY_BYTES,
  TAG_BYTES,
  ZERO_SALT,
  type KeySharing,
} from './_key-sharing.ts';
import { OUTCOME, type AuthorityOpening, type Setup } from './_pipeline.ts';

const NONCE = new Uint8Array(12);

/** One seal to a key that the trustees share: E, then the message key under K. */
export class ThresholdSharing implements KeySharing {
  readonly fieldBytes: number = ELEMENT_BYTES + MESSAGE_KEY_BYTES + TAG_BYTES;
  readonly #elgamal: ThresholdElgamal;
  readonly #provider: Provider;
  readonly #aead: Aead;
  readonly #randomness: Randomness;
  readonly #publicKey: Uint8Array;
  readonly #verifiable: boolean;
  readonly #wide = new Uint8Array(WIDE_BYTES);
  readonly #element = new Uint8Array(ELEMENT_BYTES);
  readonly #key = new Uint8Array(MESSAGE_KEY_BYTES);

  constructor(setup: Setup, elgamal: ThresholdElgamal, publicKey: Uint8Array, verifiable: boolean) {
    this.#elgamal = elgamal;
    this.#provider = setup.provider;
    this.#aead = chosenAead(setup.provider, setup.options);
    this.#randomness = setup.randomness;
    this.#publicKey = publicKey;
    this.#verifiable = verifiable;
  }

  write(out: Uint8Array, messageKey: Uint8Array, info: Uint8Array, aad: Uint8Array): void {
    if (this.#verifiable) {
      this.#provider.hkdfSha256(this.#wide, ZERO_SALT, messageKey, EPHEMERAL_LABEL);
    } else {
      this.#randomness.fill(this.#wide);
    }
    this.#elgamal.encapsulate(this.#element, this.#key, this.#publicKey, this.#wide, info);
    out.set(this.#element);
    this.#aead.seal(out.subarray(ELEMENT_BYTES), this.#key, NONCE, aad, messageKey);
    this.#wide.fill(0);
    this.#key.fill(0);
  }
}

/** What each trustee holds: number, threshold, trustees, its share, then the public keys of all. */
export function packTrustees(
  { threshold, publicKey, verificationKeys }: ThresholdKeys,
  shares: readonly Uint8Array[],
): Uint8Array[] {
  return shares.map((share, index) => {
    const numbers = new Uint8Array(4);
    putUint16(numbers, 0, index + 1);
    putUint16(numbers, 2, threshold);
    return concatBytes(numbers, share, publicKey, ...verificationKeys);
  });
}

interface Trustee {
  readonly number: number;
  readonly share: Uint8Array;
}

/**
 * Trustees who each give a partial decryption with a proof, and a combiner who checks the proofs and
 * passes over a trustee whose proof fails.
 */
export class ThresholdRecovery implements KeyRecovery {
  readonly #elgamal: ThresholdElgamal;
  readonly #aead: Aead;
  readonly #trustees: readonly Trustee[];
  readonly #keys: ThresholdKeys;
  readonly #info = new FieldInfo(ESCROW_THRESHOLD_TYPE);
  readonly #key = new Uint8Array(MESSAGE_KEY_BYTES);
  readonly #partials: readonly Uint8Array[];

  constructor({ provider, options, secrets }: AuthorityOpening) {
    this.#elgamal = new ThresholdElgamal(provider);
    this.#aead = chosenAead(provider, options);
    this.#trustees = secrets.map((secret) => ({
      number: getUint16(secret, 0),
      share: secret.slice(4, 4 + SCALAR_BYTES),
    }));
    const [first] = secrets;
    const publicAt = 4 + SCALAR_BYTES;
    const verificationKeys: Uint8Array[] = [];
    for (let at = publicAt + ELEMENT_BYTES; at < first!.length; at += ELEMENT_BYTES) {
      verificationKeys.push(first!.slice(at, at + ELEMENT_BYTES));
    }
    this.#keys = {
      threshold: getUint16(first!, 2),
      publicKey: first!.slice(publicAt, publicAt + ELEMENT_BYTES),
      verificationKeys,
    };
    this.#partials = this.#trustees.map(() => new Uint8Array(PARTIAL_BYTES));
  }

  encryptionKey(frame: EvidenceFrame, out: Uint8Array): number {
    const { field } = frame;
    if (field.length !== ELEMENT_BYTES + MESSAGE_KEY_BYTES + TAG_BYTES)
      return OUTCOME.ESCROW_INVALID;
    const element = field.subarray(0, ELEMENT_BYTES);
    const { threshold, verificationKeys, publicKey } = this.#keys;
    const numbers: number[] = [];
    const partials: Uint8Array[] = [];
    for (const { number, share } of this.#trustees) {
      const partial = this.#partials[partials.length]!;
      const verificationKey = verificationKeys[number - 1]!;
      if (!this.#elgamal.decryptPartially(partial, share, verificationKey, element)) {
        return OUTCOME.ESCROW_INVALID;
      }
      if (!this.#elgamal.verifyPartial(partial, verificationKey, element)) continue;
      numbers.push(number);
      partials.push(partial);
      if (numbers.length === threshold) break;
    }
    if (numbers.length < threshold) return OUTCOME.UNKNOWN_KEY;
    const info = this.#info.of(frame.session, frame.sender, frame.n);
    if (!this.#elgamal.combine(this.#key, numbers, partials, element, publicKey, info)) {
      return OUTCOME.ESCROW_INVALID;
    }
    const sealed = field.subarray(ELEMENT_BYTES);
    return this.#aead.open(out, this.#key, NONCE, frame.ofMessage(), sealed)
      ? 0
      : OUTCOME.ESCROW_INVALID;
  }
}
