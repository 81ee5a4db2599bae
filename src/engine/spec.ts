/**
 * What one repeat is asked to do: plain data, one JSON line into a child process.
 *
 * @module
 */

import type { CpuBasis } from '../measure/facts.ts';
import type { Options } from '../pipelines/_pipeline.ts';
import type { Saturation } from '../workload/saturation.ts';
import type { Workload } from '../workload/workload.ts';

export interface RepeatSpec {
  /** The cell's full name, for messages. */
  readonly cell: string;
  /** A name under src/pipelines/ or a path to a user's own file. */
  readonly pipeline: string;
  /** All options with their values, defaults filled in. */
  readonly options: Options;
  /** A name under src/providers/ or a path. */
  readonly provider: string;
  readonly workload: Workload;
  readonly threads: number;
  readonly seed: number;
  readonly repeat: number;
  /** `os` is timed; `seeded` is reproducible to the byte and never timed. */
  readonly randomness: 'os' | 'seeded';
  /** `verify` delivers a few messages on poisoned buffers and counts primitives; it is not timed. */
  readonly purpose: 'measure' | 'verify';
  readonly warmupMs: number;
  /**
   * Whose CPU is read, `thread` where it is left out. `process` holds all threads of the child, the
   * garbage collector's among them; it needs `threads` to be 1, and clients whose calls are
   * asynchronous need it. No figure compares the two.
   */
  readonly cpu?: CpuBasis;
  /**
   * A planted slowdown: how many calls of an AEAD are made again, for each that a pipeline makes
   * (src/crypto/slowed.ts). With 0 the provider is wrapped and nothing is made again.
   */
  readonly extraCalls?: number;
  /** Folder of the gate (src/measure/gate.ts) at which it waits before its timed phase. */
  readonly gate?: string;
  /** Set where the highest rate is searched that keeps a bound; needs `threads` to be 1. */
  readonly saturation?: Saturation;
}
