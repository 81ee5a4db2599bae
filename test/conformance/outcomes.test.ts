/**
 * What every pipeline must refuse, and that a refusal changes nothing.
 *
 * One provider suffices for most of it, because all give the same bytes and refuse the same inputs
 * (pipelines.test.ts, providers.test.ts).
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { equalBytes, utf8 } from '../../src/core/bytes.ts';
import { OUTCOME, type Options, type Pipeline } from '../../src/pipelines/_pipeline.ts';
import { ISOLATED, loadAllPipelines, providerOf, optionsOf } from './_parts.ts';
import { SmallWorld } from './_small-world.ts';

const pipelines = await loadAllPipelines();

const TEXT = utf8('a plaintext of some length');
const NEXT = utf8('the one that comes next');

/** The relay of this family reads: between its ends nothing is protected, only on the hops. */
const isReadable = (pipeline: Pipeline): boolean => pipeline.family === 'plaintext-relay';

/** What the pipeline's own protection is: the ends alone, or the hops where there is nothing else. */
function innermost(pipeline: Pipeline): Options {
  return optionsOf(
    pipeline,
    isReadable(pipeline) ? { hop: 'on', rest: 'none' } : { hop: 'none', rest: 'none' },
  );
}

/** A world whose first session both ends have used. */
async function settled(pipeline: Pipeline, sessions = 1): Promise<SmallWorld> {
  const world = await SmallWorld.open(
    pipeline,
    providerOf(pipeline),
    innermost(pipeline),
    sessions,
  );
  for (let session = 0; session < sessions; session++) {
    world.exchange(session, 0, TEXT);
    world.exchange(session, 1, TEXT);
  }
  return world;
}

/** Everything the two devices hold. */
function devices(world: SmallWorld): Uint8Array[] {
  return [0, 1].map((user) => world.clients.snapshot(user).slice());
}

for (const pipeline of pipelines) {
  describe(pipeline.name, () => {
    test('a flipped bit anywhere in a frame is refused, and the frame itself then opens', async () => {
      const world = await settled(pipeline);
      const untroubled = await settled(pipeline);
      for (const member of [0, 1] as const) {
        const frame = world.carry(0, member, NEXT);
        const before = devices(world);
        for (const { where, changed } of flipped(frame, [1, 128])) {
          const outcome = world.receive(0, 1 - member, changed);
          assert.ok(typeof outcome === 'number' && outcome < 0, where);
        }
        assert.deepEqual(devices(world), before, 'the devices are as they were');
        assert.deepEqual(world.receive(0, 1 - member, frame), NEXT);
        untroubled.exchange(0, member, NEXT);
        // Their keys may differ, when a refused frame turned a ratchet and used randomness up.
        const held = [world, untroubled].map((one) => devices(one).map(({ length }) => length));
        assert.deepEqual(held[0], held[1], 'nothing of the refused frames is kept');
      }
    });

    test('a flipped bit of the first frame never gives another plaintext', async () => {
      const world = await SmallWorld.open(pipeline, providerOf(pipeline), innermost(pipeline));
      const frame = world.carry(0, 0, TEXT);
      for (const { where, changed } of flipped(frame, [1, 64])) {
        const outcome = world.receive(0, 1, changed);
        assert.ok(typeof outcome === 'number' && outcome < 0, where);
      }
      // The handshake in it may be authenticated by nothing but the keys that come out of it, and
      // X25519 ignores the top bit of a public key (RFC 7748 section 5): such a frame may open.
      let opened = false;
      for (const { where, changed } of flipped(frame, [128])) {
        const outcome = world.receive(0, 1, changed);
        if (typeof outcome === 'number') continue;
        assert.deepEqual(outcome, TEXT, where);
        opened = true;
        break;
      }
      if (!opened) assert.deepEqual(world.receive(0, 1, frame), TEXT);
      world.exchange(0, 1, NEXT);
    });

    test('a frame cut short at any length is refused, and so is one with a byte more', async () => {
      const world = await settled(pipeline);
      const frame = world.carry(0, 0, NEXT);
      for (const length of positions(frame)) {
        const outcome = world.receive(0, 1, frame.slice(0, length));
        assert.ok(typeof outcome === 'number' && outcome < 0, `${length} bytes`);
      }
      const longer = new Uint8Array(frame.length + 1);
      longer.set(frame);
      assert.equal(world.receive(0, 1, longer), OUTCOME.AUTH_FAILED);
      assert.deepEqual(world.receive(0, 1, frame), NEXT);
    });

    test('garbage is refused at an end that is open and at one that is not', async () => {
      const open = await settled(pipeline);
      const closed = await SmallWorld.open(pipeline, providerOf(pipeline), innermost(pipeline));
      const before = [devices(open), devices(closed)];
      const garbage = fc.uint8Array({ maxLength: 400 });
      // The first bytes often say what kind of frame it is; without them all ends at the first look.
      const likely = fc
        .tuple(fc.constantFrom(0, 1, 2, 0x17), garbage)
        .map(([first, rest]) => Uint8Array.of(first, ...rest));
      const property = fc.property(fc.oneof(garbage, likely), fc.nat(1), (frame, member) => {
        for (const world of [open, closed]) {
          const outcome = world.receive(0, member, frame);
          assert.ok(typeof outcome === 'number' && outcome < 0);
        }
      });
      fc.assert(property, { seed: 3, numRuns: 300 });
      assert.deepEqual([devices(open), devices(closed)], before);
      open.exchange(0, 0, NEXT);
      closed.exchange(0, 0, NEXT);
    });

    test('a frame of another session is refused there, and opens in its own', async (context) => {
      if (isReadable(pipeline)) {
        context.skip('its frames belong to a connection, not to a session');
        return;
      }
      const world = await settled(pipeline, 2);
      const frame = world.carry(0, 0, NEXT);
      const outcome = world.receive(1, 1, frame);
      assert.ok(typeof outcome === 'number' && outcome < 0, String(outcome));
      const mirrored = world.receive(0, 0, frame);
      assert.ok(typeof mirrored === 'number' && mirrored < 0, 'back at its sender');
      assert.deepEqual(world.receive(0, 1, frame), NEXT);
      world.exchange(1, 0, NEXT);
    });

    test('a message is delivered twice or refused as its contract says', async () => {
      const world = await SmallWorld.open(
        pipeline,
        providerOf(pipeline),
        optionsOf(pipeline, ISOLATED),
      );
      const early = world.carry(0, 0, TEXT);
      const late = world.carry(0, 0, NEXT);
      const last = world.carry(0, 0, TEXT);
      assert.deepEqual(world.receive(0, 1, early), TEXT);
      assert.deepEqual(world.receive(0, 1, last), TEXT);
      assert.deepEqual(world.receive(0, 1, late), NEXT, 'out of order');
      for (const [frame, text] of [
        [early, TEXT],
        [late, NEXT],
        [last, TEXT],
      ] as const) {
        const again = world.receive(0, 1, frame);
        assert.deepEqual(again, pipeline.replayProtection ? OUTCOME.DUPLICATE : text);
      }
      world.exchange(0, 1, NEXT);
      if (!pipeline.replayProtection) return;
      for (const frame of [early, late, last]) {
        const again = world.receive(0, 1, frame);
        assert.ok(typeof again === 'number' && again < 0, 'replayed after an answer');
      }
      world.exchange(0, 0, NEXT);
    });

    test('more missing messages than the limit are TOO_FAR, and exactly the limit is not', async (context) => {
      const { skipLimit } = pipeline;
      if (!Number.isFinite(skipLimit)) {
        context.skip('it has no limit');
        return;
      }
      const options = optionsOf(pipeline, ISOLATED);
      for (const missing of [skipLimit, skipLimit + 1]) {
        const world = await SmallWorld.open(pipeline, providerOf(pipeline), options);
        world.exchange(0, 0, TEXT);
        for (let i = 0; i < missing; i++) world.send(0, 0, TEXT);
        const outcome = world.receive(0, 1, world.carry(0, 0, NEXT));
        assert.deepEqual(outcome, missing === skipLimit ? NEXT : OUTCOME.TOO_FAR);
      }
    });

    test('whatever the network does, each message opens once, to itself', async () => {
      const command = fc.oneof(
        fc.record({ does: fc.constant('send' as const), by: fc.nat(1) }),
        fc.record({
          does: fc.constantFrom('deliver' as const, 'drop' as const, 'repeat' as const),
          pick: fc.nat(100),
        }),
      );
      const options = optionsOf(pipeline, ISOLATED);
      const property = fc.asyncProperty(fc.array(command, { maxLength: 40 }), async (commands) => {
        const world = await SmallWorld.open(pipeline, providerOf(pipeline), options);
        world.exchange(0, 0, TEXT);
        const flying: {
          readonly to: number;
          readonly frame: Uint8Array;
          readonly text: Uint8Array;
        }[] = [];
        const delivered: typeof flying = [];
        commands.forEach((given, number) => {
          if (given.does === 'send') {
            const text = utf8(`message number ${number}`);
            const frame = world.carry(0, given.by, text);
            flying.push({ to: 1 - given.by, frame, text });
          } else if (given.does === 'repeat') {
            const chosen = delivered[given.pick % Math.max(1, delivered.length)];
            if (chosen === undefined) return;
            const outcome = world.receive(0, chosen.to, chosen.frame);
            if (pipeline.replayProtection) assert.ok(typeof outcome === 'number' && outcome < 0);
            else assert.deepEqual(outcome, chosen.text);
          } else {
            const [chosen] = flying.splice(given.pick % Math.max(1, flying.length), 1);
            if (chosen === undefined || given.does === 'drop') return;
            assert.deepEqual(world.receive(0, chosen.to, chosen.frame), chosen.text);
            delivered.push(chosen);
          }
        });
      });
      await fc.assert(property, { seed: 4, numRuns: 40 });
    });

    test('what seizing a device yields is a copy: it neither changes later nor changes anything', async () => {
      const world = await settled(pipeline);
      const seized = [0, 1].flatMap((user) => [
        world.clients.snapshot(user),
        world.clients.keys(user),
      ]);
      const copies = seized.map((bytes) => bytes.slice());
      world.exchange(0, 0, NEXT);
      world.exchange(0, 1, NEXT);
      assert.deepEqual(seized, copies);
      for (const bytes of seized) bytes.fill(0xa5);
      world.exchange(0, 0, TEXT);
      world.exchange(0, 1, TEXT);
    });

    test('the relay can hand over a plaintext exactly when the pipeline is of the family that says so', async () => {
      const secret = utf8('a plaintext that must not be seen in passing');
      for (const changes of [{}, ISOLATED]) {
        const world = await SmallWorld.open(
          pipeline,
          providerOf(pipeline),
          optionsOf(pipeline, changes),
        );
        for (const member of [0, 1, 0, 1]) {
          const frame = world.send(0, member, secret);
          const stored = world.store(0, member, frame);
          const handedOver = world.handOver(0, 1 - member, stored);
          const delivered = world.fetch(0, 1 - member, stored);
          assert.deepEqual(world.receive(0, 1 - member, delivered), secret);
          if (isReadable(pipeline)) {
            assert.deepEqual(handedOver, secret);
            continue;
          }
          for (const bytes of [frame, stored, handedOver, delivered]) {
            assert.ok(!shareRun(bytes, secret, 16), 'a run of the plaintext shows');
          }
        }
      }
    });

    test('what the options seal is sealed: the hop on the wire, the store at rest', async () => {
      const secret = utf8('a plaintext that must not be seen in passing');
      if (pipeline.options['hop'] !== undefined) {
        const world = await SmallWorld.open(
          pipeline,
          providerOf(pipeline),
          optionsOf(pipeline, { hop: 'on' }),
        );
        const frame = world.send(0, 0, secret);
        const delivered = world.fetch(0, 1, world.store(0, 0, frame));
        for (const bytes of [frame, delivered]) assert.ok(!shareRun(bytes, secret, 16));
      }
      for (const rest of ['segment', 'user-day']) {
        if (pipeline.options['rest'] === undefined) continue;
        const world = await SmallWorld.open(
          pipeline,
          providerOf(pipeline),
          optionsOf(pipeline, { rest }),
        );
        const stored = world.store(0, 0, world.send(0, 0, secret));
        assert.ok(!shareRun(stored, secret, 16));
        for (const { where, changed } of flipped(stored, [1])) {
          const out = new Uint8Array(stored.length + 256);
          assert.ok(world.relay.deliver(1, changed, 0, out) < 0, `${where} of the store`);
        }
      }
    });

    test('what the authority is shown may be anything: it recovers the plaintext or nothing', async (context) => {
      if (pipeline.openAuthority === undefined) {
        context.skip('it has no authority');
        return;
      }
      if (pipeline.recovers === 'none') {
        context.skip('it recovers nothing: test/pipelines/escrow-session.test.ts');
        return;
      }
      if (pipeline.name === 'provider-backup') {
        context.skip('its authority is the provider, whose own seal is opened before it is asked');
        return;
      }
      const world = await SmallWorld.open(
        pipeline,
        providerOf(pipeline),
        optionsOf(pipeline, ISOLATED),
      );
      const evidence: Uint8Array[] = [];
      for (const member of [0, 1, 0]) {
        const stored = world.store(0, member, world.send(0, member, TEXT));
        const shown = world.evidence(0, member, stored);
        world.receive(0, 1 - member, world.fetch(0, 1 - member, stored));
        assert.deepEqual(world.recover(0, member, shown), TEXT);
        evidence.push(shown);
      }
      const [, , last] = evidence;
      for (const { where, changed } of flipped(last!, [1, 128])) {
        const outcome = world.recover(0, 0, changed);
        if (typeof outcome === 'number') assert.ok(outcome < 0, where);
        else assert.deepEqual(outcome, TEXT, where);
      }
      for (const length of positions(last!)) {
        const outcome = world.recover(0, 0, last!.slice(0, length));
        assert.ok(typeof outcome === 'number' && outcome < 0, `${length} bytes`);
      }
      const garbage = fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const outcome = world.recover(0, 0, bytes);
        assert.ok(typeof outcome === 'number' && outcome < 0);
      });
      fc.assert(garbage, { seed: 5, numRuns: 100 });
      const again = world.recover(0, 0, last!);
      // An authority that is a device opens a message once, as devices do.
      if (pipeline.name === 'escrow-ghost') assert.equal(again, OUTCOME.DUPLICATE);
      else assert.deepEqual(again, TEXT, 'and the true one still opens');
    });
  });
}

/** Every position of a short frame; of a long one, with a KEM's ciphertext in it, a part of them. */
function positions(frame: Uint8Array): number[] {
  const step = frame.length <= 400 ? 1 : 13;
  const ends = 64;
  return [...frame.keys()].filter(
    (at) => at < ends || at >= frame.length - ends || at % step === 0,
  );
}

/** The frame once per position and bit, with that bit flipped; of its first byte every bit. */
function* flipped(
  frame: Uint8Array,
  bits: readonly number[],
): Generator<{ readonly where: string; readonly changed: Uint8Array }> {
  for (const at of positions(frame)) {
    for (const bit of at === 0 ? [1, 2, 4, 8, 16, 32, 64, 128] : bits) {
      const changed = frame.slice();
      changed[at]! ^= bit;
      yield { where: `bit ${bit} of byte ${at}`, changed };
    }
  }
}

/** Whether `length` successive bytes of `text` occur in `bytes`. */
function shareRun(bytes: Uint8Array, text: Uint8Array, length: number): boolean {
  for (let from = 0; from + length <= text.length; from++) {
    const run = text.subarray(from, from + length);
    for (let at = 0; at + length <= bytes.length; at++) {
      if (equalBytes(bytes.subarray(at, at + length), run)) return true;
    }
  }
  return false;
}
