/** `report`: runs as a site that opens from disk, or as Markdown. */

import { mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { badInput, HarnessError } from '../../core/errors.ts';
import { shownPath } from '../../core/json.ts';
import { overheadOf } from '../../report/overhead.ts';
import { buildSite } from '../../report/site/build.ts';
import type { SiteRun } from '../../report/site/page.ts';
import { slugOf } from '../../report/site/source.ts';
import { renderSummaryMarkdown } from '../../report/summary.ts';
import { defineCommand, EXIT, type Command, type Output } from '../command.ts';
import { readFigures, type Figures } from '../figures.ts';
import { spliceInto } from '../splice.ts';

const report: Command = defineCommand({
  name: 'report',
  summary: 'Make a site of one or more runs, or Markdown',
  details:
    'The site is a folder of files: open its index.html from disk, or put it on any server. It\n' +
    'needs no network and no script. Every chart is there as SVG, PNG and Vega-Lite, and its rows\n' +
    'as CSV and JSON. How to publish it: docs/DASHBOARD.md.\n\n' +
    '--splice replaces what stands between the lines <!-- sealbench:NAME --> and\n' +
    '<!-- /sealbench:NAME --> of a Markdown file, where NAME is the last part of the name of\n' +
    'the suite. The block names the folder of the run: keep that under results/published/.',
  positionals: {},
  rest: { placeholder: 'DIR', summary: 'the folders of runs' },
  options: {
    out: {
      kind: 'text',
      placeholder: 'FOLDER',
      summary: 'where the site goes; site when left out',
    },
    splice: {
      kind: 'text',
      placeholder: 'FILE',
      summary: 'instead: put the block of each run into this Markdown file, between its markers',
    },
    format: { kind: 'choice', values: ['site', 'markdown'], summary: 'site when left out' },
  },
  examples: [
    'report results/published/* --out site',
    'report results/runs/20260131T120000Z-0123abc --format markdown > results.md',
    'report results/published/20260131T120000Z-0123abc --splice README.md',
  ],
  async run({ rest, options: { out, splice, format }, output }) {
    if (splice !== undefined) {
      if (out !== undefined || format !== undefined) {
        throw badInput('report: expected --splice alone, got also --out or --format');
      }
      for (const directory of rest) {
        await spliceInto(splice, directory, await readNoting(directory, output), output);
      }
      return EXIT.fine;
    }
    if (format === 'markdown') {
      if (out !== undefined) {
        throw badInput('report: expected --out only for a site; Markdown goes to stdout');
      }
      for (const directory of rest) {
        const { summary } = await readNoting(directory, output);
        output.print(renderSummaryMarkdown(summary));
      }
      return EXIT.fine;
    }
    await makeSite(rest, out ?? 'site', output);
    return EXIT.fine;
  },
});
export default report;

async function readNoting(directory: string, output: Output): Promise<Figures> {
  const figures = await readFigures(directory);
  for (const warning of figures.warnings) output.note(`sealbench: ${warning}\n`);
  return figures;
}

async function makeSite(folders: readonly string[], out: string, output: Output): Promise<void> {
  const begun = performance.now();
  const runs: SiteRun[] = [];
  for (const directory of folders) {
    const name = basename(resolve(directory));
    if (runs.some((run) => slugOf(run.name) === slugOf(name))) {
      throw badInput(`report: expected runs in folders of different names, got ${name} twice`);
    }
    const figures = await readNoting(directory, output);
    runs.push({ ...figures, name, overhead: overheadOf(figures.manifest) });
  }
  const read = performance.now();
  await mkdir(out, { recursive: true }).catch((error: unknown) => {
    throw notWritten(out, error);
  });
  const built = await buildSite(runs, out).catch((error: unknown) => {
    throw notWritten(out, error);
  });
  const ended = performance.now();
  output.note(
    `${built.pages.length + 1} pages and ${built.charts} charts of ${runs.length} ${runs.length === 1 ? 'run' : 'runs'}: ` +
      `read in ${seconds(begun, read)}, built in ${seconds(read, ended)}; ${built.files} files, ` +
      `${kilobytes(built.bytes)}, ${kilobytes(built.compressedBytes)} compressed\n`,
  );
  output.print(`${shownPath(join(out, 'index.html'))}\n`);
}

function seconds(from: number, to: number): string {
  return `${((to - from) / 1000).toFixed(1)} s`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`;
}

function notWritten(folder: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (error instanceof HarnessError || code === undefined) return error;
  return new HarnessError('NOT_WRITTEN', `${shownPath(folder)} could not be written: ${code}`);
}
