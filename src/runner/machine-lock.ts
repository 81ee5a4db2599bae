/**
 * One comparison at a time: two would each be the other's noise.
 *
 * @module
 */

import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { badInput } from '../core/errors.ts';
import { GATE_NAME } from '../measure/gate.ts';
import { isAlive } from './worktree.ts';

/**
 * Held until disposal, or the end of the process. That of a process that was killed is taken over.
 *
 * @throws HarnessError BAD_INPUT while another process holds it.
 */
export function lockMachine(): Disposable {
  const file = join(tmpdir(), 'sealbench-compare.lock');
  const holder = take(file) ?? take(file);
  if (holder !== 'taken') {
    throw badInput(
      `another comparison is running on this machine, process ${holder ?? 'unknown'}; each would ` +
        'be noise to the other. Wait until it has ended',
    );
  }
  removeAbandonedGates();
  const release = (): void => rmSync(file, { force: true });
  process.once('exit', release);
  return {
    [Symbol.dispose]() {
      process.removeListener('exit', release);
      release();
    },
  };
}

/** Of processes that were killed. */
function removeAbandonedGates(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = GATE_NAME.exec(name)?.groups?.['pid'];
    if (pid === undefined || isAlive(Number(pid))) continue;
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** @returns `taken`, the process that holds it, or undefined where an abandoned one was removed. */
function take(file: string): 'taken' | number | undefined {
  // Linked when it is written, so that nobody finds it empty and takes it for an abandoned one.
  const own = `${file}.${process.pid}`;
  try {
    writeFileSync(own, String(process.pid));
    linkSync(own, file);
    return 'taken';
  } catch {
    const pid = Number(readText(file));
    if (Number.isInteger(pid) && pid > 0 && isAlive(pid)) return pid;
    rmSync(file, { force: true });
    return undefined;
  } finally {
    rmSync(own, { force: true });
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
