/** `table`: what `run` printed of a finished run, again, or into a document. */

import { writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { badInput, HarnessError } from '../../core/errors.ts';
import { readTextFile, shownPath } from '../../core/json.ts';
import { publishedBlock, spliceBlock } from '../../report/published.ts';
import { renderSummary, renderSummaryMarkdown } from '../../report/summary.ts';
import { defineCommand, EXIT, type Command, type Output } from '../command.ts';
import { readFigures, type Figures } from '../figures.ts';

const DOCUMENT_BYTES_MAX = 16_777_216;

const table: Command = defineCommand({
  name: 'table',
  summary: 'Print the tables and sentences of a run again',
  details:
    '--splice replaces what stands between the lines <!-- sealbench:NAME --> and\n' +
    '<!-- /sealbench:NAME --> of a Markdown file, where NAME is the last part of the name of\n' +
    'the suite. The block names the folder of the run: keep that under results/published/.',
  positionals: { directory: { placeholder: 'DIR', summary: 'the folder of a run' } },
  options: {
    markdown: { kind: 'flag', summary: 'print Markdown' },
    splice: {
      kind: 'text',
      placeholder: 'FILE',
      summary: 'put the first table and the sentences into this file instead',
    },
  },
  examples: [
    'table results/runs/20260131T120000Z-0123abc',
    'table results/published/20260131T120000Z-0123abc --splice README.md',
  ],
  async run({ positionals: { directory }, options: { markdown, splice }, output }) {
    if (markdown && splice !== undefined) {
      throw badInput('table: expected --markdown or --splice, got both');
    }
    const figures = await readFigures(directory);
    for (const warning of figures.warnings) output.note(`sealbench: ${warning}\n`);
    if (splice !== undefined) await spliceInto(splice, directory, figures, output);
    else if (markdown) output.print(renderSummaryMarkdown(figures.summary));
    else output.print(renderSummary(figures.summary, { width: output.printWidth }));
    return EXIT.fine;
  },
});
export default table;

async function spliceInto(
  file: string,
  directory: string,
  { manifest, records, summary }: Figures,
  output: Output,
): Promise<void> {
  const where = shownPath(file);
  const recorded = new Set(records.map(({ cell }) => cell));
  const folder = basename(resolve(directory));
  const block = publishedBlock(folder, manifest, recorded, summary);
  const text = await readTextFile(file, DOCUMENT_BYTES_MAX);
  const spliced = spliceBlock(text, block, where);
  try {
    await writeFile(file, spliced);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
    if (code === undefined) throw error;
    throw new HarnessError('NOT_WRITTEN', `${where} could not be written: ${code}`);
  }
  output.note(`${where}: the block ${block.name} is now that of ${folder}\n`);
}
