/** How many messages may be missing, at the number where each library stops; and its one-time keys. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { equalBytes } from '../../../src/core/bytes.ts';
import { OUTCOME } from '../../../src/pipelines/_pipeline.ts';
import { refusalOf, loadLibsignal } from '../../../src/pipelines/foreign/_libsignal.ts';
import { ForeignWorld, loadForeign } from './_foreign-world.ts';

const TEXT = Uint8Array.of(1, 2, 3);

/** Sends `missing` messages that do not arrive and delivers the next one. */
async function afterMissing(
  world: ForeignWorld,
  session: number,
  missing: number,
): Promise<Uint8Array | number> {
  for (let i = 0; i < missing; i++) await world.send(session, 0, TEXT);
  return world.receive(session, 1, await world.send(session, 0, TEXT));
}

test('libolm opens a message after 2,000 that are missing and refuses it after one more', async (context) => {
  const pipeline = await loadForeign('double-ratchet.libolm');
  assert.equal(pipeline.skipLimit, 2000);
  const world = await ForeignWorld.open(pipeline, 4, { persist: 'packed' });
  if (world === undefined) return context.skip('libolm is not installed');
  // On a chain of which something arrived, and on one that is new.
  for (const [session, missing] of [
    [0, 2000],
    [1, 2001],
    [2, 2000],
    [3, 2001],
  ] as const) {
    await world.begin(session);
    if (session < 2) await world.exchange(session, 0, TEXT);
    const outcome = await afterMissing(world, session, missing);
    if (missing <= 2000) assert.deepEqual(outcome, TEXT);
    else assert.equal(outcome, OUTCOME.TOO_FAR);
  }
  // The session goes on at the other end, and with it this one.
  await world.exchange(1, 1, TEXT);
  await world.exchange(1, 0, TEXT);
});

test('libolm keeps the keys of 40 messages that were passed over', async (context) => {
  const world = await ForeignWorld.open(await loadForeign('double-ratchet.libolm'));
  if (world === undefined) return context.skip('libolm is not installed');
  await world.begin();
  await world.exchange(0, 0, TEXT);
  const late: Uint8Array[] = [];
  for (let i = 0; i < 41; i++) late.push(await world.send(0, 0, TEXT));
  await world.exchange(0, 0, TEXT);
  for (const frame of late.slice(1)) assert.deepEqual(await world.receive(0, 1, frame), TEXT);
  assert.ok(((await world.receive(0, 1, late[0]!)) as number) < 0);
});

test('libsignal opens a message after 24,999 that are missing and refuses it after one more', async (context) => {
  const pipeline = await loadForeign('triple-ratchet.libsignal');
  assert.equal(pipeline.skipLimit, 24_999);
  const world = await ForeignWorld.open(pipeline);
  if (world === undefined) return context.skip('libsignal is not installed');
  await world.begin();
  await world.exchange(0, 0, TEXT);
  await world.exchange(0, 1, TEXT);
  await world.exchange(0, 0, TEXT);
  for (let i = 0; i < 24_999; i++) await world.send(0, 0, TEXT);
  const last = await world.send(0, 0, TEXT);
  const beyond = await world.send(0, 0, TEXT);
  assert.equal(await world.receive(0, 1, beyond), OUTCOME.TOO_FAR);
  assert.deepEqual(await world.receive(0, 1, last), TEXT);
  assert.deepEqual(await world.receive(0, 1, beyond), TEXT);
});

test('what libsignal throws is a refusal, or an error that names it', async (context) => {
  const library = await loadLibsignal().catch(() => undefined);
  if (library === undefined) return context.skip('libsignal is not installed');
  let refused: unknown;
  try {
    library.SignalMessage.deserialize(Uint8Array.of(0x44));
  } catch (error) {
    refused = error;
  }
  assert.equal(refusalOf(library, refused, undefined, undefined), OUTCOME.AUTH_FAILED);
  const expected = { name: 'HarnessError', code: 'WRONG_RESULT', message: /^libsignal failed: / };
  assert.throws(() => refusalOf(library, new TypeError('x\n  at y'), undefined, undefined), {
    ...expected,
    message: 'libsignal failed: x',
  });
  assert.throws(() => refusalOf(library, 'x', undefined, undefined), expected);
});

function oneTimeKey(bundle: Uint8Array): Uint8Array {
  return bundle.subarray(64, 96);
}

test("libolm's fallback key serves while 100 one-time keys are outstanding", async (context) => {
  const world = await ForeignWorld.open(await loadForeign('double-ratchet.libolm'), 104);
  if (world === undefined) return context.skip('libolm is not installed');
  const bundles: Uint8Array[] = [];
  for (let i = 0; i < 102; i++) bundles.push(await world.publish(1));
  const same = (a: number, b: number): boolean =>
    equalBytes(oneTimeKey(bundles[a]!), oneTimeKey(bundles[b]!));
  assert.ok(!same(98, 99) && !same(99, 100));
  assert.ok(same(100, 101));
  for (const [session, bundle] of [
    bundles[0]!,
    bundles[99]!,
    bundles[100]!,
    bundles[101]!,
  ].entries()) {
    assert.equal(await world.initiate(session, 0, bundle), 0);
    await world.exchange(session, 0, TEXT);
    await world.exchange(session, 1, TEXT);
  }
  // Two one-time keys were used, the fallback key twice: there is room for two more.
  const after = [await world.publish(1), await world.publish(1), await world.publish(1)];
  const fallback = oneTimeKey(bundles[100]!);
  assert.deepEqual(
    after.map((bundle) => equalBytes(oneTimeKey(bundle), fallback)),
    [false, false, true],
  );
});
