/** Sessions of unequal length: Zipf's law, the fewest messages of each, and their random order. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { drawMessageCounts, meanMessages } from '../../src/workload/activity.ts';
import { indexOf, messagesOf, writeScript } from '../../src/workload/script.ts';
import { loadBehaviour, loadWorkload } from '../conformance/_parts.ts';

const BURSTS = await loadBehaviour('bursts');
const SOCIAL = await loadWorkload('social');

const activities = fc.record({
  distribution: fc.constant('zipf' as const),
  exponent: fc.double({ min: 0.2, max: 2, noNaN: true }),
  mostExtra: fc.integer({ min: 0, max: 500 }),
});

test('every session has the fewest messages at least, and no more extra ones than the most', () => {
  const property = fc.property(
    activities,
    fc.integer({ min: 1, max: 9 }),
    fc.nat(),
    (activity, least, seed) => {
      const counts = drawMessageCounts(activity, least, seed, 0, 200);
      for (const count of counts) {
        assert.ok(count >= least && count <= least + activity.mostExtra, `${count}`);
      }
    },
  );
  fc.assert(property, { seed: 1, numRuns: 100 });
});

test('by rank, extra messages fall with the power that is asked for', () => {
  for (const exponent of [0.5, 1]) {
    const sessions = 200_000;
    const activity = { distribution: 'zipf', exponent, mostExtra: 100_000 } as const;
    const counts = drawMessageCounts(activity, 3, 7, 0, sessions).toSorted((a, b) => b - a);
    // Ranks at which sizes are large, so that whole numbers do not hide the law.
    for (const rank of [50, 200, 800]) {
      const expected = (sessions / rank) ** exponent;
      const found = counts[rank - 1]! - 3 + 1;
      assert.ok(Math.abs(found / expected - 1) < 0.25, `rank ${rank}: ${found}, not ${expected}`);
    }
  }
});

test('the mean is what sessions have on average', () => {
  for (const exponent of [0.5, 0.8, 1]) {
    const activity = { distribution: 'zipf', exponent, mostExtra: 50 } as const;
    const counts = drawMessageCounts(activity, 3, 7, 0, 100_000);
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const foretold = meanMessages(activity, 3);
    assert.ok(Math.abs(mean / foretold - 1) < 0.02, `${mean}, not ${foretold}`);
  }
});

test('the order holds every message once, the first of each session before all others', () => {
  const script = writeScript(SOCIAL, BURSTS, 3, 0, 500);
  const order = script.order!;
  assert.equal(order.length, script.lengths.length);
  assert.equal(new Set(order.subarray(0, 500)).size, 500);
  const left = Uint32Array.from({ length: 500 }, (_, session) => messagesOf(script, session));
  for (const session of order) left[session]! -= 1;
  assert.ok(left.every((count) => count === 0));
});

test('the order is random: sessions come neither in turns nor in a row', () => {
  const script = writeScript(SOCIAL, BURSTS, 3, 0, 2000);
  const order = script.order!;
  for (const part of [order.subarray(0, 2000), order.subarray(2000)]) {
    let rising = 0;
    for (let i = 1; i < part.length; i++) if (part[i]! > part[i - 1]!) rising += 1;
    // Of a random order, half; five standard deviations are 0.05 here.
    assert.ok(Math.abs(rising / part.length - 0.5) < 0.06, `${rising} of ${part.length}`);
  }
});

test('a session has the same messages in every shard, and the same seed gives the same script', () => {
  const whole = writeScript(SOCIAL, BURSTS, 5, 0, 60);
  assert.deepEqual(writeScript(SOCIAL, BURSTS, 5, 0, 60), whole);
  const part = writeScript(SOCIAL, BURSTS, 5, 40, 20);
  for (let session = 0; session < 20; session++) {
    const [from, to] = [indexOf(part, session, 0), indexOf(part, session + 1, 0)];
    const inWhole = whole.lengths.subarray(
      indexOf(whole, 40 + session, 0),
      indexOf(whole, 41 + session, 0),
    );
    assert.deepEqual(part.lengths.subarray(from, to), inWhole);
  }
  assert.notDeepEqual(writeScript(SOCIAL, BURSTS, 6, 0, 60).order, whole.order);
});
