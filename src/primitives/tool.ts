/**
 * The contract of a tool that cross-checks are against: a foreign harness, or a foreign program.
 *
 * @module
 */

import type { CrossCheckFacts } from '../measure/operation-facts.ts';
import type { Implementation, Operation } from './operation.ts';

/** What a file in `tools/` exports as default. */
export interface Tool {
  /** The file's name. */
  readonly name: string;
  readonly title: string;
  /**
   * How often it is asked in a repeat, each time for a short while, ours before or after it. Shared
   * machines change their speed by a third within a second, so turns are short and many.
   */
  readonly rounds: number;
  /** What of ours stands beside its figure: the same kind of statistic. */
  readonly compared: CrossCheckFacts['rounds'][number]['theirs']['compared'];
  /**
   * @throws HarnessError UNAVAILABLE, saying how to get it; UNSUPPORTED for an operation that it
   *   does not have.
   */
  open(operation: Operation, implementation: Implementation): Promise<OpenTool>;
}

/** A tool that is there. */
export interface OpenTool {
  readonly version: string;
  /**
   * @param one Makes one call; foreign programs make their own and leave it alone.
   * @param callsPerBatch What our batches have, a multiple of 4, for tools that take calls together.
   */
  readonly measure: (one: () => void, callsPerBatch: number) => Promise<Reading>;
  /** What the operation is made of, to explain a difference; each is one call. */
  readonly parts?: Readonly<Record<string, () => void>>;
}

/** The tool's figure. */
export interface Reading {
  readonly valueNs: number;
  /** What it is, in words. */
  readonly statistic: string;
  readonly samples: number;
  /** Null where the tool does not say. */
  readonly callsPerSample: number | null;
  /** Whether it ran on this thread, so that this thread's run delay says whether it was disturbed. */
  readonly onThisThread: boolean;
}
