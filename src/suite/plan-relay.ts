/**
 * From a suite of relay loads to cells, and from cells to repeats in blocks of random order, as for
 * suites of messages.
 *
 * @module
 */

import { badInput, HarnessError } from '../core/errors.ts';
import { badFile, canonicalJson, jsonPath, quoted, shownPath } from '../core/json.ts';
import { SeededRandom } from '../core/random.ts';
import type { Workload } from '../workload/workload.ts';
import { cellName, parseName, segment } from './names.ts';
import type { LoadedRelay } from './parse-relay.ts';
import { CELLS_MAX } from './parse.ts';
import {
  checkPlanNumbers,
  filtered,
  repeatSeed,
  repeatsOf,
  resolvePipeline,
  type Cell,
  type Known,
  type PlanOptions,
} from './plan.ts';
import type { Load, STORES, TLS_MODES } from './relay-suite.ts';
import type { Budget } from './suite.ts';

const DEFAULT_WARMUP_MS: Readonly<Record<Budget, number>> = {
  quick: 500,
  standard: 500,
  thorough: 2_000,
};
const DEFAULT_TIMED_MS: Readonly<Record<Budget, number>> = {
  quick: 1_500,
  standard: 1_500,
  thorough: 5_000,
};
const DEFAULT_CLIENTS = 32;
const DEFAULT_MESSAGES_PER_FETCH = 5;
const DEFAULT_BOUND_MS = 25;
const DEFAULT_MESSAGES_PER_CONNECTION = [1, 5, 20, 100];

/** What one repeat is asked to do; the same shape as `RelaySpec` of src/relay/load/spec.ts. */
export interface PlannedRelaySpec {
  readonly kind: 'relay';
  readonly load: Load;
  readonly cell: string;
  readonly pipeline: string;
  readonly options: Readonly<Record<string, string>>;
  readonly provider: string;
  readonly workload: Workload;
  readonly tls: (typeof TLS_MODES)[number];
  readonly store: (typeof STORES)[number];
  readonly clients: number;
  readonly messagesPerFetch: number;
  readonly boundMs?: number;
  readonly ratePerSecond?: number;
  readonly resumption?: boolean;
  readonly messagesPerConnection?: readonly number[];
  readonly seed: number;
  readonly repeat: number;
  readonly purpose: 'measure' | 'verify';
  readonly warmupMs: number;
  readonly timedMs: number;
}

export interface PlannedRelay {
  /** Position in the run, from 0. */
  readonly order: number;
  readonly cell: Cell;
  readonly spec: PlannedRelaySpec;
}

export interface RelayPlan {
  readonly cells: readonly Cell[];
  readonly order: readonly PlannedRelay[];
  /** The segment of the pipeline that ratios refer to. */
  readonly baseline?: string;
}

type Work = Omit<
  PlannedRelaySpec,
  'kind' | 'cell' | 'seed' | 'repeat' | 'purpose' | 'warmupMs' | 'timedMs'
>;

interface ExpandedCell {
  readonly cell: Cell;
  readonly work: Work;
}

/** @throws HarnessError BAD_INPUT for options, filters and numbers that cannot be used. */
export function planRelay(
  loaded: LoadedRelay,
  known: Pick<Known, 'pipelines'>,
  options: PlanOptions,
): RelayPlan {
  checkPlanNumbers(options);
  if (options.threads !== undefined && options.threads !== 1) {
    throw badInput(
      `threads: expected 1, for a relay is driven by one process, found ${options.threads}`,
    );
  }
  const kept = filtered(expand(loaded, known), options.filter);
  const { suite } = loaded;
  const { budget } = options;
  const purpose = options.purpose ?? suite.purpose ?? 'measure';
  const repeats = repeatsOf(suite, options, kept.length);
  const order: PlannedRelay[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const { cell, work } of new SeededRandom(options.seed, repeat).shuffle([...kept])) {
      const spec: PlannedRelaySpec = {
        kind: 'relay',
        cell: cell.name,
        ...work,
        seed: repeatSeed(options.seed, repeat),
        repeat,
        purpose,
        warmupMs: suite.warmupMs ?? DEFAULT_WARMUP_MS[budget],
        timedMs: suite.timedMs ?? DEFAULT_TIMED_MS[budget],
      };
      order.push({ order: order.length, cell, spec });
    }
  }
  const cells = kept.map(({ cell }) => cell);
  if (suite.baseline === undefined) return { cells, order };
  return { cells, order, baseline: resolvePipeline(suite.baseline, known).segment };
}

/** Crosses each group; a cell that several groups have is one cell. */
function expand(
  { suite, file, workloads }: LoadedRelay,
  known: Pick<Known, 'pipelines'>,
): ExpandedCell[] {
  const cells = new Map<string, ExpandedCell>();
  const problems = new Set<string>();
  for (const [index, group] of suite.matrix.entries()) {
    for (const [item, text] of group.pipelines.entries()) {
      const pipeline = resolved(text, known);
      if (typeof pipeline === 'string') {
        problems.add(`${jsonPath(['matrix', index, 'pipelines', item])}: ${pipeline}`);
        continue;
      }
      for (const provider of group.implementations) {
        for (const load of group.workloads) {
          const { segment: name, workload } = workloads.get(load)!;
          for (const variant of variantsOf(suite.load, group)) {
            const work: Work = {
              load: suite.load,
              pipeline: pipeline.name,
              options: pipeline.options,
              provider,
              workload,
              clients: suite.clients ?? DEFAULT_CLIENTS,
              messagesPerFetch: suite.messagesPerFetch ?? DEFAULT_MESSAGES_PER_FETCH,
              ...(suite.load === 'knee' ? { boundMs: suite.boundMs ?? DEFAULT_BOUND_MS } : {}),
              ...(suite.load === 'connections'
                ? {
                    messagesPerConnection:
                      suite.messagesPerConnection ?? DEFAULT_MESSAGES_PER_CONNECTION,
                  }
                : {}),
              ...variant,
            };
            const cell = cellOf(suite.name, pipeline.segment, provider, name, variant);
            const twin = cells.get(cell.name);
            if (twin === undefined) cells.set(cell.name, { cell, work });
            else if (canonicalJson(twin.work) !== canonicalJson(work)) {
              problems.add(
                `matrix: two files of one name would share the cell ${quoted(cell.name)}`,
              );
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

/** @returns The pipeline, or what is wrong with it. */
function resolved(
  text: string,
  known: Pick<Known, 'pipelines'>,
): ReturnType<typeof resolvePipeline> | string {
  try {
    const pipeline = resolvePipeline(text, known);
    if (pipeline.foreign !== undefined) {
      return `${pipeline.name} is computed by a library; expected a pipeline of sealbench`;
    }
    const { hop = 'none' } = pipeline.options;
    if (hop === 'none') return pipeline;
    return (
      `expected "hop=none", for the connections are real and TLS is an option of its own, found ` +
      `"hop=${hop}"; write ${quoted(`${pipeline.name}:hop=none`)}`
    );
  } catch (error) {
    if (error instanceof HarnessError) return error.message;
    throw error;
  }
}

type Variant = Pick<Work, 'tls' | 'store' | 'ratePerSecond' | 'resumption'>;

/** What a group crosses besides pipelines, implementations and workloads. */
function variantsOf(load: Load, group: LoadedRelay['suite']['matrix'][number]): Variant[] {
  const { tls, stores, rates = [], resumption = [] } = group;
  const hops = tls.flatMap((mode) => stores.map((store): Variant => ({ tls: mode, store })));
  if (load === 'hand-over') {
    return hops.flatMap((hop) => rates.map((ratePerSecond) => ({ ...hop, ratePerSecond })));
  }
  if (load === 'connections') {
    return hops.flatMap((hop) =>
      resumption.map((word) => ({ ...hop, resumption: word === 'yes' })),
    );
  }
  return hops;
}

/** `relay/double-ratchet:hop=none,rest=none/native/one-way:store=memory,tls=none/t1`. */
function cellOf(
  suite: string,
  pipeline: string,
  provider: string,
  workloadSegment: string,
  { tls, store, ratePerSecond, resumption }: Variant,
): Cell {
  const own = parseName(workloadSegment);
  const workload = segment({
    name: own.name,
    options: {
      ...own.options,
      tls,
      store,
      ...(ratePerSecond === undefined ? {} : { rate: String(ratePerSecond) }),
      ...(resumption === undefined ? {} : { resume: resumption ? 'yes' : 'no' }),
    },
  });
  const implementation = segment({ name: provider, options: {} });
  return {
    name: cellName(suite, pipeline, implementation, workload, 1),
    suite,
    pipeline,
    implementation,
    workload,
    threads: 1,
  };
}
