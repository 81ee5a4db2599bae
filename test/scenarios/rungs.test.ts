/**
 * The predicate of each rung, mounted: an attack that succeeds on the rung below and fails on the
 * rung. Each attack is given what its vantage point has; only the score knows what was sent.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, putUint32, utf8 } from '../../src/core/bytes.ts';
import { loadByName } from '../../src/core/discover.ts';
import { PIPELINES_DIR, PROVIDERS_DIR } from '../../src/core/paths.ts';
import type { Aead, ProviderModule } from '../../src/crypto/provider.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import type { Pipeline } from '../../src/pipelines/_pipeline.ts';
import { REST_BYTES, RestSeal } from '../../src/pipelines/_rest-seal.ts';
import { Hpke, HPKE_OVERHEAD_BYTES } from '../../src/protocols/hpke.ts';
import { mount, type MountedWorld, type Recorded } from './_mounted-world.ts';
import {
  openWithAgreement,
  openWithChains,
  openWithContexts,
  openWithRatchet,
  type Background,
} from './_seized-device.ts';

const DAY_MS = 86_400_000;
const ALICE = 0;
const BOB = 1;
/** The relay's own account. */
const MALLORY = 2;

for (const name of [
  'transport',
  'at-rest',
  'at-rest-scoped',
  'static-e2e',
  'sealed-box',
  'forward-secrecy',
  'double-ratchet',
]) {
  test(`${name} says what its absence lets an attacker do`, async () => {
    const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline');
    assert.match(pipeline.predicate ?? '', /^[A-Z].+\.$/);
  });
}

test('a recorder of the network reads every message on L0 and none on L1', async () => {
  assert.equal(await shareRead('plaintext', networkOf), 1);
  assert.equal(await shareRead('transport', networkOf), 0);
});

test('a copy of the database without its keys reads every message on L1 and none on L2', async () => {
  assert.equal(await shareRead('transport', databaseOf), 1);
  assert.equal(await shareRead('at-rest', databaseOf), 0);
});

test('one leaked data key opens other users and days on L2 and only its own on L3', async () => {
  assert.deepEqual(await leakOneDataKey('at-rest'), { inScope: 1, outOfScope: 8 });
  assert.deepEqual(await leakOneDataKey('at-rest-scoped'), { inScope: 1, outOfScope: 0 });
});

test('the relay reads every message that passes on L3 and none on L4 or with sealed-box', async () => {
  assert.equal(await shareRead('at-rest-scoped', relayOf), 1);
  assert.equal(await shareRead('static-e2e', relayOf), 0);
  assert.equal(await shareRead('sealed-box', relayOf), 0);
});

for (const established of [false, true]) {
  const when = established ? 'an established' : 'a fresh';
  test(`the relay passes its own account off as another in ${when} session on L3, not on L4`, async () => {
    assert.equal(await impersonate('at-rest-scoped', established), true);
    assert.equal(await impersonate('static-e2e', established), false);
    assert.equal(await impersonate('forward-secrecy', established), false);
  });
}

test('the relay changes messages on L3 and none on L4', async () => {
  assert.equal(await shareOfChangesAccepted('at-rest-scoped'), 1);
  assert.equal(await shareOfChangesAccepted('static-e2e'), 0);
  assert.equal(await shareOfChangesAccepted('forward-secrecy'), 0);
});

test('anyone forges a sealed box in any name', async () => {
  const world = await mount('sealed-box', {
    sessions: [[ALICE, BOB]],
    options: { hop: 'none', rest: 'none' },
  });
  const session = new Uint8Array(4);
  const bob = world.directory.subarray(64, 128);
  const info = concatBytes(utf8('sealbench sealed-box'), session, bob);
  const text = utf8('not from alice');
  const box = new Uint8Array(text.length + HPKE_OVERHEAD_BYTES);
  const randomness = seededRandomness(1);
  new Hpke(world.provider).seal(
    box,
    randomness,
    bob.subarray(0, 32),
    info,
    new Uint8Array(0),
    text,
  );
  assert.equal(world.receive(0, 1, box), 'not from alice');
});

for (const member of [0, 1]) {
  const who = member === 0 ? 'the one that opened the session' : 'the one that answered';
  test(`a device seized later, ${who}, opens the recorded past on L4 and none of it on L5`, async () => {
    const below = await mount('static-e2e', { sessions: [[ALICE, BOB]] });
    const past = below.chat(0, 4, 3);
    const seizedBelow = below.clients.snapshot(member);
    const openedBelow = openWithContexts(backgroundOf(below, member), seizedBelow, past);
    assert.deepEqual(openedBelow, textsOf(past));

    const world = await mount('forward-secrecy', { sessions: [[ALICE, BOB]] });
    const recorded = world.chat(0, 4, 3);
    const seized = world.clients.snapshot(member);
    const background = backgroundOf(world, member);
    assert.deepEqual(openWithChains(background, seized, recorded).filter(isText), []);
    const agreed = openWithAgreement(background, seized, undefined, recorded);
    assert.deepEqual(agreed.filter(isText), []);
  });
}

test('on L5 it is the deletion of the one-time prekey that keeps the past from an answerer', async () => {
  const world = await mount('forward-secrecy', { sessions: [[ALICE, BOB]] });
  const recorded = world.chat(0, 1, 3);
  const seized = world.clients.snapshot(BOB);
  const background = backgroundOf(world, 1);
  // A control: with what the device no longer has, the same attack opens everything.
  const kept = world.drawn.filter(({ length }) => length === 32);
  const opened = kept.map((secret) => openWithAgreement(background, seized, secret, recorded));
  assert.ok(opened.some((texts) => texts.every(isText)));
});

test('a device seized once opens all that follows on L5, and on L6 only until both have turned', async () => {
  // Bursts of 3; alice's device is copied after the first message of a burst of hers: 2 are left.
  const below = await mount('forward-secrecy', { sessions: [[ALICE, BOB]] });
  below.chat(0, 4, 3);
  below.say(0, 0, 'the last before the seizure');
  const seizedBelow = below.clients.snapshot(ALICE);
  const laterBelow = [...below.chat(0, 1, 2), ...below.chat(0, 6, 3, 1)];
  const openedBelow = openWithChains(backgroundOf(below, 0), seizedBelow, laterBelow);
  assert.deepEqual(openedBelow, textsOf(laterBelow));

  const world = await mount('double-ratchet', { sessions: [[ALICE, BOB]] });
  world.chat(0, 4, 3);
  world.say(0, 0, 'the last before the seizure');
  const seized = world.clients.snapshot(ALICE);
  const later = [...world.chat(0, 1, 2), ...world.chat(0, 6, 3, 1)];
  const opened = openWithRatchet(backgroundOf(world, 0), seized, later);
  // The rest of alice's burst and bob's next one, whose ratchet key meets the seized one of alice.
  assert.deepEqual(opened.slice(0, 5), textsOf(later.slice(0, 5)));
  assert.deepEqual(opened.slice(5).filter(isText), []);
});

/** The share of messages whose text can be seen at a vantage point. */
async function shareRead(
  name: string,
  vantagePoint: (recorded: Recorded) => readonly Uint8Array[],
): Promise<number> {
  const world = await mount(name, { sessions: [[ALICE, BOB]] });
  const recorded = world.chat(0, 4, 2);
  const read = recorded.filter((message) =>
    vantagePoint(message).some((bytes) => shows(bytes, message.text)),
  );
  return read.length / recorded.length;
}

function networkOf({ uplink, downlink }: Recorded): readonly Uint8Array[] {
  return [uplink, downlink];
}

function databaseOf({ stored }: Recorded): readonly Uint8Array[] {
  return [stored];
}

/** A relay at work opens its own hops and seals. */
function relayOf({ content, stored, uplink, downlink }: Recorded): readonly Uint8Array[] {
  return [content, stored, uplink, downlink];
}

/** Leaks the data key of one mailbox and day, of 3 mailboxes and 3 days with one message each. */
async function leakOneDataKey(name: string): Promise<{ inScope: number; outOfScope: number }> {
  const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline');
  const scope = pipeline.options['rest']?.default === 'user-day' ? 'user-day' : 'segment';
  const module = await loadByName<ProviderModule>(PROVIDERS_DIR, 'node', 'provider');
  const aead = (await module.load()).aead['chacha20-poly1305'];
  const seal = new RestSeal(aead, seededRandomness(5), new Uint8Array(32).fill(7), scope);
  const rows: Row[] = [];
  for (const owner of [0, 1, 2]) {
    for (const day of [0, 1, 2]) {
      const text = utf8(`mail of user ${owner} on day ${day}`);
      const stored = new Uint8Array(text.length + REST_BYTES);
      seal.seal(owner, day * DAY_MS, text, stored);
      rows.push({ owner, day, stored });
    }
  }
  const leaked = seal.leakDataKey(1, DAY_MS);
  assert.ok(leaked !== undefined);
  const opened = rows.filter(
    ({ owner, day, stored }) =>
      openRow(aead, leaked, owner, stored) === `mail of user ${owner} on day ${day}`,
  );
  const inScope = opened.filter(({ owner, day }) => owner === 1 && day === 1).length;
  return { inScope, outOfScope: opened.length - inScope };
}

interface Row {
  readonly owner: number;
  readonly day: number;
  readonly stored: Uint8Array;
}

/** Tries a data key on a row, in the context of either scope. */
function openRow(
  aead: Aead,
  key: Uint8Array,
  owner: number,
  stored: Uint8Array,
): string | undefined {
  const out = new Uint8Array(stored.length - REST_BYTES);
  const context = new Uint8Array(8);
  context.set(stored.subarray(0, 4), 4);
  for (const inContext of [0, owner]) {
    putUint32(context, 0, inContext);
    if (aead.open(out, key, stored.subarray(4, 16), context, stored.subarray(16))) {
      return new TextDecoder().decode(out);
    }
  }
  return undefined;
}

/** The relay delivers to bob, as alice's, what its own account sent him. */
async function impersonate(name: string, established: boolean): Promise<boolean> {
  const world = await mount(name, {
    sessions: [
      [ALICE, BOB],
      [MALLORY, BOB],
    ],
  });
  if (established) world.chat(0, 2, 1);
  const forged = world.post(1, 0, 'as if from alice');
  return world.receive(0, 1, world.fetch(forged)) === 'as if from alice';
}

/** Behind its own hops and seals, whose keys it has, the relay flips one bit of each byte. */
async function shareOfChangesAccepted(name: string): Promise<number> {
  const world = await mount(name, {
    sessions: [[ALICE, BOB]],
    options: { hop: 'none', rest: 'none' },
  });
  world.chat(0, 2, 1);
  const { content } = world.post(0, 0, 'I agree');
  let accepted = 0;
  for (let at = 0; at < content.length; at++) {
    const changed = content.slice();
    changed[at]! ^= 1;
    const received = world.receive(0, 1, changed);
    if (typeof received === 'string' && received !== 'I agree') accepted += 1;
  }
  return accepted / content.length;
}

function backgroundOf(world: MountedWorld, member: number): Background {
  const initiator = world.members.user(0, 0) * 64;
  const responder = world.members.user(0, 1) * 64;
  return {
    provider: world.provider,
    initiator: world.directory.slice(initiator, initiator + 64),
    responder: world.directory.slice(responder, responder + 64),
    member,
  };
}

function textsOf(recorded: readonly Recorded[]): string[] {
  return recorded.map(({ text }) => text);
}

function isText(text: string | undefined): text is string {
  return text !== undefined;
}

function shows(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes).includes(text);
}
