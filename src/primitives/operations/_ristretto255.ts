/**
 * Two multiplications of ristretto255, RFC 9496: of the generator and of any element.
 *
 * @module
 */

import { HarnessError } from '../../core/errors.ts';
import type { PrimeGroup, Provider } from '../../crypto/provider.ts';

export const WITHOUT_WEBCRYPTO = { missing: 'it has no ristretto255' } as const;

export function groupOf({ name, ristretto255 }: Provider): PrimeGroup {
  if (ristretto255 !== undefined) return ristretto255;
  throw new HarnessError('UNSUPPORTED', `${name} has no ristretto255`);
}
