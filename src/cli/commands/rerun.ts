/** `rerun`: repeats a run from its manifest, as a run of its own. */

import { stat } from 'node:fs/promises';
import { badInput } from '../../core/errors.ts';
import { quoted, shownPath } from '../../core/json.ts';
import { runArguments } from '../../report/command-line.ts';
import {
  differences,
  fingerprintOf,
  requireSame,
  type Difference,
} from '../../results/fingerprint.ts';
import type { Manifest } from '../../results/manifest.ts';
import { readRun } from '../../results/store.ts';
import { isFileName, parseName } from '../../suite/names.ts';
import { listSuites } from '../../suite/parse.ts';
import { defineCommand, type Command, type Output } from '../command.ts';
import { measureRun } from '../measured-run.ts';
import { requestOf, type Request } from '../request.ts';

/** Of a digest, enough to tell two apart. */
const DIGEST_SHOWN = 12;

const rerun: Command = defineCommand({
  name: 'rerun',
  summary: 'Repeat a run from its folder: same suite, cells, seed and repeats',
  details:
    'The first run stays as it is. What has changed since, in the suite, the code, the libraries\n' +
    'or the machine, is named before the run begins; --strict refuses then. Paths in the first\n' +
    'command line are relative to the folder in which it was given: run from there.',
  positionals: { directory: { placeholder: 'DIR', summary: 'the folder of a run' } },
  options: {
    out: {
      kind: 'text',
      placeholder: 'DIR',
      summary: 'a new or empty folder for the results, instead of one under results/runs/',
    },
    strict: { kind: 'flag', summary: 'refuse when anything has changed since the first run' },
    json: { kind: 'flag', summary: 'print the derived rows as JSON instead of a table' },
  },
  examples: [
    'rerun results/published/20260131T120000Z-0123abc',
    'rerun results/runs/20260131T120000Z-0123abc --strict --out again',
  ],
  async run({ positionals: { directory }, options: { out, strict, json }, output }) {
    const where = shownPath(directory);
    const { manifest: first } = await readRun(directory);
    const request = requestOf(first, where);
    await requireFiles(request, where);
    return measureRun({
      request,
      argv: runArguments(request),
      json,
      output,
      out,
      check: (now) => {
        if (strict) refuseChanged(where, first, now);
        else noteChanged(where, first, now, output);
      },
    });
  },
});
export default rerun;

/** A user's own file may have been anywhere. */
async function requireFiles(request: Request, where: string): Promise<void> {
  const isNamed = (await listSuites()).includes(request.suite);
  const named = [
    ...(isNamed ? [] : [{ file: request.suite, what: 'suite' }]),
    ...(['provider', 'pipeline', 'workload'] as const).flatMap((what) =>
      request[what].map((text) => ({ file: parseName(text).name, what })),
    ),
  ].filter(({ file, what }) => what === 'suite' || isFileName(file));
  for (const { file, what } of named) {
    const facts = await stat(file).catch(() => undefined);
    if (facts?.isFile() === true) continue;
    throw badInput(
      `${where}: the run used the ${what} ${quoted(file)}, which is not there; run from the folder ` +
        'in which the first run was started, or put it back',
    );
  }
}

function refuseChanged(where: string, first: Manifest, now: Manifest): void {
  requireSame(
    [
      { manifest: first, called: 'in the first run' },
      { manifest: now, called: 'now' },
    ],
    {
      where,
      expected: 'nothing to have changed since',
      remedy: 'leave out --strict to repeat it all the same',
    },
  );
  const cells = cellChanges(first, now);
  if (cells !== '') {
    throw badInput(
      `${where}: expected the same cells, but ${cells}; leave out --strict to repeat it all the same`,
    );
  }
}

function noteChanged(where: string, first: Manifest, now: Manifest, output: Output): void {
  const changed = differences(fingerprintOf(first), fingerprintOf(now));
  for (const one of changed) output.note(`warning: ${changeText(one)}\n`);
  const cells = cellChanges(first, now);
  if (cells !== '') output.note(`warning: ${cells}\n`);
  output.note(
    changed.length === 0 && cells === ''
      ? `repeating ${where}: machine, software, suite and code are the same\n`
      : `repeating ${where}: its figures and the new ones are not to be set side by side\n`,
  );
}

function changeText({ field, first, second }: Difference): string {
  return `${field} was ${shortened(first)} and is ${shortened(second)}`;
}

function shortened(value: string): string {
  return /^[0-9a-f]{64}$/.test(value) ? `${value.slice(0, DIGEST_SHOWN)}...` : value;
}

/** '' where both have the same. */
function cellChanges({ cells: first }: Manifest, { cells: now }: Manifest): string {
  const gone = first.filter((cell) => !now.includes(cell));
  const added = now.filter((cell) => !first.includes(cell));
  return [
    gone.length === 0
      ? []
      : [`of its ${first.length} cells ${gone.length} are gone: ${some(gone)}`],
    added.length === 0 ? [] : [`of ${now.length} cells ${added.length} are new: ${some(added)}`],
  ]
    .flat()
    .join('; ');
}

function some(cells: readonly string[]): string {
  return `${cells[0]!}${cells.length > 1 ? ', ...' : ''}`;
}
