/** E1: a silent device of the authority. C7: backups under the provider's keys. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { equalBytes } from '../../src/core/bytes.ts';
import { OUTCOME } from '../../src/pipelines/_pipeline.ts';
import { openEscrow, receiveAt, recover, sendAt } from './_escrow-world.ts';

const TURNS = [0, 0, 1, 0, 1, 1];

test('the ghost reads both directions of a target and its frames are its own', async () => {
  for (const ratchet of ['double-ratchet', 'pqxdh-ratchet']) {
    const world = await openEscrow('escrow-ghost', { ratchet });
    for (const session of [0, 1]) {
      for (const member of TURNS) {
        const sent = sendAt(world, session, member, 0);
        assert.ok(!equalBytes(sent.frame, sent.evidence));
        assert.equal(receiveAt(world, sent, 0), 0);
        assert.equal(recover(world, sent), 0);
      }
    }
  }
});

test('nothing is added for those who are no targets, and nothing recovered of them', async () => {
  const plain = await openEscrow('double-ratchet');
  const world = await openEscrow('escrow-ghost', { targets: '1' });
  const target = sendAt(world, 0, 0, 0);
  const other = sendAt(world, 1, 0, 0);
  assert.notEqual(target.evidence, target.frame);
  assert.equal(other.evidence, other.frame, 'no frame for the authority');
  assert.equal(other.frame.length, sendAt(plain, 1, 0, 0).frame.length);
  assert.equal(recover(world, other), OUTCOME.UNKNOWN_KEY);
});

test('the ghost is a device: what is for the receiver does not open with it', async () => {
  const world = await openEscrow('escrow-ghost');
  const sent = sendAt(world, 0, 0, 0);
  assert.ok(recover(world, { ...sent, evidence: sent.frame }) < 0);
  assert.ok(receiveAt(world, { ...sent, frame: sent.evidence }, 0) < 0);
});

test('the ghost opens late frames and refuses one that comes twice', async () => {
  const world = await openEscrow('escrow-ghost');
  const [first, second, third] = [0, 0, 0].map(() => sendAt(world, 0, 0, 0));
  for (const sent of [third!, first!, second!]) assert.equal(recover(world, sent), 0);
  assert.equal(recover(world, second!), OUTCOME.DUPLICATE);
});

test('a backup holds what its owner sent', async () => {
  const world = await openEscrow('provider-backup');
  for (const member of TURNS) {
    const sent = sendAt(world, 0, member, 0);
    assert.equal(receiveAt(world, sent, 0), 0);
    assert.equal(recover(world, sent), 0);
    assert.ok(equalBytes(sent.evidence, sent.text));
  }
});
