/**
 * A gate at which processes wait for each other, so that what they measure begins at the same time: a
 * folder in which each leaves a file when it is ready, and goes on when there is one named `go`.
 *
 * @module
 */

import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HarnessError } from '../core/errors.ts';

const GO = 'go';
const LOOK_MS = 1;
/** Of whoever keeps it, who shares a core with what is timed. */
const KEEPER_LOOKS_MS = 10;
/** Whoever keeps the gate has died long before. */
const WAIT_MS_MAX = 600_000;

/**
 * Blocks the thread until the gate opens. The core is free meanwhile.
 *
 * @throws HarnessError WRONG_RESULT for a gate that never opens.
 */
export function waitAtGate(folder: string): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const endMs = performance.now() + WAIT_MS_MAX;
  const go = join(folder, GO);
  writeFileSync(join(folder, String(process.pid)), '');
  while (!existsSync(go)) {
    if (performance.now() > endMs) {
      throw new HarnessError('WRONG_RESULT', 'the processes that it was to run beside never came');
    }
    Atomics.wait(cell, 0, 0, LOOK_MS);
  }
}

/** Of a gate's folder; holds the number of the process that keeps it. */
export const GATE_NAME: RegExp = /^sealbench-gate-(?<pid>\d+)-/;

/** Kept by whoever starts the processes. */
export class Gate implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), `sealbench-gate-${process.pid}-`));

  /** @param expected How many are still on their way or wait; fewer when one has ended before. */
  async openFor(expected: () => number): Promise<void> {
    while (readdirSync(this.folder).length < expected()) await sleep(KEEPER_LOOKS_MS);
    writeFileSync(join(this.folder, GO), '');
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
