/** `doctor`: what this machine can show, why not less, and what would make it show more. */

import { badInput } from '../../core/errors.ts';
import { calibrateClock } from '../../measure/clock.ts';
import { calibrateCpu } from '../../measure/cpu.ts';
import { formatNumber, formatQuantity } from '../../report/numbers.ts';
import { Progress } from '../../report/progress.ts';
import { renderParagraph } from '../../report/table.ts';
import { percent } from '../../report/wording.ts';
import { compareSame, smallestDifference } from '../../stats/smallest-difference.ts';
import { defineCommand, EXIT, type Command, type Output } from '../command.ts';
import { Interruption } from '../interruption.ts';
import { readMachine, type Machine } from '../machine.ts';
import { observeNoise, type Noise } from '../noise.ts';
import { runSamePairs, tryCell, type SamePair } from '../same-pairs.ts';
import { textTable } from '../table.ts';

const OBSERVED_MS = 3_000;

/** As many pairs as fit into this, within the bounds, unless told otherwise. */
const PAIRS_MS = 40_000;
const PAIRS_DEFAULT_MIN = 6;
const PAIRS_DEFAULT_MAX = 20;
/** Below six pairs Student's t hardly says anything. */
const PAIRS_MIN = 6;
const PAIRS_MAX = 1_000;
/** For which the smallest difference is told: standard has 10 repeats, thorough up to 40. */
const PREDICTED_PAIRS = [10, 20, 40] as const;
const STANDARD_PAIRS = 10;
const THOROUGH_PAIRS = 40;

/** A difference of less is none that matters, however many pairs show it. */
const DECLARED_FLOOR = 0.01;
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

/** Narrow enough to be read; used where the width of the terminal is unknown. */
const USUAL_WIDTH = 100;

type Verdict = 'quiet' | 'noisy' | 'too noisy';
const VERDICTS: readonly Verdict[] = ['quiet', 'noisy', 'too noisy'];

interface Readings extends Machine {
  readonly clockStepNs: number;
  readonly clockReadNs: number;
  readonly cpuStepNs: number;
  readonly cpuReadNs: number;
  readonly noise: Noise;
}

/** What the same against the same showed. */
interface SameAgainstSame {
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

const doctor: Command = defineCommand({
  name: 'doctor',
  summary: 'Tell what this machine can measure, and what to change',
  details:
    'Reads what the system says, computes for three seconds on one core, and then compares a\n' +
    'small cell with itself in pairs of fresh processes, for about 40 seconds: what differs there\n' +
    'is the machine, and no smaller difference can be shown. Leave the machine alone meanwhile.\n' +
    'Exits with 4 when the machine is too noisy.',
  positionals: {},
  options: {
    pairs: {
      kind: 'integer',
      min: PAIRS_MIN,
      max: PAIRS_MAX,
      summary: `of the comparison; what fits into ${PAIRS_MS / 1_000} s when left out`,
    },
    quick: { kind: 'flag', summary: 'leave the comparison out' },
    json: { kind: 'flag', summary: 'print everything as JSON, with each pair' },
  },
  examples: ['doctor', 'doctor --pairs 40', 'doctor --quick --json'],
  async run({ options: { pairs, quick, json }, output }) {
    if (quick && pairs !== undefined) {
      throw badInput('doctor: expected --pairs or --quick, got both; --quick runs no pairs');
    }
    using interruption = new Interruption();
    const readings = await examine(output);
    const isBlind = readings.cpuStepNs > COARSEST_CPU_STEP_NS;
    const same =
      quick || isBlind ? undefined : await compareWithItself(pairs, interruption.signal, output);
    const verdict = judge(readings, same);
    const expect = expectations(readings, verdict, same);
    const advice = advise(readings, same);
    output.print(
      json
        ? `${JSON.stringify({ verdict, ...readings, ...(same && { same }), expect, advice }, undefined, 2)}\n`
        : render(readings, verdict, same, expect, advice, output.printWidth),
    );
    if (interruption.signal.aborted) return interruption.status;
    return verdict === 'too noisy' ? EXIT.undecided : EXIT.fine;
  },
});
export default doctor;

async function examine(output: Output): Promise<Readings> {
  output.note(`watching the machine for ${OBSERVED_MS / 1_000} s\n`);
  // The load is that of others only before this process computes.
  const machine = await readMachine();
  return {
    ...machine,
    ...calibrateClock(),
    ...calibrateCpu(),
    noise: observeNoise(OBSERVED_MS, machine.logicalCores),
  };
}

/** @returns Undefined where too few pairs were finished before an interruption. */
async function compareWithItself(
  wanted: number | undefined,
  signal: AbortSignal,
  output: Output,
): Promise<SameAgainstSame | undefined> {
  const trial = await tryCell(signal);
  if (trial === undefined) return undefined;
  const fitting = Math.floor(PAIRS_MS / (2 * trial.wallMs));
  const pairs = wanted ?? Math.min(PAIRS_DEFAULT_MAX, Math.max(PAIRS_DEFAULT_MIN, fitting));
  const { cell } = trial.spec;
  output.note(`comparing ${cell} with itself in ${pairs} pairs of processes\n`);
  const progress = new Progress({
    plan: [{ cell, repeats: 2 * pairs }],
    write: (text) => output.note(text),
    now: () => performance.now(),
    interactive: output.interactive,
    width: output.noteWidth,
  });
  try {
    const done = await runSamePairs(trial.spec, pairs, {
      signal,
      onStart: () => progress.started(cell),
      onEnd: () => progress.finished('ok'),
    });
    return done.length < PAIRS_MIN ? undefined : summarise(cell, done);
  } finally {
    progress.end();
  }
}

function summarise(cell: string, pairs: readonly SamePair[]): SameAgainstSame {
  const { ratio, interval, floor, deviation } = compareSame(
    pairs.map(({ aNs, bNs }) => Math.log(bNs / aNs)),
  );
  const smallest = PREDICTED_PAIRS.map((count) => ({
    pairs: count,
    difference: smallestDifference(Math.max(DECLARED_FLOOR, floor), deviation, count),
  }));
  return { cell, pairs, ratio, ...interval, floor, deviation, smallest };
}

/** The worst that any reading says, and what came of comparing the same with the same. */
function judge({ noise, cpuStepNs }: Readings, same: SameAgainstSame | undefined): Verdict {
  const grades = (['runDelayShare', 'stealShare', 'kernelSpread'] as const).map((key) =>
    gradeOf(noise[key] ?? 0, LIMITS[key]),
  );
  if (cpuStepNs > COARSEST_CPU_STEP_NS) grades.push(2);
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
function expectations(
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

function advise(readings: Readings, same: SameAgainstSame | undefined): string[] {
  const { cores, virtualised, governor, turbo, smt, cpuQuota, load1, cpuPressure } = readings;
  const { noise, cpuStepNs } = readings;
  const isCompeting =
    load1 > 0.5 * cores ||
    exceeds(cpuPressure, PRESSURE_FLAGGED) ||
    exceeds(noise.runDelayShare, LIMITS.runDelayShare[0]);
  const isUneven = noise.kernelSpread > LIMITS.kernelSpread[0];
  const isWide = same !== undefined && same.floor > DECLARED_FLOOR;
  const advice: string[] = [];
  if (cpuStepNs > COARSEST_CPU_STEP_NS) {
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

function render(
  readings: Readings,
  verdict: Verdict,
  same: SameAgainstSame | undefined,
  expect: readonly string[],
  advice: readonly string[],
  width = USUAL_WIDTH,
): string {
  return [
    textTable('', ['', 'on this machine'], readingRows(readings)),
    ...(same === undefined ? [] : [sameTable(same), listed(sameNotes(same), width)]),
    `This machine is ${verdict}.\n${listed(expect, width)}`,
    `What to change\n${listed(advice, width)}`,
  ].join('\n');
}

function listed(sentences: readonly string[], width: number): string {
  return sentences.map((sentence) => `${renderParagraph(`- ${sentence}`, width)}\n`).join('');
}

function readingRows(readings: Readings): string[][] {
  const { noise, cores, logicalCores, memoryLimitBytes } = readings;
  const usable = cores === logicalCores ? '' : `, ${cores} of them usable`;
  const limit =
    memoryLimitBytes === undefined ? '' : `, of which ${gibibytes(memoryLimitBytes)} may be used`;
  return [
    ['CPU', `${readings.cpuModel}, ${logicalCores} cores${usable}`],
    ['memory', `${gibibytes(readings.memoryBytes)}${limit}`],
    [
      'CPU quota',
      readings.cpuQuota === undefined ? 'none known' : `${formatNumber(readings.cpuQuota)} cores`,
    ],
    ['virtualised', readings.virtualised],
    ['governor', readings.governor ?? 'unknown'],
    ['turbo', switchText(readings.turbo)],
    ['SMT', switchText(readings.smt)],
    ['load, 1 minute', readings.load1.toFixed(2)],
    ['some thread waited for a core, 10 s', shareOrUnknown(readings.cpuPressure)],
    ['wall clock', clockLine(readings.clockStepNs, readings.clockReadNs)],
    ['CPU clock', clockLine(readings.cpuStepNs, readings.cpuReadNs)],
    ['waited for a core', shareOrUnknown(noise.runDelayShare)],
    ['stolen by the hypervisor', shareOrUnknown(noise.stealShare)],
    [
      'same work, repeated',
      `${formatQuantity(noise.kernelNs, 'ns')} of CPU; 95th percentile / 5th = ${noise.kernelSpread.toFixed(2)}`,
    ],
  ];
}

function sameTable(same: SameAgainstSame): string {
  const { pairs, ratio, low, high, floor, deviation, smallest } = same;
  return textTable(
    'The same against the same',
    ['', 'CPU per message'],
    [
      [
        'A / A',
        `${ratio.toFixed(4)} [${low.toFixed(4)}, ${high.toFixed(4)}] over ${pairs.length} pairs`,
      ],
      ['floor', `${shareText(floor)}; a pair differs by ${shareText(deviation)}`],
      ...smallest.map((one) => [
        `smallest difference, ${one.pairs} pairs`,
        shareText(one.difference),
      ]),
    ],
  );
}

function sameNotes({ cell, pairs }: SameAgainstSame): string[] {
  return [
    `${cell} in pairs of fresh processes. In brackets the 95 % interval; its outer end is the ` +
      `floor, which more pairs tell better (--pairs ${2 * pairs.length}).`,
    `The smallest difference is the larger of that floor and ${shareText(DECLARED_FLOOR)}, and half ` +
      'the width of the interval that so many pairs like these give.',
  ];
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

function switchText(on: boolean | undefined): string {
  return on === undefined ? 'unknown' : on ? 'on' : 'off';
}

/** One decimal, and two below one percent, where one would hide the floor. */
function shareText(share: number): string {
  return share < 0.01 ? `${(share * 100).toFixed(2)} %` : percent(share);
}

function shareOrUnknown(share: number | undefined): string {
  return share === undefined ? 'unknown' : `${(share * 100).toFixed(2)} %`;
}

function clockLine(stepNs: number, readNs: number): string {
  return `steps of ${formatQuantity(stepNs, 'ns')}, ${formatQuantity(readNs, 'ns')} to read`;
}
