/**
 * Child process: loops of autocannon, told by messages what to do and when to stop. It ends with its
 * parent.
 *
 * @module
 */

import { startClosedLoop, type RunningLoop } from '../src/relay/load/autocannon.ts';
import type { AutocannonOrder, AutocannonReport } from '../src/relay/load/autocannon-process.ts';

let running: readonly RunningLoop[] = [];

process.on('message', (order: AutocannonOrder) => {
  if (order === 'stop') {
    for (const loop of running) loop.stop();
    return;
  }
  running = order.start.map(startClosedLoop);
  void Promise.all(running.map(({ answering }) => answering)).then(() => say('answering'));
  void Promise.all(running.map(({ counts }) => counts)).then(
    (counts) => say({ counts }, () => process.disconnect!()),
    (error: unknown) => {
      const failure = error instanceof Error ? error.message : String(error);
      say({ failure }, () => process.disconnect!());
    },
  );
});
process.on('disconnect', () => process.exit());

function say(report: AutocannonReport, then: () => void = () => undefined): void {
  process.send!(report, then);
}
