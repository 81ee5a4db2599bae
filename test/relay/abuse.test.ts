/** Hostile clients over real sockets: the right status, others unaffected, memory bounded. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bearer, framesPath, SENDER_HEADER } from '../../src/relay/protocol.ts';
import { raw, tokenOf, withRelay, type Client } from './_relay.ts';

/** Head of a request that may append to mailbox 1. */
function head(method: string, path: string, ...lines: readonly string[]): string {
  return [
    `${method} ${path} HTTP/1.1`,
    'host: relay',
    `authorization: ${bearer(tokenOf(1))}`,
    `${SENDER_HEADER}: 1`,
    ...lines,
    '',
    '',
  ].join('\r\n');
}

function appending(...lines: readonly string[]): string {
  return head('POST', framesPath(1), ...lines);
}

function statusesIn(text: string): string[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status!);
}

/** Still served as before. */
async function servesOthers(client: Client): Promise<void> {
  const { status } = await client.append(1, 1, 'others');
  assert.equal(status, 201);
}

test('a body that is longer than a frame may be gets 413, declared or in chunks', async () => {
  await withRelay({ limits: { frameBytes: 1_000 } }, async (client, relay) => {
    await client.register(1);
    assert.equal((await client.append(1, 1, 'x'.repeat(1_000))).status, 201);
    assert.equal((await client.append(1, 1, 'x'.repeat(1_001))).status, 413);
    assert.equal((await client.append(1, 1, 'x'.repeat(500_000))).status, 413);
    const chunk = `1f4\r\n${'x'.repeat(500)}\r\n`;
    const chunked = appending('transfer-encoding: chunked', 'connection: close');
    const beyond = await raw(client.port, chunked, chunk, chunk, chunk, '0\r\n\r\n');
    assert.deepEqual(statusesIn(beyond), ['413']);
    const within = await raw(client.port, chunked, chunk, chunk, '0\r\n\r\n');
    assert.deepEqual(statusesIn(within), ['201']);
    // Told before it sends anything.
    const expecting = appending(
      'content-length: 99999',
      'expect: 100-continue',
      'connection: close',
    );
    assert.deepEqual(statusesIn(await raw(client.port, expecting)), ['413']);
    assert.equal(relay.snapshot().counts.frames, 2);
    await servesOthers(client);
  });
});

test('a body without end is not read without end', async () => {
  await withRelay({ limits: { frameBytes: 1_000 } }, async (client, relay) => {
    await client.register(1);
    const socket = connect(client.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(appending('content-length: 1000000000'));
    let sent = 0;
    const block = Buffer.alloc(65_536);
    while (!socket.destroyed && sent < 512 * 65_536) {
      sent += block.length;
      if (!socket.write(block)) await once(socket, 'drain').catch(() => undefined);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(sent < 512 * 65_536, `${sent} bytes were taken`);
    assert.equal(relay.snapshot().counts.refused['413'], 1);
    await servesOthers(client);
  });
});

test('headers beyond the limit get 431, and what is no HTTP gets 400', async () => {
  await withRelay({}, async (client, relay) => {
    await client.register(1);
    const bomb = appending(`x-bomb: ${'x'.repeat(20_000)}`);
    assert.deepEqual(statusesIn(await raw(client.port, bomb)), ['431']);
    const many = appending(...Array.from({ length: 2_000 }, (_, i) => `x-${i}: ${i}`));
    assert.deepEqual(statusesIn(await raw(client.port, many)), ['431']);
    for (const nonsense of [
      'hello\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00',
      appending('content-length: -1'),
      appending('content-length: 1', 'content-length: 2'),
      appending('content-length: 0x10'),
      appending('content-length: 5', 'transfer-encoding: chunked'),
      appending('transfer-encoding: chunked').concat('zz\r\n'),
      head('GET', '/v1/stats', 'x y: bad'),
      'GET /v1/stats HTTP/9.9\r\n\r\n',
    ]) {
      const text = await raw(client.port, nonsense);
      assert.deepEqual(statusesIn(text), ['400'], JSON.stringify(nonsense.slice(-40)));
    }
    assert.ok(relay.snapshot().counts.broken >= 9);
    assert.equal(relay.snapshot().counts.frames, 0);
    await servesOthers(client);
  });
});

test('what comes before garbage on a connection is answered, and nothing after it', async () => {
  for (const store of ['memory', 'sqlite'] as const) {
    const folder = await mkdtemp(join(tmpdir(), 'sealbench-relay-'));
    const settings = { kind: store, folder, durability: 'full' } as const;
    await withRelay({ store: settings }, async (client) => {
      await client.register(1);
      const one = appending('content-length: 1');
      const text = await raw(client.port, `${one}a${one}bGARBAGE\r\n\r\n${one}c`);
      assert.deepEqual(statusesIn(text), ['201', '201']);
      assert.deepEqual(await client.texts(1), ['a', 'b']);
    });
    await rm(folder, { recursive: true, force: true });
  }
});

test('pipelined requests are answered in their order', async () => {
  await withRelay({}, async (client) => {
    await client.register(1);
    const get = head('GET', '/v1/mailboxes/1/frames');
    const last = head('GET', '/nowhere', 'connection: close');
    const text = await raw(client.port, `${appending('content-length: 3')}abc${get}${last}`);
    assert.deepEqual(statusesIn(text), ['201', '200', '404']);
  });
});

test('a request that breaks off leaves nothing behind', async () => {
  await withRelay({}, async (client, relay) => {
    await client.register(1);
    const socket = connect(client.port, '127.0.0.1');
    socket.write(appending('content-length: 10').concat('half'));
    while (relay.snapshot().counts.connections < 2) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    socket.destroy();
    while (relay.snapshot().counts.connections > 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(relay.snapshot().counts.frames, 0);
    await servesOthers(client);
  });
});

test('slow clients get 408 and are let go: silent ones, slow headers, slow bodies', async () => {
  const limits = { headersMs: 300, requestMs: 600 };
  await withRelay({ limits }, async (client, relay) => {
    await client.register(1);
    const slow = [
      raw(client.port),
      raw(client.port, 'POST /v1/mailboxes/1/frames HTTP/1.1\r\nhost: re'),
      raw(client.port, appending('content-length: 10').concat('half')),
    ];
    await servesOthers(client);
    const texts = await Promise.all(slow);
    assert.deepEqual(texts.map(statusesIn), [['408'], ['408'], ['408']]);
    assert.equal(relay.snapshot().counts.frames, 1);
    await servesOthers(client);
  });
});

test('a flood of connections is cut off at the limit, and those who are served stay served', async () => {
  await withRelay({ limits: { connections: 20 } }, async (client, relay) => {
    await client.register(1);
    const flood: Socket[] = [];
    for (let i = 0; i < 60; i++) {
      const socket = connect(client.port, '127.0.0.1');
      socket.on('error', () => undefined);
      flood.push(socket);
    }
    while (relay.snapshot().counts.droppedConnections < 41) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(relay.snapshot().counts.connections, 20);
    await servesOthers(client);
    for (const socket of flood) socket.destroy();
    while (relay.snapshot().counts.connections > 1) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await servesOthers(client);
  });
});

test('a body in the smallest pieces costs no more memory than a frame', async () => {
  await withRelay({}, async (client) => {
    await client.register(1);
    const chunks = '1\r\nx\r\n'.repeat(30_000);
    const head1 = appending('transfer-encoding: chunked', 'connection: close');
    assert.deepEqual(statusesIn(await raw(client.port, head1, chunks, '0\r\n\r\n')), ['201']);
    const [frame] = await client.frames(1);
    assert.equal(Buffer.from(frame!.bytes).toString(), 'x'.repeat(30_000));
  });
});
