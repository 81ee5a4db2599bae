/** A message that is in order does not pay for the keys that an end keeps of messages passed over. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { utf8 } from '../../src/core/bytes.ts';
import { loadByName } from '../../src/core/discover.ts';
import { PIPELINES_DIR } from '../../src/core/paths.ts';
import { countPrimitives } from '../../src/crypto/counting.ts';
import { OUTCOME, type Pipeline } from '../../src/pipelines/_pipeline.ts';
import { SkippedStore } from '../../src/pipelines/_skipped-store.ts';
import { ISOLATED, loadProvider, optionsOf } from '../conformance/_parts.ts';
import { SmallWorld } from '../conformance/_small-world.ts';

const node = await loadProvider('node');
const TEXT = utf8('a plaintext of some length');

/** The two ends alone, and never re-keyed, which goes by the number of messages. */
const OPTIONS = { ...ISOLATED, rekey: '1000000' };

/** As if lost, one by one, from two chains of member 0. */
const LOST_PER_CHAIN = 250;

class Counted {
  readonly world: SmallWorld;
  readonly #counts: Map<string, number>;

  private constructor(world: SmallWorld, counts: Map<string, number>) {
    this.world = world;
    this.#counts = counts;
  }

  /** A session at whose second end the keys of `lostPerChain` messages of two old chains are kept. */
  static async open(
    pipeline: Pipeline,
    lostPerChain: number,
  ): Promise<{ counted: Counted; late: Uint8Array[] }> {
    const { provider, counts } = countPrimitives(node);
    const world = await SmallWorld.open(pipeline, provider, optionsOf(pipeline, OPTIONS));
    const late: Uint8Array[] = [];
    for (let chain = 0; chain < 2; chain++) {
      world.exchange(0, 0, TEXT);
      for (let i = 0; i < lostPerChain; i++) late.push(world.carry(0, 0, TEXT));
      world.exchange(0, 0, TEXT);
      world.exchange(0, 1, TEXT);
    }
    assert.equal(world.clients.storedKeys?.(), 2 * lostPerChain);
    return { counted: new Counted(world, counts), late };
  }

  /** The calls of primitives that receiving the next message of `from` costs. */
  receiving(from: number): Record<string, number> {
    const frame = this.world.carry(0, from, TEXT);
    this.#counts.clear();
    assert.deepEqual(this.world.receive(0, 1 - from, frame), TEXT);
    return Object.fromEntries(this.#counts);
  }
}

for (const name of ['double-ratchet', 'header-encryption']) {
  describe(`${name} with stored keys of old chains`, async () => {
    const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline');

    test('receives in order for the same calls of primitives as without', async () => {
      const { counted: burdened } = await Counted.open(pipeline, LOST_PER_CHAIN);
      const { counted: free } = await Counted.open(pipeline, 0);
      // Member 0 begins a chain and goes on with it, the other one answers, and so on.
      for (const from of [0, 0, 0, 1, 1, 0, 0]) {
        assert.deepEqual(burdened.receiving(from), free.receiving(from));
      }
      const stored = [burdened, free].map(({ world }) => world.clients.storedKeys?.());
      assert.deepEqual(stored, [2 * LOST_PER_CHAIN, 0]);
    });

    test('looks through them for no message that is next in its chain', async (context) => {
      const { counted } = await Counted.open(pipeline, LOST_PER_CHAIN);
      counted.receiving(0); // Begins a chain.
      const find = context.mock.method(SkippedStore.prototype, 'find');
      const findByChain = context.mock.method(SkippedStore.prototype, 'findByChain');
      for (let times = 0; times < 3; times++) counted.receiving(0);
      // Nor for one that passes others over.
      counted.world.carry(0, 0, TEXT);
      counted.receiving(0);
      assert.equal(find.mock.callCount() + findByChain.mock.callCount(), 0);
    });

    test('opens each late message once all the same, of old chains and of the current one', async () => {
      const { counted, late } = await Counted.open(pipeline, 5);
      const { world } = counted;
      counted.receiving(0);
      late.push(world.carry(0, 0, TEXT), world.carry(0, 0, TEXT));
      counted.receiving(0);
      assert.equal(world.clients.storedKeys?.(), 12);
      for (const frame of late.toReversed()) assert.deepEqual(world.receive(0, 1, frame), TEXT);
      assert.equal(world.clients.storedKeys?.(), 0);
      for (const frame of late) {
        const outcome = world.receive(0, 1, frame);
        assert.ok(
          outcome === OUTCOME.DUPLICATE || outcome === OUTCOME.AUTH_FAILED,
          String(outcome),
        );
      }
    });
  });
}
