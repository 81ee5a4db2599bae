/**
 * Implementations by name: the providers, and what is no provider and is found in
 * `implementations/`.
 *
 * @module
 */

import { listNames, loadByName } from '../core/discover.ts';
import { IMPLEMENTATIONS_DIR, PROVIDERS_DIR } from '../core/paths.ts';
import type { PrimitiveName, ProviderModule } from '../crypto/provider.ts';
import type { Implementation, ImplementationModule } from './operation.ts';

/**
 * @param name Of a provider or an implementation, or the path of a user's own provider.
 * @throws HarnessError UNAVAILABLE when its library does not load.
 */
export async function loadImplementation(
  name: string,
  primitive: PrimitiveName,
): Promise<Implementation> {
  if ((await listNames(IMPLEMENTATIONS_DIR)).includes(name)) {
    const module = await loadByName<ImplementationModule>(
      IMPLEMENTATIONS_DIR,
      name,
      'implementation',
    );
    return module.load();
  }
  const module = await loadByName<ProviderModule>(PROVIDERS_DIR, name, 'provider');
  const provider = await module.load([primitive]);
  return { kind: 'provider', name: provider.name, version: provider.version, provider };
}
