import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { HarnessError } from '../../src/core/errors.ts';
import { workerFile } from '../../src/core/paths.ts';
import type { RelaySettings, RoleSettings } from '../../src/relay/settings.ts';
import { startRelayProcess } from '../../src/runner/relay-process.ts';
import { Client, SETTINGS } from '../relay/_relay.ts';

const root = await mkdtemp(join(tmpdir(), 'sealbench-relay-'));
after(() => rm(root, { recursive: true, force: true }));

function roleOf(pipeline: string, rest: string, secretByte = 7): RoleSettings {
  const secretHex = new Uint8Array(96).fill(secretByte).toHex();
  return {
    pipeline,
    provider: 'node',
    options: { hop: 'none', rest, aead: 'chacha20-poly1305' },
    secretHex,
  };
}

async function withProcess<T>(
  settings: Partial<RelaySettings>,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const relay = await startRelayProcess({ ...SETTINGS, ...settings });
  const client = new Client(relay.ready.port);
  try {
    return await use(client);
  } finally {
    client.close();
    await relay.stop();
  }
}

for (const [pipeline, rest] of [
  ['at-rest', 'segment'],
  ['at-rest-scoped', 'user-day'],
] as const) {
  test(`${pipeline}: what was sealed and stored is delivered after restarts`, async () => {
    const folder = join(root, pipeline);
    const store = { kind: 'sqlite', folder, durability: 'normal' } as const;
    const settings = { store, role: roleOf(pipeline, rest) };
    const texts: string[] = [];
    for (let start = 0; start < 2; start++) {
      await withProcess(settings, async (client) => {
        await client.register(1);
        assert.deepEqual(await client.texts(1), texts);
        for (const text of [`written at start ${start}`, `and again at ${start}`]) {
          assert.equal((await client.append(1, 1, text)).status, 201);
          texts.push(text);
        }
        assert.deepEqual(await client.texts(1), texts);
      });
    }
    for (const file of await readdir(folder)) {
      const content = await readFile(join(folder, file), 'latin1');
      assert.ok(!content.includes('written at start'), `${file} holds a message in the clear`);
    }
    await withProcess({ store, role: roleOf(pipeline, rest, 8) }, async (client) => {
      assert.equal((await client.fetch(1)).status, 500);
    });
  });
}

function refusal(message: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof HarnessError && error.code === 'BAD_INPUT' && message.test(error.message);
}

test('a store is refused to another pipeline, a second process and a file that is none', async () => {
  const store = { kind: 'sqlite', folder: join(root, 'refused'), durability: 'full' } as const;
  await withProcess({ store }, async () => {
    await assert.rejects(
      startRelayProcess({ ...SETTINGS, store }),
      refusal(/relay\.sqlite: .*another process has it open/),
    );
  });
  await assert.rejects(
    startRelayProcess({ ...SETTINGS, store, role: roleOf('at-rest', 'segment') }),
    refusal(/expected a store of "at-rest:.*found one of "nothing"/),
  );
  const file = join(root, 'no-folder');
  await writeFile(file, 'x');
  await assert.rejects(
    startRelayProcess({ ...SETTINGS, store: { ...store, folder: file } }),
    refusal(/cannot be used as a store/),
  );
  const damaged = join(root, 'refused');
  await writeFile(
    join(damaged, 'relay.sqlite'),
    'not a database, and longer than a header'.repeat(99),
  );
  await assert.rejects(startRelayProcess({ ...SETTINGS, store }), refusal(/not a database/));
});

test('a port that is taken, and a pipeline that there is not, are refused in one message', async () => {
  await withProcess({}, async ({ port }) => {
    await assert.rejects(startRelayProcess({ ...SETTINGS, port }), /another program listens there/);
  });
  await assert.rejects(
    startRelayProcess({ ...SETTINGS, role: roleOf('at-rst', 'segment') }),
    /unknown pipeline "at-rst"; .*at-rest/,
  );
});

test('the figures of the process come over its channel, and it ends when told', async () => {
  const relay = await startRelayProcess(SETTINGS);
  const client = new Client(relay.ready.port);
  const before = await relay.snapshot();
  await client.register(1);
  await client.append(1, 1, 'x');
  const after1 = await relay.snapshot();
  assert.equal(after1.counts.appended - before.counts.appended, 1);
  assert.ok(after1.cpuUserNs + after1.cpuSystemNs >= before.cpuUserNs + before.cpuSystemNs);
  assert.ok(after1.atNs > before.atNs);
  client.close();
  await relay.stop();
  assert.equal(await relay.ended, 0);
  await assert.rejects(relay.snapshot(), /process ended/);
});

test('a temporary store is gone when the relay stops, and when whoever started it is gone', async () => {
  for (const [name, end] of [
    ['stopped', 'stop'],
    ['orphaned', 'disconnect'],
  ] as const) {
    const folder = join(root, name);
    const child = fork(workerFile('relay'), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    const store = { kind: 'sqlite', folder, durability: 'full', isTemporary: true } as const;
    child.send({ order: 'start', settings: { ...SETTINGS, store } });
    await once(child, 'message');
    assert.ok((await readdir(folder)).includes('relay.sqlite'));
    if (end === 'stop') child.send({ order: 'stop' });
    else child.disconnect();
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    await assert.rejects(readdir(folder), /ENOENT/);
  }
});
