/**
 * From a suite of single operations to cells, and from cells to repeats in blocks of random order, as
 * for suites of messages.
 *
 * @module
 */

import { badInput } from '../core/errors.ts';
import { badFile, jsonPath, quoted, shownPath } from '../core/json.ts';
import { SeededRandom } from '../core/random.ts';
import { cellName, segment } from './names.ts';
import type { LoadedOperations } from './operations.ts';
import { CELLS_MAX } from './parse.ts';
import {
  checkPlanNumbers,
  filtered,
  repeatSeed,
  repeatsOf,
  type Cell,
  type PlanOptions,
} from './plan.ts';
import type { Budget } from './suite.ts';

const DEFAULT_WARMUP_MS: Readonly<Record<Budget, number>> = {
  quick: 100,
  standard: 100,
  thorough: 500,
};
const DEFAULT_TIMED_MS: Readonly<Record<Budget, number>> = {
  quick: 120,
  standard: 120,
  thorough: 500,
};

/** What planning needs to know of an operation. */
export interface OperationInfo {
  readonly length: {
    /** Where there is one length only. */
    readonly fixedBytes?: number;
    readonly bytesMax?: number;
  };
}

/** What one repeat is asked to do; the same shape as `OperationSpec` of src/primitives/spec.ts. */
export interface PlannedOperationSpec {
  readonly kind: 'operation';
  readonly cell: string;
  readonly primitive: string;
  readonly provider: string;
  readonly bytes: number;
  readonly against?: string;
  readonly seed: number;
  readonly repeat: number;
  readonly purpose: 'measure' | 'verify';
  readonly warmupMs: number;
  readonly timedMs: number;
}

export interface PlannedOperation {
  /** Position in the run, from 0. */
  readonly order: number;
  /** The primitive stands for the pipeline, its length for the workload. */
  readonly cell: Cell;
  readonly spec: PlannedOperationSpec;
}

export interface OperationPlan {
  readonly cells: readonly Cell[];
  readonly order: readonly PlannedOperation[];
}

type Work = Pick<PlannedOperationSpec, 'primitive' | 'provider' | 'bytes' | 'against'>;

/**
 * @param known By the name that suites use.
 * @throws HarnessError BAD_INPUT for options, filters and numbers that cannot be used.
 */
export function planOperations(
  loaded: LoadedOperations,
  known: ReadonlyMap<string, OperationInfo>,
  options: PlanOptions,
): OperationPlan {
  checkPlanNumbers(options);
  if (options.threads !== undefined && options.threads !== 1) {
    throw badInput(
      `threads: expected 1, for an operation runs on one thread, found ${options.threads}`,
    );
  }
  const kept = filtered(expand(loaded, known), options.filter);
  const { suite } = loaded;
  const { budget } = options;
  const purpose = options.purpose ?? suite.purpose ?? 'measure';
  const repeats = repeatsOf(suite, options, kept.length);
  const order: PlannedOperation[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const { cell, work } of new SeededRandom(options.seed, repeat).shuffle([...kept])) {
      const spec: PlannedOperationSpec = {
        kind: 'operation',
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
  return { cells: kept.map(({ cell }) => cell), order };
}

/** Crosses each group; a cell that several groups have is one cell. */
function expand(
  { suite, file }: LoadedOperations,
  known: ReadonlyMap<string, OperationInfo>,
): { readonly cell: Cell; readonly work: Work }[] {
  const cells = new Map<string, { readonly cell: Cell; readonly work: Work }>();
  const problems = new Set<string>();
  for (const [index, group] of suite.matrix.entries()) {
    for (const [item, primitive] of group.primitives.entries()) {
      const info = known.get(primitive);
      if (info === undefined) throw new RangeError(`"known" expected ${quoted(primitive)}`);
      const lengths = lengthsOf(primitive, info, group.bytes);
      if (typeof lengths === 'string') {
        problems.add(`${jsonPath(['matrix', index, 'primitives', item])}: ${lengths}`);
        continue;
      }
      for (const bytes of lengths) {
        for (const provider of group.implementations) {
          for (const against of group.against ?? [undefined]) {
            const work = {
              primitive,
              provider,
              bytes,
              ...(against === undefined ? {} : { against }),
            };
            const cell = cellOf(suite.name, work);
            const twin = cells.get(cell.name);
            if (twin === undefined) cells.set(cell.name, { cell, work });
            else if (twin.work.provider !== provider) {
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

/** @returns The lengths, or what is wrong with those of the suite. */
function lengthsOf(
  primitive: string,
  { length: { fixedBytes, bytesMax } }: OperationInfo,
  bytes: readonly number[] | undefined,
): readonly number[] | string {
  if (fixedBytes !== undefined) {
    return bytes === undefined
      ? [fixedBytes]
      : `${primitive} has one length only; expected a group without "bytes"`;
  }
  if (bytes === undefined) return `${primitive} has any length; expected "bytes" in its group`;
  const tooLong = bytes.find((length) => length > (bytesMax ?? Infinity));
  return tooLong === undefined
    ? bytes
    : `${primitive} is of at most ${bytesMax} bytes, found ${tooLong} in "bytes"`;
}

/** `primitives/sha256/noble/64B/t1`, and of a cross-check `.../64B:against=mitata/t1`. */
function cellOf(suite: string, { primitive, provider, bytes, against }: Work): Cell {
  const implementation = segment({ name: provider, options: {} });
  const workload = against === undefined ? `${bytes}B` : `${bytes}B:against=${against}`;
  return {
    name: cellName(suite, primitive, implementation, workload, 1),
    suite,
    pipeline: primitive,
    implementation,
    workload,
    threads: 1,
  };
}
