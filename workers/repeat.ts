/**
 * Child process: one repeat. A spec comes in on stdin as one JSON line, a report goes out likewise.
 * With `--live` it says on descriptor 3 how far it is, one JSON line a second.
 *
 * @module
 */

import { writeSync } from 'node:fs';
import { LIVE_DESCRIPTOR, LIVE_FLAG } from '../src/measure/live.ts';
import { hostRepeat } from '../src/runner/host.ts';
import { endWithParent } from '../src/runner/lifeline.ts';
import type { RepeatSpec } from '../src/engine/spec.ts';

endWithParent();

let input = '';
for await (const chunk of process.stdin.setEncoding('utf8')) input += String(chunk);
const watch = (live: object): void => {
  try {
    writeSync(LIVE_DESCRIPTOR, `${JSON.stringify(live)}\n`);
  } catch {
    // Nobody reads, or not fast enough: the next line says more.
  }
};
const isWatched = process.argv.includes(LIVE_FLAG);
const report = await hostRepeat(JSON.parse(input) as RepeatSpec, isWatched ? watch : undefined);
// A worker thread that hangs must not keep the process.
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit());
