/** Opening sessions with each library: what a bundle or a first frame must not get away with. */

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { OUTCOME, type Pipeline } from '../../../src/pipelines/_pipeline.ts';
import { loadForeignPipelines } from '../../conformance/_parts.ts';
import { ForeignWorld } from './_foreign-world.ts';

const TEXT = Uint8Array.of(4, 5, 6);
const DAY_MS = 86_400_000;

const foreigners = await loadForeignPipelines();
/** Those with a handshake: what has none refuses no replay either. */
const ratchets = foreigners.filter(({ replayProtection }) => replayProtection);

async function openWorld(
  context: TestContext,
  pipeline: Pipeline,
  sessions: number,
): Promise<ForeignWorld | undefined> {
  const world = await ForeignWorld.open(pipeline, sessions);
  if (world === undefined) context.skip(`${pipeline.foreign!.package} is not installed`);
  return world;
}

/** Where a changed byte must be noticed: keys and their signatures, but not ids. */
const SIGNED_PARTS: Readonly<Record<string, readonly number[]>> = {
  // Identity 0, Ed25519 32, one-time key 64, signatures 96 and 160.
  'double-ratchet.libolm': [0, 40, 70, 100, 200],
  // Identity 4, type of the prekey 41, signed prekey 78, signature 111, Kyber key 179, its signature 1748.
  'triple-ratchet.libsignal': [4, 10, 41, 78, 90, 120, 179, 500, 1760],
  'sealed-sender.libsignal': [4, 10, 41, 78, 90, 120, 179, 500, 1760],
  // Ours: identity 0, Ed25519 32, signature 64, prekey 132, its signature 164.
  'escrow-message-key.hpke-core': [0, 40, 100, 140, 200],
  'escrow-threshold.shamir-secret-sharing': [0, 40, 100, 140, 200],
  // Identity 0, Ed25519 32, signature 64.
  'sealed-box.hpke-core': [0, 40, 100],
};

for (const pipeline of foreigners) {
  describe(pipeline.name, () => {
    test('a bundle that was changed, cut or is of another user is refused', async (context) => {
      const world = await openWorld(context, pipeline, 1);
      if (world === undefined) return;
      const bundle = await world.publish(1);
      for (const at of SIGNED_PARTS[pipeline.name]!) {
        const changed = bundle.slice();
        changed[at]! ^= 4;
        assert.equal(await world.initiate(0, 0, changed), OUTCOME.AUTH_FAILED, `byte ${at}`);
      }
      assert.equal(await world.initiate(0, 0, bundle.slice(1)), OUTCOME.AUTH_FAILED);
      assert.equal(await world.initiate(0, 0, new Uint8Array(0)), OUTCOME.AUTH_FAILED);
      assert.equal(await world.initiate(0, 0, await world.publish(0)), OUTCOME.AUTH_FAILED);
      assert.equal(await world.initiate(0, 0, bundle), 0);
      await world.exchange(0, 0, TEXT);
    });
  });
}

for (const pipeline of ratchets) {
  describe(pipeline.name, () => {
    test('first frames may arrive in any order, and each carries the handshake', async (context) => {
      const world = await openWorld(context, pipeline, 1);
      if (world === undefined) return;
      await world.begin();
      const frames = [
        await world.send(0, 0, TEXT),
        await world.send(0, 0, TEXT),
        await world.send(0, 0, TEXT),
      ];
      for (const at of [2, 0, 1]) assert.deepEqual(await world.receive(0, 1, frames[at]!), TEXT);
      for (const frame of frames) assert.equal(await world.receive(0, 1, frame), OUTCOME.DUPLICATE);
      await world.exchange(0, 1, TEXT);
      const later = await world.send(0, 0, TEXT);
      assert.ok(later.length < frames[0]!.length);
    });

    test('a one-time prekey serves once', async (context) => {
      const world = await openWorld(context, pipeline, 2);
      if (world === undefined) return;
      const bundle = await world.publish(1);
      assert.equal(await world.initiate(0, 0, bundle), 0);
      assert.equal(await world.initiate(1, 0, bundle), 0);
      await world.exchange(0, 0, TEXT);
      const second = await world.send(1, 0, TEXT);
      assert.equal(await world.receive(1, 1, second), OUTCOME.UNKNOWN_KEY);
    });

    test('a changed first frame opens nothing, and the right one still opens', async (context) => {
      const world = await openWorld(context, pipeline, 1);
      if (world === undefined) return;
      await world.begin();
      const frame = await world.send(0, 0, TEXT);
      for (const at of placesIn(pipeline)) {
        const changed = frame.slice();
        changed[at]! ^= 2;
        const outcome = await world.receive(0, 1, changed);
        assert.ok(typeof outcome === 'number' && outcome < 0, `byte ${at}`);
      }
      assert.deepEqual(await world.receive(0, 1, frame), TEXT);
    });
  });
}

/** Of a first frame: in its keys, in libsignal's KEM ciphertext or an escrow field, in the message. */
function placesIn({ name, family }: Pipeline): readonly number[] {
  if (family === 'escrow-wrapped') return [40, 80, 120, 160, 240];
  return name === 'double-ratchet.libolm' ? [5, 60, 120, 150] : [40, 80, 200, 800, 1700];
}

function signedPrekey(bundle: Uint8Array): Uint8Array {
  return bundle.slice(78, 111);
}

test('libsignal gets a new signed prekey after a week, and the old one opens nothing', async (context) => {
  const pipeline = ratchets.find(({ name }) => name === 'triple-ratchet.libsignal')!;
  const world = await openWorld(context, pipeline, 2);
  if (world === undefined) return;
  const first = await world.publish(1);
  assert.deepEqual(signedPrekey(await world.publish(1, 6.5 * DAY_MS)), signedPrekey(first));
  assert.equal(await world.initiate(0, 0, first), 0);
  const renewed = await world.publish(1, 7.25 * DAY_MS + 0.5);
  assert.notDeepEqual(signedPrekey(renewed), signedPrekey(first));
  assert.equal(await world.receive(0, 1, await world.send(0, 0, TEXT)), OUTCOME.UNKNOWN_KEY);
  assert.equal(await world.initiate(1, 0, renewed), 0);
  await world.exchange(1, 0, TEXT);
});
