import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleRecorderGrowth } from '../../src/engine/recorder-growth.ts';

test('growth is sampled at equal steps until as many messages are recorded as asked for', () => {
  const { batch, points, factsBytes } = sampleRecorderGrowth(5_000, 50, 4);
  assert.equal(batch, 50);
  assert.deepEqual(
    points.map(({ messages }) => messages),
    [1_250, 2_500, 3_750, 5_000],
  );
  // What is stored holds both modes of all rounds.
  assert.ok(factsBytes > 1_000);
});
