import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { test } from 'node:test';
import {
  bearer,
  handOverPath,
  HandedReader,
  NO_SENDER,
  searchPath,
  type HandedFrame,
} from '../../src/relay/protocol.ts';
import type { RelayRole } from '../../src/relay/role.ts';
import type { RelaySettings } from '../../src/relay/settings.ts';
import { tokenOf, withRelay, type Client } from './_relay.ts';

const authorityToken = tokenOf('authority');

/** A role that a test can see through: what is stored is the complement of what arrived, and a byte. */
const COMPLEMENT: RelayRole = {
  roomBytes: 1,
  isReadable: true,
  accept(_from, _to, frame, _atMs, out) {
    if (frame[0] === 0x21) return -4;
    out[0] = 0;
    for (let i = 0; i < frame.length; i++) out[i + 1] = ~frame[i]!;
    return frame.length + 1;
  },
  deliver: (_to, stored, _atMs, out) => COMPLEMENT.handOver(_to, stored, out),
  handOver(_to, stored, out) {
    for (let i = 1; i < stored.length; i++) out[i - 1] = ~stored[i]!;
    return stored.length - 1;
  },
};

class Authority {
  readonly #request: ClientRequest;
  readonly #reader = new HandedReader();
  readonly frames: HandedFrame[] = [];
  status = 0;

  constructor(port: number, targets: readonly number[], token = authorityToken) {
    const headers = { authorization: bearer(token) };
    const path = handOverPath(targets);
    this.#request = request({ host: '127.0.0.1', port, path, headers });
    this.#request.on('error', () => undefined);
    this.#request.end();
  }

  async open(): Promise<this> {
    const [response] = (await once(this.#request, 'response')) as [IncomingMessage];
    this.status = response.statusCode!;
    response.on('error', () => undefined);
    response.on('data', (chunk: Buffer) => {
      if (this.status === 200) this.frames.push(...this.#reader.push(chunk));
    });
    return this;
  }

  async until(count: number): Promise<string[]> {
    while (this.frames.length < count) await new Promise((resolve) => setTimeout(resolve, 2));
    return this.frames.map(
      ({ from, to, id, bytes }) =>
        `${from === NO_SENDER ? '?' : from}>${to} #${id} ${Buffer.from(bytes).toString()}`,
    );
  }

  close(): void {
    this.#request.destroy();
  }
}

async function registerAll(client: Client, count: number): Promise<void> {
  for (let i = 1; i <= count; i++) await client.register(i);
}

test('the hand-over begins with what is kept and goes on with what passes, in both directions', async () => {
  const settings: Partial<RelaySettings> = { authorityToken };
  for (const role of [undefined, COMPLEMENT]) {
    await withRelay(
      settings,
      async (client, relay) => {
        await registerAll(client, 3);
        await client.append(1, 2, 'kept');
        await client.append(1, 2, 'field', 'escrow');
        await client.append(1, 3, 'not for 2');
        await client.append(3, 2, 'last kept', 'control');
        const authority = await new Authority(client.port, [2]).open();
        assert.equal(authority.status, 200);
        assert.deepEqual(await authority.until(3), [
          '1>2 #1 kept',
          '1>2 #2 field',
          '3>2 #3 last kept',
        ]);
        await client.append(2, 3, 'from the target');
        await client.append(3, 1, 'between others');
        await client.append(3, 2, 'to the target');
        assert.deepEqual((await authority.until(5)).slice(3), [
          '2>3 #2 from the target',
          '3>2 #4 to the target',
        ]);
        assert.equal(relay.snapshot().counts.handed, 5);
        // What is handed over is delivered all the same.
        assert.deepEqual(await client.texts(2), ['kept', 'last kept', 'to the target']);
        authority.close();
        while (relay.snapshot().counts.targets > 0) {
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      },
      role === undefined ? undefined : () => role,
    );
  }
});

test('more targets at once than the licensed share are refused, until there is room again', async () => {
  const limits = { targetShare: 0.5 };
  await withRelay({ authorityToken, limits }, async (client, relay) => {
    await registerAll(client, 4);
    const first = await new Authority(client.port, [1]).open();
    const again = await new Authority(client.port, [1, 2]).open();
    assert.deepEqual([first.status, again.status], [200, 200]);
    assert.equal(relay.snapshot().counts.targets, 2);
    const third = await new Authority(client.port, [3]).open();
    assert.equal(third.status, 403);
    again.close();
    while (relay.snapshot().counts.targets > 1) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const later = await new Authority(client.port, [3]).open();
    assert.equal(later.status, 200);
    first.close();
    later.close();
  });
  await withRelay({ authorityToken }, async (client) => {
    await registerAll(client, 2);
    const one = await new Authority(client.port, [1]).open();
    assert.equal(one.status, 200, 'one target is always possible');
    assert.equal((await new Authority(client.port, [1, 2]).open()).status, 403);
    one.close();
  });
});

test('the hand-over is for the authority, and for mailboxes that there are', async () => {
  await withRelay({ authorityToken, limits: { targetShare: 1 } }, async (client) => {
    await registerAll(client, 2);
    for (const [token, targets, status] of [
      [tokenOf(1), [1], 403],
      [authorityToken, [], 400],
      [authorityToken, [1, 9_999_999], 400],
      [authorityToken, [1, 9], 404],
    ] as const) {
      assert.equal((await new Authority(client.port, targets, token).open()).status, status);
    }
  });
  await withRelay({}, async (client) => {
    await registerAll(client, 1);
    assert.equal((await new Authority(client.port, [1]).open()).status, 403);
  });
});

test('an authority that does not read loses its stream, and nobody else anything', async () => {
  const limits = { handOverBytes: 200_000 };
  await withRelay({ authorityToken, limits }, async (client, relay) => {
    await registerAll(client, 1);
    const headers = { authorization: bearer(authorityToken) };
    const stream = request({
      host: '127.0.0.1',
      port: client.port,
      path: handOverPath([1]),
      headers,
    });
    stream.on('error', () => undefined);
    stream.end();
    const [response] = (await once(stream, 'response')) as [IncomingMessage];
    response.on('error', () => undefined);
    response.pause();
    let sent = 0;
    while (relay.snapshot().counts.handOverOverruns === 0) {
      assert.equal((await client.append(1, 1, 'x'.repeat(60_000))).status, 201);
      sent += 1;
      await client.acknowledge(1, sent);
    }
    assert.equal(relay.snapshot().counts.targets, 0);
    assert.equal((await client.append(1, 1, 'x')).status, 201);
    stream.destroy();
  });
});

test('a frame that the role refuses is a bad one, and the device gets what its sender wrote', async () => {
  await withRelay(
    {},
    async (client) => {
      await registerAll(client, 1);
      assert.equal((await client.append(1, 1, '!refused')).status, 400);
      assert.equal((await client.append(1, 1, 'taken')).status, 201);
      assert.deepEqual(await client.texts(1), ['taken']);
    },
    () => COMPLEMENT,
  );
});

test('scanning and searching are off, and refused where the relay sees ciphertext', async () => {
  await assert.rejects(
    withRelay({ search: true }, async () => undefined),
    /sees ciphertext/,
  );
  await assert.rejects(
    withRelay({ scanWords: ['a'] }, async () => undefined),
    /sees ciphertext/,
  );
  const sealing = { ...COMPLEMENT, isReadable: false };
  await assert.rejects(
    withRelay(
      { search: true },
      async () => undefined,
      () => sealing,
    ),
    /sees ciphertext/,
  );
  await withRelay({}, async (client) => {
    await registerAll(client, 1);
    const headers = { authorization: bearer(tokenOf(1)) };
    assert.equal((await client.ask('GET', searchPath(1, 'x'), headers)).status, 404);
  });
});

test('a readable relay counts the words it scans for, and a device searches its own mailbox', async () => {
  await withRelay(
    { search: true, scanWords: ['plan b', 'a.c'] },
    async (client, relay) => {
      await registerAll(client, 2);
      await client.append(1, 2, 'Meet at noon: Plan B!');
      await client.append(1, 2, 'planb is no word of the list, abc neither');
      await client.append(1, 2, 'noon again, a.c');
      await client.append(2, 1, 'noon for another');
      assert.equal(relay.snapshot().counts.scanHits, 2);
      const find = async (mailbox: number, word: string): Promise<unknown> => {
        const headers = { authorization: bearer(tokenOf(mailbox)) };
        const { status, body } = await client.ask('GET', searchPath(mailbox, word), headers);
        return status === 200 ? JSON.parse(String(body)) : status;
      };
      assert.deepEqual(await find(2, 'noon'), [1, 3]);
      assert.deepEqual(await find(1, 'noon'), [1]);
      assert.deepEqual(await find(2, 'at noon'), [1]);
      assert.deepEqual(await find(2, 'm1'), []);
      // What would be syntax of a query is a word like others.
      assert.deepEqual(await find(2, '" OR mailbox:m1 OR "'), []);
      assert.equal(await find(2, ''), 400);
      await client.acknowledge(2, 1);
      assert.deepEqual(await find(2, 'noon'), [3]);
      const other = { authorization: bearer(tokenOf(1)) };
      assert.equal((await client.ask('GET', searchPath(2, 'noon'), other)).status, 403);
    },
    () => COMPLEMENT,
  );
});
