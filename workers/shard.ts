/**
 * Piscina entry: loads one provider and one pipeline and runs one shard with them.
 *
 * A task is a shard, never a message, so that no clock ever times a hop between threads.
 *
 * @module
 */

import { loadByName } from '../src/core/discover.ts';
import { HarnessError } from '../src/core/errors.ts';
import { BEHAVIOURS_DIR, PIPELINES_DIR, PROVIDERS_DIR } from '../src/core/paths.ts';
import type { ProviderModule } from '../src/crypto/provider.ts';
import { slowed } from '../src/crypto/slowed.ts';
import type { ShardParts } from '../src/engine/live-world.ts';
import { runShard, type ShardAnswer, type ShardTask } from '../src/engine/shard.ts';
import type { RepeatSpec } from '../src/engine/spec.ts';
import { abandon, BarrierAbandoned } from '../src/measure/barrier.ts';
import { trackWasm } from '../src/measure/wasm.ts';
import type { Pipeline } from '../src/pipelines/_pipeline.ts';
import type { Behaviour } from '../src/workload/behaviour.ts';

trackWasm();

export default async function shard(task: ShardTask): Promise<ShardAnswer> {
  try {
    return { facts: await runShard(task, await loadParts(task.spec)) };
  } catch (error) {
    abandon(task.barrier);
    return { failure: { code: codeOf(error), message: messageOf(error) } };
  }
}

/** Loads what a spec names. */
export async function loadParts(spec: RepeatSpec): Promise<ShardParts> {
  const module = await loadByName<ProviderModule>(PROVIDERS_DIR, spec.provider, 'provider');
  const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, spec.pipeline, 'pipeline');
  const behaviour = await loadByName<Behaviour>(
    BEHAVIOURS_DIR,
    spec.workload.behaviour,
    'behaviour',
  );
  const loaded = await module.load(pipeline.needs);
  const provider = spec.extraCalls === undefined ? loaded : slowed(loaded, spec.extraCalls);
  return { pipeline, provider, behaviour };
}

function codeOf(error: unknown): string {
  if (error instanceof HarnessError) return error.code;
  return error instanceof BarrierAbandoned ? 'ABANDONED' : 'WRONG_RESULT';
}

/** For people, without a stack unless one debugs. */
export function messageOf(error: unknown): string {
  if (error instanceof HarnessError || error instanceof BarrierAbandoned) return error.message;
  if (!(error instanceof Error)) return `it threw ${String(error)}`;
  const debugging = process.env['SEALBENCH_DEBUG'] !== undefined;
  const [firstLine] = error.message.split('\n');
  return `it threw ${debugging ? error.stack : `${error.name}: ${firstLine}`}`;
}
