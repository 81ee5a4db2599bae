/**
 * What a run is asked for: the arguments of `run`, from a command line or from a manifest.
 *
 * @module
 */

import { badInput, HarnessError } from '../core/errors.ts';
import { quoted } from '../core/json.ts';
import type { RunRequest } from '../report/command-line.ts';
import type { Manifest } from '../results/manifest.ts';
import { BUDGETS, REPEATS_MAX, THREADS_MAX, type Budget } from '../suite/suite.ts';
import { parseArguments } from './command.ts';
import { PLAN_OPTIONS } from './planning.ts';

export interface Request extends RunRequest {
  readonly budget: Budget;
}

const DEFAULT_SEED = 1;
const DEFAULT_BUDGET: Budget = 'quick';
const SEED_MAX = 0xffff_ffff;

/** The arguments of `run`. */
export const RUN_SYNTAX = {
  name: 'run',
  positionals: {
    suite: { placeholder: 'SUITE', summary: 'a name under suites/, or a file; see list suites' },
  },
  options: {
    budget: { kind: 'choice', values: BUDGETS, summary: 'how many repeats; quick when left out' },
    repeats: { kind: 'integer', min: 1, max: REPEATS_MAX, summary: "instead of the budget's" },
    until: {
      kind: 'text',
      placeholder: 'PERCENT',
      summary: 'with --budget thorough: half the width of an interval that is narrow enough; 3%',
    },
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
    profile: {
      kind: 'text',
      placeholder: 'CELL',
      summary:
        'then run this cell once more under the V8 profiler: its name, or a regular expression',
    },
    json: { kind: 'flag', summary: 'print the derived rows as JSON instead of a table' },
  },
} as const;

type Parsed = Pick<
  Exclude<
    ReturnType<
      typeof parseArguments<(typeof RUN_SYNTAX)['positionals'], (typeof RUN_SYNTAX)['options']>
    >,
    'help'
  >,
  'positionals' | 'options'
>;

/** @param before Of a run that is gone on with: its seed and budget hold where none is given. */
export function requestFrom(
  { positionals, options }: Parsed,
  before?: Pick<Manifest, 'seed' | 'budget'>,
): Request {
  const { filter, repeats, threads, until, provider, pipeline, workload } = options;
  return {
    suite: positionals.suite,
    budget: options.budget ?? before?.budget ?? DEFAULT_BUDGET,
    seed: options.seed ?? before?.seed ?? DEFAULT_SEED,
    filter,
    repeats,
    threads,
    until,
    provider,
    pipeline,
    workload,
  };
}

/**
 * What a finished run had been asked for.
 *
 * @param where The run's folder, for messages.
 * @throws HarnessError BAD_INPUT for a manifest without the command line of a run.
 */
export function requestOf(manifest: Manifest, where: string): Request {
  const [command, ...args] = manifest.argv;
  try {
    if (command !== 'run') throw badInput(`it begins with ${quoted(command ?? '')}`);
    const parsed = parseArguments(RUN_SYNTAX, args);
    if (parsed === 'help') throw badInput('it asks for help');
    return requestFrom(parsed, manifest);
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    throw badInput(
      `${where}: manifest.json: argv: expected the command line of a run, but ${error.message}`,
    );
  }
}

/** Narrower than this no 40 repeats make an interval; wider than that none is needed. */
const UNTIL_MIN = 0.001;
const UNTIL_MAX = 0.5;

/** `2%` to 0.02. @throws HarnessError BAD_INPUT for anything else. */
export function parseUntil(text: string): number {
  const share =
    Number(/^(?<percent>\d{1,3}(?:\.\d{1,6})?) ?%$/.exec(text)?.groups!['percent']) / 100;
  if (share >= UNTIL_MIN && share <= UNTIL_MAX) return share;
  throw badInput(
    `run: --until expected a percentage from ${UNTIL_MIN * 100}% to ${UNTIL_MAX * 100}%, such as ` +
      `2%, got ${quoted(text)}`,
  );
}
