/**
 * Starts the real entry point, as a user would.
 *
 * @module
 */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';

export interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Circumstances {
  /** `main.ts` when left out. */
  readonly entry?: string;
  /** Repeats are made up at once; see _fake-runner.ts. */
  readonly fakeRunner?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Is shown stderr so far, whenever there is more, and may send a signal once. */
  readonly onNote?: (
    err: string,
  ) => NodeJS.Signals | undefined | Promise<NodeJS.Signals | undefined>;
}

export function sealbench(
  args: readonly string[],
  { entry = 'main.ts', fakeRunner = false, env = {}, cwd, onNote }: Circumstances = {},
): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const preload = fakeRunner ? ['--import', join(import.meta.dirname, '_fake-runner.ts')] : [];
  const child = spawn(
    process.execPath,
    [...preload, join(PACKAGE_ROOT, 'src', 'cli', entry), ...args],
    { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let out = '';
  let err = '';
  let signalled = false;
  const heed = async (wanted: ReturnType<NonNullable<typeof onNote>>): Promise<void> => {
    const signal = await wanted;
    if (signal === undefined || signalled) return;
    signalled = true;
    child.kill(signal);
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
    if (!signalled) void heed(onNote?.(err));
  });
  child.on('error', reject);
  child.on('close', (status) => {
    resolve({ status, out, err });
  });
  return promise;
}
