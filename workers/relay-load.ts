/**
 * Child process: one repeat of a load of the relay. It drives the ends of the pipeline itself and
 * starts the relay, and what else is needed, in processes of their own. A spec comes in on stdin as
 * one JSON line, a report goes out likewise.
 *
 * @module
 */

import { keepOn, loadPlaces, pinnableCores } from '../src/core/cores.ts';
import { loadByName } from '../src/core/discover.ts';
import { HarnessError } from '../src/core/errors.ts';
import { BEHAVIOURS_DIR, PIPELINES_DIR, PROVIDERS_DIR } from '../src/core/paths.ts';
import type { ProviderModule } from '../src/crypto/provider.ts';
import { Traffic } from '../src/engine/traffic.ts';
import type { Pipeline } from '../src/pipelines/_pipeline.ts';
import { runLoad } from '../src/relay/load/run-load.ts';
import type { RelaySpec } from '../src/relay/load/spec.ts';
import type { StartRelay } from '../src/relay/load/under-load.ts';
import { startRelayProcess } from '../src/runner/relay-process.ts';
import type { RepeatReport } from '../src/runner/repeat-report.ts';
import type { Behaviour } from '../src/workload/behaviour.ts';

const STATUSES: Readonly<Record<string, RepeatReport['status']>> = {
  UNAVAILABLE: 'unavailable',
  UNSUPPORTED: 'unsupported',
};

async function report(spec: RelaySpec): Promise<RepeatReport> {
  try {
    const { workload, options, seed } = spec;
    // On a core that both may use, the driver waits for the relay that it has just woken.
    const places = loadPlaces(spec.purpose === 'measure' ? pinnableCores() : []);
    keepOn(places.loads);
    const start: StartRelay = (settings) => startRelayProcess(settings, undefined, places.servers);
    const module = await loadByName<ProviderModule>(PROVIDERS_DIR, spec.provider, 'provider');
    const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, spec.pipeline, 'pipeline');
    const behaviour = await loadByName<Behaviour>(BEHAVIOURS_DIR, workload.behaviour, 'behaviour');
    const provider = await module.load(pipeline.needs);
    const ends = await Traffic.open(pipeline, provider, behaviour, { workload, options, seed });
    return { shards: [], ...(await runLoad(spec, ends, start, places.loads)) };
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { status: STATUSES[error.code] ?? 'error', reason: error.message, shards: [] };
  }
}

let input = '';
for await (const chunk of process.stdin.setEncoding('utf8')) input += String(chunk);
process.stdout.write(`${JSON.stringify(await report(JSON.parse(input) as RelaySpec))}\n`);
