/** `rows`: the derived figures of a run, one per row, for programs and spreadsheets. */

import { readRun } from '../../results/store.ts';
import { deriveRows, rowsToCsv, rowsToJson } from '../../report/rows.ts';
import { defineCommand, EXIT, type Command } from '../command.ts';

const rows: Command = defineCommand({
  name: 'rows',
  summary: 'Print the figures of a run, one per row',
  details:
    'Times are in nanoseconds, sizes in bytes. low and high are the 95 % interval over repeats;\n' +
    'a cell without figures has one row whose status and reason say why.',
  positionals: { directory: { placeholder: 'DIR', summary: 'the folder of a run' } },
  options: {
    format: { kind: 'choice', values: ['json', 'csv'], summary: 'json when left out' },
  },
  examples: ['rows results/runs/20260131T120000Z-0123abc --format csv > rows.csv'],
  async run({ positionals: { directory }, options: { format = 'json' }, output }) {
    const { manifest, records, warnings } = await readRun(directory);
    for (const warning of warnings) output.note(`sealbench: ${warning}\n`);
    const derived = await deriveRows(manifest, records);
    output.print(format === 'csv' ? rowsToCsv(derived) : rowsToJson(derived));
    return EXIT.fine;
  },
});
export default rows;
