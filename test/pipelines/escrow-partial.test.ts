/** E6: message keys escrowed but for bits that are guessed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countPrimitives } from '../../src/crypto/counting.ts';
import { SmallWorld } from '../conformance/_small-world.ts';
import { native, openEscrow, receiveAt, recover, sendAt } from './_escrow-world.ts';

for (const bits of [1, 7, 8, 11, 16]) {
  test(`${bits} missing bits are found by trying them`, async () => {
    const world = await openEscrow('escrow-partial', { bits: String(bits) });
    for (const member of [0, 1, 0]) {
      const sent = sendAt(world, 0, member, 0);
      assert.equal(receiveAt(world, sent, 0), 0);
      assert.equal(recover(world, sent), 0);
    }
  });
}

test('a message costs half of all guesses on average, each a try of the AEAD', async () => {
  const bits = 6;
  const example = await openEscrow('escrow-partial', { bits: String(bits) });
  const { provider, counts } = countPrimitives(native);
  const world = await SmallWorld.open(example.pipeline, provider, example.options, 1);
  const messages = 400;
  let guesses = 0;
  for (let i = 0; i < messages; i++) {
    const sent = sendAt(world, 0, 0, 0);
    counts.clear();
    assert.equal(recover(world, sent), 0);
    for (const [name, count] of counts) {
      // The field's own opening is of 32 bytes under other associated data.
      if (name.startsWith('chacha20-poly1305-open') && !name.endsWith('+32')) guesses += count;
    }
  }
  const mean = guesses / messages;
  assert.ok(mean > 2 ** (bits - 1) * 0.85 && mean < 2 ** (bits - 1) * 1.15, String(mean));
});

test('whose bits are missing is what an honest sender leaves out, and no others', async () => {
  const [few, many] = [
    await openEscrow('escrow-partial', { bits: '4' }),
    await openEscrow('escrow-partial', { bits: '12' }),
  ];
  const [a, b] = [sendAt(few, 0, 0, 0), sendAt(many, 0, 0, 0)];
  assert.equal(a.frame.length, b.frame.length, 'the sender pays the same');
});
