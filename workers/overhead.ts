/**
 * Child process: samples what the harness adds to a stage call; prints one JSON line.
 *
 * @module
 */

import { loadByName } from '../src/core/discover.ts';
import { BEHAVIOURS_DIR, PIPELINES_DIR, PROVIDERS_DIR } from '../src/core/paths.ts';
import type { ProviderModule } from '../src/crypto/provider.ts';
import { sampleOverhead } from '../src/engine/overhead.ts';
import type { Pipeline } from '../src/pipelines/_pipeline.ts';
import type { Behaviour } from '../src/workload/behaviour.ts';
import { endWithParent } from '../src/runner/lifeline.ts';

endWithParent();

const module = await loadByName<ProviderModule>(PROVIDERS_DIR, 'null', 'provider');
const samples = await sampleOverhead({
  pipeline: await loadByName<Pipeline>(PIPELINES_DIR, 'plaintext', 'pipeline'),
  provider: await module.load(),
  behaviour: await loadByName<Behaviour>(BEHAVIOURS_DIR, 'bursts', 'behaviour'),
});
process.stdout.write(`${JSON.stringify(samples)}\n`);
