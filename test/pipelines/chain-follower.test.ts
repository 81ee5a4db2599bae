/** The chains that an authority follows, against a list of all their keys. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { toHex } from '../../src/core/bytes.ts';
import { ChainFollower } from '../../src/pipelines/_chain-follower.ts';
import { SKIP_LIMIT } from '../../src/pipelines/_ratchet-ends.ts';

const RATCHET_KEY = new Uint8Array(32).fill(7);
const FIRST_KEY = new Uint8Array(32).fill(1);

/** A chain whose key of message n is easily told: n is added to it. */
class Counted {
  readonly follower: ChainFollower;
  readonly key = new Uint8Array(32);
  steps = 0;

  constructor() {
    this.follower = new ChainFollower(2, (chain) => {
      this.steps += 1;
      this.key.set(chain);
      const word = new DataView(chain.buffer, chain.byteOffset, 4);
      word.setUint32(0, word.getUint32(0) + 1);
    });
  }

  /** @returns The number whose key came out, or undefined when it is not followed. */
  ask(n: number, isGenuine: boolean): number | undefined {
    if (!this.follower.find(0, RATCHET_KEY)) this.follower.begin(RATCHET_KEY, FIRST_KEY);
    this.steps = 0;
    if (!this.follower.stepTo(n)) return undefined;
    if (isGenuine) this.follower.keep();
    return new DataView(this.key.buffer).getUint32(0) - 0x0101_0101;
  }
}

const asked = fc.record({
  /** Ahead of the newest, or behind it. */
  by: fc.oneof(fc.integer({ min: -1200, max: 1200 }), fc.integer({ min: -3, max: 3 })),
  isGenuine: fc.boolean(),
});

describe('a chain that is followed', () => {
  test('gives the key of the message that was asked for, in any order, and never takes more steps than the limit', () => {
    const property = fc.property(fc.array(asked, { maxLength: 60 }), (questions) => {
      const counted = new Counted();
      let next = 0;
      for (const { by, isGenuine } of questions) {
        const n = Math.max(0, next + by);
        const found = counted.ask(n, isGenuine);
        assert.ok(counted.steps <= SKIP_LIMIT + 1);
        const isNear = n - next <= SKIP_LIMIT && next - n <= SKIP_LIMIT / 2;
        if (isNear) assert.equal(found, n);
        else assert.ok(found === undefined || found === n);
        if (found !== undefined && isGenuine) next = Math.max(next, n + 1);
      }
    });
    fc.assert(property, { seed: 5, numRuns: 200 });
  });

  test('goes on from where it was after one that did not open', () => {
    const counted = new Counted();
    assert.equal(counted.ask(3, true), 3);
    assert.equal(counted.ask(900, false), 900);
    assert.equal(counted.ask(4, true), 4);
    assert.equal(counted.steps, 1);
  });

  test('goes on from where it was after one that was late', () => {
    const counted = new Counted();
    assert.equal(counted.ask(1300, true), undefined, 'too far');
    assert.equal(counted.ask(900, true), 900);
    assert.equal(counted.ask(450, true), 450);
    assert.equal(counted.ask(901, true), 901);
    assert.equal(counted.steps, 1);
  });
});

test('of each sender two chains are kept, the oldest goes, and senders do not share', () => {
  const { follower } = new Counted();
  const keys = [1, 2, 3].map((fill) => new Uint8Array(32).fill(fill));
  for (const key of keys) {
    assert.ok(!follower.find(0, key), toHex(key));
    follower.begin(key, FIRST_KEY);
    assert.ok(follower.stepTo(0));
    follower.keep();
  }
  assert.deepEqual(
    keys.map((key) => follower.find(0, key)),
    [false, true, true],
  );
  assert.ok(!follower.find(1, keys[2]!));
  assert.ok(!follower.find(1, new Uint8Array(32)), 'no chain has the key zero');
});
