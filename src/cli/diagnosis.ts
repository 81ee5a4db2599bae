/**
 * From what was read of a machine to what figures from it are worth, and what would make them better.
 *
 * @module
 */

import { formatNumber, formatQuantity } from '../report/numbers.ts';
import { percent } from '../report/wording.ts';
import { compareSame, smallestDifference } from '../stats/smallest-difference.ts';
import type { Machine } from './machine.ts';
import type { Noise } from './noise.ts';
import type { SamePair } from './same-pairs.ts';

/** A difference of less is none that matters, however many pairs show it. */
export const DECLARED_FLOOR = 0.01;
/** A run is too noisy, too, when it knows no ratio better than this. */
const USELESS_DIFFERENCE = 0.25;

/**
 * Above the first limit a figure gets visibly wider intervals; above the second, repeats of one
 * cell differ by more than most rungs of the ladder do. A kernel spread of 1.5 was met on shared
 * virtual machines that gave usable ratios and useless absolute times.
 */
const LIMITS = {
  runDelayShare: [0.01, 0.1],
  stealShare: [0.001, 0.05],
  kernelSpread: [1.1, 1.75],
} as const;
/** Waiting for a core, over the whole machine: above it other programs compete. */
const PRESSURE_FLAGGED = 0.1;

/** The finest stage batches last 150 us; a coarser CPU clock gives no figures per stage. */
const COARSEST_CPU_STEP_NS = 50_000;
/** From so many on there are cores to keep other programs on. */
const SPARE_CORES = 4;
/** For which the smallest difference is told: standard has 10 repeats, thorough up to 40. */
const PREDICTED_PAIRS = [10, 20, 40] as const;
const STANDARD_PAIRS = 10;
const THOROUGH_PAIRS = 40;

export type Verdict = 'quiet' | 'noisy' | 'too noisy';
const VERDICTS: readonly Verdict[] = ['quiet', 'noisy', 'too noisy'];

export interface Readings extends Machine {
  readonly clockStepNs: number;
  readonly clockReadNs: number;
  readonly cpuStepNs: number;
  readonly cpuReadNs: number;
  readonly noise: Noise;
}

/** What the same against the same showed. */
export interface SameAgainstSame {
  readonly cell: string;
  readonly pairs: readonly SamePair[];
  /** B over A; the truth is 1. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  /** How far apart the same can seem here, as a share. */
  readonly floor: number;
  /** Standard deviation of the logarithms of the pairs' ratios. */
  readonly deviation: number;
  /** The larger of the two floors, with the half width of the interval at so many pairs. */
  readonly smallest: readonly { readonly pairs: number; readonly difference: number }[];
}

export function summariseSame(cell: string, pairs: readonly SamePair[]): SameAgainstSame {
  const { ratio, interval, floor, deviation } = compareSame(
    pairs.map(({ aNs, bNs }) => Math.log(bNs / aNs)),
  );
  const smallest = PREDICTED_PAIRS.map((count) => ({
    pairs: count,
    difference: smallestDifference(Math.max(DECLARED_FLOOR, floor), deviation, count),
  }));
  return { cell, pairs, ratio, ...interval, floor, deviation, smallest };
}

/** Whether the CPU clock is too coarse for figures of CPU. */
export function isBlind({ cpuStepNs }: Readings): boolean {
  return cpuStepNs > COARSEST_CPU_STEP_NS;
}

/** The worst that any reading says, and what came of comparing the same with the same. */
export function judge(readings: Readings, same: SameAgainstSame | undefined): Verdict {
  const { noise } = readings;
  const grades = (['runDelayShare', 'stealShare', 'kernelSpread'] as const).map((key) =>
    gradeOf(noise[key] ?? 0, LIMITS[key]),
  );
  if (isBlind(readings)) grades.push(2);
  if (same !== undefined) {
    // As for a gate: with a floor of more than twice the declared one nothing small is decided.
    if (same.floor > 2 * DECLARED_FLOOR) grades.push(1);
    if (smallestWith(same, STANDARD_PAIRS) > USELESS_DIFFERENCE) grades.push(2);
  }
  return VERDICTS[Math.max(...grades)]!;
}

function gradeOf(value: number, [noisy, tooNoisy]: readonly [number, number]): number {
  return value > tooNoisy ? 2 : value > noisy ? 1 : 0;
}

function smallestWith({ smallest }: SameAgainstSame, pairs: number): number {
  return smallest.find((one) => one.pairs === pairs)!.difference;
}

/** What figures from here will be worth. */
export function expectations(
  { noise }: Readings,
  verdict: Verdict,
  same: SameAgainstSame | undefined,
): string[] {
  const sentences: string[] = [];
  if (same !== undefined) {
    sentences.push(
      `Differences below ${shareText(smallestWith(same, STANDARD_PAIRS))} cannot be shown with ` +
        `--budget standard (10 repeats), below ${shareText(smallestWith(same, THOROUGH_PAIRS))} with ` +
        'thorough (up to 40). One just above is shown about every second time. This is for two ' +
        'cells that run one right after the other: in a suite of many cells they are further apart ' +
        'in time, and differ by more.',
    );
    if (same.floor > 2 * DECLARED_FLOOR) {
      sentences.push(
        `The same seems up to ${shareText(same.floor)} apart from itself, which is more than twice ` +
          `the ${shareText(DECLARED_FLOOR)} below which no difference counts: a gate on small ` +
          'changes would stay undecided here.',
      );
    }
  }
  if (verdict === 'quiet') {
    sentences.push('Absolute figures are usable.');
  } else if (noise.kernelSpread > LIMITS.kernelSpread[0]) {
    sentences.push(
      `The same work takes up to ${formatNumber(noise.kernelSpread)} times as long: absolute ` +
        'figures drift as much. Compare only what ran within one run, whose repeats are interleaved.',
    );
  } else {
    sentences.push('Compare only what ran within one run, whose repeats are interleaved.');
  }
  if (verdict === 'too noisy') {
    sentences.push(
      'Repeats will differ by more than most protections cost. Do not publish from here.',
    );
  }
  return sentences;
}

/** What to change, in sentences that follow from the readings. */
export function advise(readings: Readings, same: SameAgainstSame | undefined): string[] {
  const { cores, virtualised, governor, turbo, smt, cpuQuota, load1, cpuPressure } = readings;
  const { noise, cpuStepNs } = readings;
  const isCompeting =
    load1 > 0.5 * cores ||
    exceeds(cpuPressure, PRESSURE_FLAGGED) ||
    exceeds(noise.runDelayShare, LIMITS.runDelayShare[0]);
  const isUneven = noise.kernelSpread > LIMITS.kernelSpread[0];
  const isWide = same !== undefined && same.floor > DECLARED_FLOOR;
  const advice: string[] = [];
  if (isBlind(readings)) {
    advice.push(
      `The CPU clock moves in steps of ${formatQuantity(cpuStepNs, 'ns')}: there are no figures ` +
        'per stage. Use a Linux kernel without a system call filter around getrusage.',
    );
  }
  if (isCompeting) {
    advice.push('Other programs of this machine compete for the cores: close them.');
    if (cores >= SPARE_CORES) {
      advice.push(
        `What cannot be closed can be kept on other cores: start it with "taskset -c 0", and ` +
          `sealbench with "taskset -c 2-${cores - 1}".`,
      );
    }
  }
  if (exceeds(noise.stealShare, LIMITS.stealShare[0])) {
    advice.push('The hypervisor gives time to other machines: use dedicated cores.');
  }
  if (cpuQuota !== undefined) {
    advice.push(
      `The control group may use ${formatNumber(cpuQuota)} cores' time and is then stopped for the ` +
        'rest of a period: lift the limit, or use fewer threads than that.',
    );
  }
  if (governor !== undefined && governor !== 'performance') {
    advice.push(
      `The clock rate follows the load (governor ${governor}): ` +
        'run "cpupower frequency-set -g performance" as root.',
    );
  }
  if (turbo === true) {
    advice.push(
      'Turbo is on, so the clock rate depends on temperature and on the other cores: turn it off ' +
        'in /sys/devices/system/cpu, intel_pstate/no_turbo or cpufreq/boost, as root.',
    );
  }
  if (smt === true) {
    advice.push(
      'Two logical cores share a physical one: turn SMT off, or use at most half as many threads ' +
        'as cores.',
    );
  }
  if (isUneven) {
    advice.push(
      virtualised === 'yes'
        ? 'The same work takes a varying time: neighbours share the core, its caches or its clock ' +
            'rate. A physical or dedicated machine is quieter.'
        : 'The same work takes a varying time: fix the clock rate and leave the machine alone.',
    );
  }
  if (isWide) {
    advice.push(
      'More repeats narrow what a machine leaves open: half the width takes four times as many ' +
        '(--budget thorough, or --repeats).',
    );
  }
  advice.push(
    cores < 2
      ? 'With one core the parent process and the collector disturb what is measured.'
      : `Use --threads up to ${cores}; each thread of load occupies one core.`,
  );
  return advice;
}

function exceeds(value: number | undefined, limit: number): boolean {
  return value !== undefined && value > limit;
}

/** One decimal, and two below one percent, where one would hide the floor. */
export function shareText(share: number): string {
  return share < 0.01 ? `${(share * 100).toFixed(2)} %` : percent(share);
}
