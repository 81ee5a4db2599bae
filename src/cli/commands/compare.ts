/** `compare`: whether one version or implementation costs more than another, for a gate. */

import { requireValgrind } from '../../runner/instructions.ts';
import { BUDGETS, type Budget } from '../../suite/suite.ts';
import { defineCommand, type Command } from '../command.ts';
import { measureInstructions } from '../comparing-instructions.ts';
import { runComparison } from '../comparison-run.ts';
import { PLAN_OPTIONS } from '../planning.ts';

const SUITE = 'curated/gate';
/** Blocks of each cell; fixed before anything is measured. */
const BLOCKS: Readonly<Record<Budget, number>> = { quick: 8, standard: 20, thorough: 40 };
const BLOCKS_MAX = 1_000;
const SEED_MAX = 0xffff;

const compare: Command = defineCommand({
  name: 'compare',
  summary: 'Tell whether HEAD costs more than BASE: git refs, folders or implementations',
  details: [
    'A ref gets a worktree of its own in a temporary folder; a clone of sealbench measures itself,',
    'any other folder brings its own file by --provider, --pipeline or --workload. Each block is a',
    'process of the base, another of the base and one of the head, started in random order, side by',
    'side on one core, on the same inputs. Head regressed when the whole 95 % interval of its CPU per',
    'message lies beyond 1 % and beyond what the two of the base show between them, and lies there',
    'again with fresh processes.',
    'Bytes, primitive calls and other exact figures count from a change of 0.2 %.',
    `Blocks of each cell: quick ${BLOCKS.quick}, standard ${BLOCKS.standard}, thorough ${BLOCKS.thorough}.`,
    '',
    'Exits with 0 where nothing regressed, 1 where something did, 2 for a side that does not exist,',
    '3 for a head that fails or gives a wrong result, 4 where this machine is too noisy to decide.',
  ].join('\n'),
  positionals: {
    base: { placeholder: 'BASE', summary: 'a git ref, a folder such as ./before, or a name' },
    head: { placeholder: 'HEAD', summary: 'likewise; "." is the working tree', default: '.' },
  },
  options: {
    implementation: {
      kind: 'flag',
      summary: 'BASE and HEAD are names of implementations, or files of your own',
    },
    suite: { kind: 'text', placeholder: 'SUITE', summary: `cells to compare; ${SUITE}` },
    ...PLAN_OPTIONS,
    budget: { kind: 'choice', values: BUDGETS, summary: 'how many blocks; standard' },
    blocks: { kind: 'integer', min: 2, max: BLOCKS_MAX, summary: "instead of the budget's" },
    seed: { kind: 'integer', min: 0, max: SEED_MAX, summary: 'of inputs and order; 1' },
    percentiles: {
      kind: 'flag',
      summary: 'latency at p50 and p99 decides too; processes then run one after the other',
    },
    instructions: {
      kind: 'flag',
      summary: 'count instructions with callgrind instead: exact, slow, no time',
    },
    strict: {
      kind: 'flag',
      summary: 'exit with 4 where a figure that decides is left undecided',
    },
    prepare: {
      kind: 'text',
      placeholder: 'COMMAND',
      summary: 'run in each worktree before, such as "npm run build"',
    },
    out: {
      kind: 'text',
      placeholder: 'DIR',
      summary: 'a new or empty folder, instead of one under results/runs/',
    },
    summary: { kind: 'text', placeholder: 'FILE', summary: 'the summary as Markdown' },
    junit: { kind: 'text', placeholder: 'FILE', summary: 'the verdicts as JUnit XML' },
    markdown: { kind: 'flag', summary: 'print Markdown' },
    json: { kind: 'flag', summary: 'print everything as JSON' },
  },
  examples: [
    'compare main HEAD',
    'compare v1.2.0 . --filter double-ratchet --budget thorough',
    'compare --implementation noble libsodium',
    'compare origin/main HEAD --provider ./bench/provider.ts --summary summary.md',
  ],
  async run({ positionals, options, output }) {
    if (options.instructions) requireValgrind();
    return runComparison({
      base: positionals.base,
      head: positionals.head,
      implementation: options.implementation,
      request: {
        suite: options.suite ?? SUITE,
        filter: options.filter,
        seed: options.seed ?? 1,
        provider: options.provider,
        pipeline: options.pipeline,
        workload: options.workload,
      },
      blocks: options.blocks ?? BLOCKS[options.budget ?? 'standard'],
      percentiles: options.percentiles,
      strict: options.strict,
      prepare: options.prepare,
      out: options.out,
      summary: options.summary,
      junit: options.junit,
      format: options.json ? 'json' : options.markdown ? 'markdown' : 'text',
      countInstructions: options.instructions ? measureInstructions : undefined,
      output,
    });
  },
});
export default compare;
