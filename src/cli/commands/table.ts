/** `table`: what `run` printed of a finished run, again. */

import { renderSummary, renderSummaryMarkdown } from '../../report/summary.ts';
import { defineCommand, EXIT, type Command } from '../command.ts';
import { readFigures } from '../figures.ts';

const table: Command = defineCommand({
  name: 'table',
  summary: 'Print the tables and sentences of a run again',
  details: 'To put them into a document, or to make a site of them: sealbench report.',
  positionals: { directory: { placeholder: 'DIR', summary: 'the folder of a run' } },
  options: {
    markdown: { kind: 'flag', summary: 'print Markdown' },
  },
  examples: [
    'table results/runs/20260131T120000Z-0123abc',
    'table results/runs/20260131T120000Z-0123abc --markdown',
  ],
  async run({ positionals: { directory }, options: { markdown }, output }) {
    const figures = await readFigures(directory);
    for (const warning of figures.warnings) output.note(`sealbench: ${warning}\n`);
    if (markdown) output.print(renderSummaryMarkdown(figures.summary));
    else output.print(renderSummary(figures.summary, { width: output.printWidth }));
    return EXIT.fine;
  },
});
export default table;
