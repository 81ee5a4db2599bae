/** Every provider that computes something, loaded, for tests that run a protocol over all. */

import { fileURLToPath } from 'node:url';
import { listNames, loadByName } from '../../src/core/discover.ts';
import { HarnessError } from '../../src/core/errors.ts';
import type { AeadName, Provider, ProviderModule } from '../../src/crypto/provider.ts';

const FOLDER = fileURLToPath(new URL('../../src/providers/', import.meta.url));

/** Without `null`, which encrypts nothing, and without those whose library is not installed. */
export async function loadProviders(): Promise<Provider[]> {
  const providers: Provider[] = [];
  for (const name of await listNames(FOLDER)) {
    if (name === 'null') continue;
    try {
      const module = await loadByName<ProviderModule>(FOLDER, name, 'provider');
      providers.push(await module.load());
    } catch (error) {
      if (error instanceof HarnessError && error.code === 'UNAVAILABLE') continue;
      throw error;
    }
  }
  return providers;
}

export function aeadsOf(provider: Provider): AeadName[] {
  const all: readonly AeadName[] = ['chacha20-poly1305', 'aes-256-gcm'];
  return all.filter((name) => provider.aead[name] !== undefined);
}
