/**
 * A repeat of the Double Ratchet alone, without hop and store, as targets ask for it.
 *
 * @module
 */

import type { RepeatSpec } from '../engine/spec.ts';
import type { Workload } from '../workload/workload.ts';
import { loadPipelines } from './pipelines-info.ts';

const PIPELINE = 'double-ratchet';
const WARMUP_MS = 50;

/** @param shown The workload as the cell's name has it. */
export async function isolatedRatchetSpec(
  workload: Workload,
  shown: string,
  threads = 1,
  seed = 1,
): Promise<RepeatSpec> {
  const { options } = (await loadPipelines([PIPELINE])).get(PIPELINE)!;
  return {
    cell: `target/${PIPELINE}:hop=none,rest=none/native/${shown}/t${threads}`,
    pipeline: PIPELINE,
    options: {
      ...Object.fromEntries(Object.entries(options).map(([key, option]) => [key, option.default])),
      hop: 'none',
      rest: 'none',
    },
    provider: 'native',
    workload,
    threads,
    seed,
    repeat: 0,
    randomness: 'os',
    purpose: 'measure',
    warmupMs: WARMUP_MS,
  };
}
