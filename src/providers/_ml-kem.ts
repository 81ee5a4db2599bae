/**
 * Sizes of ML-KEM in bytes: FIPS 203 §8, table 3, with the private key in its seed form (§7.1).
 *
 * @module
 */

import type { KemName } from '../crypto/provider.ts';

export interface MlKemSizes {
  readonly publicKeyBytes: number;
  readonly secretKeyBytes: number;
  readonly ciphertextBytes: number;
  readonly sharedSecretBytes: number;
  /** m of FIPS 203 §7.2. */
  readonly randomnessBytes: number;
}

const COMMON = { secretKeyBytes: 64, sharedSecretBytes: 32, randomnessBytes: 32 };

export const ML_KEM_SIZES: Readonly<Record<KemName, MlKemSizes>> = {
  'ml-kem-768': { ...COMMON, publicKeyBytes: 1184, ciphertextBytes: 1088 },
  'ml-kem-1024': { ...COMMON, publicKeyBytes: 1568, ciphertextBytes: 1568 },
};
