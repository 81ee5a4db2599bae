/**
 * What conformance tests join: every pipeline and provider, found by listing their folders, and the
 * workloads of `suites/`, cut down.
 *
 * @module
 */

import { join } from 'node:path';
import { listNames, loadByName } from '../../src/core/discover.ts';
import { HarnessError } from '../../src/core/errors.ts';
import { parseJson, readTextFile, requireShape } from '../../src/core/json.ts';
import { BEHAVIOURS_DIR, PIPELINES_DIR, PROVIDERS_DIR, SUITES_DIR } from '../../src/core/paths.ts';
import type { Provider, ProviderModule } from '../../src/crypto/provider.ts';
import { runShard } from '../../src/engine/shard.ts';
import type { RepeatSpec } from '../../src/engine/spec.ts';
import { createBarrier } from '../../src/measure/barrier.ts';
import type { ShardFacts } from '../../src/measure/facts.ts';
import type { Options, Pipeline } from '../../src/pipelines/_pipeline.ts';
import type { Behaviour } from '../../src/workload/behaviour.ts';
import { workloadSchema, type Workload } from '../../src/workload/workload.ts';

/** Of our own: what a library computes repeats no byte and gives up no state. */
export async function loadAllPipelines(): Promise<Pipeline[]> {
  const all = await loadEveryPipeline();
  return all.filter(({ foreign }) => foreign === undefined);
}

/** Those that a library computes, installed or not. */
export async function loadForeignPipelines(): Promise<Pipeline[]> {
  const all = await loadEveryPipeline();
  return all.filter(({ foreign }) => foreign !== undefined);
}

async function loadEveryPipeline(): Promise<Pipeline[]> {
  const names = await listNames(PIPELINES_DIR);
  return Promise.all(names.map((name) => loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline')));
}

/** All that load, `null` among them. */
export async function loadAllProviders(): Promise<Provider[]> {
  const providers: Provider[] = [];
  for (const name of await listNames(PROVIDERS_DIR)) {
    try {
      providers.push(await loadProvider(name));
    } catch (error) {
      if (!(error instanceof HarnessError && error.code === 'UNAVAILABLE')) throw error;
    }
  }
  return providers;
}

/** With all that any pipeline may need. */
export async function loadProvider(name: string): Promise<Provider> {
  const module = await loadByName<ProviderModule>(PROVIDERS_DIR, name, 'provider');
  return module.load(['ristretto255']);
}

const node = await loadProvider('node');
const native = await loadProvider('native');

/** One provider that has what the pipeline needs, for what need not be repeated with each. */
export function providerOf({ needs = [] }: Pipeline): Provider {
  return needs.every((primitive) => node.sources[primitive] !== 'none') ? node : native;
}

/** All options at their defaults, but for those given; what a pipeline has not is left out. */
export function optionsOf(pipeline: Pipeline, changes: Options = {}): Options {
  return Object.fromEntries(
    Object.entries(pipeline.options).map(([name, option]) => [
      name,
      changes[name] ?? option.default,
    ]),
  );
}

/** The two ends alone: no hop encryption, nothing sealed at rest. */
export const ISOLATED: Options = { hop: 'none', rest: 'none' };

/** A workload of `suites/workloads/` with some of its numbers changed. */
export async function loadWorkload(
  name: string,
  changes: Partial<Omit<Workload, 'network'>> & { network?: Partial<Workload['network']> } = {},
): Promise<Workload> {
  const file = join(SUITES_DIR, 'workloads', `${name}.json`);
  const given = requireShape(
    workloadSchema,
    parseJson(await readTextFile(file, 65_536), file),
    file,
  );
  return { ...given, ...changes, network: { ...given.network, ...changes.network } };
}

export async function loadBehaviour(name: string): Promise<Behaviour> {
  return loadByName<Behaviour>(BEHAVIOURS_DIR, name, 'behaviour');
}

export function specOf(
  given: Pick<RepeatSpec, 'pipeline' | 'provider' | 'options' | 'workload'> & Partial<RepeatSpec>,
): RepeatSpec {
  return {
    cell: 'test',
    threads: 1,
    seed: 5,
    repeat: 0,
    randomness: 'seeded',
    purpose: 'verify',
    warmupMs: 0,
    ...given,
  };
}

/** One shard as the worker runs it, in this process: every buffer is poisoned after each call. */
export async function runHere(
  pipeline: Pipeline,
  provider: Provider,
  workload: Workload,
  given: Partial<RepeatSpec> = {},
): Promise<ShardFacts> {
  const task = {
    spec: specOf({
      pipeline: pipeline.name,
      provider: provider.name,
      options: optionsOf(pipeline),
      workload,
      ...given,
    }),
    shard: 0,
    firstSession: 0,
    sessions: workload.sessions,
    barrier: createBarrier(),
    originNs: 0,
  };
  const behaviour = await loadBehaviour(workload.behaviour);
  return runShard(task, { pipeline, provider, behaviour });
}
