/** `bank`: how often this machine calls a difference where there is none, and where there is one. */

import { basename } from 'node:path';
import { badInput } from '../../core/errors.ts';
import { shownPath } from '../../core/json.ts';
import { formatDuration } from '../../report/progress.ts';
import { publishedBank } from '../../report/published.ts';
import { renderTable } from '../../report/table.ts';
import { readCodeDigest } from '../../results/code-digest.ts';
import { readEnvironment, readGit } from '../../results/environment.ts';
import { armsOf, calibrate, type BankBlock } from '../../runner/bank-arms.ts';
import { figuresOf, type FigureName } from '../../runner/bank-figures.ts';
import {
  appendBlock,
  createBank,
  openBank,
  requireSameBank,
  type BankManifest,
  type OpenBank,
} from '../../runner/bank-store.ts';
import { fillBlocks } from '../../runner/blocks.ts';
import { lockMachine } from '../../runner/machine-lock.ts';
import { runRepeat } from '../../runner/repeat.ts';
import { defineCommand, EXIT, type Command, type ExitStatus, type Output } from '../command.ts';
import { tableOf } from '../bank-table.ts';
import { isMet, judgeBank } from '../bank-verdicts.ts';
import { Interruption } from '../interruption.ts';
import { writeBlock } from '../splice.ts';

const COMPARISONS = 40;
const BLOCKS = 20;
/** Declared before anything is measured. */
const FLOOR = 0.01;
const FIGURE: FigureName = 'mean';
const COMPARISONS_MAX = 1_000;
const BLOCKS_MAX = 1_000;
const SEED_MAX = 0xffff_ffff;
/** To the first column, and erase to the end of the line (ECMA-48: CR, EL). */
const REDRAW = '\r\u001B[K';

const bank: Command = defineCommand({
  name: 'bank',
  summary: 'Count how often this machine finds a difference: where there is none, 3 % and 5 %',
  details: [
    'Compares a Double Ratchet with a copy of itself and with itself slowed down by 3 % and by 5 %,',
    'in blocks of four fresh processes side by side on one core, so that what happens to the machine',
    'happens to all of them. A verdict is that of `compare`: the whole interval lies beyond the',
    'floor. Takes about an hour with two cores; every block is kept as it ends, and --resume goes on.',
    '',
    'Exits with 0 when, of 40 comparisons, at most 1 calls the copy another, and at least 24 and 37',
    'catch the slowdowns of 3 % and 5 %; with 1 otherwise.',
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
    out: {
      kind: 'text',
      placeholder: 'DIR',
      summary: 'a new or empty folder, instead of one under results/runs/',
    },
    resume: {
      kind: 'text',
      placeholder: 'DIR',
      summary: 'go on with an interrupted bank, or judge a finished one again',
    },
    splice: {
      kind: 'text',
      placeholder: 'FILE',
      summary: 'with --resume: write what it found into a document, between the markers of bank',
    },
    json: { kind: 'flag', summary: 'print every comparison as JSON' },
  },
  examples: [
    'bank',
    'bank --comparisons 5 --out results/runs/bank',
    'bank --resume DIR --json',
    'bank --resume results/banks/DATE --splice docs/COMPARE.md',
  ],
  async run({ options, output }) {
    if (options.out !== undefined && options.resume !== undefined) {
      throw badInput(
        'bank: expected --out or --resume, got both; --resume goes on in its own folder',
      );
    }
    if (options.splice !== undefined && options.resume === undefined) {
      throw badInput('bank: --splice expected a bank that is there already: name it by --resume');
    }
    const resumed = options.resume === undefined ? undefined : await openBank(options.resume);
    using _ = resumed !== undefined && missingIn(resumed) === 0 ? undefined : lockMachine();
    using interruption = new Interruption();
    const { signal } = interruption;
    const seed = options.seed ?? resumed?.manifest.seed ?? 1;
    const planned = await plan(options, resumed?.manifest, seed, signal, output);
    if (planned === undefined) return interruption.status;
    // A finished bank is only judged, by whatever code.
    if (resumed !== undefined && missingIn(resumed) > 0) {
      requireSameBank(resumed.directory, resumed.manifest, planned);
    }
    const opened = resumed ?? createBank(options.out, planned);
    const blocks = await fill(opened, signal, output);
    if (options.splice !== undefined && blocks.length === blocksOf(opened.manifest)) {
      const folder = basename(opened.directory);
      const block = publishedBank(folder, opened.manifest, tableOf(opened.manifest, blocks));
      await writeBlock(options.splice, block, folder, output);
    }
    return conclude(opened, blocks, interruption.status, options.json, output);
  },
});
export default bank;

/** @returns undefined when `signal` aborts. */
async function plan(
  options: { readonly comparisons: number | undefined; readonly blocks: number | undefined },
  before: BankManifest | undefined,
  seed: number,
  signal: AbortSignal,
  output: Output,
): Promise<BankManifest | undefined> {
  if (before === undefined) output.note('finding what a planted slowdown costs\n');
  const calibration = before?.calibration ?? (await calibrate(FIGURE, { seed, signal, runRepeat }));
  if (calibration === undefined) return undefined;
  return {
    format: 3,
    figure: FIGURE,
    floor: FLOOR,
    comparisons: options.comparisons ?? before?.comparisons ?? COMPARISONS,
    blocksPerComparison: options.blocks ?? before?.blocksPerComparison ?? BLOCKS,
    seed,
    arms: (await armsOf(calibration)).map(({ name, spec }) => ({ name, spec: { ...spec } })),
    calibration,
    codeDigest: await readCodeDigest(),
    git: await readGit(),
    environment: await readEnvironment(),
    startedAt: new Date().toISOString(),
    argv: process.argv.slice(2),
  };
}

function blocksOf({ comparisons, blocksPerComparison }: BankManifest): number {
  return comparisons * blocksPerComparison;
}

function missingIn({ manifest, blocks }: OpenBank): number {
  return blocksOf(manifest) - blocks.length;
}

/** @returns All blocks, those of before included. */
async function fill(
  bankToFill: OpenBank,
  signal: AbortSignal,
  output: Output,
): Promise<BankBlock[]> {
  const { directory, manifest, blocks: before } = bankToFill;
  const blocks = [...before];
  const total = blocksOf(manifest);
  const missing = missingIn(bankToFill);
  if (missing === 0) return blocks;
  output.note(`${missing} of ${total} blocks to run\nresults: ${shownPath(directory)}\n`);
  const startMs = performance.now();
  let done = 0;
  await fillBlocks({
    read: figuresOf,
    arms: await armsOf(manifest.calibration),
    blocks: total,
    seed: manifest.seed,
    done: new Set(before.map(({ block }) => block)),
    signal,
    runRepeat,
    onBlock(block) {
      appendBlock(directory, block);
      blocks.push(block);
      done += 1;
      const elapsedMs = performance.now() - startMs;
      const remaining = formatDuration((elapsedMs / done) * (missing - done));
      const line = `${blocks.length}/${total} ${formatDuration(elapsedMs)} ETA ${remaining}`;
      if (output.interactive) output.note(`${REDRAW}${line}`);
      else if (blocks.length % manifest.blocksPerComparison === 0) output.note(`${line}\n`);
    },
  });
  if (output.interactive) output.note(REDRAW);
  return blocks;
}

function conclude(
  { directory, manifest }: OpenBank,
  blocks: readonly BankBlock[],
  interruptedBy: ExitStatus,
  json: boolean,
  output: Output,
): ExitStatus {
  const results = judgeBank(manifest, blocks, manifest.figure);
  const where = shownPath(directory);
  if (json) {
    output.print(`${JSON.stringify({ directory, manifest, results }, undefined, 2)}\n`);
  } else {
    output.print(renderTable(tableOf(manifest, blocks), { width: output.printWidth }));
  }
  if (interruptedBy !== EXIT.fine) {
    output.note(`interrupted; to go on: sealbench bank --resume ${where}\n`);
    return interruptedBy;
  }
  output.note(`every block: ${where}\n`);
  const met = results.every((result) => isMet(result, manifest.comparisons) === true);
  return met ? EXIT.fine : EXIT.gateFailed;
}
