/**
 * Child process: autocannon, told by messages what to do and when to stop. It ends with its parent.
 *
 * @module
 */

import {
  startClosedLoop,
  type ClosedLoop,
  type RunningLoop,
} from '../src/relay/load/autocannon.ts';

let running: RunningLoop | undefined;

process.on('message', (message: { readonly start: ClosedLoop } | 'stop') => {
  if (message === 'stop') {
    running?.stop();
    return;
  }
  running = startClosedLoop(message.start);
  void running.answering.then(() => process.send!('answering'));
  void running.counts.then(
    (counts) => process.send!({ counts }, () => process.disconnect!()),
    (error: unknown) => {
      process.send!({ failure: error instanceof Error ? error.message : String(error) }, () =>
        process.disconnect!(),
      );
    },
  );
});
process.on('disconnect', () => process.exit());
