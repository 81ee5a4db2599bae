/**
 * What a measurement reads, so that tests can give readings of their own.
 *
 * @module
 */

import { cpuReader } from '../measure/cpu.ts';
import type { CpuBasis } from '../measure/facts.ts';
import { createReferenceKernel } from '../measure/reference-kernel.ts';
import { RunDelay } from '../measure/run-delay.ts';

export interface Clocks {
  /** Wall clock; tinybench reads it too. */
  readonly nowMs: () => number;
  readonly readCpuNs: () => number;
  /** See src/measure/run-delay.ts; -1 where unknown. */
  readonly readRunDelayNs: () => number;
  readonly readStealTicks: () => number;
  /** Runs the reference kernel once. @returns Its CPU in ns. */
  readonly runKernel: () => number;
  readonly collectGarbage: () => void;
}

/** The first runs compile it. */
const KERNEL_WARMUP_RUNS = 20;

/** The machine's, for this thread. */
export function realClocks(basis: CpuBasis): Clocks {
  const delay = new RunDelay();
  const runKernel = createReferenceKernel();
  for (let run = 0; run < KERNEL_WARMUP_RUNS; run++) runKernel();
  return {
    nowMs: () => performance.now(),
    readCpuNs: cpuReader(basis),
    readRunDelayNs: () => delay.read().runDelayNs,
    readStealTicks: () => delay.stealTicks(),
    runKernel,
    collectGarbage: () => globalThis.gc?.(),
  };
}
