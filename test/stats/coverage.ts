/**
 * Coverage by simulation: how often an interval holds the truth that its values were drawn from.
 *
 * @module
 */

import assert from 'node:assert/strict';
import { SeededRandom } from '../../src/core/random.ts';
import type { Interval } from '../../src/stats/interval.ts';

const EXPERIMENTS = 2_000;

/**
 * Runs 2,000 experiments with a fixed seed and asserts that 93 to 97 % of the intervals cover. The
 * standard error of the share is 0.5 %.
 */
export function assertCovers(
  truth: number,
  seed: number,
  experiment: (random: SeededRandom, index: number) => Interval | undefined,
  bounds: Interval = { low: 0.93, high: 0.97 },
): void {
  const random = new SeededRandom(seed);
  let covered = 0;
  for (let index = 0; index < EXPERIMENTS; index++) {
    const interval = experiment(random, index);
    assert.ok(interval !== undefined, 'an experiment gave no interval');
    if (interval.low <= truth && truth <= interval.high) covered++;
  }
  const share = covered / EXPERIMENTS;
  assert.ok(share >= bounds.low && share <= bounds.high, `covered ${share}`);
}

export function draw(n: number, value: (index: number) => number): number[] {
  return Array.from({ length: n }, (_, index) => value(index));
}
