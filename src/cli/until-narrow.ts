/**
 * The budget thorough: block after block, until every cell is narrow enough or the plan ends.
 *
 * @module
 */

import { deriveCells } from '../report/cells.ts';
import { isWide, NARROWNESS_METRICS, narrownessOf } from '../report/narrowness.ts';
import type { EmptyCalls } from '../report/overhead.ts';
import type { RepeatRecord } from '../results/record.ts';
import { repeatKey } from '../results/store.ts';
import type { Planned } from '../runner/execute.ts';

/** With fewer the width itself is hardly known. */
const FEWEST_REPEATS = 10;

export interface UntilNarrow {
  /** All repeats, in blocks; the last block is the limit. */
  readonly order: readonly Planned[];
  /** The pipeline that ratios refer to. */
  readonly baseline: string | undefined;
  /** Half the width that is narrow enough, as a share. */
  readonly until: number;
  /** What a call costs that computes nothing, as far as the run was calibrated. */
  readonly empty: EmptyCalls | undefined;
  /** Of this run so far. `runRepeats` adds to them. */
  readonly records: readonly RepeatRecord[];
  readonly finished: ReadonlySet<string>;
  readonly runRepeats: (order: readonly Planned[]) => Promise<void>;
  /** The cell gets no more repeats. */
  readonly onSettled: (cell: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs the first ten blocks whole. Of each later block it runs the cells that are not narrow yet, and
 * the cells that their ratios refer to.
 *
 * What a block holds follows from the records of the blocks before it alone, so that a run that was
 * interrupted goes on as it would have. A cell that was narrow once stays settled.
 */
export async function runUntilNarrow(run: UntilNarrow): Promise<void> {
  const blocks = [...Map.groupBy(run.order, ({ spec }) => spec.repeat).entries()];
  const isOpen = ({ cell, spec }: Planned): boolean =>
    !run.finished.has(repeatKey(cell.name, spec.repeat));
  const first = blocks.filter(([repeat]) => repeat < FEWEST_REPEATS);
  await run.runRepeats(first.flatMap(([, block]) => block).filter(isOpen));

  const settled = new Set<string>();
  for (const [repeat, block] of blocks.slice(first.length)) {
    if (run.signal.aborted) return;
    const needed = await neededCells(run, repeat, settled);
    for (const { cell } of block) {
      if (needed.has(cell.name) || settled.has(cell.name)) continue;
      settled.add(cell.name);
      run.onSettled(cell.name);
    }
    if (needed.size === 0) return;
    await run.runRepeats(block.filter((planned) => needed.has(planned.cell.name)).filter(isOpen));
  }
}

/** Names of the cells that are still wide, and of those that these refer to. */
async function neededCells(
  { records, baseline, until, empty }: UntilNarrow,
  repeat: number,
  settled: ReadonlySet<string>,
): Promise<Set<string>> {
  const before = records.filter((record) => record.repeat < repeat);
  const cells = await deriveCells(before, [], empty, NARROWNESS_METRICS);
  const wide = narrownessOf(cells, baseline).filter(
    (one) => !settled.has(one.cell.cell) && isWide(one, until),
  );
  return new Set(
    wide.flatMap(({ cell, base }) => (base === undefined ? [cell.cell] : [cell.cell, base.cell])),
  );
}
