import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bearer, framesPath, SENDER_HEADER } from '../../src/relay/protocol.ts';
import type { RelaySettings } from '../../src/relay/settings.ts';
import { tokenOf, withRelay } from './_relay.ts';

const folder = await mkdtemp(join(tmpdir(), 'sealbench-relay-'));
process.on('exit', () => void rm(folder, { recursive: true, force: true }));
let folders = 0;

function sqlite(durability: 'full' | 'normal' = 'normal'): RelaySettings['store'] {
  folders += 1;
  return { kind: 'sqlite', folder: join(folder, String(folders)), durability };
}

const STORES: Readonly<Record<string, () => RelaySettings['store']>> = {
  memory: () => ({ kind: 'memory' }),
  sqlite: () => sqlite(),
};

for (const [name, store] of Object.entries(STORES)) {
  test(`${name}: frames come out in the order in which they went in, until they are acknowledged`, async () => {
    await withRelay({ store: store() }, async (client) => {
      assert.equal((await client.register(1)).status, 201);
      assert.equal((await client.register(2)).status, 201);
      for (const text of ['a', 'b', 'c']) {
        const { status, body } = await client.append(1, 2, text);
        assert.equal(status, 201);
        assert.equal(String(body), String('abc'.indexOf(text) + 1));
      }
      assert.deepEqual(await client.texts(2), ['a', 'b', 'c']);
      assert.deepEqual(await client.texts(2), ['a', 'b', 'c']);
      assert.equal((await client.frames(2, 2)).length, 2);
      assert.equal((await client.acknowledge(2, 2)).status, 204);
      assert.deepEqual(await client.texts(2), ['c']);
      assert.equal((await client.acknowledge(2, 2)).status, 204);
      // An acknowledgement beyond the last frame does not reach what comes later.
      assert.equal((await client.acknowledge(2, 1_000)).status, 204);
      await client.append(1, 2, 'd');
      assert.deepEqual(await client.texts(2), ['d']);
      assert.deepEqual(await client.texts(1), []);
    });
  });

  test(`${name}: many senders at once lose nothing, and each frame has a number of its own`, async () => {
    await withRelay({ store: store() }, async (client, relay) => {
      await client.register(0);
      const sent = Array.from({ length: 200 }, (_, i) => `frame ${i}`);
      const append = async (texts: readonly string[]): Promise<number[]> => {
        const answers = await Promise.all(texts.map((text) => client.append(0, 0, text)));
        return answers.map(({ status, body }) => (assert.equal(status, 201), Number(body)));
      };
      // The second half finds its connections open, and arrives at once.
      const ids = [...(await append(sent.slice(0, 100))), ...(await append(sent.slice(100)))];
      assert.deepEqual(
        ids.toSorted((a, b) => a - b),
        sent.map((_, i) => i + 1),
      );
      const frames = await client.frames(0, 1_000);
      assert.deepEqual(
        frames.map(({ id, bytes }) => [id, Buffer.from(bytes).toString()]),
        sent.map((text, i) => [ids[i], text]).toSorted((a, b) => Number(a[0]) - Number(b[0])),
      );
      const { commits, appended } = relay.snapshot().counts;
      assert.equal(appended, 200);
      if (name === 'sqlite') assert.ok(commits < 180, `${commits} commits`);
    });
  });

  test(`${name}: escrow frames are kept beside the mailbox and never fetched`, async () => {
    await withRelay({ store: store() }, async (client, relay) => {
      await client.register(1);
      await client.append(1, 1, 'evidence', 'escrow');
      await client.append(1, 1, 'setup', 'control');
      assert.deepEqual(await client.texts(1), ['setup']);
      await client.acknowledge(1, 9);
      assert.equal(relay.snapshot().counts.frames, 1);
    });
  });

  test(`${name}: a full mailbox and a full relay refuse, and have room again after an acknowledgement`, async () => {
    const limits = { framesPerMailbox: 2, frames: 3, mailboxes: 2, bytes: 1_000 };
    await withRelay({ store: store(), limits }, async (client) => {
      await client.register(1);
      await client.register(2);
      assert.equal((await client.register(3)).status, 507);
      assert.equal((await client.append(1, 2, 'a')).status, 201);
      assert.equal((await client.append(1, 2, 'b')).status, 201);
      assert.equal((await client.append(1, 2, 'c')).status, 507);
      assert.equal((await client.append(1, 1, 'd')).status, 201);
      assert.equal((await client.append(1, 1, 'e')).status, 507);
      await client.acknowledge(2, 1);
      assert.equal((await client.append(1, 1, 'x'.repeat(999))).status, 507);
      assert.equal((await client.append(1, 1, 'e')).status, 201);
      assert.deepEqual(await client.texts(1), ['d', 'e']);
    });
  });

  test(`${name}: what nobody fetched expires`, async () => {
    await withRelay({ store: store(), limits: { lifetimeMs: 200 } }, async (client, relay) => {
      await client.register(1);
      await client.append(1, 1, 'old');
      await client.append(1, 1, 'old evidence', 'escrow');
      assert.deepEqual(await client.texts(1), ['old']);
      while (relay.snapshot().counts.frames > 0) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      assert.equal(relay.snapshot().counts.expired, 2);
      assert.deepEqual(await client.texts(1), []);
      assert.equal(String((await client.append(1, 1, 'new')).body), '3');
    });
  });
}

test('sqlite: a restart finds mailboxes and frames, and gives no number again', async () => {
  const store = sqlite();
  await withRelay({ store }, async (client) => {
    await client.register(1);
    await client.register(2);
    for (const text of ['a', 'b']) await client.append(1, 1, text);
    await client.append(1, 2, 'kept');
    await client.acknowledge(1, 2);
  });
  await withRelay({ store }, async (client, relay) => {
    assert.equal(relay.ready.mailboxes, 2);
    assert.equal(relay.ready.frames, 1);
    assert.equal((await client.register(1, tokenOf('thief'))).status, 409);
    assert.deepEqual(await client.texts(2), ['kept']);
    assert.equal(String((await client.append(1, 1, 'c')).body), '3');
    assert.deepEqual(await client.texts(1), ['c']);
  });
});

test('a mailbox belongs to the token that registered it', async () => {
  await withRelay({}, async (client) => {
    await client.register(1);
    assert.equal((await client.register(1)).status, 200);
    assert.equal((await client.register(1, tokenOf('thief'))).status, 409);
    const [one, other] = await Promise.all([client.register(7), client.register(7, tokenOf('x'))]);
    assert.deepEqual(new Set([one.status, other.status]), new Set([201, 409]));
  });
});

test('without its device’s token nothing of a mailbox is read, acknowledged or deleted', async () => {
  await withRelay({}, async (client) => {
    await client.register(1);
    await client.register(2);
    await client.append(1, 2, 'private');
    const path = framesPath(2);
    for (const [headers, status] of [
      [{}, 401],
      [{ authorization: 'Bearer short' }, 401],
      [{ authorization: `Basic ${tokenOf(2)}` }, 401],
      [{ authorization: bearer(tokenOf(1)) }, 403],
      [{ authorization: bearer(`${tokenOf(2).slice(0, -1)}x`) }, 403],
    ] as const) {
      const fetched = await client.ask('GET', path, headers);
      assert.equal(fetched.status, status);
      assert.ok(!String(fetched.body).includes('private'));
      assert.equal((await client.ask('DELETE', `${path}?through=1`, headers)).status, status);
    }
    assert.deepEqual(await client.texts(2), ['private']);
  });
});

test('who sends shows the token of the device that it names', async () => {
  await withRelay({}, async (client) => {
    await client.register(1);
    await client.register(2);
    const path = framesPath(2);
    const named = { [SENDER_HEADER]: '1' };
    const token = { authorization: bearer(tokenOf(1)) };
    assert.equal((await client.ask('POST', path, {}, 'x')).status, 401);
    assert.equal((await client.ask('POST', path, named, 'x')).status, 401);
    assert.equal((await client.ask('POST', path, token, 'x')).status, 400);
    const asAnother = { ...token, [SENDER_HEADER]: '2' };
    assert.equal((await client.ask('POST', path, asAnother, 'x')).status, 403);
    const asNobody = { ...token, [SENDER_HEADER]: '3' };
    assert.equal((await client.ask('POST', path, asNobody, 'x')).status, 403);
    assert.equal((await client.ask('POST', path, { ...token, ...named }, 'x')).status, 201);
    assert.deepEqual(await client.texts(2), ['x']);
  });
});

test('a relay with anonymous senders takes frames from anyone, and checks those who name themselves', async () => {
  await withRelay({ senders: 'anonymous' }, async (client) => {
    await client.register(1);
    assert.equal((await client.ask('POST', framesPath(1), {}, 'x')).status, 201);
    const named = { [SENDER_HEADER]: '1' };
    assert.equal((await client.ask('POST', framesPath(1), named, 'x')).status, 401);
  });
});

test('requests that cannot be understood get 400, 404 or 405, and what is allowed', async () => {
  await withRelay({}, async (client, relay) => {
    await client.register(1);
    const token = { authorization: bearer(tokenOf(1)), [SENDER_HEADER]: '1' };
    for (const [method, path, status] of [
      ['GET', '/', 404],
      ['GET', '/v1/mailboxes', 404],
      ['GET', '/v1/mailboxes/1/frames/1', 404],
      ['POST', '/v2/mailboxes/1/frames', 404],
      ['PUT', '/v1/mailboxes/abc', 404],
      ['PUT', '/v1/mailboxes/4194304', 404],
      ['GET', '/v1/mailboxes/9/frames', 404],
      ['DELETE', '/v1/mailboxes/9/frames?through=1', 404],
      ['POST', '/v1/mailboxes/9/frames', 404],
      ['GET', '/v1/mailboxes/1/search?word=a', 404],
      ['GET', '/v1/mailboxes/1/frames?max=0', 400],
      ['GET', '/v1/mailboxes/1/frames?max=1001', 400],
      ['GET', '/v1/mailboxes/1/frames?max=1&max=2', 400],
      ['GET', '/v1/mailboxes/1/frames?through=1', 400],
      ['DELETE', '/v1/mailboxes/1/frames', 400],
      ['DELETE', '/v1/mailboxes/1/frames?through=-1', 400],
      ['DELETE', '/v1/mailboxes/1/frames?through=1e3', 400],
      ['POST', '/v1/mailboxes/1/frames?x=1', 400],
      ['POST', '/v1/mailboxes/1/frames', 400],
      ['PATCH', '/v1/mailboxes/1/frames', 405],
      ['HEAD', '/v1/mailboxes/1/frames', 405],
      ['GET', '/v1/mailboxes/1', 405],
      ['POST', '/v1/stats', 405],
      ['DELETE', '/v1/handover', 405],
      ['POST', '/v1/mailboxes/1/search', 405],
    ] as const) {
      const answer = await client.ask(method, path, token);
      assert.equal(answer.status, status, `${method} ${path}`);
      assert.equal(answer.headers['content-type'], 'application/problem+json');
      assert.equal(typeof answer.headers.allow === 'string', status === 405);
    }
    assert.equal((await client.append(1, 1, 'x', 'other')).status, 400);
    const { refused, frames } = relay.snapshot().counts;
    assert.deepEqual(refused, { 400: 10, 404: 10, 405: 6 });
    assert.equal(frames, 0);
  });
});

test('figures are shown to the operator, and to nobody where there is none', async () => {
  const operatorToken = tokenOf('operator');
  await withRelay({ operatorToken }, async (client) => {
    const asked = (token: string): ReturnType<typeof client.ask> =>
      client.ask('GET', '/v1/stats', { authorization: bearer(token) });
    const { status, body } = await asked(operatorToken);
    assert.equal(status, 200);
    assert.equal(typeof JSON.parse(String(body)).counts.appended, 'number');
    assert.equal((await asked(tokenOf(1))).status, 403);
    assert.equal((await client.ask('GET', '/v1/stats')).status, 401);
  });
  await withRelay({}, async (client) => {
    const headers = { authorization: bearer(operatorToken) };
    assert.equal((await client.ask('GET', '/v1/stats', headers)).status, 403);
  });
});

test('a token of the authority or the operator that nobody could show is refused at the start', async () => {
  for (const settings of [{ authorityToken: 'short' }, { operatorToken: `${'x'.repeat(42)}!` }]) {
    await assert.rejects(
      withRelay(settings, () => Promise.resolve()),
      new RegExp(`"${Object.keys(settings)[0]}" expected 43 characters`),
    );
  }
});
