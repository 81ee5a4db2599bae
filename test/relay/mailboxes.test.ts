import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FrameStore, StoredFrame } from '../../src/relay/frame-store.ts';
import { DEFAULT_LIMITS } from '../../src/relay/limits.ts';
import { Mailboxes, REFUSED } from '../../src/relay/mailboxes.ts';
import { MemoryStore } from '../../src/relay/memory-store.ts';

/** In groups, of which the commit may fail. */
class FailingStore extends MemoryStore implements FrameStore {
  override readonly isGrouped = true as never;
  isFull = false;
  readonly log: string[] = [];

  override begin(): void {
    this.log.push('begin');
  }

  override commit(): void {
    if (this.isFull) throw new Error('database or disk is full');
    this.log.push('commit');
  }

  override rollback(): void {
    this.log.push('rollback');
  }

  override putFrame(frame: StoredFrame, bytes: Uint8Array): void {
    this.log.push(`put ${frame.id}`);
    super.putFrame(frame, bytes);
  }

  override dropFrame({ row }: StoredFrame): void {
    this.log.push(`drop ${row}`);
  }
}

function outcome(change: (done: (outcome: number) => void) => void): Promise<number> {
  return new Promise((resolve) => change(resolve));
}

test('when the store cannot commit, nothing of the group holds, and later ones do', async () => {
  const store = new FailingStore();
  const mailboxes = new Mailboxes(store, DEFAULT_LIMITS);
  assert.equal(await outcome((done) => mailboxes.register(1, 't', done)), 0);
  const mailbox = mailboxes.get(1)!;
  const append = (): Promise<number> =>
    outcome((done) => mailboxes.append(mailbox, 1, 0, Uint8Array.of(1), 1, done));
  assert.equal(await append(), 1);
  store.isFull = true;
  const failed = await Promise.all([
    append(),
    outcome((done) => mailboxes.acknowledge(mailbox, 1, done)),
    outcome((done) => mailboxes.register(2, 't', done)),
  ]);
  assert.deepEqual(failed, [REFUSED.notWritten, REFUSED.notWritten, REFUSED.notWritten]);
  assert.equal(mailboxes.failures, 1);
  assert.equal(mailboxes.get(2), undefined);
  assert.equal(mailboxes.frames, 1);
  assert.equal(mailboxes.bytes, 1);
  assert.equal(mailbox.waiting.length, 1);
  store.isFull = false;
  assert.equal(await append(), 3, 'a number that was taken back is not given again');
  assert.equal(await outcome((done) => mailboxes.acknowledge(mailbox, 9, done)), 2);
  assert.equal(mailboxes.frames, 0);
});

test('changes that arrive together share a transaction, and none is dropped twice', async () => {
  const store = new FailingStore();
  const mailboxes = new Mailboxes(store, DEFAULT_LIMITS);
  await outcome((done) => mailboxes.register(1, 't', done));
  const mailbox = mailboxes.get(1)!;
  const append = (): Promise<number> =>
    outcome((done) => mailboxes.append(mailbox, 1, 0, Uint8Array.of(1), 1, done));
  const acknowledge = (through: number): Promise<number> =>
    outcome((done) => mailboxes.acknowledge(mailbox, through, done));
  assert.deepEqual(await Promise.all([append(), append(), append()]), [1, 2, 3]);
  store.log.length = 0;
  const dropped = await Promise.all([acknowledge(1), acknowledge(2), append(), acknowledge(2)]);
  assert.deepEqual(dropped, [1, 1, 4, 0]);
  assert.deepEqual(store.log, ['begin', 'drop 1', 'drop 2', 'put 4', 'commit']);
  assert.deepEqual([mailbox.waiting.at(0).id, mailbox.waiting.at(1).id], [3, 4]);
});
