/**
 * Child process: one repeat. A spec comes in on stdin as one JSON line, a report goes out likewise.
 *
 * @module
 */

import { hostRepeat } from '../src/runner/host.ts';
import type { RepeatSpec } from '../src/engine/spec.ts';

let input = '';
for await (const chunk of process.stdin.setEncoding('utf8')) input += String(chunk);
const report = await hostRepeat(JSON.parse(input) as RepeatSpec);
process.stdout.write(`${JSON.stringify(report)}\n`);
