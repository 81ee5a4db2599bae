/**
 * A run folder as what is printed of it: the same for a run that has just ended and for an old one.
 *
 * @module
 */

import { listNames, loadByName } from '../core/discover.ts';
import { IMPLEMENTATIONS_DIR, PIPELINES_DIR, PROVIDERS_DIR } from '../core/paths.ts';
import type { ProviderModule } from '../crypto/provider.ts';
import type { ImplementationModule } from '../primitives/operation.ts';
import { deriveCells, type CellResult } from '../report/cells.ts';
import { crossChecksSummary } from '../report/cross-checks.ts';
import { exposureSummary } from '../report/exposure.ts';
import { narrownessNotes } from '../report/narrowness.ts';
import { plainName, type PipelineNote } from '../report/pairing.ts';
import { overheadOf } from '../report/overhead.ts';
import { primitivesSummary, type ImplementationNote } from '../report/primitives.ts';
import { relaySummary } from '../report/relay.ts';
import { summaryOf, type Summary } from '../report/summary.ts';
import type { Manifest } from '../results/manifest.ts';
import { readRun, type ReadRun } from '../results/store.ts';
import { loadPipelines } from '../runner/pipelines-info.ts';

export interface Figures extends ReadRun {
  readonly cells: readonly CellResult[];
  /** Of the cells, as far as sealbench has them; none where cells carry no messages. */
  readonly pipelines: readonly PipelineNote[];
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
  const overhead = overheadOf(manifest);
  const cells = await deriveCells(records, manifest.cells, overhead?.emptyCallNs);
  const { kind } = manifest.suite;
  if (kind === 'primitives' || kind === 'cross-checks') {
    const summarise = kind === 'primitives' ? primitivesSummary : crossChecksSummary;
    const implementations = await implementationsOf(cells);
    const summary = summarise({ ...manifest, cells, records, implementations });
    return { ...run, cells, pipelines: [], summary: withNarrowness(summary, cells, manifest) };
  }
  const { packages } = manifest.environment;
  const pipelines = (notes ?? (await notesOf(cells))).map((note) => withVersion(note, packages));
  const { suite } = manifest;
  if (kind === 'relay') {
    const summary = relaySummary({ suite, cells, records, pipelines });
    return { ...run, cells, pipelines, summary: withNarrowness(summary, cells, manifest) };
  }
  if (kind === 'exposure') {
    const summary = exposureSummary({ suite, cells, records, pipelines });
    return { ...run, cells, pipelines, summary };
  }
  const summary = summaryOf({ suite, cells, pipelines, overhead });
  return { ...run, cells, pipelines, summary: withNarrowness(summary, cells, manifest) };
}

/** Says what a run reached that went on until its cells were narrow enough. */
function withNarrowness(
  summary: Summary,
  cells: readonly CellResult[],
  { until, suite }: Manifest,
): Summary {
  if (until === undefined) return summary;
  const notes = narrownessNotes(cells, suite.baseline, until);
  return { ...summary, precision: [...summary.precision, ...notes] };
}

/** Of those that sealbench has, in the order of the cells; none of users' files. */
async function implementationsOf(cells: readonly CellResult[]): Promise<ImplementationNote[]> {
  const providers = await listNames(PROVIDERS_DIR);
  const others = await listNames(IMPLEMENTATIONS_DIR);
  const notes: ImplementationNote[] = [];
  for (const name of new Set(cells.map(({ implementation }) => implementation))) {
    if (providers.includes(name)) {
      notes.push(await loadByName<ProviderModule>(PROVIDERS_DIR, name, 'provider'));
    } else if (others.includes(name)) {
      notes.push(
        await loadByName<ImplementationModule>(IMPLEMENTATIONS_DIR, name, 'implementation'),
      );
    }
  }
  return notes;
}

/** The version of a library is that of the run, whatever is installed now. */
function withVersion(note: PipelineNote, packages: Readonly<Record<string, string>>): PipelineNote {
  if (note.foreign === undefined) return note;
  const { differences, comparedWith, licence, package: name } = note.foreign;
  const foreign = { package: name, recorded: packages[name], licence, comparedWith, differences };
  return { ...note, foreign };
}

async function notesOf(cells: readonly CellResult[]): Promise<PipelineNote[]> {
  const known = new Set(await listNames(PIPELINES_DIR));
  const names = cells.map(({ pipeline }) => plainName(pipeline)).filter((name) => known.has(name));
  return [...(await loadPipelines(names)).values()];
}
