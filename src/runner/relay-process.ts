/**
 * A relay in a process of its own, as load suites and the command `relay` start it.
 *
 * @module
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HarnessError } from '../core/errors.ts';
import { workerCommand } from '../core/cores.ts';
import type { RelayOrder, RelayReport } from '../relay/control.ts';
import type { RelayReady, RelaySettings, RelaySnapshot } from '../relay/settings.ts';

export interface RelayProcess {
  readonly ready: RelayReady;
  /** Its counts and its CPU, now. @throws HarnessError WRONG_RESULT when it has died. */
  snapshot(): Promise<RelaySnapshot>;
  /** Answers and commits what has come, then ends. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** How it ended, once it has: its status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/**
 * @param signal Kills it when it aborts.
 * @param cores That it may use, of `pinnableCores`; all when empty.
 * @throws HarnessError for settings that it cannot run with.
 */
export async function startRelayProcess(
  settings: RelaySettings,
  signal?: AbortSignal,
  cores: readonly number[] = [],
): Promise<RelayProcess> {
  const [file, ...args] = workerCommand('relay', cores);
  const child = spawn(file!, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'), ...process.env },
    // Ctrl-C at a terminal goes to the whole group; the parent decides what becomes of the child.
    detached: true,
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  process.once('exit', kill);
  const ended = endOf(child).finally(() => {
    signal?.removeEventListener('abort', kill);
    process.removeListener('exit', kill);
  });
  send(child, { order: 'start', settings });
  const ready = await firstReport(child, ended);
  return {
    ready,
    ended,
    async snapshot() {
      send(child, { order: 'snapshot' });
      const report = await nextReport(child, ended);
      if (report.report !== 'snapshot') throw died('gave no snapshot');
      return report.snapshot;
    },
    async stop() {
      send(child, { order: 'stop' });
      await ended;
    },
    async kill() {
      kill();
      await ended;
    },
  };
}

async function endOf(child: ChildProcess): Promise<number | NodeJS.Signals> {
  const [status, killer] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  return killer ?? status ?? 1;
}

function send(child: ChildProcess, order: RelayOrder): void {
  // One that has died is found out by its end.
  if (child.connected) child.send(order, () => undefined);
}

async function firstReport(child: ChildProcess, ended: RelayProcess['ended']): Promise<RelayReady> {
  const report = await nextReport(child, ended);
  if (report.report === 'ready') return report.ready;
  if (report.report === 'failed') throw new HarnessError(report.code, report.message);
  throw died('said something else than that it is ready');
}

async function nextReport(child: ChildProcess, ended: RelayProcess['ended']): Promise<RelayReport> {
  const done = new AbortController();
  try {
    return await Promise.race([
      once(child, 'message', { signal: done.signal }).then(([report]) => report as RelayReport),
      ended.then((how) => Promise.reject(died(`ended with ${how}`))),
    ]);
  } finally {
    done.abort();
  }
}

function died(how: string): HarnessError {
  return new HarnessError('WRONG_RESULT', `the relay's process ${how}`);
}
