/**
 * One repeat in a fresh child process: a spec in, a report out.
 *
 * @module
 */

import { z } from 'zod';
import { processFacts, shardFacts } from '../measure/facts.ts';
import { STATUSES } from '../results/record.ts';
import { askChild } from './child.ts';
import type { RepeatReport, RunRepeat } from './repeat-report.ts';

/** Never throws: when the child dies, or `signal` aborts, the report's status is `error`. */
export const runRepeat: RunRepeat = async (spec, signal) => {
  const result = await askChild('repeat', spec, signal);
  if ('died' in result)
    return { status: 'error', reason: `its process ${result.died}`, shards: [] };
  return result.answer as RepeatReport;
};

const reportSchema = z.object({
  status: z.enum(STATUSES),
  reason: z.string().optional(),
  shards: z.array(shardFacts),
  process: processFacts.optional(),
});

/**
 * The same in another version of this program, whose answers are read before they are believed.
 *
 * @param worker Absolute path of its workers/repeat.ts.
 */
export function repeatOf(worker: string): RunRepeat {
  return async (spec, signal) => {
    const result = await askChild(worker, spec, signal);
    if ('died' in result) {
      return { status: 'error', reason: `its process ${result.died}`, shards: [] };
    }
    const read = reportSchema.safeParse(result.answer);
    if (read.success) return read.data as RepeatReport;
    const path = read.error.issues[0]?.path.join('.') ?? '';
    const reason = `its process answered in another format, at ${path}: it is another version`;
    return { status: 'error', reason, shards: [] };
  };
}
