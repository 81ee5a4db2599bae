/**
 * One repeat of a load of the relay in fresh child processes: a spec in, a report out.
 *
 * @module
 */

import type { RelaySpec } from '../relay/load/spec.ts';
import { askChild } from './child.ts';
import type { RepeatReport } from './repeat-report.ts';

export type RunRelay = (spec: RelaySpec, signal: AbortSignal) => Promise<RepeatReport>;

/** Never throws: when the child dies, or `signal` aborts, the report's status is `error`. */
export const runRelay: RunRelay = async (spec, signal) => {
  const result = await askChild('relay-load', spec, signal);
  if ('died' in result) {
    return { status: 'error', reason: `its process ${result.died}`, shards: [] };
  }
  return result.answer as RepeatReport;
};
