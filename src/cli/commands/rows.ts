/** `rows`: the derived figures of a run, one per row, for programs and spreadsheets. */

import { shownPath } from '../../core/json.ts';
import { cellArguments, quoteArguments, runArguments } from '../../report/command-line.ts';
import { requireSame } from '../../results/fingerprint.ts';
import { readRun, type ReadRun } from '../../results/store.ts';
import { deriveRows, rowsToCsv, rowsToJson, type Row } from '../../report/rows.ts';
import { defineCommand, EXIT, type Command } from '../command.ts';
import { program } from '../program.ts';
import { requestOf } from '../request.ts';

const rows: Command = defineCommand({
  name: 'rows',
  summary: 'Print the figures of a run, one per row',
  details:
    'Times are in nanoseconds, sizes in bytes. low and high are the 95 % interval over repeats;\n' +
    'a cell without figures has one row whose status and reason say why. Beside a value, reason\n' +
    'says what to beware of. Runs are only put together by --with when machine, Node, libraries,\n' +
    'suite and code were the same; the column run tells them apart.',
  positionals: { directory: { placeholder: 'DIR', summary: 'the folder of a run' } },
  options: {
    format: { kind: 'choice', values: ['json', 'csv'], summary: 'json when left out' },
    with: {
      kind: 'list',
      placeholder: 'DIR',
      summary: 'another run of the same suite and code on the same machine; repeatable',
    },
    commands: {
      kind: 'flag',
      summary: 'add a column with the command line that measures the cell of the row again',
    },
  },
  examples: [
    'rows results/runs/20260131T120000Z-0123abc --format csv > rows.csv',
    'rows results/runs/20260131T120000Z-0123abc --with results/runs/20260201T120000Z-0123abc',
  ],
  async run({ positionals: { directory }, options, output }) {
    const { format = 'json', with: others, commands } = options;
    const first = await readRun(directory);
    const derived: Row[] = [];
    for (const folder of [directory, ...others]) {
      const run = folder === directory ? first : await readRun(folder);
      for (const warning of run.warnings) output.note(`sealbench: ${warning}\n`);
      requireSame(
        [
          { manifest: first.manifest, called: 'in the first' },
          { manifest: run.manifest, called: 'here' },
        ],
        {
          where: shownPath(folder),
          expected: `the same machine, software, suite and code as ${shownPath(directory)}`,
          remedy: 'measure both again where they agree, or print each alone',
        },
      );
      const own = await deriveRows(run.manifest, run.records);
      derived.push(...(commands ? withCommands(own, run, shownPath(folder)) : own));
    }
    output.print(format === 'csv' ? rowsToCsv(derived) : rowsToJson(derived));
    return EXIT.fine;
  },
});
export default rows;

/** What is of no single cell, such as a slope over several, gets the command of the whole run. */
function withCommands(
  derived: readonly Row[],
  { manifest, records }: ReadRun,
  where: string,
): Row[] {
  const request = requestOf(manifest, where);
  const repeats = new Map<string, number>();
  for (const { cell, repeat } of records) {
    repeats.set(cell, Math.max(repeats.get(cell) ?? 0, repeat + 1));
  }
  return derived.map((row) => {
    const count = repeats.get(row.cell);
    const args =
      count === undefined || row.threads === undefined
        ? runArguments(request)
        : cellArguments(request, { cell: row.cell, threads: row.threads }, count);
    return { ...row, command: `${program()} ${quoteArguments(args)}` };
  });
}
