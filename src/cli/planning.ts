/**
 * From what a command line names to a plan, everything refused that cannot be used.
 *
 * @module
 */

import { loadByName } from '../core/discover.ts';
import { OPERATIONS_DIR, PROVIDERS_DIR } from '../core/paths.ts';
import { memoryLimitBytes } from '../core/system-memory.ts';
import type { ProviderModule } from '../crypto/provider.ts';
import type { Pipeline } from '../pipelines/_pipeline.ts';
import type { Operation } from '../primitives/operation.ts';
import { requireMemory } from '../runner/memory-estimate.ts';
import { loadPipelines } from '../runner/pipelines-info.ts';
import { isOfExposure } from '../suite/exposure-suite.ts';
import { isFileName, parseName } from '../suite/names.ts';
import {
  isOfOperations,
  isOfRelay,
  loadAnySuite,
  type LoadedAny,
  type LoadedOperations,
} from '../suite/operations.ts';
import type { LoadedRelay } from '../suite/parse-relay.ts';
import type { Replacements } from '../suite/parse.ts';
import { planOperations, type OperationPlan } from '../suite/plan-operations.ts';
import { planRelay, type RelayPlan } from '../suite/plan-relay.ts';
import { planSuite, type Plan, type PlanOptions } from '../suite/plan.ts';

export interface PlannedSuite {
  readonly loaded: LoadedAny;
  /** By the name or path that the suite uses; none where its cells are single operations. */
  readonly pipelines: ReadonlyMap<string, Pipeline>;
  readonly plan: Plan | RelayPlan | (OperationPlan & { readonly baseline?: never });
}

/** @throws HarnessError BAD_INPUT for whatever the suite or the options get wrong. */
export async function planNamed(
  nameOrPath: string,
  options: PlanOptions,
  instead: Replacements = {},
): Promise<PlannedSuite> {
  const loaded = await loadAnySuite(nameOrPath, instead);
  if (isOfOperations(loaded)) return planLoadedOperations(loaded, options);
  if (isOfRelay(loaded)) return planLoadedRelay(loaded, options);
  const messages = isOfExposure(loaded) ? loaded.messages : loaded;
  const { matrix } = messages.suite;
  const names = matrix.flatMap((group) => group.pipelines.map((text) => parseName(text).name));
  const pipelines = await loadPipelines(names);
  const providers = matrix.flatMap((group) => group.implementations);
  await checkProviderFiles(providers);
  const plan = planSuite(messages, { pipelines, providers }, options);
  // A town at a time is held for attacks, however many conversations there are.
  if (!isOfExposure(loaded) && loaded.suite.beyondMemory !== 'record') {
    requireMemory(
      plan.order.map(({ spec }) => spec),
      pipelines,
      memoryLimitBytes(),
    );
  }
  return { loaded, pipelines, plan };
}

async function planLoadedRelay(loaded: LoadedRelay, options: PlanOptions): Promise<PlannedSuite> {
  const { matrix } = loaded.suite;
  const names = matrix.flatMap((group) => group.pipelines.map((text) => parseName(text).name));
  const pipelines = await loadPipelines(names);
  await checkProviderFiles(matrix.flatMap((group) => group.implementations));
  const plan = planRelay(loaded, { pipelines }, options);
  requireMemory(
    plan.order.map(({ spec }) => ({ ...spec, threads: 1 })),
    pipelines,
    memoryLimitBytes(),
  );
  return { loaded, pipelines, plan };
}

async function planLoadedOperations(
  loaded: LoadedOperations,
  options: PlanOptions,
): Promise<PlannedSuite> {
  const { matrix } = loaded.suite;
  await checkProviderFiles(matrix.flatMap((group) => group.implementations));
  const operations = new Map<string, Operation>();
  for (const name of new Set(matrix.flatMap((group) => group.primitives))) {
    operations.set(name, await loadByName<Operation>(OPERATIONS_DIR, name, 'primitive'));
  }
  return { loaded, pipelines: new Map(), plan: planOperations(loaded, operations, options) };
}

/**
 * A mistake in a user's own file is refused here; in a worker it would look like a library that is
 * not installed. No library is loaded: that is what `load` of the module does.
 */
async function checkProviderFiles(providers: readonly string[]): Promise<void> {
  for (const file of new Set(providers.filter(isFileName))) {
    await loadByName<ProviderModule>(PROVIDERS_DIR, file, 'provider');
  }
}

/** Options that several commands have. */
export const PLAN_OPTIONS = {
  filter: {
    kind: 'text',
    placeholder: 'RE',
    summary: 'only cells whose name matches this regular expression',
  },
  provider: {
    kind: 'list',
    placeholder: 'NAME|FILE',
    summary: "this provider instead of the suite's; may be given several times",
  },
  pipeline: {
    kind: 'list',
    placeholder: 'NAME|FILE',
    summary: "this pipeline instead of the suite's; may be given several times",
  },
  workload: {
    kind: 'list',
    placeholder: 'NAME|FILE',
    summary: "this workload instead of the suite's; may be given several times",
  },
} as const;

/** What the three options that name things replace. */
export function replacementsOf(options: {
  readonly provider: readonly string[];
  readonly pipeline: readonly string[];
  readonly workload: readonly string[];
}): Replacements {
  return {
    ...(options.pipeline.length === 0 ? {} : { pipelines: [...options.pipeline] }),
    ...(options.provider.length === 0 ? {} : { implementations: [...options.provider] }),
    ...(options.workload.length === 0 ? {} : { workloads: [...options.workload] }),
  };
}
