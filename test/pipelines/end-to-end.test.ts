/** What is particular to the pipelines with static keys and with one chain per direction. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { utf8 } from '../../src/core/bytes.ts';
import { OUTCOME } from '../../src/pipelines/_pipeline.ts';
import { WINDOW_MESSAGES } from '../../src/pipelines/_replay-window.ts';
import { mount, type MountedWorld } from '../scenarios/_mounted-world.ts';

const BARE = { hop: 'none', rest: 'none' };
const ONE_SESSION = { sessions: [[0, 1]], options: BARE } as const;
const END_TO_END = ['static-e2e', 'sealed-box', 'forward-secrecy'];

/** What a frame has beyond its plaintext. */
function overheads(world: MountedWorld): number[] {
  return world.recording.map(({ content, text }) => content.length - utf8(text).length);
}

for (const name of END_TO_END) {
  test(`${name} makes the same frames of the same seed with every provider`, async () => {
    const digests = new Set<string>();
    for (const provider of ['node', 'native', 'noble', 'libsodium']) {
      const sessions: [number, number][] = [
        [0, 1],
        [1, 2],
      ];
      const world = await mount(name, { sessions, provider });
      for (const session of [0, 1]) world.chat(session, 3, 2);
      const digest = createHash('sha256');
      for (const { uplink, stored, downlink } of world.recording) {
        digest.update(uplink).update(stored).update(downlink);
      }
      digests.add(digest.digest('hex'));
    }
    assert.equal(digests.size, 1);
  });

  test(`${name} refuses what was cut short or changed, and opens the message afterwards`, async () => {
    const world = await mount(name, ONE_SESSION);
    for (const first of [true, false]) {
      const { content, text } = world.post(0, 0, 'intact');
      for (let length = 0; length < content.length; length++) {
        const outcome = world.receive(0, 1, content.slice(0, length));
        assert.ok(typeof outcome === 'number', `${length} bytes, first ${first}`);
      }
      for (let at = 0; at < content.length; at++) {
        const changed = content.slice();
        changed[at]! ^= 0x80;
        const outcome = world.receive(0, 1, changed);
        assert.ok(typeof outcome === 'number', `byte ${at}, first ${first}`);
      }
      assert.equal(world.receive(0, 1, content), text);
    }
  });

  test(`${name} refuses a bundle that is changed or another user's`, async () => {
    const world = await mount(name, {
      sessions: [
        [0, 1],
        [0, 2],
      ],
      options: BARE,
    });
    const bundles: Uint8Array[] = [];
    world.clients.publish(1, 0, {
      reserve: (bytes) => (bundles[0] = new Uint8Array(bytes)),
      emit: () => undefined,
    });
    const bundle = bundles[0]!;
    assert.equal(world.clients.initiate(0, 0, bundle, 0), 0);
    assert.equal(world.clients.initiate(1, 0, bundle, 0), OUTCOME.AUTH_FAILED);
    assert.equal(world.clients.initiate(0, 0, bundle.slice(1), 0), OUTCOME.AUTH_FAILED);
    for (const at of [0, 40, 100]) {
      const changed = bundle.slice();
      changed[at]! ^= 1;
      assert.equal(world.clients.initiate(0, 0, changed, 0), OUTCOME.AUTH_FAILED);
    }
  });

  test(`${name} refuses in one session what was sent in another of the same two users`, async () => {
    const world = await mount(name, {
      sessions: [
        [0, 1],
        [0, 1],
      ],
      options: BARE,
    });
    // X3DH alone does not say which session it opens, so there both are open first.
    const openFirst = name === 'forward-secrecy' ? [true] : [false, true];
    for (const open of openFirst) {
      if (open) world.chat(0, 4, 1);
      if (open) world.chat(1, 2, 1);
      const { content } = world.post(0, 0, 'for the first session');
      assert.equal(world.receive(1, 1, content), OUTCOME.AUTH_FAILED);
      assert.equal(world.receive(0, 1, content), 'for the first session');
    }
  });
}

test('static-e2e carries enc until the peer shows that it has it, then adds 21 bytes', async () => {
  const world = await mount('static-e2e', ONE_SESSION);
  world.chat(0, 4, 2);
  assert.deepEqual(overheads(world), [53, 53, 53, 53, 21, 21, 21, 21]);
});

test('static-e2e opens the second reply when the first is lost and the third came before it', async () => {
  const world = await mount('static-e2e', ONE_SESSION);
  world.say(0, 0, 'hello');
  world.post(0, 1, 'lost');
  const second = world.post(0, 1, 'second');
  const third = world.post(0, 1, 'third');
  assert.equal(world.receive(0, 0, third.content), 'third');
  assert.equal(world.receive(0, 0, second.content), 'second');
  assert.equal(world.receive(0, 0, second.content), OUTCOME.DUPLICATE);
});

test('static-e2e does not know a direction whose enc it never saw', async () => {
  const world = await mount('static-e2e', {
    sessions: [
      [0, 1],
      [0, 2],
    ],
    options: BARE,
  });
  world.chat(0, 2, 1);
  const { content } = world.post(0, 0, 'without enc');
  assert.equal(world.receive(1, 1, content), OUTCOME.UNKNOWN_KEY);
});

test('static-e2e opens a message as late as its window and refuses a later one', async () => {
  const world = await mount('static-e2e', ONE_SESSION);
  world.chat(0, 2, 1);
  const tooLate = world.post(0, 0, 'too late');
  const late = world.post(0, 0, 'late');
  for (let i = 1; i < WINDOW_MESSAGES; i++) world.say(0, 0, 'in between');
  assert.equal(world.receive(0, 1, late.content), 'late');
  assert.equal(world.receive(0, 1, tooLate.content), OUTCOME.DUPLICATE);
});

test('sealed-box adds 48 bytes and opens a message as often as it comes', async () => {
  const world = await mount('sealed-box', ONE_SESSION);
  const { content } = world.say(0, 0, 'again');
  assert.equal(world.receive(0, 1, content), 'again');
  assert.deepEqual(overheads(world), [48]);
});

test('forward-secrecy carries the handshake until the first reply, then adds 21 bytes', async () => {
  const world = await mount('forward-secrecy', ONE_SESSION);
  world.chat(0, 4, 2);
  assert.deepEqual(overheads(world), [125, 125, 21, 21, 21, 21, 21, 21]);
});

test('forward-secrecy accepts a session by a later message and opens the earlier ones then', async () => {
  const world = await mount('forward-secrecy', ONE_SESSION);
  const first = world.post(0, 0, 'first');
  const second = world.post(0, 0, 'second');
  assert.equal(world.receive(0, 1, second.content), 'second');
  assert.equal(world.receive(0, 1, second.content), OUTCOME.DUPLICATE);
  assert.equal(world.receive(0, 1, first.content), 'first');
  assert.equal(world.receive(0, 1, first.content), OUTCOME.DUPLICATE);
});

test('forward-secrecy passes over 1,000 missing messages and not over 1,001', async () => {
  for (const missing of [1000, 1001]) {
    const world = await mount('forward-secrecy', ONE_SESSION);
    world.chat(0, 2, 1);
    for (let i = 0; i < missing; i++) world.post(0, 0, 'missing');
    const { content } = world.post(0, 0, 'after');
    assert.equal(world.receive(0, 1, content), missing === 1000 ? 'after' : OUTCOME.TOO_FAR);
  }
});

test('forward-secrecy refuses a handshake whose one-time prekey was used before', async () => {
  const world = await mount('forward-secrecy', {
    sessions: [
      [0, 1],
      [0, 1],
    ],
    options: BARE,
  });
  const { content } = world.say(0, 0, 'once');
  // Replayed as the first frame of another session of the same two users.
  assert.ok(typeof world.receive(1, 1, content) === 'number');
});
