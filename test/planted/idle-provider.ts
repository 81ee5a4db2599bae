/** A provider that computes nothing and does not say so: as `null`, under a name of its own. */

import type { ProviderModule } from '../../src/crypto/provider.ts';
import none from '../../src/providers/null.ts';

const idle: ProviderModule = { ...none, name: 'idle-provider', title: 'a very fast library' };
export default idle;
