/** A planted slowdown makes calls again and changes nothing else. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countPrimitives } from '../../src/crypto/counting.ts';
import { slowed } from '../../src/crypto/slowed.ts';
import node from '../../src/providers/node.ts';

const KEY = new Uint8Array(32).fill(1);
const NONCE = new Uint8Array(12).fill(2);
const AAD = new Uint8Array(4);
const TEXT = new Uint8Array(10).fill(3);

/** How many seals and opens reach the library, for 100 of each. */
async function callsWith(extraCalls: number): Promise<number> {
  const { provider, counts } = countPrimitives(await node.load());
  const aead = slowed(provider, extraCalls).aead['chacha20-poly1305'];
  const sealed = new Uint8Array(26);
  const opened = new Uint8Array(10);
  for (let i = 0; i < 100; i++) {
    aead.seal(sealed, KEY, NONCE, AAD, TEXT);
    assert.ok(aead.open(opened, KEY, NONCE, AAD, sealed));
    assert.deepEqual(opened, TEXT);
  }
  sealed[0]! ^= 1;
  assert.equal(aead.open(opened, KEY, NONCE, AAD, sealed), false);
  return [...counts.values()].reduce((sum, count) => sum + count) - 1;
}

test('so many calls are made again as was asked for, and none for 0', async () => {
  assert.equal(await callsWith(0), 200);
  assert.equal(await callsWith(0.25), 250);
  assert.equal(await callsWith(2), 602);
  const third = await callsWith(1 / 3);
  assert.ok(Math.abs(third - 267) <= 1, String(third));
});

test('what is not slowed is the same function', async () => {
  const inner = await node.load();
  const { aead: _, ...rest } = slowed(inner, 1);
  for (const [name, value] of Object.entries(rest)) {
    assert.equal(value, inner[name as keyof typeof inner], name);
  }
});
