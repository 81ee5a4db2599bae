/** The command `relay` through the real entry point: how it starts, and how it ends. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import { bearer, framesPath, mailboxPath, SENDER_HEADER } from '../../src/relay/protocol.ts';
import type { RelayReady } from '../../src/relay/settings.ts';
import { tokenOf } from '../relay/_relay.ts';
import { sealbench } from './_command-line.ts';

/** Beyond it a further signal is a second one, and not the same key press delivered twice. */
const ANOTHER_PRESS_MS = 1_200;

class RunningCommand implements Disposable {
  readonly ready: Promise<RelayReady>;
  readonly ended: Promise<number | null>;
  readonly #child = spawn(
    process.execPath,
    [join(PACKAGE_ROOT, 'src', 'cli', 'main.ts'), 'relay', '--json', '--tls', 'none'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  err = '';

  constructor() {
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => (this.err += text));
    this.ended = once(this.#child, 'close').then(([status]) => status as number | null);
    let out = '';
    this.ready = new Promise((resolve, reject) => {
      this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text;
        if (out.endsWith('\n')) resolve(JSON.parse(out) as RelayReady);
      });
      void this.ended.then(() => reject(new Error(this.err)));
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Until it has said that it stops. */
  async stopping(): Promise<void> {
    while (!this.err.includes('stopping')) await once(this.#child.stderr, 'data');
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

/** An append of which the body is still to come. */
async function beginAppend({ port }: RelayReady): Promise<Socket> {
  const headers = { authorization: bearer(tokenOf(1)), [SENDER_HEADER]: '1' };
  const registered = await fetch(`http://127.0.0.1:${port}${mailboxPath(1)}`, {
    method: 'PUT',
    headers: { ...headers, connection: 'close' },
  });
  assert.equal(registered.status, 201);
  const socket = connect({ port, host: '127.0.0.1' }).setEncoding('latin1');
  socket.on('error', () => undefined);
  const lines = Object.entries({ host: 'relay', 'content-length': '5', ...headers });
  socket.write(
    `POST ${framesPath(1)} HTTP/1.1\r\nexpect: 100-continue\r\n` +
      `${lines.map((line) => line.join(': ')).join('\r\n')}\r\n\r\n`,
  );
  // The relay has it.
  assert.match(String(await once(socket, 'data')), /^HTTP\/1\.1 100/);
  return socket;
}

/** Until no connection is taken any more. */
async function nobodyListens({ port }: RelayReady): Promise<void> {
  for (;;) {
    const socket = connect({ port, host: '127.0.0.1' });
    try {
      await once(socket, 'connect');
    } catch {
      return;
    } finally {
      socket.destroy();
    }
    await sleep(10);
  }
}

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  test(`${name}: what has come is answered, and the status is 0`, async () => {
    using command = new RunningCommand();
    const ready = await command.ready;
    const socket = await beginAppend(ready);
    command.signal(name);
    // A terminal and a launcher may each deliver one key press.
    command.signal(name);
    await nobodyListens(ready);
    socket.write('frame');
    assert.match(String(await once(socket, 'data')), /^HTTP\/1\.1 201 [^]*connection: close/i);
    assert.equal(await command.ended, 0);
    assert.match(command.err, /stopped: /);
  });
}

for (const [name, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`a second ${name} ends it at once, with ${status}, and no process stays`, async () => {
    using command = new RunningCommand();
    const ready = await command.ready;
    const socket = await beginAppend(ready);
    command.signal(name);
    await command.stopping();
    await sleep(ANOTHER_PRESS_MS);
    command.signal(name);
    assert.equal(await command.ended, status);
    socket.destroy();
    // Killed with its parent; the kernel may need a moment.
    while (isThere(ready.pid)) await sleep(10);
  });
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('what cannot be is refused before anything starts', async () => {
  for (const [args, message] of [
    [['--durability', 'full'], /--durability is of --data/],
    [['--search'], /scanning and searching need a pipeline/],
  ] as const) {
    const { status, err } = await sealbench(['relay', '--tls', 'none', ...args]);
    assert.equal(status, 2, err);
    assert.match(err, message);
    assert.doesNotMatch(err, /\n +at /);
  }
});
