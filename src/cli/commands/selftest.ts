/** `selftest`: whether a gate on this machine notices slowdowns that are planted, and only those. */

import { formatNumber } from '../../report/numbers.ts';
import { formatDuration } from '../../report/progress.ts';
import { readEnvironment } from '../../results/environment.ts';
import { armsOf, calibrate, PLANTED, type BankBlock } from '../../runner/bank-arms.ts';
import { figuresOf } from '../../runner/bank-figures.ts';
import { fillBlocks } from '../../runner/blocks.ts';
import { lockMachine } from '../../runner/machine-lock.ts';
import { runRepeat } from '../../runner/repeat.ts';
import { judgeBank, type ArmResult } from '../bank-verdicts.ts';
import { defineCommand, EXIT, type Command, type ExitStatus, type Output } from '../command.ts';
import { Interruption } from '../interruption.ts';
import { textTable } from '../table.ts';
import type { Calibration } from '../../runner/bank-arms.ts';

const COMPARISONS = 5;
const BLOCKS = 20;
const COMPARISONS_MAX = 1_000;
const BLOCKS_MAX = 1_000;
const SEED_MAX = 0xffff_ffff;
const FLOOR = 0.01;
const FIGURE = 'mean';
/** A gate that misses this is none. */
const MUST_CATCH = 'A+10%';
const ALARMS_MAX = 1;

const selftest: Command = defineCommand({
  name: 'selftest',
  summary: 'Plant slowdowns of 3, 5 and 10 % and count which of them this machine catches',
  details: [
    'A Double Ratchet against a copy of itself and against itself with work added to every message,',
    'in blocks of five fresh processes side by side on one core, by the judge of `compare`. `bank`',
    `does the same at length. Takes about ${2 * COMPARISONS} minutes with two cores.`,
    '',
    `Exits with 0 when 10 % was caught every time and at most ${ALARMS_MAX} copy was called slower or`,
    'faster; with 4 otherwise: then a verdict of `compare` on this machine says little.',
  ].join('\n'),
  positionals: {},
  options: {
    comparisons: {
      kind: 'integer',
      min: 1,
      max: COMPARISONS_MAX,
      summary: `how many; ${COMPARISONS} when left out`,
    },
    blocks: {
      kind: 'integer',
      min: 2,
      max: BLOCKS_MAX,
      summary: `blocks of each comparison; ${BLOCKS} when left out`,
    },
    seed: { kind: 'integer', min: 0, max: SEED_MAX, summary: 'of inputs and order; 1' },
    json: { kind: 'flag', summary: 'print every comparison as JSON' },
  },
  examples: ['selftest', 'selftest --comparisons 10', 'selftest --blocks 40 --json'],
  async run({ options, output }) {
    const { comparisons = COMPARISONS, blocks = BLOCKS, seed = 1 } = options;
    using _ = lockMachine();
    using interruption = new Interruption();
    const { signal } = interruption;
    output.note('finding what a planted slowdown costs\n');
    const calibration = await calibrate(FIGURE, { seed, signal, runRepeat });
    if (calibration === undefined) return interruption.status;
    const arms = await armsOf(calibration, Object.keys(PLANTED));
    const done: BankBlock[] = [];
    const startMs = now();
    const total = comparisons * blocks;
    await fillBlocks({
      arms,
      blocks: total,
      seed,
      signal,
      runRepeat,
      read: figuresOf,
      onBlock(block) {
        done.push(block);
        if (done.length % blocks === 0 || output.interactive) {
          output.note(`${done.length} of ${total} blocks (${formatDuration(now() - startMs)})\n`);
        }
      },
    });
    if (signal.aborted) return interruption.status;
    const shape = { arms, comparisons, blocksPerComparison: blocks, floor: FLOOR };
    const results = judgeBank(shape, done, FIGURE);
    if (options.json) {
      const all = { calibration, environment: await readEnvironment(), results };
      output.print(`${JSON.stringify(all, undefined, 2)}\n`);
    } else print(results, calibration, comparisons, output);
    return statusOf(results);
  },
});
export default selftest;

/** Milliseconds that only grow. */
function now(): number {
  return performance.now();
}

function print(
  results: readonly ArmResult[],
  { added, low, high }: Calibration,
  comparisons: number,
  output: Output,
): void {
  const rows = results.map(({ planted, called, calledShare, calledByDeclaredFloor, measured }) => [
    planted === 0 ? 'none' : percent(planted),
    measured === undefined ? '-' : percent(measured.share),
    `${called} of ${comparisons}`,
    calledShare === undefined
      ? '-'
      : `${formatNumber(calledShare.low * 100, 1)} to ${formatNumber(calledShare.high * 100, 1)}%`,
    `${calledByDeclaredFloor} of ${comparisons}`,
  ]);
  output.print(
    textTable(
      '',
      ['planted', 'measured', 'called', 'share of all, exact 95%', 'with the floor of 1% alone'],
      rows,
    ),
  );
  output.print(
    `\nOf what was planted the error is ${percent(low / added - 1)} to ${percent(high / added - 1)} ` +
      'of itself. Each comparison is judged once; compare measures the accused again.\n',
  );
}

function percent(share: number): string {
  return `${formatNumber(share * 100, 2)}%`;
}

function statusOf(results: readonly ArmResult[]): ExitStatus {
  const ofCopy = results.find(({ planted }) => planted === 0);
  const must = results.find(({ arm }) => arm === MUST_CATCH);
  const isGate =
    ofCopy !== undefined &&
    must !== undefined &&
    ofCopy.called <= ALARMS_MAX &&
    must.called === must.comparisons.length;
  return isGate ? EXIT.fine : EXIT.undecided;
}
