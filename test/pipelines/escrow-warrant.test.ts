/** E5: fields to keys of users and days. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OUTCOME } from '../../src/pipelines/_pipeline.ts';
import { openEscrow, receiveAt, recover, sendAt } from './_escrow-world.ts';

const DAY_MS = 86_400_000;

test('a warrant opens what its user sends and what it receives', async () => {
  for (const options of [
    {},
    { msg: 'etm-commit' },
    { ratchet: 'pqxdh-ratchet', field: 'x-wing' },
  ]) {
    const world = await openEscrow('escrow-warrant', options);
    for (const [index, member] of [0, 1, 1, 0, 1].entries()) {
      world.authority!.advance!(index * DAY_MS * 0.7);
      const sent = sendAt(world, 0, member, index * DAY_MS * 0.7);
      assert.equal(receiveAt(world, sent, index * DAY_MS * 0.7), 0);
      assert.equal(recover(world, sent), 0, `message ${index}`);
    }
  }
});

test('a field is 4 bytes of day and 80 for each of the two users', async () => {
  const [plain, world] = [await openEscrow('double-ratchet'), await openEscrow('escrow-warrant')];
  const [without, with_] = [sendAt(plain, 0, 0, 0), sendAt(world, 0, 0, 0)];
  assert.equal(with_.frame.length - without.frame.length, 3 + 4 + 160);
});

test('a receiver refuses a day that is not its own, within the window, and goes on', async () => {
  const world = await openEscrow('escrow-warrant');
  const onTime = sendAt(world, 0, 0, 0);
  assert.equal(receiveAt(world, onTime, 0), 0);
  const late = sendAt(world, 0, 0, 0);
  assert.equal(receiveAt(world, late, 2 * DAY_MS), OUTCOME.ESCROW_INVALID);
  assert.equal(receiveAt(world, late, DAY_MS), 0, 'a day later is within the window');
  const patient = await openEscrow('escrow-warrant', { window: '7' });
  assert.equal(receiveAt(patient, sendAt(patient, 0, 0, 0), 7 * DAY_MS), 0);
});

test('what the retention has passed over cannot be opened any more', async () => {
  const world = await openEscrow('escrow-warrant', { retention: '5', window: '365' });
  const early = sendAt(world, 0, 0, 0);
  assert.equal(recover(world, early), 0);
  world.authority!.advance!(5 * DAY_MS);
  assert.equal(recover(world, sendAt(world, 0, 0, 5 * DAY_MS)), 0);
  assert.equal(recover(world, early), 0, 'still within five days');
  world.authority!.advance!(6 * DAY_MS);
  assert.equal(recover(world, sendAt(world, 0, 0, 6 * DAY_MS)), 0);
  assert.equal(recover(world, early), OUTCOME.UNKNOWN_KEY);
});

test('a day in the far future does not make the authority forget or step for long', async () => {
  const world = await openEscrow('escrow-warrant', { retention: '5', window: '365' });
  const true_ = sendAt(world, 0, 0, 0);
  const early = sendAt(world, 0, 0, 20 * DAY_MS);
  assert.equal(recover(world, early), OUTCOME.UNKNOWN_KEY, 'a day that has not come');
  const forged = { ...true_, evidence: true_.evidence.slice() };
  forged.evidence.set([0x7f, 0xff, 0xff, 0xff], 1 + 104 + 40 + 3);
  assert.equal(recover(world, forged), OUTCOME.UNKNOWN_KEY);
  assert.equal(recover(world, true_), 0);
});
