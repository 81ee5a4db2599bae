/**
 * A run folder as what is printed of it: the same for a run that has just ended and for an old one.
 *
 * @module
 */

import { listNames } from '../core/discover.ts';
import { PIPELINES_DIR } from '../core/paths.ts';
import { deriveCells, type CellResult } from '../report/cells.ts';
import { plainName, type PipelineNote } from '../report/pairing.ts';
import { overheadOf } from '../report/rows.ts';
import { summaryOf, type Summary } from '../report/summary.ts';
import { readRun, type ReadRun } from '../results/store.ts';
import { loadPipelines } from '../runner/pipelines-info.ts';

export interface Figures extends ReadRun {
  readonly cells: readonly CellResult[];
  readonly summary: Summary;
}

/**
 * @param notes Of the pipelines; left out: of those that sealbench has, and none of users' files.
 * @throws HarnessError BAD_INPUT for a folder that cannot be read.
 */
export async function readFigures(
  directory: string,
  notes?: readonly PipelineNote[],
): Promise<Figures> {
  const run = await readRun(directory);
  const { manifest, records } = run;
  const cells = await deriveCells(records, manifest.cells);
  const pipelines = notes ?? (await notesOf(cells));
  const { suite } = manifest;
  const summary = summaryOf({ suite, cells, pipelines, overhead: overheadOf(manifest) });
  return { ...run, cells, summary };
}

async function notesOf(cells: readonly CellResult[]): Promise<PipelineNote[]> {
  const known = new Set(await listNames(PIPELINES_DIR));
  const names = cells.map(({ pipeline }) => plainName(pipeline)).filter((name) => known.has(name));
  return [...(await loadPipelines(names)).values()];
}
