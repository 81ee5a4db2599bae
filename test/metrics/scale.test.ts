import assert from 'node:assert/strict';
import { test } from 'node:test';
import mainShare from '../../src/metrics/main-share.ts';
import peakRss from '../../src/metrics/peak-rss.ts';
import sessionRate from '../../src/metrics/session-rate.ts';
import { shard } from '../report/fixtures.ts';

const PROCESS = { cpuNs: 0, mainCpuNs: 5, helperCpuNs: 0, wallNs: 0, rssPeakBytes: 77 };

function valueOf(figures: readonly { readonly value: number }[]): number | undefined {
  assert.ok(figures.length <= 1);
  return figures[0]?.value;
}

test('sessions are opened at the sum of what threads open in the time that opening takes', () => {
  const blocks = [{ phase: 'open', wallNs: 2e9 }, { wallNs: 9e9 }] as const;
  const shards = [
    shard(blocks, {}, { sessions: 100 }),
    shard([{ phase: 'open', wallNs: 1e9 }], {}, { sessions: 70 }),
  ];
  assert.equal(valueOf(sessionRate.derive({ shards })), 50 + 70);
  assert.equal(valueOf(sessionRate.derive({ shards: [...shards, shard()] })), undefined);
});

test('the peak and the share of the hosting thread are those of the process', () => {
  const shards = [shard([], {}, { cpuNs: 300 }), shard([], {}, { cpuNs: 200 })];
  assert.equal(valueOf(peakRss.derive({ shards, process: PROCESS })), 77);
  assert.equal(valueOf(mainShare.derive({ shards, process: PROCESS })), 0.01);
  assert.equal(valueOf(mainShare.derive({ shards })), undefined);
});
