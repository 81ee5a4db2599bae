/**
 * A comparison from two words to a verdict: the sides made ready, the cells measured, all of it kept.
 *
 * @module
 */

import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { figureReader } from '../compare/figures.ts';
import { outcomeOf, type ComparedCell, type Outcome } from '../compare/gate.ts';
import { badInput, HarnessError } from '../core/errors.ts';
import { shownPath } from '../core/json.ts';
import { RUNS_DIR } from '../core/paths.ts';
import {
  comparisonMarkdown,
  renderComparison,
  type ComparisonToShow,
} from '../report/comparison.ts';
import { comparisonJunit } from '../report/junit.ts';
import { formatDuration } from '../report/progress.ts';
import { readCodeDigest } from '../results/code-digest.ts';
import { readEnvironment } from '../results/environment.ts';
import { lockMachine } from '../runner/machine-lock.ts';
import { openSide, type Side } from '../runner/side.ts';
import { EXIT, type ExitStatus, type Output } from './command.ts';
import { measureCell, type CellToCompare } from './comparing.ts';
import type { measureInstructions } from './comparing-instructions.ts';
import { planComparison, type ComparisonRequest } from './comparison-plan.ts';
import { Interruption } from './interruption.ts';

export interface WantedComparison {
  readonly base: string;
  readonly head: string;
  readonly implementation: boolean;
  readonly request: ComparisonRequest;
  readonly blocks: number;
  readonly percentiles: boolean;
  readonly strict: boolean;
  readonly prepare: string | undefined;
  readonly out: string | undefined;
  /** Files for the Markdown summary and for JUnit. */
  readonly summary: string | undefined;
  readonly junit: string | undefined;
  readonly format: 'text' | 'markdown' | 'json';
  /** Instead of processes that are timed; undefined where it is not asked for. */
  readonly countInstructions: typeof measureInstructions | undefined;
  readonly output: Output;
}

const STATUS: Readonly<Record<Outcome, ExitStatus>> = {
  fine: EXIT.fine,
  regressed: EXIT.gateFailed,
  failed: EXIT.failed,
  'too-noisy': EXIT.undecided,
  nothing: EXIT.undecided,
  undecided: EXIT.undecided,
};

/** To the first column, and erase to the end of the line (ECMA-48: CR, EL). */
const REDRAW = '\r\u001B[K';

/** @throws HarnessError before anything is measured, for sides that cannot be compared. */
export async function runComparison(wanted: WantedComparison): Promise<ExitStatus> {
  const { request, output, implementation, prepare } = wanted;
  using _ = lockMachine();
  using interruption = new Interruption();
  const { signal } = interruption;
  const options = {
    implementation,
    prepare,
    signal,
    note: (text: string): void => output.note(text),
  };
  try {
    using base = await openSide(wanted.base, options);
    using head = await openSide(wanted.head, options);
    if (signal.aborted) return interruption.status;
    const cells = await planComparison(request, base, head);
    const directory = createFolder(wanted.out);
    output.note(
      `base: ${base.is}\nhead: ${head.is}\n` +
        `${cells.length} cells, ${effortOf(wanted)} each\n` +
        `results: ${shownPath(directory)}\n`,
    );
    const compared = await measureAll(wanted, { base, head }, cells, directory, signal);
    if (!signal.aborted) return await conclude(wanted, { base, head }, compared, directory);
    const interrupted = { planned: cells.length, status: interruption.status };
    output.note(`interrupted after ${compared.length} of ${cells.length} cells\n`);
    if (compared.length === 0) return interruption.status;
    return await conclude(wanted, { base, head }, compared, directory, interrupted);
  } catch (error) {
    if (signal.aborted) return interruption.status;
    throw error;
  }
}

async function measureAll(
  wanted: WantedComparison,
  sides: { readonly base: Side; readonly head: Side },
  cells: readonly CellToCompare[],
  directory: string,
  signal: AbortSignal,
): Promise<ComparedCell[]> {
  const { blocks, output, request, percentiles, implementation, countInstructions } = wanted;
  const readFigures = await figureReader();
  const keep = (line: object): void =>
    appendFileSync(join(directory, 'blocks.ndjson'), `${JSON.stringify(line)}\n`);
  const startMs = performance.now();
  const compared: ComparedCell[] = [];
  for (const [index, work] of cells.entries()) {
    let done = 0;
    const cell = await (countInstructions?.(work, sides, signal, ({ arm, perMessage }) => {
      keep({ cell: work.cell, arm, perMessage });
      const elapsed = formatDuration(performance.now() - startMs);
      const text = `${arm}: ${Math.round(perMessage)} instructions per message`;
      output.note(`${index + 1}/${cells.length} ${work.cell}: ${text} (${elapsed})\n`);
    }) ??
      measureCell(work, {
        sides,
        blocks,
        seed: request.seed,
        percentiles,
        // What a library is asked for and what is composed of it differs by library.
        ignored: implementation ? ['primitive-calls'] : [],
        signal,
        readFigures,
        onBlock(name, pass, block) {
          keep({ cell: name, pass, ...block });
          done += 1;
          const elapsed = formatDuration(performance.now() - startMs);
          const again = pass === 2 ? ', accused, once more' : '';
          const text = `${index + 1}/${cells.length} ${work.cell}: ${done} of ${blocks}${again} (${elapsed})`;
          if (output.interactive) output.note(`${REDRAW}${text.slice(0, output.noteWidth)}`);
          if (done === blocks) {
            done = 0;
            if (!output.interactive) output.note(`${text}\n`);
          }
        },
      }));
    if (cell === undefined || signal.aborted) break;
    if (cell.failure !== undefined) {
      const { side, status, reason } = cell.failure;
      output.note(
        `${output.interactive ? REDRAW : ''}${work.cell}: ${side}: ${status}: ${reason}\n`,
      );
    }
    compared.push(cell);
  }
  if (output.interactive) output.note(REDRAW);
  return compared;
}

/** What each cell takes, for people. */
function effortOf({ blocks, countInstructions }: WantedComparison): string {
  return countInstructions === undefined
    ? `${blocks} blocks of three fresh processes`
    : 'two counts of the base and one of the head';
}

/** @param interrupted Where not all planned cells are finished: their number and the status. */
async function conclude(
  wanted: WantedComparison,
  { base, head }: { readonly base: Side; readonly head: Side },
  cells: readonly ComparedCell[],
  directory: string,
  interrupted?: { readonly planned: number; readonly status: ExitStatus },
): Promise<ExitStatus> {
  const { output, blocks, strict } = wanted;
  const environment = await readEnvironment();
  const outcome = outcomeOf(cells, strict);
  const shown: ComparisonToShow = {
    base: base.is,
    head: head.is,
    outcome,
    cells,
    planned: interrupted?.planned ?? cells.length,
    effort: effortOf(wanted),
    machine: `${environment.cpuModel}, ${environment.availableCores} cores, Node ${environment.node}`,
  };
  const status = interrupted?.status ?? STATUS[outcome];
  const result = {
    format: 1,
    outcome,
    exitStatus: status,
    base: { given: base.given, is: base.is, revision: base.revision ?? null },
    head: { given: head.given, is: head.is, revision: head.revision ?? null },
    request: wanted.request,
    blocks,
    planned: shown.planned,
    codeDigest: await readCodeDigest(),
    environment,
    endedAt: new Date().toISOString(),
    cells,
  };
  const json = `${JSON.stringify(result, undefined, 2)}\n`;
  write(join(directory, 'comparison.json'), json);
  const markdown = comparisonMarkdown(shown);
  if (wanted.summary !== undefined) write(wanted.summary, markdown);
  if (wanted.junit !== undefined) write(wanted.junit, comparisonJunit(shown));
  const onGithub = process.env['GITHUB_STEP_SUMMARY'];
  if (onGithub !== undefined && onGithub !== '') append(onGithub, `${markdown}\n`);
  if (wanted.format === 'json') output.print(json);
  else if (wanted.format === 'markdown') output.print(markdown);
  else output.print(renderComparison(shown, output.printWidth));
  output.note(`every block: ${shownPath(directory)}\n`);
  return status;
}

/** @param directory New or empty; left out: results/runs/<UTC>-compare. */
function createFolder(directory: string | undefined): string {
  const utc = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const folder = resolve(directory ?? join(RUNS_DIR, `${utc}-compare`));
  let entries: string[];
  try {
    mkdirSync(folder, { recursive: true });
    entries = readdirSync(folder);
  } catch (error) {
    throw badInput(
      `${shownPath(folder)} cannot hold a comparison: ${messageOf(error)}; choose another folder`,
    );
  }
  if (entries.length === 0) return folder;
  throw badInput(
    `${shownPath(folder)}: expected a new or empty folder, found files in it; choose another`,
  );
}

function write(file: string, text: string): void {
  try {
    mkdirSync(dirname(resolve(file)), { recursive: true });
    writeFileSync(file, text);
  } catch (error) {
    throw new HarnessError('NOT_WRITTEN', `${shownPath(file)}: ${messageOf(error)}`);
  }
}

function append(file: string, text: string): void {
  try {
    appendFileSync(file, text);
  } catch (error) {
    throw new HarnessError('NOT_WRITTEN', `${shownPath(file)}: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
