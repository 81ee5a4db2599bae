/**
 * A run from what it is asked for to its figures: planned, measured, kept and printed.
 *
 * @module
 */

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { badInput, HarnessError } from '../core/errors.ts';
import { quoted, shownPath } from '../core/json.ts';
import { memoryLimitBytes } from '../core/system-memory.ts';
import type { Pipeline } from '../pipelines/_pipeline.ts';
import type { CellResult } from '../report/cells.ts';
import { quoteArguments, repeatingArguments } from '../report/command-line.ts';
import { LiveText } from '../report/live-text.ts';
import { isWide, narrownessOf } from '../report/narrowness.ts';
import { overheadOf } from '../report/overhead.ts';
import type { PipelineNote } from '../report/pairing.ts';
import { Progress } from '../report/progress.ts';
import { deriveRows } from '../report/rows.ts';
import { renderSummary } from '../report/summary.ts';
import type { Judgement } from '../report/verdict.ts';
import { readCodeDigest } from '../results/code-digest.ts';
import { readEnvironment, readGit } from '../results/environment.ts';
import type { Manifest } from '../results/manifest.ts';
import { FORMAT, type RepeatRecord } from '../results/record.ts';
import { createRun, readRun, repeatKey, type ResumedRun, type Run } from '../results/store.ts';
import { calibrateOverhead } from '../runner/calibrate.ts';
import { execute, type Planned } from '../runner/execute.ts';
import { profileRepeat } from '../runner/profile.ts';
import { isOfExposure } from '../suite/exposure-suite.ts';
import { isOfOperations, isOfRelay } from '../suite/operations.ts';
import { EXIT, type ExitStatus, type Output } from './command.ts';
import { readFigures } from './figures.ts';
import { Interruption } from './interruption.ts';
import { planNamed, replacementsOf, type PlannedSuite } from './planning.ts';
import { program } from './program.ts';
import { parseUntil, type Request } from './request.ts';
import { runUntilNarrow } from './until-narrow.ts';

/** Half the width of an interval that is narrow enough, as a share, with the budget thorough. */
const DEFAULT_UNTIL = 0.03;
/** Names of cells that a message lists. */
const NAMED_MAX = 10;
/** Most file systems take 255 bytes; cells may be longer. */
const FILE_NAME_MAX = 200;

export interface WantedRun {
  readonly request: Request;
  /** A command line that asks for it. */
  readonly argv: readonly string[];
  readonly json: boolean;
  readonly output: Output;
  /** A new or empty folder; left out: one under results/runs/. */
  readonly out?: string | undefined;
  /** What is gone on with. */
  readonly resumed?: ResumedRun | undefined;
  /** The cell to be profiled afterwards: its name, or a regular expression. */
  readonly profile?: string | undefined;
  /** Is shown the run before anything is written, to refuse it. */
  readonly check?: (manifest: Manifest) => void;
}

/** @throws HarnessError BAD_INPUT, before anything is measured, for what cannot be used. */
export async function measureRun(wanted: WantedRun): Promise<ExitStatus> {
  const { request, output, resumed } = wanted;
  const { budget, seed, filter, repeats, threads } = request;
  const planned = await planNamed(
    request.suite,
    {
      budget,
      seed,
      ...(filter === undefined ? {} : { filter }),
      ...(repeats === undefined ? {} : { repeats }),
      ...(threads === undefined ? {} : { threads }),
    },
    replacementsOf(request),
  );
  if (isOfExposure(planned.loaded)) {
    const { name } = planned.loaded.suite;
    throw badInput(
      `run: ${name} is a suite of exposure, which is not timed; mount its attacks with: ${program()} exposure ${name}`,
    );
  }
  const until = untilOf(request, planned, resumed?.run.manifest);
  const profiled =
    wanted.profile === undefined ? undefined : cellToProfile(wanted.profile, planned);
  const manifest = await describeRun(planned, wanted, until);
  wanted.check?.(manifest);
  const started = resumed?.run ?? createRun(wanted.out, manifest);

  using interruption = new Interruption();
  const { signal } = interruption;
  await measure(started, planned, resumed?.finished ?? new Set(), signal, output);
  const interrupted = signal.aborted;
  started.finish({ endedAt: new Date().toISOString(), interrupted });
  const isProfiled =
    profiled === undefined || interrupted || (await profile(started, profiled, signal, output));
  const status = await conclude(started, planned, wanted, interrupted, interruption.status);
  return isProfiled || status !== EXIT.fine ? status : EXIT.failed;
}

/**
 * @returns Undefined for a run whose number of repeats is fixed.
 * @throws HarnessError BAD_INPUT for a width that such a run has no use for.
 */
function untilOf(
  { budget, repeats, until }: Request,
  { loaded }: PlannedSuite,
  before: Manifest | undefined,
): number | undefined {
  const isOpen = budget === 'thorough' && repeats === undefined && purposeOf(loaded) !== 'verify';
  if (until !== undefined) {
    if (isOpen) return parseUntil(until);
    throw badInput(
      'run: --until is for --budget thorough without --repeats, where repeats are added until all ' +
        'cells are narrow enough',
    );
  }
  if (!isOpen) return undefined;
  return before === undefined ? DEFAULT_UNTIL : before.until;
}

function purposeOf(loaded: PlannedSuite['loaded']): string | undefined {
  return isOfExposure(loaded) ? 'verify' : loaded.suite.purpose;
}

async function describeRun(
  { loaded, plan }: PlannedSuite,
  { request, argv }: WantedRun,
  until: number | undefined,
): Promise<Manifest> {
  const { name, kind, title, question, analysis } = loaded.suite;
  const { baseline } = plan;
  return {
    format: FORMAT,
    suite: {
      name,
      digest: loaded.digest,
      ...(kind === undefined ? {} : { kind }),
      title,
      question,
      analysis,
      ...(baseline === undefined ? {} : { baseline }),
    },
    codeDigest: await readCodeDigest(),
    seed: request.seed,
    budget: request.budget,
    ...(until === undefined ? {} : { until }),
    git: await readGit(),
    environment: await readEnvironment(),
    startedAt: new Date().toISOString(),
    endedAt: null,
    argv: [...argv],
    cells: plan.cells.map((cell) => cell.name),
    interrupted: false,
  };
}

async function measure(
  started: Run,
  { loaded, plan }: PlannedSuite,
  finished: ReadonlySet<string>,
  signal: AbortSignal,
  output: Output,
): Promise<void> {
  const order = plan.order.filter(
    ({ cell, spec }) => !finished.has(repeatKey(cell.name, spec.repeat)),
  );
  const { seed, until } = started.manifest;
  const atMost = until === undefined ? '' : 'at most ';
  output.note(
    `${loaded.suite.title}\n` +
      `${counted(plan.cells.length, 'cell')}, ${atMost}${counted(order.length, 'repeat')} in random ` +
      `order of seed ${seed}${finished.size === 0 ? '' : `, after ${finished.size} that are finished`}\n` +
      `results: ${shownPath(started.directory)}\n`,
  );
  const threads = Math.max(...plan.cells.map((cell) => cell.threads));
  if (threads > availableParallelism()) {
    output.note(
      `warning: ${threads} threads on ${availableParallelism()} cores wait for each other\n`,
    );
  }
  // The engine's loops carry messages; an operation alone is timed by tinybench, a relay by itself, and
  // a check by nothing.
  const usesEngine =
    !isOfOperations(loaded) && !isOfRelay(loaded) && purposeOf(loaded) !== 'verify';
  if (usesEngine && started.manifest.calibration === undefined && order.length > 0) {
    output.note("calibrating the harness's own cost\n");
    const overhead = await calibrateOverhead(signal).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (overhead === undefined || signal.aborted) return;
    started.finish({ calibration: { overhead } });
  }
  const repeats = new Map<string, number>(plan.cells.map(({ name }) => [name, 0]));
  for (const { cell } of order) repeats.set(cell.name, repeats.get(cell.name)! + 1);
  const each = plan.order.length / plan.cells.length;
  const progress = new Progress({
    plan: [...repeats].map(([cell, count]) => ({ cell, repeats: count, before: each - count })),
    write: (text) => output.note(text),
    now: () => performance.now(),
    interactive: output.interactive,
    width: output.noteWidth,
    atMost: until !== undefined,
  });
  const records: RepeatRecord[] = [];
  let live = new LiveText();
  const runRepeats = async (some: readonly Planned[]): Promise<void> => {
    await execute({
      plan: { order: some },
      run: started,
      suiteName: loaded.suite.name,
      signal,
      memoryBytes: isRecordedBeyondMemory(loaded) ? memoryLimitBytes() : undefined,
      onStart({ cell }) {
        live = new LiveText();
        progress.started(cell.name);
      },
      onLive: (report) => progress.live(live.of(report)),
      onEnd: (_, record) => {
        records.push(record);
        progress.finished(record.status, record.reason);
      },
    });
  };
  try {
    if (until === undefined) {
      await runRepeats(order);
    } else {
      if (finished.size > 0) records.push(...(await readRun(started.directory)).records);
      await runUntilNarrow({
        order: plan.order,
        baseline: plan.baseline,
        until,
        empty: overheadOf(started.manifest)?.emptyCallNs,
        records,
        finished,
        runRepeats,
        onSettled: (cell) => progress.settled(cell),
        signal,
      });
    }
  } finally {
    progress.end();
  }
}

function isRecordedBeyondMemory(loaded: PlannedSuite['loaded']): boolean {
  if (isOfOperations(loaded) || isOfRelay(loaded) || isOfExposure(loaded)) return false;
  return loaded.suite.beyondMemory === 'record';
}

/** @throws HarnessError BAD_INPUT unless `wanted` is the name of a cell or matches exactly one. */
function cellToProfile(wanted: string, { plan }: PlannedSuite): Planned {
  const names = plan.cells.map(({ name }) => name);
  const matching = names.includes(wanted) ? [wanted] : names.filter(matcherOf(wanted));
  const [name] = matching;
  if (name === undefined || matching.length > 1) {
    const [listed, what] =
      name === undefined ? [names, 'none; the cells are'] : [matching, 'several'];
    const more = listed.length > NAMED_MAX ? `\n  and ${listed.length - NAMED_MAX} more` : '';
    const lines = listed.slice(0, NAMED_MAX).map((cell) => `\n  ${cell}`);
    throw badInput(
      `run: --profile expected a name or a regular expression of exactly one cell, but ` +
        `${quoted(wanted)} matches ${what}:${lines.join('')}${more}`,
    );
  }
  return plan.order.find(({ cell }) => cell.name === name)!;
}

function matcherOf(text: string): (name: string) => boolean {
  try {
    const pattern = new RegExp(text, 'u');
    return (name) => pattern.test(name);
  } catch {
    throw badInput(
      `run: --profile expected the name of a cell or a regular expression, got ${quoted(text)}`,
    );
  }
}

/** @returns Whether there is a profile, or none because it was interrupted. */
async function profile(
  { directory }: Run,
  { cell, spec }: Planned,
  signal: AbortSignal,
  output: Output,
): Promise<boolean> {
  output.note(`profiling ${cell.name}\n`);
  const file = freeFile(join(directory, 'profiles'), cell.name, '.cpuprofile');
  const { status, reason } = await profileRepeat(spec, file, signal).catch((error: unknown) => {
    // The figures are there and are still to be printed.
    if (!(error instanceof HarnessError)) throw error;
    return { status: 'error', reason: error.message };
  });
  if (signal.aborted) return true;
  if (status !== 'ok') {
    output.note(`no profile: ${status}: ${reason ?? 'no reason'}\n`);
    return false;
  }
  output.note(
    `profile of one more repeat, which is in no figure: ${shownPath(file)}\n` +
      'open it in Chrome DevTools (Performance, Load profile) or at https://www.speedscope.app\n',
  );
  return true;
}

/** A path for something of a cell; profiles of earlier attempts stay. */
function freeFile(folder: string, cell: string, extension: string): string {
  const name = cell.replaceAll(/[^\w.,=-]/g, '_').slice(0, FILE_NAME_MAX);
  for (let twin = 1; ; twin++) {
    const file = join(folder, `${name}${twin === 1 ? '' : `-${twin}`}${extension}`);
    if (!existsSync(file)) return file;
  }
}

async function conclude(
  { directory, manifest }: Run,
  { plan, pipelines }: PlannedSuite,
  { json, output }: WantedRun,
  interrupted: boolean,
  interruptedBy: ExitStatus,
): Promise<ExitStatus> {
  const notes = [...pipelines].map(([name, pipeline]) => noteOf(name, pipeline));
  const { records, cells, summary } = await readFigures(directory, notes);
  const { judgement } = summary;
  if (json) {
    const rows = await deriveRows(manifest, records);
    const narrowness = narrownessFields(manifest, cells);
    output.print(
      `${JSON.stringify({ directory, ...judgement, ...narrowness, rows }, undefined, 2)}\n`,
    );
  } else if (records.length > 0) {
    output.print(renderSummary(summary, { width: output.printWidth }));
  }
  const where = shownPath(directory);
  if (interrupted) {
    const atMost = manifest.until === undefined ? '' : 'at most ';
    output.note(
      `interrupted: ${records.length} of ${atMost}${plan.order.length} repeats are kept in ${where}\n` +
        `to go on: ${program()} ${repeatingArguments(manifest.argv, ['--resume', where])}\n`,
    );
    return interruptedBy;
  }
  output.note(
    `raw results: ${where}\n` +
      `all figures: ${program()} rows ${quoteArguments([where])} --format csv\n` +
      `this again: ${program()} table ${quoteArguments([where])}\n`,
  );
  return interruptedBy === EXIT.fine ? statusOf(cells, judgement) : interruptedBy;
}

/** What a run reached that went on until its cells were narrow enough. */
function narrownessFields({ until, suite }: Manifest, cells: readonly CellResult[]): object {
  if (until === undefined) return {};
  return {
    until,
    narrowness: narrownessOf(cells, suite.baseline).map((one) => ({
      cell: one.cell.cell,
      halfWidth: one.halfWidth ?? null,
      repeats: one.cell.repeats,
      isNarrow: !isWide(one, until),
    })),
  };
}

/** The name as cells show it: of a user's file the last part of its path. */
function noteOf(name: string, pipeline: Pipeline): PipelineNote {
  return { ...pipeline, name: basename(name) };
}

/** `1 cell`, `2 cells`. */
function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** What cannot run here is not wrong. */
function statusOf(cells: readonly CellResult[], { verdict }: Judgement): ExitStatus {
  if (cells.some(({ status }) => status === 'error')) return EXIT.failed;
  if (verdict === 'too noisy') return EXIT.undecided;
  return cells.some(({ status }) => status === 'invalid') ? EXIT.undecided : EXIT.fine;
}
