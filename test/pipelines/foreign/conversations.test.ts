/**
 * Conversations through each library by hand: what is lost, late, doubled or changed on the way, in
 * any order, must come out as the contract says, and every plaintext must be right.
 */

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { SeededRandom } from '../../../src/core/random.ts';
import { OUTCOME, type Options, type Pipeline } from '../../../src/pipelines/_pipeline.ts';
import { loadForeignPipelines } from '../../conformance/_parts.ts';
import { ForeignWorld } from './_foreign-world.ts';

const MESSAGES = 120;
/** Messages that may be sent before a late one arrives: within the chains that both ratchets keep. */
const LATE_BY = 6;

const foreigners = await loadForeignPipelines();

/** @returns Undefined, and the test is passed over, where the library is not installed. */
async function openWorld(
  context: TestContext,
  pipeline: Pipeline,
  sessions: number,
  changes: Options = {},
): Promise<ForeignWorld | undefined> {
  const world = await ForeignWorld.open(pipeline, sessions, changes);
  if (world === undefined) context.skip(`${pipeline.foreign!.package} is not installed`);
  return world;
}

interface Sent {
  readonly member: number;
  readonly plaintext: Uint8Array;
  readonly frame: Uint8Array;
}

function choicesOf(pipeline: Pipeline): Options[] {
  const { values } = pipeline.options['persist'] ?? { values: [] };
  return 'min' in values || values.length === 0 ? [{}] : values.map((persist) => ({ persist }));
}

for (const pipeline of foreigners) {
  for (const changes of choicesOf(pipeline)) {
    const which = `${pipeline.name} ${Object.values(changes).join(' ')}`.trim();

    test(`${which}: loss, delay, replays and changed frames end as declared`, async (context) => {
      const world = await openWorld(context, pipeline, 1, changes);
      if (world === undefined) return;
      const random = new SeededRandom(7);
      await world.begin();
      const held: { readonly until: number; readonly sent: Sent }[] = [];
      let delivered = 0;
      const deliver = async (sent: Sent): Promise<void> => {
        const to = 1 - sent.member;
        const repeats = repeatsHandshake(pipeline, sent.frame);
        const opened =
          random.below(3) === 0 && (await opensChanged(world, to, sent, repeats, random));
        const received = await world.receive(0, to, sent.frame);
        if (opened) assert.equal(received, OUTCOME.DUPLICATE);
        else assert.deepEqual(received, sent.plaintext);
        delivered += 1;
        if (random.below(4) !== 0) return;
        const again = await world.receive(0, to, sent.frame);
        if (pipeline.replayProtection) assert.equal(again, OUTCOME.DUPLICATE);
        else assert.deepEqual(again, sent.plaintext);
      };
      for (let i = 0; i < MESSAGES; i++) {
        // Until the first message arrived, member 1 has no session to answer in.
        const member = delivered === 0 ? 0 : random.below(2);
        const plaintext = new Uint8Array(1 + random.below(300));
        random.fill(plaintext);
        const frame = await world.send(0, member, plaintext);
        const fate = random.below(10);
        if (fate === 0) continue; // Lost.
        const sent = { member, plaintext, frame };
        if (fate < 4) held.push({ until: i + 1 + random.below(LATE_BY), sent });
        else await deliver(sent);
        for (const due of held.filter(({ until }) => until === i)) await deliver(due.sent);
      }
      assert.ok(delivered > MESSAGES / 2);
    });
  }

  test(`${pipeline.name}: a frame of another session does not open, and harms no session`, async (context) => {
    const world = await openWorld(context, pipeline, 2);
    if (world === undefined) return;
    await world.begin(0);
    await world.begin(1);
    const text = Uint8Array.of(1, 2, 3);
    await world.exchange(0, 0, text);
    await world.exchange(0, 1, text);
    const frame = await world.send(0, 0, text);
    const outcome = await world.receive(1, 1, frame);
    assert.equal(outcome, pipeline.replayProtection ? OUTCOME.UNKNOWN_KEY : OUTCOME.AUTH_FAILED);
    await world.exchange(1, 0, text);
    assert.equal(await world.receive(1, 1, frame), OUTCOME.AUTH_FAILED);
    await world.exchange(1, 1, text);
    await world.exchange(1, 0, text);
    assert.deepEqual(await world.receive(0, 1, frame), text);
  });

  test(`${pipeline.name}: what is no frame is refused`, async (context) => {
    const world = await openWorld(context, pipeline, 1);
    if (world === undefined) return;
    await world.begin();
    const random = new SeededRandom(3);
    for (let length = 0; length < 90; length++) {
      const noise = new Uint8Array(length);
      random.fill(noise);
      for (const first of [noise[0] ?? 0, 0, 1, 2, 3, 0x11]) {
        if (length > 0) noise[0] = first;
        const outcome = await world.receive(0, 1, noise);
        assert.ok(typeof outcome === 'number' && outcome < 0, `${length} bytes`);
      }
    }
    await world.exchange(0, 0, Uint8Array.of(1));
  });
}

/**
 * Changes one bit, which must be refused. Where a handshake is repeated both libraries and our own
 * ends authenticate the message alone once the session is open: there the right plaintext may come
 * out all the same.
 *
 * @returns Whether it did.
 */
async function opensChanged(
  world: ForeignWorld,
  to: number,
  { frame, plaintext }: Sent,
  repeatsItsHandshake: boolean,
  random: SeededRandom,
): Promise<boolean> {
  const changed = frame.slice();
  changed[random.below(frame.length)]! ^= 1 << random.below(8);
  const outcome = await world.receive(0, to, changed);
  if (typeof outcome === 'number') return false;
  assert.ok(repeatsItsHandshake, 'a changed message opened');
  assert.deepEqual(outcome, plaintext);
  return true;
}

/** By the type in front of the frame; under sealed sender everything is authenticated. */
function repeatsHandshake({ name, family }: Pipeline, frame: Uint8Array): boolean {
  if (family === 'escrow-wrapped') return (frame[0]! & 1) !== 0;
  if (name === 'double-ratchet.libolm') return frame[0] === 0;
  return name === 'triple-ratchet.libsignal' && frame[0] === 3;
}
