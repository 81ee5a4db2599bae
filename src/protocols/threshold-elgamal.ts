/**
 * Threshold decryption of a key encapsulation on ristretto255: hashed ElGamal whose private key is
 * shared among trustees and never assembled.
 *
 * The sharing is Shamir's over the scalars. A trustee gives x_i · E and proves by Chaum and Pedersen
 * (CRYPTO 1992, made non-interactive after Fiat and Shamir) that it used the share behind its public
 * verification key; whoever combines checks the proofs and interpolates in the exponent.
 *
 * A partial decryption is given before anything tells whether the sender knew what it sealed, so there
 * is no security against chosen ciphertexts here. Shoup and Gennaro's TDH2 (EUROCRYPT 1998) has it, for
 * a second element and a proof on the sender's side.
 *
 * @module
 */

import { concatBytes, utf8 } from '../core/bytes.ts';
import { HarnessError } from '../core/errors.ts';
import { RefusedError, type PrimeGroup, type Provider } from '../crypto/provider.ts';
import type { Randomness } from '../crypto/randomness.ts';

export const ELEMENT_BYTES = 32;
export const SCALAR_BYTES = 32;
/** Uniform bytes that make one scalar. */
export const WIDE_BYTES = 64;
/** D_i, then challenge and response of its proof. */
export const PARTIAL_BYTES: number = ELEMENT_BYTES + 2 * SCALAR_BYTES;

const KEY_LABEL = utf8('sealbench threshold key');
const NONCE_LABEL = utf8('sealbench threshold nonce');
const PROOF_LABEL = utf8('sealbench threshold proof');
const ZERO_SALT = new Uint8Array(32);

/** What trustees and combiner know besides their shares. */
export interface ThresholdKeys {
  /** How many trustees it takes. */
  readonly threshold: number;
  /** pk. */
  readonly publicKey: Uint8Array;
  /** Y_i = x_i · G, of trustee i + 1 at index i. */
  readonly verificationKeys: readonly Uint8Array[];
}

/** One instance per party; owns its scratch, so it is not re-entrant. */
export class ThresholdElgamal {
  readonly #provider: Provider;
  readonly #group: PrimeGroup;
  readonly #element = new Uint8Array(ELEMENT_BYTES);
  readonly #product = new Uint8Array(ELEMENT_BYTES);
  readonly #nonce = new Uint8Array(SCALAR_BYTES);
  readonly #scalar = new Uint8Array(SCALAR_BYTES);
  readonly #wide = new Uint8Array(WIDE_BYTES);
  readonly #commitments: readonly [Uint8Array, Uint8Array] = [
    new Uint8Array(ELEMENT_BYTES),
    new Uint8Array(ELEMENT_BYTES),
  ];

  /** @throws HarnessError UNSUPPORTED when the provider lacks the group. */
  constructor(provider: Provider) {
    const group = provider.ristretto255;
    if (group === undefined) {
      throw new HarnessError('UNSUPPORTED', `${provider.name} has no ristretto255`);
    }
    this.#provider = provider;
    this.#group = group;
  }

  /**
   * Makes a key and shares it; the dealer forgets it afterwards.
   *
   * @returns The public half, and one scalar per trustee.
   */
  deal(
    threshold: number,
    trustees: number,
    randomness: Randomness,
  ): { readonly keys: ThresholdKeys; readonly shares: readonly Uint8Array[] } {
    const group = this.#group;
    const coefficients = Array.from({ length: threshold }, () => {
      randomness.fill(this.#wide);
      const coefficient = new Uint8Array(SCALAR_BYTES);
      group.scalarReduce(coefficient, this.#wide);
      return coefficient;
    });
    this.#wide.fill(0);
    const publicKey = new Uint8Array(ELEMENT_BYTES);
    group.multiplyBase(publicKey, coefficients[0]!);
    const shares = Array.from({ length: trustees }, (_, index) => {
      const x = smallScalar(index + 1);
      const share = new Uint8Array(SCALAR_BYTES);
      for (const coefficient of coefficients.toReversed()) {
        group.scalarMultiply(this.#scalar, share, x);
        group.scalarAdd(share, this.#scalar, coefficient);
      }
      return share;
    });
    for (const coefficient of coefficients) coefficient.fill(0);
    const verificationKeys = shares.map((share) => {
      const key = new Uint8Array(ELEMENT_BYTES);
      group.multiplyBase(key, share);
      return key;
    });
    return { keys: { threshold, publicKey, verificationKeys }, shares };
  }

  /**
   * Encap: two multiplications and one HKDF.
   *
   * @param element E, 32 bytes.
   * @param key 32 bytes.
   * @param wide 64 uniform bytes, which make e.
   */
  encapsulate(
    element: Uint8Array,
    key: Uint8Array,
    publicKey: Uint8Array,
    wide: Uint8Array,
    info: Uint8Array,
  ): void {
    this.#group.scalarReduce(this.#scalar, wide);
    this.#group.multiplyBase(element, this.#scalar);
    this.#group.multiply(this.#product, this.#scalar, publicKey);
    this.#deriveKey(key, element, publicKey, info);
    this.#scalar.fill(0);
  }

  /**
   * A trustee's part: D_i = x_i · E and a proof of it. Three multiplications.
   *
   * @param out `PARTIAL_BYTES`.
   * @returns False when `element` is none.
   */
  decryptPartially(
    out: Uint8Array,
    share: Uint8Array,
    verificationKey: Uint8Array,
    element: Uint8Array,
  ): boolean {
    const group = this.#group;
    const partial = out.subarray(0, ELEMENT_BYTES);
    const challenge = out.subarray(ELEMENT_BYTES, ELEMENT_BYTES + SCALAR_BYTES);
    const response = out.subarray(ELEMENT_BYTES + SCALAR_BYTES, PARTIAL_BYTES);
    const [atBase, atElement] = this.#commitments;
    try {
      group.multiply(partial, share, element);
      // The nonce follows from share and element, so that no bad generator can repeat one.
      this.#provider.hkdfSha256(this.#wide, share, element, NONCE_LABEL);
      group.scalarReduce(this.#nonce, this.#wide);
      group.multiplyBase(atBase, this.#nonce);
      group.multiply(atElement, this.#nonce, element);
    } catch (error) {
      if (error instanceof RefusedError) return false;
      throw error;
    }
    this.#challenge(challenge, verificationKey, element, partial);
    group.scalarMultiply(this.#scalar, challenge, share);
    group.scalarAdd(response, this.#nonce, this.#scalar);
    this.#nonce.fill(0);
    this.#wide.fill(0);
    return true;
  }

  /** Whether a partial decryption is the one of this trustee. Four multiplications. */
  verifyPartial(partial: Uint8Array, verificationKey: Uint8Array, element: Uint8Array): boolean {
    const group = this.#group;
    const decrypted = partial.subarray(0, ELEMENT_BYTES);
    const challenge = partial.subarray(ELEMENT_BYTES, ELEMENT_BYTES + SCALAR_BYTES);
    const response = partial.subarray(ELEMENT_BYTES + SCALAR_BYTES, PARTIAL_BYTES);
    const [atBase, atElement] = this.#commitments;
    try {
      group.multiplyBase(this.#element, response);
      group.multiply(this.#product, challenge, verificationKey);
      group.subtract(atBase, this.#element, this.#product);
      group.multiply(this.#element, response, element);
      group.multiply(this.#product, challenge, decrypted);
      group.subtract(atElement, this.#element, this.#product);
    } catch (error) {
      if (error instanceof RefusedError) return false;
      throw error;
    }
    this.#challenge(this.#scalar, verificationKey, element, decrypted);
    return sameBytes(this.#scalar, challenge);
  }

  /**
   * The key, out of as many partial decryptions as the threshold: one multiplication for each.
   *
   * @param trustees Numbers of the trustees, from 1, in the order of `partials`.
   * @returns False when they give no element. Proofs are not looked at here.
   */
  combine(
    key: Uint8Array,
    trustees: readonly number[],
    partials: readonly Uint8Array[],
    element: Uint8Array,
    publicKey: Uint8Array,
    info: Uint8Array,
  ): boolean {
    const group = this.#group;
    try {
      for (const [index, trustee] of trustees.entries()) {
        this.#lagrange(trustee, trustees);
        const partial = partials[index]!.subarray(0, ELEMENT_BYTES);
        if (index === 0) {
          group.multiply(this.#product, this.#scalar, partial);
        } else {
          group.multiply(this.#element, this.#scalar, partial);
          group.add(this.#commitments[0], this.#product, this.#element);
          this.#product.set(this.#commitments[0]);
        }
      }
    } catch (error) {
      if (error instanceof RefusedError) return false;
      throw error;
    }
    this.#deriveKey(key, element, publicKey, info);
    return true;
  }

  /** The weight of a trustee at 0, into `#scalar`. */
  #lagrange(trustee: number, trustees: readonly number[]): void {
    const group = this.#group;
    let above = smallScalar(1);
    let below = smallScalar(1);
    for (const other of trustees) {
      if (other === trustee) continue;
      const difference = new Uint8Array(SCALAR_BYTES);
      group.scalarSubtract(difference, smallScalar(other), smallScalar(trustee));
      above = this.#times(above, smallScalar(other));
      below = this.#times(below, difference);
    }
    const inverse = new Uint8Array(SCALAR_BYTES);
    group.scalarInvert(inverse, below);
    group.scalarMultiply(this.#scalar, above, inverse);
  }

  #times(a: Uint8Array, b: Uint8Array): Uint8Array {
    const product = new Uint8Array(SCALAR_BYTES);
    this.#group.scalarMultiply(product, a, b);
    return product;
  }

  /** K = HKDF(e · pk), bound to E, pk and info; the element is in `#product`. */
  #deriveKey(key: Uint8Array, element: Uint8Array, publicKey: Uint8Array, info: Uint8Array): void {
    const bound = concatBytes(KEY_LABEL, element, publicKey, info);
    this.#provider.hkdfSha256(key, ZERO_SALT, this.#product, bound);
    this.#product.fill(0);
  }

  #challenge(
    out: Uint8Array,
    verificationKey: Uint8Array,
    element: Uint8Array,
    partial: Uint8Array,
  ): void {
    const [atBase, atElement] = this.#commitments;
    const said = concatBytes(PROOF_LABEL, verificationKey, element, partial, atBase, atElement);
    this.#provider.hkdfSha256(this.#wide, ZERO_SALT, said, EMPTY_INFO);
    this.#group.scalarReduce(out, this.#wide);
  }
}

const EMPTY_INFO = new Uint8Array(0);

/** @param value Below 2^16. */
function smallScalar(value: number): Uint8Array {
  const scalar = new Uint8Array(SCALAR_BYTES);
  scalar[0] = value;
  scalar[1] = value >>> 8;
  return scalar;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  let different = 0;
  for (let i = 0; i < a.length; i++) different |= a[i]! ^ b[i]!;
  return different === 0;
}
