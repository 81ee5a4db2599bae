/**
 * One repeat of a single operation in a fresh child process: a spec in, a report out.
 *
 * @module
 */

import type { OperationSpec } from '../primitives/spec.ts';
import { askChild } from './child.ts';
import type { RepeatReport } from './repeat-report.ts';

export type RunOperation = (spec: OperationSpec, signal: AbortSignal) => Promise<RepeatReport>;

/** Never throws: when the child dies, or `signal` aborts, the report's status is `error`. */
export const runOperation: RunOperation = async (spec, signal) => {
  const result = await askChild('primitive', spec, signal);
  if ('died' in result) {
    return { status: 'error', reason: `its process ${result.died}`, shards: [] };
  }
  return result.answer as RepeatReport;
};
