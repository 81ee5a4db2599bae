/** An answer never precedes its commit, and the death of the process loses nothing answered. */

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SeededRandom } from '../../src/core/random.ts';
import type { Durability } from '../../src/relay/sqlite-store.ts';
import { startRelayProcess, type RelayProcess } from '../../src/runner/relay-process.ts';
import { Client, SETTINGS } from './_relay.ts';

const root = await mkdtemp(join(tmpdir(), 'sealbench-durable-'));
const started: RelayProcess[] = [];
after(async () => {
  // A test that failed has left its relay.
  for (const relay of started) await relay.kill();
  await rm(root, { recursive: true, force: true });
});

async function startIn(folder: string, durability: Durability = 'full'): Promise<RelayProcess> {
  const store = { kind: 'sqlite', folder: join(root, folder), durability } as const;
  const relay = await startRelayProcess({ ...SETTINGS, store });
  started.push(relay);
  return relay;
}

const MAILBOXES = 3;
const SENDERS = 6;
const ROUNDS = 3;

test('SIGKILL under load loses nothing that was answered, and no number is given twice', async () => {
  const random = new SeededRandom(7);
  /** By mailbox and number: what was answered. */
  const kept = new Map<string, string>();
  /** By mailbox: up to where an acknowledgement was sent, and up to where one was answered. */
  const asked = new Uint32Array(MAILBOXES);
  const answered = new Uint32Array(MAILBOXES);
  const given = new Set<string>();
  let sent = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const relay = await startIn('killed');
    const client = new Client(relay.ready.port);
    for (let mailbox = 0; mailbox < MAILBOXES; mailbox++) {
      assert.equal((await client.register(mailbox)).status, round === 0 ? 201 : 200);
      const found = new Map<string, string>();
      for (const { id, bytes } of await client.frames(mailbox, 1_000)) {
        found.set(`${mailbox}/${id}`, Buffer.from(bytes).toString());
      }
      for (const [name, text] of kept) {
        const [box, id] = name.split('/').map(Number);
        if (box !== mailbox || id! <= asked[mailbox]!) continue;
        assert.equal(found.get(name), text, `round ${round}: ${name} was answered and is gone`);
      }
      for (const name of found.keys()) {
        assert.ok(Number(name.split('/')[1]) > answered[mailbox]!, `${name} is back`);
      }
      // Those too whose answer the death of the process cut off.
      for (const name of found.keys()) given.add(name);
    }
    if (round === ROUNDS) {
      client.close();
      await relay.stop();
      break;
    }
    const last = sent + 40 + random.below(80);
    let isDead = false;
    const sender = async (): Promise<void> => {
      while (!isDead) {
        const mailbox = random.below(MAILBOXES);
        const text = `frame ${(sent += 1)}`;
        const { status, body } = await client.append(mailbox, mailbox, text);
        assert.equal(status, 201);
        const id = Number(body);
        assert.ok(!given.has(`${mailbox}/${id}`), `${mailbox}/${id} was given before`);
        given.add(`${mailbox}/${id}`);
        kept.set(`${mailbox}/${id}`, text);
        if (random.below(8) === 0) {
          asked[mailbox] = Math.max(asked[mailbox]!, id);
          assert.equal((await client.acknowledge(mailbox, id)).status, 204);
          answered[mailbox] = Math.max(answered[mailbox]!, id);
        }
        if (sent >= last && !isDead) {
          isDead = true;
          await relay.kill();
        }
      }
    };
    // The requests under way when the process died fail; what a sender found wrong is thrown.
    for (const result of await Promise.allSettled(Array.from({ length: SENDERS }, sender))) {
      if (result.status === 'rejected' && result.reason instanceof assert.AssertionError) {
        throw result.reason;
      }
    }
    assert.equal(await relay.ended, 'SIGKILL');
    client.close();
  }
  assert.ok(kept.size > 100 && answered.some((id) => id > 0));
});

/** Answers to appends in a trace, and those without a synced write to the log after the request came. */
function judgeTrace(trace: string): { answers: number; early: number } {
  /** Line of the last request on each socket, and of what the log went through. */
  const requests = new Map<string, number>();
  let answers = 0;
  let early = 0;
  let written = -1;
  /** The last write that a sync covers: one that was made before it began. */
  let synced = -1;
  trace.split('\n').forEach((line, at) => {
    const [, call, fd] = /^(\w+)\((\d+)/.exec(line) ?? [];
    if (call === 'pwrite64' && line.includes('relay.sqlite-wal')) written = at;
    if (/^f(?:data)?sync$/.test(call ?? '') && /sqlite-wal.*= 0$/.test(line)) synced = written;
    if (call?.startsWith('read') === true && line.includes('POST ')) requests.set(fd!, at);
    if (call?.startsWith('write') === true && line.includes('HTTP/1.1 201')) {
      answers += 1;
      if (synced < requests.get(fd!)!) early += 1;
    }
  });
  return { answers, early };
}

function missingStrace(): string | false {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'there is no strace that may trace here: apt-get install strace';
  }
}

test('an answer is written after the log was synced', { skip: missingStrace() }, async () => {
  const found: Partial<Record<Durability, ReturnType<typeof judgeTrace>>> = {};
  for (const durability of ['full', 'normal'] as const) {
    const relay = await startIn(`traced-${durability}`, durability);
    const client = new Client(relay.ready.port);
    await client.register(0);
    const file = join(root, `trace-${durability}`);
    const calls = 'read,readv,write,writev,pwrite64,fsync,fdatasync';
    const strace = spawn(
      'strace',
      ['-y', '-s', '80', '-e', `trace=${calls}`, '-o', file, '-p', String(relay.ready.pid)],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    await once(strace.stderr, 'data'); // It says that it is attached.
    for (let i = 0; i < 20; i++) await client.append(0, 0, `one after another ${i}`);
    for (let i = 0; i < 5; i++) {
      await Promise.all(
        Array.from({ length: 8 }, (_, k) => client.append(0, 0, `at once ${i} ${k}`)),
      );
    }
    strace.kill('SIGINT');
    await once(strace, 'exit');
    client.close();
    await relay.stop();
    found[durability] = judgeTrace(await readFile(file, 'utf8'));
  }
  assert.deepEqual(found.full, { answers: 60, early: 0 });
  // The check sees what it is there to see: without FULL nothing is synced before the answer.
  assert.equal(found.normal!.answers, 60);
  assert.ok(found.normal!.early > 50);
});
