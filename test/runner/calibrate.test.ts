import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OverheadSamples } from '../../src/engine/overhead.ts';
import { summariseOverhead } from '../../src/runner/calibrate.ts';

const pairs = (value: number): number[] => Array.from({ length: 5 }, () => value);

/** A process whose every pair of `send` reads so much, and of `receive` one more. */
function processOf(cpuNs: number): OverheadSamples {
  const stage = (id: 'send' | 'receive', more: number): OverheadSamples['stages'][number] => ({
    id,
    cpuNs: pairs(cpuNs + more),
    latencyNs: pairs(50 + cpuNs + more),
    emptyNs: pairs(100 * (1 + more)),
  });
  return { clockReadNs: 40 + cpuNs, stages: [stage('send', 0), stage('receive', 1)] };
}

test('the interval of the overhead is over processes, not over the pairs of one', () => {
  const { cpuNs, latencyNs, clockReadNs, emptyCallNs } = summariseOverhead(
    [2, 12, 3, 4, 1, 2].map(processOf),
  );
  assert.deepEqual([cpuNs.value, cpuNs.repeats], [3.5, 6]);
  // Six values: between the extremes and their neighbours.
  assert.ok(cpuNs.low >= 2 && cpuNs.low < 3 && cpuNs.high > 5 && cpuNs.high <= 13);
  assert.equal(latencyNs.value, 53.5);
  assert.equal(clockReadNs, 42.5);
  assert.deepEqual(emptyCallNs, { send: 100, receive: 200 });
});

test('the worst stage is the one with the highest upper bound', () => {
  const { cpuNs } = summariseOverhead([1, 1, 1, 1, 1, 1].map(processOf));
  assert.deepEqual([cpuNs.low, cpuNs.value, cpuNs.high], [2, 2, 2]);
});
