/** What loading libolm leaves behind, and what its objects hold in memory that nobody collects. */

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { HarnessError } from '../../../src/core/errors.ts';
import { trackWasm, wasmBytes } from '../../../src/measure/wasm.ts';
import { loadLibolm, OLM_TYPE } from '../../../src/pipelines/foreign/_libolm.ts';
import type { Clients } from '../../../src/pipelines/_pipeline.ts';
import { ForeignWorld, loadForeign } from './_foreign-world.ts';

trackWasm();
const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;
const countListeners = (): number[] => EVENTS.map((event) => process.listenerCount(event));
const listenersBefore = countListeners();
const library = await loadLibolm().catch(() => undefined);
const listenersAfter = countListeners();
const isMissing = library === undefined ? 'libolm is not installed' : false;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const TEXT = new Uint8Array(60).fill(3);

function identityOf(keys: string): string {
  return (JSON.parse(keys) as { curve25519: string }).curve25519;
}

/** Finalisers run between collections. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    collectGarbage();
    await sleep(1);
  }
}

test(
  'loading it listens for no errors of the process and leaves no global',
  { skip: isMissing },
  () => {
    assert.deepEqual(listenersAfter, listenersBefore);
    assert.ok(!('OLM_OPTIONS' in globalThis));
  },
);

test(
  'its calls on bytes and its methods on texts open what the other sealed',
  { skip: isMissing },
  () => {
    const { Account, Session, calls } = library!;
    const [alice, bob] = [new Account(), new Account()];
    const [sending, receiving] = [new Session(), new Session()];
    alice.create();
    bob.create();
    bob.generate_one_time_keys(1);
    const oneTime = JSON.parse(bob.one_time_keys()) as { curve25519: Record<string, string> };
    const [key] = Object.values(oneTime.curve25519);
    sending.create_outbound(alice, identityOf(bob.identity_keys()), key!);
    const first = sending.encrypt('hello');
    receiving.create_inbound_from(bob, identityOf(alice.identity_keys()), first.body);
    const out = new Uint8Array(9_000);
    const length = calls.decrypt(receiving, first, out);
    assert.equal(new TextDecoder().decode(out.subarray(0, length)), 'hello');
    for (const text of ['', 'x', 'a longer one '.repeat(600)]) {
      const back = calls.encrypt(receiving, new TextEncoder().encode(text));
      assert.equal(back.type, OLM_TYPE.normal);
      assert.equal(sending.decrypt(back.type, back.body), text);
    }
    assert.throws(() => calls.decrypt(receiving, { type: 1, body: 'AAAA' }, out), {
      message: 'OLM.BAD_MESSAGE_VERSION',
    });
    for (const object of [alice, bob, sending, receiving]) object.free();
  },
);

test(
  'with persist=record no call leaves an object in its memory',
  { skip: isMissing },
  async () => {
    const world = (await ForeignWorld.open(await loadForeign('double-ratchet.libolm')))!;
    await world.begin();
    for (let i = 0; i < 100; i++) await world.exchange(0, i % 2, TEXT);
    const before = wasmBytes();
    assert.ok(before > 0);
    // A session that stayed would be 3,320 bytes.
    for (let i = 0; i < 400; i++) await world.exchange(0, i % 2, TEXT);
    const replay = await world.send(0, 0, TEXT);
    await world.receive(0, 1, replay);
    for (let i = 0; i < 400; i++) await world.receive(0, 1, replay);
    assert.equal(wasmBytes(), before);
  },
);

test('what a world held is freed when the world is gone', { skip: isMissing }, async () => {
  const pipeline = await loadForeign('double-ratchet.libolm');
  const fill = async (): Promise<void> => {
    const world = (await ForeignWorld.open(pipeline, 40, { persist: 'packed' }))!;
    for (let session = 0; session < 40; session++) {
      await world.begin(session);
      await world.exchange(session, 0, TEXT);
    }
  };
  await fill();
  await settle();
  const before = wasmBytes();
  // Each holds 80 sessions of 3,320 bytes: together 3 MB, if nothing were freed.
  for (let i = 0; i < 12; i++) {
    await fill();
    await settle();
  }
  assert.ok(wasmBytes() - before < 1_000_000, `${wasmBytes() - before} bytes more`);
});

test('its state is refused rather than given in part', { skip: isMissing }, async () => {
  const world = (await ForeignWorld.open(await loadForeign('double-ratchet.libolm')))!;
  const clients = world.world.clients as Clients;
  for (const ask of [() => clients.snapshot(0), () => clients.keys(0)]) {
    assert.throws(ask, (error) => error instanceof HarnessError && error.code === 'UNSUPPORTED');
  }
});
