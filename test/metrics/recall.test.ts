/** What a warrant yields, derived from counts. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecoveryFacts, ShardFacts } from '../../src/measure/facts.ts';
import type { Figure, Metric } from '../../src/metrics/_metric.ts';
import recall from '../../src/metrics/recall.ts';
import recoveries from '../../src/metrics/recoveries.ts';
import { shard } from '../report/fixtures.ts';

function derive(metric: Metric, ...shards: ShardFacts[]): Figure[] {
  return metric.derive({ shards, messagesPerSession: 40, messagesPerConnection: 20 });
}

function recovering(counts: Partial<RecoveryFacts>): ShardFacts {
  const nothing = { sessions: 2, due: 0, evidence: 0, valid: 0, decoy: 0, failed: 0 };
  const recovery = { ...nothing, delivered: 0, deliveredRecovered: 0, ...counts };
  return shard([], {}, { recovery });
}

test('recall is of the delivered messages, over all shards', () => {
  const shards = [
    // Five were recovered that the receiver never got: they are in neither number.
    recovering({ valid: 35, delivered: 40, deliveredRecovered: 30 }),
    recovering({ valid: 50, delivered: 60, deliveredRecovered: 50 }),
  ];
  const [figure, ...others] = derive(recall, ...shards);
  assert.deepEqual(others, []);
  assert.deepEqual([figure!.role, figure!.value], ['authority', 0.8]);
});

test('an authority that recovers nothing has a recall of 0, not none', () => {
  assert.equal(derive(recall, recovering({ delivered: 10, failed: 10 }))[0]!.value, 0);
});

test('without an authority, and without a delivered message under a warrant, there is no recall', () => {
  assert.deepEqual(derive(recall, shard([])), []);
  assert.deepEqual(derive(recall, recovering({})), []);
});

test('what became of evidence is counted by outcome', () => {
  const shards = [recovering({ valid: 3, decoy: 1 }), recovering({ valid: 4, failed: 2 })];
  assert.deepEqual(
    derive(recoveries, ...shards).map(({ role, kind, value }) => [role, kind, value]),
    [
      ['authority', 'valid', 7],
      ['authority', 'decoy', 1],
      ['authority', 'failed', 2],
    ],
  );
  assert.deepEqual(derive(recoveries, shard([])), []);
});
