/** `run`: measures a suite and keeps the raw results, repeat by repeat. */

import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { badInput } from '../../core/errors.ts';
import { canonicalJson, shownPath } from '../../core/json.ts';
import type { Pipeline } from '../../pipelines/_pipeline.ts';
import type { CellResult } from '../../report/cells.ts';
import { quoteArguments, repeatingArguments } from '../../report/command-line.ts';
import type { PipelineNote } from '../../report/pairing.ts';
import { Progress } from '../../report/progress.ts';
import { deriveRows } from '../../report/rows.ts';
import { renderSummary } from '../../report/summary.ts';
import { readCodeDigest } from '../../results/code-digest.ts';
import { readEnvironment, readGit } from '../../results/environment.ts';
import type { Manifest } from '../../results/manifest.ts';
import { FORMAT } from '../../results/record.ts';
import { createRun, repeatKey, resumeRun, type Run } from '../../results/store.ts';
import { calibrateOverhead } from '../../runner/calibrate.ts';
import { execute } from '../../runner/execute.ts';
import { BUDGETS, REPEATS_MAX, THREADS_MAX, type Budget } from '../../suite/suite.ts';
import { defineCommand, EXIT, type Command, type ExitStatus, type Output } from '../command.ts';
import { readFigures } from '../figures.ts';
import { Interruption } from '../interruption.ts';
import { PLAN_OPTIONS, planNamed, replacementsOf, type PlannedSuite } from '../planning.ts';

const DEFAULT_SEED = 1;
const DEFAULT_BUDGET: Budget = 'quick';
const SEED_MAX = 0xffff_ffff;

const run: Command = defineCommand({
  name: 'run',
  summary: 'Measure a suite',
  details:
    'Each repeat is a fresh process; the repeats of all cells are interleaved in seeded random\n' +
    'order. The raw results are kept as each repeat ends, and --resume goes on with them.',
  positionals: {
    suite: { placeholder: 'SUITE', summary: 'a name under suites/, or a file; see list suites' },
  },
  options: {
    budget: { kind: 'choice', values: BUDGETS, summary: 'how many repeats; quick when left out' },
    repeats: { kind: 'integer', min: 1, max: REPEATS_MAX, summary: "instead of the budget's" },
    threads: { kind: 'integer', min: 1, max: THREADS_MAX, summary: "instead of the suite's" },
    seed: { kind: 'integer', min: 0, max: SEED_MAX, summary: 'of inputs and order; 1' },
    out: {
      kind: 'text',
      placeholder: 'DIR',
      summary: 'a new or empty folder for the results, instead of one under results/runs/',
    },
    resume: {
      kind: 'text',
      placeholder: 'DIR',
      summary: 'go on with an interrupted run; with the same suite and options as before',
    },
    ...PLAN_OPTIONS,
    json: { kind: 'flag', summary: 'print the derived rows as JSON instead of a table' },
  },
  examples: [
    'run curated/ladder',
    'run curated/ladder --budget standard --filter "double-ratchet|transport"',
    'run ./my-suite.json --provider native --provider ./my-provider.ts --repeats 5',
  ],
  async run({ positionals, options, output }) {
    if (options.out !== undefined && options.resume !== undefined) {
      throw badInput(
        'run: expected --out or --resume, got both; --resume goes on in its own folder',
      );
    }
    const resumed = options.resume === undefined ? undefined : await resumeRun(options.resume);
    for (const warning of resumed?.warnings ?? []) output.note(`sealbench: ${warning}\n`);
    const before = resumed?.run.manifest;
    const seed = options.seed ?? before?.seed ?? DEFAULT_SEED;
    const budget = options.budget ?? before?.budget ?? DEFAULT_BUDGET;
    const planned = await planNamed(
      positionals.suite,
      {
        budget,
        seed,
        ...(options.filter === undefined ? {} : { filter: options.filter }),
        ...(options.repeats === undefined ? {} : { repeats: options.repeats }),
        ...(options.threads === undefined ? {} : { threads: options.threads }),
      },
      replacementsOf(options),
    );
    const manifest = await describeRun(planned, seed, budget);
    if (before !== undefined) refuseOther(options.resume!, before, manifest);
    const started = resumed?.run ?? createRun(options.out, manifest);
    const finished = resumed?.finished ?? new Set();

    using interruption = new Interruption();
    await measure(started, planned, finished, interruption.signal, output);
    const interrupted = interruption.signal.aborted;
    started.finish({ endedAt: new Date().toISOString(), interrupted });
    return conclude(started, planned, interruption.status, options.json, output);
  },
});
export default run;

async function describeRun(
  { loaded, plan }: PlannedSuite,
  seed: number,
  budget: Budget,
): Promise<Manifest> {
  const { name, title, question, analysis } = loaded.suite;
  const { baseline } = plan;
  return {
    format: FORMAT,
    suite: {
      name,
      digest: loaded.digest,
      title,
      question,
      analysis,
      ...(baseline === undefined ? {} : { baseline }),
    },
    codeDigest: await readCodeDigest(),
    seed,
    budget,
    git: await readGit(),
    environment: await readEnvironment(),
    startedAt: new Date().toISOString(),
    endedAt: null,
    argv: process.argv.slice(2),
    cells: plan.cells.map((cell) => cell.name),
    interrupted: false,
  };
}

function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/** Numbers of different work, code or machines do not belong into one result. */
function refuseOther(directory: string, before: Manifest, now: Manifest): void {
  const differing = [
    before.suite.digest === now.suite.digest ? [] : ['the suite'],
    before.seed === now.seed ? [] : ['the seed'],
    isSame(before.cells, now.cells) ? [] : ['the cells'],
    before.codeDigest === now.codeDigest ? [] : ['the code of sealbench'],
    isSame(before.environment, now.environment) ? [] : ['the machine or its software'],
  ].flat();
  if (differing.length === 0) return;
  throw badInput(
    `${shownPath(directory)}: expected to go on with the same run, but ${differing.join(', ')} ` +
      `changed since; it was started by: ${program()} ${quoteArguments(before.argv)}`,
  );
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
  const { seed } = started.manifest;
  output.note(
    `${loaded.suite.title}\n` +
      `${counted(plan.cells.length, 'cell')}, ${counted(order.length, 'repeat')} in random order ` +
      `of seed ${seed}${finished.size === 0 ? '' : `, after ${finished.size} that are finished`}\n` +
      `results: ${shownPath(started.directory)}\n`,
  );
  const threads = Math.max(...plan.cells.map((cell) => cell.threads));
  if (threads > availableParallelism()) {
    output.note(
      `warning: ${threads} threads on ${availableParallelism()} cores wait for each other\n`,
    );
  }
  if (started.manifest.calibration === undefined && order.length > 0) {
    output.note("calibrating the harness's own cost\n");
    const overhead = await calibrateOverhead(signal).catch((error: unknown) => {
      if (signal.aborted) return undefined;
      throw error;
    });
    if (overhead === undefined || signal.aborted) return;
    started.finish({ calibration: { overhead } });
  }
  const repeats = new Map<string, number>();
  for (const { cell } of order) repeats.set(cell.name, (repeats.get(cell.name) ?? 0) + 1);
  const planned = plan.order.length / plan.cells.length;
  const progress = new Progress({
    plan: [...repeats].map(([cell, count]) => ({
      cell,
      repeats: count,
      before: planned - count,
    })),
    write: (text) => output.note(text),
    now: () => performance.now(),
    interactive: output.interactive,
    width: output.noteWidth,
  });
  try {
    await execute({
      plan: { order },
      run: started,
      suiteName: loaded.suite.name,
      signal,
      onStart: ({ cell }) => progress.started(cell.name),
      onEnd: (_, { status, reason }) => progress.finished(status, reason),
    });
  } finally {
    progress.end();
  }
}

async function conclude(
  { directory, manifest }: Run,
  { plan, pipelines }: PlannedSuite,
  interruptedBy: ExitStatus,
  json: boolean,
  output: Output,
): Promise<ExitStatus> {
  const notes = [...pipelines].map(([name, pipeline]) => noteOf(name, pipeline));
  const { records, cells, summary } = await readFigures(directory, notes);
  if (json) {
    const rows = await deriveRows(manifest, records);
    output.print(`${JSON.stringify({ directory, rows }, undefined, 2)}\n`);
  } else if (records.length > 0) {
    output.print(renderSummary(summary, { width: output.printWidth }));
  }
  const where = shownPath(directory);
  if (interruptedBy !== EXIT.fine) {
    output.note(
      `interrupted: ${records.length} of ${plan.order.length} repeats are kept in ${where}\n` +
        `to go on: ${program()} ${repeatingArguments(manifest.argv, ['--resume', where])}\n`,
    );
    return interruptedBy;
  }
  output.note(
    `raw results: ${where}\n` +
      `all figures: ${program()} rows ${where} --format csv\n` +
      `this again: ${program()} table ${where}\n`,
  );
  return statusOf(cells);
}

/** The name as cells show it: of a user's file the last part of its path. */
function noteOf(name: string, pipeline: Pipeline): PipelineNote {
  return { ...pipeline, name: basename(name) };
}

/** As the user can type it: the scripts of a clone put nothing on the shell's path. */
function program(): string {
  const script = process.env['npm_lifecycle_event'];
  return script === 'start' || script === 'sealbench' ? 'npm run -s sealbench --' : 'sealbench';
}

/** `1 cell`, `2 cells`. */
function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** What cannot run here is not wrong. */
function statusOf(cells: readonly CellResult[]): ExitStatus {
  if (cells.some(({ status }) => status === 'error')) return EXIT.failed;
  return cells.some(({ status }) => status === 'invalid') ? EXIT.undecided : EXIT.fine;
}
