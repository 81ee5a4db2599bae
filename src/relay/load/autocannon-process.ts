/**
 * Closed loops of autocannon in a process of their own.
 *
 * @module
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { workerCommand } from '../../core/cores.ts';
import { HarnessError } from '../../core/errors.ts';
import type { ClosedLoop, ClosedLoopCounts } from './autocannon.ts';

/** What it is told. */
export type AutocannonOrder = { readonly start: readonly ClosedLoop[] } | 'stop';

/** What it says. */
export type AutocannonReport =
  | 'answering'
  | { readonly counts: readonly ClosedLoopCounts[] }
  | { readonly failure: string };

/** Runs from the start. */
export class AutocannonProcess {
  /** Settled when each loop has had its first answer, or with the end. */
  readonly answering: Promise<void>;
  /** Of each loop; rejected for a process that failed. */
  readonly counts: Promise<readonly ClosedLoopCounts[]>;
  readonly #child: ChildProcess;

  /** @param cores That it may use, of `pinnableCores`; all when empty. */
  constructor(loops: readonly ClosedLoop[], cores: readonly number[] = []) {
    const [file, ...args] = workerCommand('autocannon', cores);
    const child = spawn(file!, args, {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      // Frames are bytes, which JSON has not.
      serialization: 'advanced',
    });
    this.#child = child;
    const answering = Promise.withResolvers<void>();
    const counts = Promise.withResolvers<readonly ClosedLoopCounts[]>();
    this.answering = answering.promise;
    this.counts = counts.promise;
    // Whoever waits for it gets it; until then it is no unhandled rejection.
    this.counts.catch(() => undefined);
    child.on('message', (report: AutocannonReport) => {
      answering.resolve();
      if (report === 'answering') return;
      if ('counts' in report) counts.resolve(report.counts);
      else counts.reject(failed(report.failure));
    });
    const end = (how: string): void => {
      answering.resolve();
      counts.reject(failed(how));
    };
    child.on('exit', () => end('its process ended'));
    child.on('error', (error) => end(error.message));
    this.#tell({ start: loops });
  }

  stop(): void {
    this.#tell('stop');
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #tell(order: AutocannonOrder): void {
    if (this.#child.connected) this.#child.send(order, () => undefined);
  }
}

function failed(why: string): HarnessError {
  return new HarnessError('WRONG_RESULT', `autocannon failed: ${why}`);
}
