/** E1: a silent device of the authority. C7: backups under the provider's keys. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, equalBytes, toHex, utf8 } from '../../src/core/bytes.ts';
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

test('a ghost that joins later reads from then on, and the past only with history sync', async () => {
  for (const history of ['off', 'on']) {
    const world = await openEscrow('escrow-ghost', { joins: '3', history });
    const texts: string[] = [];
    for (const member of [0, 1, 0]) {
      const { frame, evidence, text } = sendAt(world, 0, member, 0);
      assert.equal(evidence, frame, 'no frame for the authority yet');
      texts.push(toHex(text));
      assert.equal(receiveAt(world, { session: 0, member, frame, evidence, text }, 0), 0);
    }
    const given: Uint8Array[] = [];
    let reserved = EMPTY;
    const text = utf8('the first after it joined');
    world.clients.send(0, 1, text, 0, {
      reserve: (bytes) => (reserved = new Uint8Array(bytes)),
      emit: (_to, kind, length) => {
        if (kind !== 'message') given.push(reserved.slice(0, length));
      },
    });
    const recovered = given.map((frame) => {
      const opened = world.recover(0, 1, frame);
      return typeof opened === 'number' ? String(opened) : toHex(opened);
    });
    const expected = [...(history === 'on' ? texts : []), toHex(text)];
    assert.deepEqual(recovered, expected);
  }
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
