/**
 * The raw facts of a repeat that calls one operation of a primitive, with no pipeline around it: what
 * workers/primitive.ts reports and `cells.ndjson` stores. Times are nanoseconds.
 *
 * @module
 */

import { z } from 'zod';

const count = z.number().int().nonnegative();
const ns = z.number();

/** Whose CPU was read: of the thread, or of the whole process where calls are awaited. */
const cpuBasis = z.enum(['thread', 'process']);

/**
 * Stretches of the timed phase, with the reference kernel after each. Columns of equal length. The
 * first readings of CPU, run delay and steal are before the first call, the last after the last.
 */
const windowColumns = z.object({
  /** HdrHistogram V2, compressed, base64: wall time of the samples, of `callsPerSample` calls each. */
  samples: z.array(z.string()),
  calls: z.array(count),
  wallNs: z.array(ns),
  /** Of all calls, with what tinybench does between two samples. */
  cpuNs: z.array(ns),
  /** Ready but not running; -1 where it cannot be read. */
  runDelayNs: z.array(ns),
  /** Ticks taken by the hypervisor from the whole machine; -1 where unknown. */
  stealTicks: z.array(z.number()),
  kernelCpuNs: z.array(ns),
});

export const operationFacts = z.object({
  primitive: z.string(),
  /** Of the input, or where that has one length only, of the output. */
  bytes: count,
  /** Of the implementation. */
  version: z.string(),
  /** Who computes: `library`, `composed`, or another library than the implementation's own. */
  source: z.string(),
  /** Inputs that took turns. */
  inputs: count,
  /** A checksum of what each input gives, equal for all implementations; null where it is random. */
  outputs: z.number().int().nullable(),
  /** Published answers that were reproduced before any clock ran. */
  knownAnswers: count,
  /** Whether each call was awaited before the next. */
  awaited: z.boolean(),
  cpuBasis,
  /** Absent where nothing was timed. */
  timed: z
    .object({
      callsPerSample: z.number().int().positive(),
      /** What one reading of the clock costs, as tinybench calibrates it: every sample holds one. */
      timerOverheadNs: ns,
      /** Why tinybench mistrusts samples (`zero-dominated`, ...), each reason once. */
      timerWarnings: z.array(z.string()),
      warmupNs: ns,
      windows: windowColumns,
    })
    .optional(),
});
export type OperationFacts = z.infer<typeof operationFacts>;
export type WindowColumns = z.infer<typeof windowColumns>;

/** Batches without a clock inside. Columns of equal length. */
const batchColumns = z.object({
  callsPerBatch: count,
  wallNs: z.array(ns),
  cpuNs: z.array(ns),
});

/** One operation by our own batches and by another tool, in one process or one after the other. */
export const crossCheckFacts = z.object({
  primitive: z.string(),
  bytes: count,
  /** Of the implementation. */
  version: z.string(),
  /** The other tool, with its version and whatever else tells it apart. */
  tool: z.string(),
  toolVersion: z.string(),
  oursFirst: z.boolean(),
  rounds: z.array(
    z.object({
      ours: z.object({
        batches: batchColumns,
        /** HdrHistogram V2, compressed, base64: single calls, with one clock reading in each. */
        latency: z.string(),
        runDelayNs: ns,
        wallNs: ns,
      }),
      theirs: z.object({
        /** Per call, as the tool states it: a foreign tool's figure is a reading here. */
        valueNs: ns,
        /** What that is, in words: `p50 of single calls`. */
        statistic: z.string(),
        /** What of ours stands beside it: wall time of batches, of single calls, or CPU of batches. */
        compared: z.enum(['batches', 'latency', 'cpu']),
        samples: count,
        /** Null where the tool does not say. */
        callsPerSample: count.nullable(),
        /** -1 where it cannot be read, as for another process. */
        runDelayNs: ns,
        wallNs: ns,
      }),
      /** What the operation is made of, each by batches of its own, to explain a difference. */
      parts: z.record(z.string(), batchColumns),
    }),
  ),
});
export type CrossCheckFacts = z.infer<typeof crossCheckFacts>;
export type BatchColumns = z.infer<typeof batchColumns>;
