/**
 * From a suite to cells, and from cells to repeats in the order in which they run.
 *
 * Repeats run in blocks: block r holds repeat r of every cell once, in seeded random order, so that
 * slow drift of a machine hits all cells alike and ratios can be taken within a block.
 *
 * @module
 */

import { badInput, HarnessError } from '../core/errors.ts';
import { badFile, canonicalJson, jsonPath, quoted, shownPath } from '../core/json.ts';
import { hint } from '../core/nearest.ts';
import { SeededRandom } from '../core/random.ts';
import type { Saturation } from '../workload/saturation.ts';
import type { Workload } from '../workload/workload.ts';
import { cellName, parseName, segment, type Name } from './names.ts';
import { CELLS_MAX, type LoadedSuite } from './parse.ts';
import { saturationThreads } from './open-loop.ts';
import { REPEATS_MAX, THREADS_MAX, type Budget } from './suite.ts';

const DEFAULT_REPEATS: Readonly<Record<Budget, number>> = { quick: 3, standard: 10, thorough: 40 };
const DEFAULT_WARMUP_MS: Readonly<Record<Budget, number>> = {
  quick: 500,
  standard: 500,
  thorough: 2_000,
};
/** What a result may hold in lines. */
const PLANNED_MAX = 1_000_000;
const SEED_MAX = 0xffff_ffff;
const NAMES_SHOWN = 5;

/** What planning needs to know of an option of a pipeline. */
export interface OptionInfo {
  /** The allowed words, or the bounds of an integer. */
  readonly values: readonly string[] | { readonly min: number; readonly max: number };
  readonly default: string;
}

/** What planning needs to know of a pipeline. */
export interface PipelineInfo {
  readonly options: Readonly<Record<string, OptionInfo>>;
  /** The library that computes it, where that is none of ours. */
  readonly foreign?: { readonly implementation: string; readonly asynchronous?: true };
}

/** Computes what lies under a foreign library: the seal of the relay's store. */
const CARRIER_PROVIDER = 'native';

export interface Known {
  /** By the name or path that suites use, without options. */
  readonly pipelines: ReadonlyMap<string, PipelineInfo>;
  /** Names, and the paths that suites use. */
  readonly providers: readonly string[];
}

export interface PlanOptions {
  /** A regular expression over full cell names. */
  readonly filter?: string;
  /** Another name by which the filter may find a cell. */
  readonly alsoNamed?: (cell: Cell) => string;
  readonly budget: Budget;
  /** Instead of the budget's. */
  readonly repeats?: number;
  /** Instead of the suite's. */
  readonly threads?: number;
  /** Instead of the suite's. */
  readonly purpose?: 'measure' | 'verify';
  /** 0 to 2^32 - 1. */
  readonly seed: number;
}

/** One line in a result. Its parts are the segments of its name. */
export interface Cell {
  readonly name: string;
  readonly suite: string;
  readonly pipeline: string;
  readonly implementation: string;
  readonly workload: string;
  readonly threads: number;
}

/** What one repeat is asked to do; the same shape as the engine's `RepeatSpec`. */
export interface PlannedSpec {
  readonly cell: string;
  readonly pipeline: string;
  readonly options: Readonly<Record<string, string>>;
  readonly provider: string;
  readonly workload: Workload;
  readonly threads: number;
  readonly seed: number;
  readonly repeat: number;
  readonly randomness: 'os' | 'seeded';
  readonly purpose: 'measure' | 'verify';
  readonly warmupMs: number;
  /** Whose CPU is read; `thread` where it is left out. */
  readonly cpu?: 'process';
  readonly saturation?: Saturation;
}

export interface PlannedRepeat {
  /** Position in the run, from 0. */
  readonly order: number;
  readonly cell: Cell;
  readonly spec: PlannedSpec;
}

export interface Plan {
  readonly cells: readonly Cell[];
  readonly order: readonly PlannedRepeat[];
  /** The segment of the pipeline that ratios refer to. */
  readonly baseline?: string;
}

/**
 * The seed of repeat `repeat`: the same for every cell, so that all pipelines get the same inputs,
 * and another for every repeat of every run, since no run has more than `REPEATS_MAX` of them.
 */
export function repeatSeed(runSeed: number, repeat: number): number {
  return runSeed * REPEATS_MAX + repeat;
}

/** @throws HarnessError BAD_INPUT for numbers that cannot be used. */
export function checkPlanNumbers({ repeats, threads, seed }: PlanOptions): void {
  checkInteger('repeats', repeats, 1, REPEATS_MAX);
  checkInteger('threads', threads, 1, THREADS_MAX);
  checkInteger('seed', seed, 0, SEED_MAX);
}

/** @throws HarnessError BAD_INPUT for more than a run may hold. */
export function repeatsOf(
  suite: Pick<LoadedSuite['suite'], 'repeats' | 'purpose'>,
  options: PlanOptions,
  cells: number,
): number {
  const purpose = options.purpose ?? suite.purpose ?? 'measure';
  const repeats =
    options.repeats ??
    suite.repeats?.[options.budget] ??
    (purpose === 'verify' ? 1 : DEFAULT_REPEATS[options.budget]);
  if (cells * repeats > PLANNED_MAX) {
    throw badInput(
      `expected at most ${PLANNED_MAX} repeats in a run, found ${cells} cells of ${repeats}; ` +
        'choose fewer repeats or a filter',
    );
  }
  return repeats;
}

/** @throws HarnessError BAD_INPUT for options, filters and numbers that cannot be used. */
export function planSuite(loaded: LoadedSuite, known: Known, options: PlanOptions): Plan {
  checkPlanNumbers(options);
  const all = expand(loaded, known, options.threads);
  const kept = filtered(all, options.filter, options.alsoNamed);
  const { suite } = loaded;
  const purpose = options.purpose ?? suite.purpose ?? 'measure';
  if (purpose === 'measure') requireBasis(loaded, kept, options.threads);
  const repeats = repeatsOf(suite, options, kept.length);
  const warmupMs = suite.warmupMs ?? DEFAULT_WARMUP_MS[options.budget];

  const order: PlannedRepeat[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const block = new SeededRandom(options.seed, repeat).shuffle([...kept]);
    for (const { cell, work } of block) {
      const spec: PlannedSpec = {
        cell: cell.name,
        ...work,
        threads: cell.threads,
        seed: repeatSeed(options.seed, repeat),
        repeat,
        randomness: purpose === 'verify' ? 'seeded' : 'os',
        purpose,
        warmupMs: purpose === 'verify' ? 0 : warmupMs,
        ...(suite.cpu === 'process' ? { cpu: suite.cpu } : {}),
        ...(suite.saturation === undefined ? {} : { saturation: suite.saturation }),
      };
      order.push({ order: order.length, cell, spec });
    }
  }
  const cells = kept.map(({ cell }) => cell);
  if (suite.baseline === undefined) return { cells, order };
  return { cells, order, baseline: resolvePipeline(suite.baseline, known).segment };
}

/** Refuses what cannot be measured by the CPU that the suite reads. */
function requireBasis(
  { suite, file }: LoadedSuite,
  cells: readonly ExpandedCell[],
  threadsInstead: number | undefined,
): void {
  const problem = threadsInstead && saturationThreads(suite, threadsInstead);
  if (problem) throw badInput(`threads: ${problem}`);
  if (suite.cpu === 'process') {
    if (threadsInstead === undefined || threadsInstead === 1) return;
    throw badInput(
      `threads: expected 1, as ${suite.name} reads the CPU of the process, found ${threadsInstead}`,
    );
  }
  const asynchronous = cells.find((cell) => cell.asynchronous);
  if (asynchronous === undefined) return;
  throw badInput(
    `${shownPath(file)}: ${asynchronous.cell.pipeline} has asynchronous calls, which are measured by ` +
      'the CPU of the process; expected a suite with "cpu": "process", such as curated/rivals',
  );
}

/** A cell and what it stands for. */
interface ExpandedCell {
  readonly cell: Cell;
  /** Whether its calls are. */
  readonly asynchronous: boolean;
  readonly work: Pick<PlannedSpec, 'pipeline' | 'options' | 'provider' | 'workload'>;
}

/** Crosses each group; a cell that several groups have is one cell. */
function expand(
  { suite, file, workloads }: LoadedSuite,
  known: Known,
  threadsInstead: number | undefined,
): ExpandedCell[] {
  const cells = new Map<string, ExpandedCell>();
  const problems = new Set<string>();
  for (const [index, group] of suite.matrix.entries()) {
    const at = (key: string, item: number): string => jsonPath(['matrix', index, key, item]);
    const pipelines = group.pipelines.flatMap((text, item) => {
      try {
        return [resolvePipeline(text, known)];
      } catch (error) {
        if (!(error instanceof HarnessError)) throw error;
        problems.add(`${at('pipelines', item)}: ${error.message}`);
        return [];
      }
    });
    const libraries = pipelines.flatMap(({ foreign }) => foreign?.implementation ?? []);
    for (const [item, text] of group.implementations.entries()) {
      if (known.providers.includes(text) || libraries.includes(text)) continue;
      problems.add(
        `${at('implementations', item)}: unknown implementation ${quoted(text)}; ` +
          hint(text, known.providers),
      );
    }
    for (const pipeline of pipelines) {
      for (const { implementation, provider } of implementationsOf(pipeline, group, known)) {
        for (const text of group.workloads) {
          const resolved = workloads.get(text);
          if (resolved === undefined) {
            throw new RangeError(`"loaded" expected the workload ${quoted(text)}, got none`);
          }
          const { workload } = resolved;
          for (const threads of threadsInstead === undefined ? group.threads : [threadsInstead]) {
            const parts = [pipeline.segment, implementation, resolved.segment, threads] as const;
            const name = cellName(suite.name, ...parts);
            const work = {
              pipeline: pipeline.name,
              options: pipeline.options,
              provider,
              workload,
            };
            const twin = cells.get(name)?.work;
            if (twin === undefined) {
              const [shown, , load] = parts;
              const cell = {
                name,
                suite: suite.name,
                pipeline: shown,
                implementation,
                workload: load,
                threads,
              };
              cells.set(name, {
                cell,
                asynchronous: pipeline.foreign?.asynchronous === true,
                work,
              });
            } else if (canonicalJson(twin) !== canonicalJson(work)) {
              problems.add(`matrix: two files of one name would share the cell ${quoted(name)}`);
            }
          }
        }
      }
    }
  }
  if (problems.size > 0) throw badFile(shownPath(file), [...problems]);
  if (cells.size > CELLS_MAX) {
    throw badInput(`${shownPath(file)}: expected at most ${CELLS_MAX} cells, found ${cells.size}`);
  }
  return [...cells.values()];
}

/** Who computes a pipeline: each provider of the group, or its own library whatever the group says. */
function implementationsOf(
  { foreign }: ResolvedPipeline,
  group: LoadedSuite['suite']['matrix'][number],
  known: Known,
): { readonly implementation: string; readonly provider: string }[] {
  if (foreign !== undefined) {
    return [{ implementation: foreign.implementation, provider: CARRIER_PROVIDER }];
  }
  return group.implementations
    .filter((provider) => known.providers.includes(provider))
    .map((provider) => ({ implementation: segment({ name: provider, options: {} }), provider }));
}

interface ResolvedPipeline extends Pick<PipelineInfo, 'foreign'> {
  readonly name: string;
  /** All options, defaults filled in. */
  readonly options: Readonly<Record<string, string>>;
  /** Only those that are not the default. */
  readonly segment: string;
}

/**
 * A pipeline's name with options, as in a suite.
 *
 * @throws HarnessError BAD_INPUT for an unknown pipeline or option, or a value that it does not take.
 */
export function resolvePipeline(text: string, known: Pick<Known, 'pipelines'>): ResolvedPipeline {
  const given = parseName(text);
  const info = known.pipelines.get(given.name);
  if (info === undefined) {
    const names = known.pipelines.keys();
    throw badInput(`unknown pipeline ${quoted(given.name)}; ${hint(given.name, names)}`);
  }
  const options = Object.fromEntries(
    Object.entries(info.options).map(([key, option]) => [key, option.default]),
  );
  const shown: Record<string, string> = {};
  for (const [key, value] of Object.entries(given.options)) {
    const option = Object.hasOwn(info.options, key) ? info.options[key] : undefined;
    if (option === undefined) {
      const keys = Object.keys(info.options);
      throw badInput(`unknown option ${quoted(key)} of ${given.name}; ${hint(key, keys)}`);
    }
    options[key] = optionValue(given, key, value, option);
    if (options[key] !== option.default) shown[key] = options[key];
  }
  const resolved = {
    name: given.name,
    options,
    segment: segment({ name: given.name, options: shown }),
  };
  return info.foreign === undefined ? resolved : { ...resolved, foreign: info.foreign };
}

/** @returns The value as all names write it: no leading zeros. */
function optionValue({ name }: Name, key: string, text: string, { values }: OptionInfo): string {
  if ('min' in values) {
    const value = Number(text);
    if (!/^-?\d{1,15}$/.test(text) || value < values.min || value > values.max) {
      throw badInput(
        `option ${quoted(key)} of ${name}: expected an integer from ${values.min} to ` +
          `${values.max}, found ${quoted(text)}`,
      );
    }
    return String(value);
  }
  if (!values.includes(text)) {
    throw badInput(
      `option ${quoted(key)} of ${name}: expected one of ${values.join(', ')}, ` +
        `found ${quoted(text)}; ${hint(text, values)}`,
    );
  }
  return text;
}

/** @throws HarnessError BAD_INPUT for a filter that is no regular expression or matches nothing. */
export function filtered<Item extends { readonly cell: Cell }>(
  cells: Item[],
  filter: string | undefined,
  alsoNamed: PlanOptions['alsoNamed'] = ({ name }) => name,
): Item[] {
  if (filter === undefined) return cells;
  let pattern: RegExp;
  try {
    pattern = new RegExp(filter, 'u');
  } catch {
    throw badInput(
      `filter: expected a regular expression, found ${quoted(filter)}; ${someNames(cells)}`,
    );
  }
  const kept = cells.filter(({ cell }) => pattern.test(cell.name) || pattern.test(alsoNamed(cell)));
  if (kept.length === 0) {
    throw badInput(
      `filter: expected to match a cell, found that ${quoted(filter)} matches none of ` +
        `${cells.length}; ${someNames(cells)}`,
    );
  }
  return kept;
}

function someNames(cells: readonly { readonly cell: Cell }[]): string {
  const lines = cells.slice(0, NAMES_SHOWN).map(({ cell }) => `\n  ${cell.name}`);
  return `cells are named, for example:${lines.join('')}`;
}

function checkInteger(what: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return;
  throw badInput(`${what}: expected an integer from ${min} to ${max}, found ${value}`);
}
