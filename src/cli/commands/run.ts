/** `run`: measures a suite and keeps the raw results, repeat by repeat. */

import { badInput } from '../../core/errors.ts';
import { canonicalJson, shownPath } from '../../core/json.ts';
import { quoteArguments } from '../../report/command-line.ts';
import { requireSame } from '../../results/fingerprint.ts';
import type { Manifest } from '../../results/manifest.ts';
import { resumeRun } from '../../results/store.ts';
import { defineCommand, type Command } from '../command.ts';
import { measureRun } from '../measured-run.ts';
import { program } from '../program.ts';
import { requestFrom, RUN_SYNTAX } from '../request.ts';

const run: Command = defineCommand({
  ...RUN_SYNTAX,
  summary: 'Measure a suite',
  details:
    'Each repeat is a fresh process; the repeats of all cells are interleaved in seeded random\n' +
    'order. The raw results are kept as each repeat ends, and --resume goes on with them.\n' +
    'Repeats: quick 3, standard 10. thorough adds repeats, from 10 to 40, to the cells whose CPU\n' +
    'per message, as a ratio to the baseline of the suite, is not yet known to 3 % either way.\n' +
    'A suite may say otherwise.\n' +
    'Exits with 4 when the figures are too noisy to tell any two cells apart.',
  examples: [
    'run curated/ladder',
    'run curated/ladder --budget standard --filter "double-ratchet|transport"',
    'run curated/ladder --budget thorough --until 2%',
    'run curated/ladder --filter /double-ratchet/ --profile /double-ratchet/',
    'run ./my-suite.json --provider native --provider ./my-provider.ts --repeats 5',
  ],
  async run({ positionals, options, output }) {
    const { out, resume, profile, json } = options;
    if (out !== undefined && resume !== undefined) {
      throw badInput(
        'run: expected --out or --resume, got both; --resume goes on in its own folder',
      );
    }
    const resumed = resume === undefined ? undefined : await resumeRun(resume);
    for (const warning of resumed?.warnings ?? []) output.note(`sealbench: ${warning}\n`);
    const before = resumed?.run.manifest;
    return measureRun({
      request: requestFrom({ positionals, options }, before),
      argv: process.argv.slice(2),
      json,
      output,
      out,
      resumed,
      profile,
      check: (manifest) => {
        if (before !== undefined) refuseOther(resume!, before, manifest);
      },
    });
  },
});
export default run;

function isSame(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/** Numbers of different work, code or machines do not belong into one result. */
function refuseOther(directory: string, before: Manifest, now: Manifest): void {
  const where = shownPath(directory);
  const startedBy = `it was started by: ${program()} ${quoteArguments(before.argv)}`;
  const differing = [
    before.seed === now.seed ? [] : ['the seed'],
    before.until === now.until ? [] : ['what is narrow enough'],
    isSame(before.cells, now.cells) ? [] : ['the cells'],
  ].flat();
  if (differing.length > 0) {
    throw badInput(
      `${where}: expected to go on with the same run, but ${differing.join(', ')} changed since; ` +
        startedBy,
    );
  }
  requireSame(
    [
      { manifest: before, called: 'in the run' },
      { manifest: now, called: 'now' },
    ],
    {
      where,
      expected: 'to go on where the run was started',
      remedy: `go on there, or start a run of its own here; ${startedBy}`,
    },
  );
}
