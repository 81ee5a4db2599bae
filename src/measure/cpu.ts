/**
 * CPU time of this thread and of the process.
 *
 * @module
 */

import { nowNs } from './clock.ts';
import type { CpuBasis } from './facts.ts';

/**
 * CPU that this thread has used, user and system, in ns with the kernel's resolution of 1 us.
 *
 * The kernel accounts a running thread at its timer tick, so `process.threadCpuUsage()` alone moves
 * in steps of 4 ms (at HZ = 250): a stage of 100 us reads 0 or thousands. `process.cpuUsage()`
 * sums over all threads and for that brings the running thread's account up to date; the call right
 * after it reads the account. The pair steps by 1 to 2 us and costs 1 to 2 us. The order matters.
 */
export function readThreadCpuNs(): number {
  process.cpuUsage();
  const usage = process.threadCpuUsage();
  return (usage.user + usage.system) * 1e3;
}

/**
 * CPU of the whole process, with the helper threads of GC, JIT and libraries; in ns.
 *
 * The account of the calling thread is brought up to date, and so is that of every thread that
 * sleeps. What another thread does at that moment is seen up to a tick late: none of it is lost, but
 * some falls into the interval after the one that it belongs to.
 */
export function processCpuNs(): number {
  const usage = process.cpuUsage();
  return (usage.user + usage.system) * 1e3;
}

/** The reading for a basis. */
export function cpuReader(basis: CpuBasis): () => number {
  return basis === 'thread' ? readThreadCpuNs : processCpuNs;
}

export interface CpuCalibration {
  readonly cpuStepNs: number;
  /** CPU of one reading: every interval between two readings holds one. */
  readonly cpuReadNs: number;
}

const WINDOWS = 5;
/** Two ticks of a kernel at 250 Hz, so that a clock that steps by the tick is seen to do so. */
const WINDOW_NS = 9e6;

/**
 * Reads back to back in five windows of 9 ms, which also warms it up.
 *
 * The step is the median over the windows of the smallest positive step of each. The smallest of
 * all would let a clock of 4 ms pass for a fine one whenever the thread was switched out once,
 * because a switch settles the account between two ticks.
 */
export function calibrateCpu(basis: CpuBasis = 'thread'): CpuCalibration {
  const readCpuNs = cpuReader(basis);
  const stepsNs: number[] = [];
  let cpuReadNs = Infinity;
  for (let window = 0; window < WINDOWS; window++) {
    const endNs = nowNs() + WINDOW_NS;
    const startCpuNs = readCpuNs();
    let beforeNs = startCpuNs;
    let stepNs = Infinity;
    let readings = 0;
    do {
      const readNs = readCpuNs();
      readings++;
      if (readNs > beforeNs) stepNs = Math.min(stepNs, readNs - beforeNs);
      beforeNs = readNs;
    } while (nowNs() < endNs);
    stepsNs.push(Number.isFinite(stepNs) ? stepNs : WINDOW_NS);
    if (beforeNs > startCpuNs) cpuReadNs = Math.min(cpuReadNs, (beforeNs - startCpuNs) / readings);
  }
  stepsNs.sort((a, b) => a - b);
  return {
    cpuStepNs: stepsNs[Math.floor(WINDOWS / 2)]!,
    cpuReadNs: Number.isFinite(cpuReadNs) ? cpuReadNs : 0,
  };
}
