/**
 * One repeat by another version of this program, whose answers are read before they are believed.
 *
 * @module
 */

import { z } from 'zod';
import { processFacts, shardFacts } from '../measure/facts.ts';
import { STATUSES } from '../results/record.ts';
import { askChild } from './child.ts';
import type { RepeatReport, RunRepeat } from './repeat-report.ts';

const reportSchema = z.object({
  status: z.enum(STATUSES),
  reason: z.string().optional(),
  shards: z.array(shardFacts),
  process: processFacts.optional(),
});

/**
 * A repeat in a fresh process of that version. Never throws, as `runRepeat`.
 *
 * @param worker Absolute path of its workers/repeat.ts.
 */
export function repeatOf(worker: string): RunRepeat {
  return async (spec, signal, { core } = {}) => {
    const result = await askChild(worker, spec, signal, { core });
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
