/** `doctor`: what this machine can show, why not less, and what would make it show more. */

import { badInput } from '../../core/errors.ts';
import { calibrateClock } from '../../measure/clock.ts';
import { calibrateCpu } from '../../measure/cpu.ts';
import { formatNumber, formatQuantity } from '../../report/numbers.ts';
import { Progress } from '../../report/progress.ts';
import { renderParagraph } from '../../report/table.ts';
import { defineCommand, EXIT, type Command, type Output } from '../command.ts';
import {
  advise,
  DECLARED_FLOOR,
  expectations,
  isBlind,
  judge,
  shareText,
  summariseSame,
  type Readings,
  type SameAgainstSame,
  type Verdict,
} from '../diagnosis.ts';
import { Interruption } from '../interruption.ts';
import { readMachine } from '../machine.ts';
import { observeNoise } from '../noise.ts';
import { runSamePairs, tryCell } from '../same-pairs.ts';
import { textTable } from '../table.ts';

const OBSERVED_MS = 3_000;

/** As many pairs as fit into this, within the bounds, unless told otherwise. */
const PAIRS_MS = 40_000;
const PAIRS_DEFAULT_MIN = 6;
const PAIRS_DEFAULT_MAX = 20;
/** Below six pairs Student's t hardly says anything. */
const PAIRS_MIN = 6;
const PAIRS_MAX = 1_000;
/** Narrow enough to be read; used where the width of the terminal is unknown. */
const USUAL_WIDTH = 100;

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
    const same =
      quick || isBlind(readings)
        ? undefined
        : await compareWithItself(pairs, interruption.signal, output);
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
    return done.length < PAIRS_MIN ? undefined : summariseSame(cell, done);
  } finally {
    progress.end();
  }
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

function shareOrUnknown(share: number | undefined): string {
  return share === undefined ? 'unknown' : `${(share * 100).toFixed(2)} %`;
}

function clockLine(stepNs: number, readNs: number): string {
  return `steps of ${formatQuantity(stepNs, 'ns')}, ${formatQuantity(readNs, 'ns')} to read`;
}
