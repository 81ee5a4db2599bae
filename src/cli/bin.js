#!/usr/bin/env node
/**
 * Starts main.ts with the Node that this package pins, whatever Node was used to start this file.
 *
 * Plain JavaScript that Node 20 understands. Without the pinned Node, one that runs TypeScript as
 * it is (24.12 or newer) does too.
 */

import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = new URL('./main.ts', import.meta.url);
const pinned = fileURLToPath(new URL('../../node_modules/node/bin/node', import.meta.url));
const [major, minor] = process.versions.node.split('.').map(Number);
const isRecent = major > 24 || (major === 24 && minor >= 12);

if (existsSync(pinned) && realpathSync(pinned) !== realpathSync(process.execPath)) {
  startPinned();
} else if (isRecent) {
  await import(main.href);
} else {
  console.error(
    `sealbench: needs Node 24.12 or newer, this is ${process.versions.node}; ` +
      'run "npm ci", which installs the right one beside it',
  );
  process.exitCode = 2;
}

function startPinned() {
  const child = spawn(
    pinned,
    [...process.execArgv, fileURLToPath(main), ...process.argv.slice(2)],
    {
      // The system closes the last, whatever ends this process; see src/runner/lifeline.ts.
      stdio: ['inherit', 'inherit', 'inherit', 'ignore', 'pipe'],
      env: {
        NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache'),
        ...process.env,
        SEALBENCH_LIFELINE: '4',
      },
    },
  );
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => child.kill(name));
  child.stdio[4]?.on('error', () => undefined).unref();
  child.on('error', (error) => {
    console.error(`sealbench: ${pinned} does not start: ${error.message}; run "npm ci"`);
    process.exitCode = 2;
  });
  child.on('exit', (status, signal) => {
    process.exitCode = status ?? 128 + constants.signals[signal];
  });
}
