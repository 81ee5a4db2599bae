/**
 * Child process: one repeat of one operation of a primitive, with no pipeline and no pool. A spec
 * comes in on stdin as one JSON line, a report goes out likewise.
 *
 * @module
 */

import { HarnessError } from '../src/core/errors.ts';
import { runOperation } from '../src/primitives/run-operation.ts';
import type { OperationSpec } from '../src/primitives/spec.ts';
import { endWithParent } from '../src/runner/lifeline.ts';
import type { RepeatReport } from '../src/runner/repeat-report.ts';

endWithParent();

const STATUSES: Readonly<Record<string, RepeatReport['status']>> = {
  UNAVAILABLE: 'unavailable',
  UNSUPPORTED: 'unsupported',
};

async function report(spec: OperationSpec): Promise<RepeatReport> {
  try {
    return { status: 'ok', shards: [], ...(await runOperation(spec)) };
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { status: STATUSES[error.code] ?? 'error', reason: error.message, shards: [] };
  }
}

let input = '';
for await (const chunk of process.stdin.setEncoding('utf8')) input += String(chunk);
process.stdout.write(`${JSON.stringify(await report(JSON.parse(input) as OperationSpec))}\n`);
