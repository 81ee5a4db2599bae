/**
 * One repeat in a fresh child process: a spec in, a report out.
 *
 * @module
 */

import { askChild } from './child.ts';
import type { LiveReport } from '../measure/live.ts';
import type { RepeatReport, RunRepeat } from './repeat-report.ts';

/** Never throws: when the child dies, or `signal` aborts, the report's status is `error`. */
export const runRepeat: RunRepeat = async (spec, signal, { onLive, core } = {}) => {
  const take = onLive && ((line: unknown): void => onLive(line as LiveReport));
  const result = await askChild('repeat', spec, signal, { onLive: take, core });
  if ('died' in result)
    return { status: 'error', reason: `its process ${result.died}`, shards: [] };
  return result.answer as RepeatReport;
};
