/**
 * Costs as a shared machine gives them: runs of several cells, interleaved in random blocks, on a
 * machine whose speed drifts, with repeats of its own noise and now and then a spike.
 *
 * The numbers are those of the published runs under results/published/: logarithms of a cell's cost
 * deviate by 10 % from repeat to repeat; two processes that ran one after the other are correlated by
 * 0.35, five apart by 0.25 and a block apart by hardly anything; ratios within a pair are not
 * correlated.
 *
 * @module
 */

import { SeededRandom } from '../../src/core/random.ts';
import { median } from '../../src/stats/quantile.ts';

/** Standard deviations of logarithms: of the machine's drift, and of a process by itself. */
const DRIFT = 0.06;
const OWN = 0.08;
/** How much of the drift is left when the next process starts. */
const LEFT = 0.9;
/** Slow states are further from the usual one than fast ones. */
const SKEW = 0.7;
const SPIKE_SHARE = 0.05;
const SPIKE = 0.3;

export interface Machine {
  /** false: every process meets a machine of its own. */
  readonly drifts: boolean;
  readonly spikes: boolean;
}

/** Costs of `cells` cells that all cost 1, each in the order of its repeats. */
export function runOf(
  random: SeededRandom,
  { drifts, spikes }: Machine,
  cells: number,
  repeats: number,
): number[][] {
  const costs: number[][] = Array.from({ length: cells }, () => []);
  let state = random.normal();
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const cell of random.shuffle([...costs.keys()])) {
      const left = drifts ? LEFT : 0;
      state = left * state + Math.sqrt(1 - left * left) * random.normal();
      costs[cell]!.push(costOf(random, state, spikes));
    }
  }
  return costs;
}

function costOf(random: SeededRandom, state: number, spikes: boolean): number {
  const spike = spikes && random.fraction() < SPIKE_SHARE ? SPIKE * (0.5 + random.fraction()) : 0;
  return Math.exp(DRIFT * (Math.exp(SKEW * state) - 1) + OWN * random.normal() + spike);
}

/** The median of all costs that such a machine gives in the long run, to about 0.1 %. */
export function trueMedian(spikes: boolean): number {
  const random = new SeededRandom(99);
  return median(Array.from({ length: 50_000 }, () => costOf(random, random.normal(), spikes)));
}
