/**
 * Which cells two sides are compared by, and what each side is asked for.
 *
 * @module
 */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { badInput, HarnessError } from '../core/errors.ts';
import { quoted, shownPath } from '../core/json.ts';
import { SUITES_DIR } from '../core/paths.ts';
import type { RepeatSpec } from '../engine/spec.ts';
import type { Side } from '../runner/side.ts';
import { cellName, isFileName, segment } from '../suite/names.ts';
import { isOfOperations } from '../suite/operations.ts';
import { findSuite } from '../suite/parse.ts';
import type { Cell, PlannedRepeat } from '../suite/plan.ts';
import type { CellToCompare } from './comparing.ts';
import { planNamed, replacementsOf } from './planning.ts';

export interface ComparisonRequest {
  /** A name under suites/, or a file. */
  readonly suite: string;
  readonly filter: string | undefined;
  readonly seed: number;
  readonly provider: readonly string[];
  readonly pipeline: readonly string[];
  readonly workload: readonly string[];
}

/** As the bank does; both sides alike. */
const WARMUP_MS = 150;

/** @throws HarnessError BAD_INPUT for what cannot be used, WRONG_RESULT for a side that does not load. */
export async function planComparison(
  request: ComparisonRequest,
  base: Side,
  head: Side,
): Promise<CellToCompare[]> {
  await requireSameSuite(request, base, head);
  const ofBase = await planSide(request, base, head);
  const ofHead = new Map(
    (await planSide(request, head, base)).map((planned) => [
      namedFor(planned.cell, base.provider),
      planned,
    ]),
  );
  const cells = ofBase.flatMap((planned): CellToCompare[] => {
    const { cell } = planned;
    const other = ofHead.get(cell.name);
    // A library that computes a whole pipeline is none of the two that are compared.
    const isForeign = namedFor(cell, base.provider) !== cell.name;
    if (other === undefined || isForeign) return [];
    return [{ cell: cell.name, base: specOf(planned), head: specOf(other) }];
  });
  if (cells.length === 0) {
    throw badInput(
      `compare: expected a cell that both sides have, found none in ${quoted(request.suite)}`,
    );
  }
  return cells;
}

/** The name of the cell in which this provider does the same work. */
function namedFor(cell: Cell, provider: string | undefined): string {
  if (provider === undefined) return cell.name;
  const implementation = segment({ name: provider, options: {} });
  return cellName(cell.suite, cell.pipeline, implementation, cell.workload, cell.threads);
}

function specOf({ spec }: PlannedRepeat): RepeatSpec {
  return { ...spec, warmupMs: WARMUP_MS };
}

/**
 * Files that the user names are looked for in the side's own folder. The filter may name the
 * implementation of either side.
 */
async function planSide(
  request: ComparisonRequest,
  side: Side,
  other: Side,
): Promise<PlannedRepeat[]> {
  const inSide = (name: string): string => {
    if (!isFileName(name) || isAbsolute(name)) return name;
    const file = join(side.folder, name);
    if (existsSync(file)) return file;
    throw badInput(`${side.given}: expected ${quoted(name)} in it, found none in ${side.folder}`);
  };
  const provider = side.provider === undefined ? request.provider.map(inSide) : [side.provider];
  try {
    const { loaded, plan } = await planNamed(
      request.suite,
      {
        budget: 'quick',
        repeats: 1,
        seed: request.seed,
        alsoNamed: (cell) => namedFor(cell, other.provider),
        ...(request.filter === undefined ? {} : { filter: request.filter }),
      },
      replacementsOf({
        provider,
        pipeline: request.pipeline.map(inSide),
        workload: request.workload.map(inSide),
      }),
    );
    if (isOfOperations(loaded)) {
      throw badInput(
        `compare: ${quoted(request.suite)} times single operations; expected a suite of messages`,
      );
    }
    const planned = plan.order as readonly PlannedRepeat[];
    const names = plan.cells.map(({ name }) => name);
    return planned.toSorted((a, b) => names.indexOf(a.cell.name) - names.indexOf(b.cell.name));
  } catch (error) {
    if (error instanceof HarnessError && error.code === 'UNAVAILABLE') {
      throw new HarnessError('WRONG_RESULT', `${side.given} (${side.is}): ${error.message}`);
    }
    throw error;
  }
}

/** Sides that carry other suites would be asked for other work than their names say. */
async function requireSameSuite(
  { suite }: ComparisonRequest,
  base: Side,
  head: Side,
): Promise<void> {
  if (suite.endsWith('.json')) return;
  const file = await findSuite(suite);
  const name = relative(SUITES_DIR, file);
  const text = await readFile(file, 'utf8');
  const names = [...text.matchAll(/"(?<name>[a-z][a-z0-9-]*)(?::[^"]*)?"/g)];
  const files = [name, ...names.map(({ groups }) => join('workloads', `${groups!['name']!}.json`))];
  for (const one of new Set(files)) {
    const [ours, ofBase, ofHead] = await Promise.all(
      [SUITES_DIR, base.suites, head.suites].map((folder) => textOf(join(folder, one))),
    );
    if (ofBase === ofHead && ofBase === ours) continue;
    const differing = [...(ofBase === ours ? [] : [base]), ...(ofHead === ours ? [] : [head])].map(
      ({ given, suites }) => `${given} (${existsSync(join(suites, one)) ? 'other' : 'none'})`,
    );
    throw badInput(
      `suites/${one}: expected the same file here and on both sides, but it differs in ` +
        `${differing.join(' and ')}; name one file for both: --suite ${shownPath(file)}`,
    );
  }
}

async function textOf(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
