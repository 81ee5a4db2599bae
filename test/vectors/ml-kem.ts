/**
 * ML-KEM (FIPS 203), 100 cases folded into one digest, as `TestAccumulated` of Go's crypto/mlkem does
 * (src/crypto/mlkem/mlkem_test.go, which states the value for ML-KEM-768; several implementations
 * agree on that for ML-KEM-1024). A SHAKE-128 stream of the empty input gives, for each case, the
 * seed d || z, the randomness m and a random ciphertext; a second SHAKE-128 absorbs the public key,
 * the ciphertext, the shared secret, and what the random ciphertext decapsulates to.
 */

import type { KemName } from '../../src/crypto/provider.ts';

export const ML_KEM_CASES = 100;

export const ML_KEM_DIGESTS: Readonly<Record<Exclude<KemName, 'x-wing'>, string>> = {
  'ml-kem-768': '1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415',
  'ml-kem-1024': '800018fec3e2723f73f1d657fe239b4d5d8782efaade297e8cd448e54cc2ac00',
};
