/**
 * How quiet this machine is: what others take from a thread that only wants to compute.
 *
 * @module
 */

import { nowNs } from '../measure/clock.ts';
import { readThreadCpuNs } from '../measure/cpu.ts';
import { createReferenceKernel } from '../measure/reference-kernel.ts';
import { RunDelay, UNKNOWN } from '../measure/run-delay.ts';
import { quantile, sortSamples } from '../stats/quantile.ts';

export interface Noise {
  readonly wallNs: number;
  /** Time ready but not running, as a share of the time that was wanted; absent where unknown. */
  readonly runDelayShare?: number;
  /** Share of all cores' time that the hypervisor gave to others; absent where unknown. */
  readonly stealShare?: number;
  /** The reference kernel's CPU: median, and 95th over 5th percentile. */
  readonly kernelNs: number;
  readonly kernelSpread: number;
}

/** /proc/stat counts in USER_HZ, which is 100 on every architecture that Node runs on. */
const TICK_NS = 1e7;
/** The first runs compile and warm the caches. */
const WARMUP_RUNS = 200;

/** Computes without a pause for `durationMs` on this thread and watches what is taken from it. */
export function observeNoise(durationMs: number, cores: number): Noise {
  const runKernel = createReferenceKernel();
  for (let i = 0; i < WARMUP_RUNS; i++) runKernel();

  const delays = new RunDelay();
  const kernelsNs: number[] = [];
  const ticksBefore = delays.stealTicks();
  const delayBefore = delays.read().runDelayNs;
  const cpuBefore = readThreadCpuNs();
  const startNs = nowNs();
  const endNs = startNs + durationMs * 1e6;
  do kernelsNs.push(runKernel());
  while (nowNs() < endNs);
  const wallNs = nowNs() - startNs;
  const cpuNs = readThreadCpuNs() - cpuBefore;
  const delayNs = delays.read().runDelayNs - delayBefore;
  const stealTicks = delays.stealTicks() - ticksBefore;
  delays.close();

  const sorted = sortSamples(kernelsNs);
  return {
    wallNs,
    ...(delayBefore === UNKNOWN ? {} : { runDelayShare: delayNs / (cpuNs + delayNs) }),
    ...(ticksBefore === UNKNOWN ? {} : { stealShare: (stealTicks * TICK_NS) / (wallNs * cores) }),
    kernelNs: quantile(sorted, 0.5),
    kernelSpread: quantile(sorted, 0.95) / quantile(sorted, 0.05),
  };
}
