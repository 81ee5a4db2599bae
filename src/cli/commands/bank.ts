/** `bank`: how often this machine would call a difference where there is none. */

import { badInput } from '../../core/errors.ts';
import { shownPath } from '../../core/json.ts';
import { formatNumber } from '../../report/numbers.ts';
import { formatDuration } from '../../report/progress.ts';
import { renderTable, type Table } from '../../report/table.ts';
import { readCodeDigest } from '../../results/code-digest.ts';
import { readEnvironment, readGit } from '../../results/environment.ts';
import { FIGURES, type FigureName } from '../../runner/bank-figures.ts';
import {
  appendBlock,
  createBank,
  openBank,
  requireSameBank,
  type BankManifest,
  type OpenBank,
} from '../../runner/bank-store.ts';
import {
  armsOfSame,
  fillBank,
  judgeBank,
  type ArmResult,
  type BankBlock,
} from '../../runner/bank.ts';
import { runRepeat } from '../../runner/repeat.ts';
import { defineCommand, EXIT, type Command, type ExitStatus, type Output } from '../command.ts';
import { Interruption } from '../interruption.ts';
import { quantile, sortSamples } from '../../stats/quantile.ts';

const COMPARISONS = 40;
const BLOCKS = 20;
/** Declared before anything is measured. */
const FLOOR = 0.01;
const FIGURE: FigureName = 'lower-quartile';
/** Intervals beyond the floor that are put down to chance. */
const BEYOND_MAX = 1;
const COMPARISONS_MAX = 1_000;
const BLOCKS_MAX = 1_000;
const SEED_MAX = 0xffff_ffff;
/** To the first column, and erase to the end of the line (ECMA-48: CR, EL). */
const REDRAW = '\r\u001B[K';

const bank: Command = defineCommand({
  name: 'bank',
  summary: 'Count how often this machine finds a difference where there is none',
  details: [
    'Compares a Double Ratchet with itself, in pairs of fresh processes in random order. An interval',
    'that lies wholly beyond 1 % is a false alarm. A pair within which the machine changed its',
    'speed, by the reference kernel, is run again. Takes about half an hour, and longer where that',
    'is often; leave the machine alone meanwhile. Every pair is kept as it ends, and --resume goes',
    'on.',
    '',
    `Exits with 0 when at most ${BEYOND_MAX} interval lies beyond, and with 1 otherwise.`,
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
      summary: `pairs of each comparison; ${BLOCKS} when left out`,
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
    json: { kind: 'flag', summary: 'print every comparison as JSON' },
  },
  examples: ['bank', 'bank --comparisons 5 --out results/runs/bank', 'bank --resume DIR --json'],
  async run({ options, output }) {
    if (options.out !== undefined && options.resume !== undefined) {
      throw badInput(
        'bank: expected --out or --resume, got both; --resume goes on in its own folder',
      );
    }
    const resumed = options.resume === undefined ? undefined : await openBank(options.resume);
    const before = resumed?.manifest;
    const planned: BankManifest = {
      format: 1,
      figure: FIGURE,
      floor: FLOOR,
      comparisons: options.comparisons ?? before?.comparisons ?? COMPARISONS,
      blocksPerComparison: options.blocks ?? before?.blocksPerComparison ?? BLOCKS,
      seed: options.seed ?? before?.seed ?? 1,
      arms: (await armsOfSame()).map(({ name, spec }) => ({ name, spec: { ...spec } })),
      codeDigest: await readCodeDigest(),
      git: await readGit(),
      environment: await readEnvironment(),
      startedAt: new Date().toISOString(),
      argv: process.argv.slice(2),
    };
    // A finished bank is only judged, by whatever code.
    if (resumed !== undefined && missingIn(resumed) > 0) {
      requireSameBank(resumed.directory, resumed.manifest, planned);
    }
    const opened = resumed ?? createBank(options.out, planned);
    using interruption = new Interruption();
    const blocks = await fill(opened, interruption.signal, output);
    return conclude(opened, blocks, interruption.status, options.json, output);
  },
});
export default bank;

function blocksOf({ comparisons, blocksPerComparison }: BankManifest): number {
  return comparisons * blocksPerComparison;
}

function missingIn({ manifest, blocks }: OpenBank): number {
  return blocksOf(manifest) - blocks.filter(({ kept }) => kept).length;
}

/** @returns All blocks, those of before included. */
async function fill(
  bankToFill: OpenBank,
  signal: AbortSignal,
  output: Output,
): Promise<BankBlock[]> {
  const { directory, manifest, blocks: before } = bankToFill;
  const blocks = [...before];
  const missing = missingIn(bankToFill);
  if (missing === 0) return blocks;
  const total = blocksOf(manifest);
  const perComparison = manifest.blocksPerComparison;
  output.note(`${missing} of ${total} pairs to run\nresults: ${shownPath(directory)}\n`);
  const startMs = performance.now();
  let done = 0;
  await fillBank({
    arms: await armsOfSame(),
    blocks: total,
    seed: manifest.seed,
    done: before,
    signal,
    runRepeat,
    now: () => performance.now(),
    onBlock(block) {
      appendBlock(directory, block);
      blocks.push(block);
      if (!block.kept) return;
      done += 1;
      const elapsedMs = performance.now() - startMs;
      const remaining = formatDuration((elapsedMs / done) * (missing - done));
      const line = `${total - missing + done}/${total} ${formatDuration(elapsedMs)} ETA ${remaining}`;
      if (output.interactive) output.note(`${REDRAW}${line}`);
      else if ((block.block + 1) % perComparison === 0) output.note(`${line}\n`);
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
  const results = resultsBy(manifest.figure, manifest, blocks);
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
  output.note(`every pair: ${where}\n`);
  return results.every(({ beyond }) => beyond <= BEYOND_MAX) ? EXIT.fine : EXIT.gateFailed;
}

function resultsBy(
  figure: FigureName,
  { arms, blocksPerComparison, floor }: BankManifest,
  blocks: readonly BankBlock[],
): ArmResult[] {
  const names = arms.map(({ name }) => name);
  return judgeBank(blocks, names, blocksPerComparison, floor, figure);
}

/** One line per arm, and what the machine could show. */
export function tableOf(manifest: BankManifest, blocks: readonly BankBlock[]): Table {
  const { environment, blocksPerComparison, comparisons, floor, figure, arms } = manifest;
  const results = resultsBy(figure, manifest, blocks);
  const percent = formatNumber(floor * 100);
  return {
    title: `A/A bank on ${environment.cpuModel}, ${environment.availableCores} cores, Node ${environment.node}`,
    columns: [
      'against',
      'comparisons',
      `beyond ${percent}%`,
      'share of all, exact 95%',
      'half-width, median',
      'least',
      'largest',
      'verdict',
    ].map((title) => ({ title })),
    rows: results.map((result) => ({ cells: cellsOf(result, comparisons) })),
    notes: [
      `A comparison is ${blocksPerComparison} pairs of fresh processes that no other has; its ` +
        '95 % interval is by Student on the mean of the logarithms of the ratios within pairs. ' +
        `Figure of a process: the ${figure} of CPU per message over its blocks.`,
      `Beyond: the whole interval lies beyond ${percent}%, which was declared before.`,
      ...results.flatMap((result) => showableNotes(result, floor)),
      disturbedNote(blocks),
      ...otherFigures(manifest, blocks),
      ...results.flatMap(({ arm, comparisons: all }) =>
        all.flatMap(({ beyond, interval }, index) =>
          beyond === 'no'
            ? []
            : [
                `${arm}, comparison ${index + 1}: ${beyond} than ${arms[0]!.name}, ` +
                  `[${ratioText(interval.low)}, ${ratioText(interval.high)}].`,
              ],
        ),
      ),
    ],
  };
}

function cellsOf(result: ArmResult, planned: number): (string | undefined)[] {
  const { arm, comparisons, beyond, beyondShare } = result;
  if (beyondShare === undefined) return [arm, `0 of ${planned}`];
  const widths = halfWidths(result);
  const verdict =
    comparisons.length < planned ? 'incomplete' : beyond <= BEYOND_MAX ? 'met' : 'missed';
  const shares = [beyondShare.low, beyondShare.high].map((share) => formatNumber(share * 100, 1));
  return [
    arm,
    `${comparisons.length} of ${planned}`,
    String(beyond),
    `${shares.join(' to ')}%`,
    ...[0.5, 0, 1].map((p) => percentText(quantile(widths, p))),
    verdict,
  ];
}

function halfWidths({ comparisons }: ArmResult): ReturnType<typeof sortSamples> {
  return sortSamples(comparisons.map(({ interval: { low, high } }) => Math.log(high / low) / 2));
}

/** The floor of the machine is the outer end of an A/A interval. */
function showableNotes(result: ArmResult, floor: number): string[] {
  if (result.comparisons.length === 0) return [];
  const ends = sortSamples(
    result.comparisons.map(({ interval: { low, high } }) =>
      Math.max(Math.abs(Math.log(low)), Math.abs(Math.log(high))),
    ),
  );
  const middle = quantile(ends, 0.5);
  const shown = Math.max(floor, middle) + quantile(halfWidths(result), 0.5);
  return [
    `${result.arm}: the outer end of an interval, the floor of this machine, is ` +
      `${percentText(middle)} in the median, at most ${percentText(quantile(ends, 1))}. The ` +
      `smallest difference that as many pairs could show here is about ${percentText(shown)}.`,
  ];
}

function disturbedNote(blocks: readonly BankBlock[]): string {
  const again = blocks.filter(({ kept }) => !kept).length;
  const disturbed = blocks.filter(({ kept, disturbed: is }) => kept && is).length;
  return (
    `${again} of ${blocks.length} attempts at a pair were disturbed, by the reference kernel, and ` +
    `run again; ${disturbed} pairs count though they were, after the last attempt.`
  );
}

/** What the choice of the figure does, for information. */
function otherFigures(manifest: BankManifest, blocks: readonly BankBlock[]): string[] {
  const texts = FIGURES.filter((name) => name !== manifest.figure).flatMap((name) => {
    const [result] = resultsBy(name, manifest, blocks);
    if (result === undefined || result.comparisons.length === 0) return [];
    const half = percentText(quantile(halfWidths(result), 0.5));
    return [`by the ${name} over blocks ${half}, with ${result.beyond} beyond`];
  });
  return texts.length === 0 ? [] : [`For information: half-widths would be ${texts.join('; ')}.`];
}

function percentText(share: number): string {
  return `${formatNumber(share * 100, 2)}%`;
}

function ratioText(ratio: number): string {
  return ratio.toFixed(4);
}
