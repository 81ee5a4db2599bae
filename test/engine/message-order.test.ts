/** Batches of a random order: each session once, each session's messages in order, none lost. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MessageOrder } from '../../src/engine/message-order.ts';

test('batches hold each session once, at most as many as asked for, and all messages in the end', () => {
  const property = fc.property(
    fc.array(fc.nat(12), { maxLength: 200 }),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 50 }),
    (order, batch, step) => {
      const turns = new MessageOrder(Uint32Array.from(order), batch);
      const left = Map.groupBy(order, (session) => session);
      for (let end = step; end - step < order.length; end += step) {
        while (turns.next(Math.min(end, order.length), batch)) {
          const sessions = [...turns.sessions.subarray(0, turns.count)];
          assert.equal(new Set(sessions).size, sessions.length);
          assert.ok(sessions.length <= batch);
          for (const session of sessions) assert.ok(left.get(session)!.pop() !== undefined);
        }
        const behind = order.slice(0, Math.min(end, order.length)).length;
        const sent = order.length - [...left.values()].reduce((sum, list) => sum + list.length, 0);
        assert.equal(sent, behind, 'what stands before the end is sent before the end');
      }
    },
  );
  fc.assert(property, { seed: 8, numRuns: 300 });
});

test('a session that comes twice waits, and what is behind it goes on', () => {
  const turns = new MessageOrder(Uint32Array.of(7, 7, 7, 1, 2), 3);
  const batches: number[][] = [];
  while (turns.next(5, 3)) batches.push([...turns.sessions.subarray(0, turns.count)]);
  assert.deepEqual(batches, [[7, 1, 2], [7], [7]]);
});
