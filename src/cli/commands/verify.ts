/** `verify`: one small repeat per cell, seeded and untimed: does everything come out right? */

import { availableParallelism } from 'node:os';
import type { ShardFacts } from '../../measure/facts.ts';
import { execute } from '../../runner/execute.ts';
import type { RepeatRecord } from '../../results/record.ts';
import { defineCommand, EXIT, type Command, type ExitStatus } from '../command.ts';
import { Interruption } from '../interruption.ts';
import { PLAN_OPTIONS, planNamed, replacementsOf } from '../planning.ts';
import { textTable } from '../table.ts';

const SEED = 1;

const verify: Command = defineCommand({
  name: 'verify',
  summary: 'Check that every cell of a suite delivers what was sent',
  details: 'Nothing is timed. Exits with 3 when a cell gave a wrong result or failed.',
  positionals: { suite: { placeholder: 'SUITE', summary: 'name or file', default: 'verify/all' } },
  options: { ...PLAN_OPTIONS, json: { kind: 'flag', summary: 'print the outcomes as JSON' } },
  examples: ['verify', 'verify --filter double-ratchet', 'verify --provider ./my-provider.ts'],
  async run({ positionals, options, output }) {
    const { loaded, plan } = await planNamed(
      positionals.suite,
      {
        budget: 'quick',
        repeats: 1,
        seed: SEED,
        purpose: 'verify',
        ...(options.filter === undefined ? {} : { filter: options.filter }),
      },
      replacementsOf(options),
    );
    output.note(`${plan.cells.length} cells\n`);
    using interruption = new Interruption();
    const records: RepeatRecord[] = [];
    const { interrupted } = await execute({
      plan,
      run: { append: (record) => records.push(record) },
      suiteName: loaded.suite.name,
      signal: interruption.signal,
      concurrency: availableParallelism(),
      onStart: () => {},
      onEnd: ({ order }, { cell, status }) => {
        output.note(`${order + 1}/${plan.order.length} ${status} ${cell}\n`);
      },
    });
    // In the order of the suite, whatever the order in which they ran.
    const byCell = new Map(records.map((record) => [record.cell, record]));
    const outcomes = plan.cells.flatMap(({ name }) => byCell.get(name) ?? []);
    output.print(options.json ? renderJson(outcomes) : renderTable(outcomes));
    return interrupted ? interruption.status : statusOf(outcomes);
  },
});
export default verify;

function renderJson(records: readonly RepeatRecord[]): string {
  const outcomes = records.map(({ cell, status, reason = null, shards, relay }) => ({
    cell,
    status,
    reason,
    delivered: relay?.delivery.delivered ?? sum(shards.map(({ messages }) => messages.delivered)),
  }));
  return `${JSON.stringify(outcomes, undefined, 2)}\n`;
}

function renderTable(records: readonly RepeatRecord[]): string {
  return textTable(
    '',
    ['cell', 'outcome', 'messages delivered', 'recovered', 'reason'],
    records.map(({ cell, status, reason = '', shards, relay }) => [
      cell,
      status,
      relay === undefined
        ? countedIn(shards, ({ messages }) => messages.delivered)
        : String(relay.delivery.delivered),
      countedIn(shards, ({ messages }) => messages.recovered),
      reason,
    ]),
  );
}

/** A single operation carries no messages. */
function countedIn(shards: RepeatRecord['shards'], of: (shard: ShardFacts) => number): string {
  return shards.length === 0 ? '-' : String(sum(shards.map(of)));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** What cannot run here is not wrong. */
function statusOf(records: readonly RepeatRecord[]): ExitStatus {
  if (records.some(({ status }) => status === 'error')) return EXIT.failed;
  return records.some(({ status }) => status === 'invalid') ? EXIT.undecided : EXIT.fine;
}
