/**
 * Sizes of the KEMs in bytes: ML-KEM by FIPS 203 §8, table 3, with the private key in its seed form
 * (§7.1); X-Wing by draft-connolly-cfrg-xwing-kem-10 §5.1.
 *
 * @module
 */

import type { KemName } from '../crypto/provider.ts';

export type MlKemName = Exclude<KemName, 'x-wing'>;

export interface KemSizes {
  readonly publicKeyBytes: number;
  readonly secretKeyBytes: number;
  readonly ciphertextBytes: number;
  readonly sharedSecretBytes: number;
  /** m of FIPS 203 §7.2; eseed of X-Wing. */
  readonly randomnessBytes: number;
}

const ML_KEM = { secretKeyBytes: 64, sharedSecretBytes: 32, randomnessBytes: 32 };

export const KEM_SIZES: Readonly<Record<KemName, KemSizes>> = {
  'ml-kem-768': { ...ML_KEM, publicKeyBytes: 1184, ciphertextBytes: 1088 },
  'ml-kem-1024': { ...ML_KEM, publicKeyBytes: 1568, ciphertextBytes: 1568 },
  'x-wing': {
    secretKeyBytes: 32,
    sharedSecretBytes: 32,
    randomnessBytes: 64,
    publicKeyBytes: 1216,
    ciphertextBytes: 1120,
  },
};
