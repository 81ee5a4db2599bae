/** `exposure`: mounts attacks on the pipelines of a suite and counts what they recover. */

import { availableParallelism } from 'node:os';
import { listNames } from '../../core/discover.ts';
import { ADVERSARIES_DIR } from '../../core/paths.ts';
import { shownPath } from '../../core/json.ts';
import { quoteArguments } from '../../report/command-line.ts';
import { differencesOf } from '../../report/exposure.ts';
import { deriveRows } from '../../report/rows.ts';
import { renderSummary } from '../../report/summary.ts';
import { readCodeDigest } from '../../results/code-digest.ts';
import { readEnvironment, readGit } from '../../results/environment.ts';
import type { Manifest } from '../../results/manifest.ts';
import { FORMAT, type RepeatRecord } from '../../results/record.ts';
import { createRun } from '../../results/store.ts';
import { mountCells } from '../../runner/exposure.ts';
import { requireExposure, type LoadedExposure } from '../../suite/exposure-suite.ts';
import type { PlannedRepeat } from '../../suite/plan.ts';
import { defineCommand, EXIT, type Command, type ExitStatus } from '../command.ts';
import { readFigures } from '../figures.ts';
import { Interruption } from '../interruption.ts';
import { PLAN_OPTIONS, planNamed, replacementsOf, type PlannedSuite } from '../planning.ts';
import { program } from '../program.ts';

const SEED = 1;
const SEED_MAX = 0xffff_ffff;
const RETENTION_DAYS = 30;

const exposure: Command = defineCommand({
  name: 'exposure',
  summary: 'Mount attacks on pipelines and count what they recover',
  details:
    'Holds seeded conversations, records what each vantage point has, gives an adversary a key or\n' +
    'a device, and compares what comes out with what was said, byte by byte. Nothing is timed but\n' +
    'the attacker. docs/EXPOSURE.md says what each adversary gets and what was not modelled.\n' +
    'Exits with 1 when an attack and the expected table do not agree, with 3 when a cell fails.',
  positionals: {
    suite: {
      placeholder: 'SUITE',
      summary: 'a suite of the kind exposure: a name or a file',
      default: 'exposure/matrix',
    },
  },
  options: {
    seed: { kind: 'integer', min: 0, max: SEED_MAX, summary: 'of conversations and keys; 1' },
    jobs: {
      kind: 'integer',
      min: 1,
      max: 256,
      summary: 'cells under attack at once; as many as there are cores',
    },
    out: {
      kind: 'text',
      placeholder: 'DIR',
      summary: 'a new or empty folder for the results, instead of one under results/runs/',
    },
    ...PLAN_OPTIONS,
    json: { kind: 'flag', summary: 'print the derived rows as JSON instead of tables' },
  },
  examples: [
    'exposure',
    'exposure exposure/matrix --filter "double-ratchet|escrow-chain-key"',
    'exposure exposure/quick --json',
  ],
  async run({ positionals, options, output }) {
    const { out, json, filter, seed = SEED, jobs = availableParallelism() } = options;
    const planned = await planNamed(
      positionals.suite,
      { budget: 'quick', repeats: 1, seed, ...(filter === undefined ? {} : { filter }) },
      replacementsOf(options),
    );
    const loaded = requireExposure(planned.loaded);
    const { suite } = loaded;
    const adversaries = suite.adversaries ?? (await listNames(ADVERSARIES_DIR));
    const manifest = await describe(loaded, planned, seed);
    const started = createRun(out, manifest);
    const where = shownPath(started.directory);
    output.note(
      `${suite.title}\n${planned.plan.cells.length} cells, ${adversaries.length} adversaries\n` +
        `results: ${where}\n`,
    );
    using interruption = new Interruption();
    const startedMs = performance.now();
    let ended = 0;
    const records: RepeatRecord[] = [];
    await mountCells({
      order: planned.plan.order.filter(isOfMessages),
      pipelines: planned.pipelines,
      suiteName: suite.name,
      adversaries,
      retentionDays: suite.retentionDays ?? RETENTION_DAYS,
      concurrency: jobs,
      signal: interruption.signal,
      onEnd(record, tookMs) {
        started.append(record);
        records.push(record);
        ended += 1;
        const total = planned.plan.cells.length;
        const leftMs = ((performance.now() - startedMs) / ended) * (total - ended);
        const eta = ended === total ? '' : `, about ${Math.ceil(leftMs / 1000)} s left`;
        const reason = record.reason === undefined ? '' : `: ${record.reason}`;
        output.note(
          `${ended}/${total} ${record.status} ${record.cell} ${(tookMs / 1000).toFixed(1)} s${eta}${reason}\n`,
        );
      },
    });
    const interrupted = interruption.signal.aborted;
    started.finish({ endedAt: new Date().toISOString(), interrupted });
    const figures = await readFigures(started.directory);
    if (json) {
      const rows = await deriveRows(figures.manifest, figures.records);
      output.print(`${JSON.stringify({ directory: started.directory, rows }, undefined, 2)}\n`);
    } else if (records.length > 0) {
      output.print(renderSummary(figures.summary, { width: output.printWidth }));
    }
    output.note(
      `raw results: ${where}\n` +
        `all figures: ${program()} rows ${quoteArguments([where])} --format csv\n` +
        `this again: ${program()} table ${quoteArguments([where])}\n`,
    );
    return interrupted ? interruption.status : statusOf(records);
  },
});
export default exposure;

function isOfMessages(one: PlannedSuite['plan']['order'][number]): one is PlannedRepeat {
  return !('kind' in one.spec);
}

async function describe(
  { suite, digest }: LoadedExposure,
  { plan }: PlannedSuite,
  seed: number,
): Promise<Manifest> {
  const { name, kind, title, question, analysis } = suite;
  return {
    format: FORMAT,
    suite: { name, digest, kind, title, question, analysis },
    codeDigest: await readCodeDigest(),
    seed,
    budget: 'quick',
    git: await readGit(),
    environment: await readEnvironment(),
    startedAt: new Date().toISOString(),
    endedAt: null,
    argv: process.argv.slice(2),
    cells: plan.cells.map((cell) => cell.name),
    interrupted: false,
  };
}

/** What cannot run here is not wrong. */
function statusOf(records: readonly RepeatRecord[]): ExitStatus {
  if (records.some(({ status }) => status === 'error')) return EXIT.failed;
  const differs = records.some(
    ({ exposure: facts }) => facts !== undefined && differencesOf(facts).length > 0,
  );
  return differs ? EXIT.gateFailed : EXIT.fine;
}
