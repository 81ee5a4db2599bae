import { HarnessError } from '../core/errors.ts';
import type { Kem, KemName, Provider } from '../crypto/provider.ts';

/** @throws HarnessError UNSUPPORTED when the provider lacks it. */
export function chosenKem(provider: Provider, name: KemName): Kem {
  const kem = provider.kem[name];
  if (kem === undefined) throw new HarnessError('UNSUPPORTED', `${provider.name} has no ${name}`);
  return kem;
}
