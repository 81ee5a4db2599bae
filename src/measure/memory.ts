/**
 * What the process holds, as its counters show it.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import type { MemoryFacts } from './facts.ts';
import { wasmBytes } from './wasm.ts';

/**
 * Collects garbage and reads the counters of this thread's heap, and of the process (RSS).
 *
 * Needs `--expose-gc`; without it nothing is collected, and the reading holds garbage: fit for a
 * peak, not for retained bytes. Collects twice, because what a finaliser lets go of in the first
 * collection is only found by the second, and because the second waits until the array buffers that
 * the first one found dead are freed.
 *
 * `externalBytes` includes `arrayBufferBytes`. WebAssembly memories are hardly in either, so they
 * are counted apart, and only those made after `trackWasm()`. Of native libraries' own allocations
 * nothing shows but RSS.
 */
export function readMemory(): MemoryFacts {
  globalThis.gc?.();
  globalThis.gc?.();
  const usage = process.memoryUsage();
  return {
    heapUsedBytes: usage.heapUsed,
    heapResidentBytes: getHeapStatistics().total_physical_size,
    externalBytes: usage.external,
    arrayBufferBytes: usage.arrayBuffers,
    wasmBytes: wasmBytes(),
    rssBytes: usage.rss,
  };
}

/**
 * The largest resident set that this program has had.
 *
 * Not that of getrusage(2), which Linux carries over execve(2): a child would start with the peak of
 * the process that started it. It stands in where there is no `VmHWM` (proc_pid_status(5)).
 */
export function peakRssBytes(): number {
  return highWaterBytes() ?? process.resourceUsage().maxRSS * 1024;
}

function highWaterBytes(): number | undefined {
  try {
    const found = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return found === null ? undefined : Number(found[1]) * 1024;
  } catch {
    return undefined;
  }
}
