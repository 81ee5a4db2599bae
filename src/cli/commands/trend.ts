/** `trend`: stored baselines of one machine over time, with the changes of level. Never a gate. */

import { badInput } from '../../core/errors.ts';
import { quoted, shownPath } from '../../core/json.ts';
import { BASELINES_DIR } from '../../core/paths.ts';
import cpuPerMessage from '../../metrics/cpu-per-message.ts';
import { formatNumber, formatQuantity } from '../../report/numbers.ts';
import {
  appendBaseline,
  baselineFile,
  baselineOf,
  comparableGroups,
  readBaselines,
  type Baseline,
} from '../../results/baselines.ts';
import type { RepeatRecord } from '../../results/record.ts';
import { readRun } from '../../results/store.ts';
import { levelsOf } from '../../stats/change-points.ts';
import { median } from '../../stats/quantile.ts';
import { defineCommand, EXIT, type Command } from '../command.ts';
import { textTable } from '../table.ts';

const SUITE = 'curated/gate';
const BARS = '▁▂▃▄▅▆▇█';
const BARS_SHOWN = 40;
const REVISION_SHOWN = 10;

const trend: Command = defineCommand({
  name: 'trend',
  summary: 'Draw stored baselines of one machine over time, and where their level changed',
  details: [
    'Baselines lie under results/baselines/, a file per suite. Only runs of the same machine, Node and',
    'suite are set side by side; those of others are counted and left out. Levels are found by optimal',
    'partitioning. Nothing here is a gate: that is `compare`, which measures both sides in one job.',
  ].join('\n'),
  positionals: { suite: { placeholder: 'SUITE', summary: 'its name', default: SUITE } },
  options: {
    add: { kind: 'text', placeholder: 'RUN', summary: 'first add this run: the folder of a run' },
    folder: { kind: 'text', placeholder: 'DIR', summary: 'instead of results/baselines/' },
    json: { kind: 'flag', summary: 'print the series and their levels as JSON' },
  },
  examples: ['trend', 'trend curated/ladder --add results/runs/20260131T120000Z-0123abc'],
  async run({ positionals: { suite }, options, output }) {
    const file = baselineFile(options.folder ?? BASELINES_DIR, suite);
    if (options.add !== undefined) {
      const { manifest, records } = await readRun(options.add);
      if (manifest.suite.name !== suite) {
        throw badInput(
          `${shownPath(options.add)}: expected a run of ${quoted(suite)}, found one of ` +
            `${quoted(manifest.suite.name)}; name that suite first`,
        );
      }
      const costs = costsOf(records);
      if (Object.keys(costs).length === 0) {
        throw badInput(
          `${shownPath(options.add)}: expected a cell with CPU per message, found none`,
        );
      }
      appendBaseline(file, baselineOf(manifest, costs));
    }
    const baselines = await readBaselines(file);
    const group = comparableGroups(baselines).at(-1);
    if (group === undefined) {
      throw badInput(
        `${shownPath(file)}: expected baselines of ${quoted(suite)}, found none; add a run by --add`,
      );
    }
    const series = seriesOf(group);
    if (options.json) output.print(`${JSON.stringify(series, undefined, 2)}\n`);
    else {
      output.print(tableOf(series));
      output.note(
        `${group.length} runs on this machine and suite, ${baselines.length - group.length} of ` +
          `others left out: ${shownPath(file)}\n`,
      );
    }
    return EXIT.fine;
  },
});
export default trend;

/** Medians over the repeats that were ok. */
function costsOf(records: readonly RepeatRecord[]): Record<string, number> {
  const costs = new Map<string, number[]>();
  for (const record of records) {
    if (record.status !== 'ok') continue;
    const cost = cpuPerMessage.derive(record).find(({ role }) => role === 'all')?.value;
    if (cost === undefined || cost <= 0) continue;
    costs.set(record.cell, [...(costs.get(record.cell) ?? []), cost]);
  }
  return Object.fromEntries([...costs].map(([cell, values]) => [cell, median(values)]));
}

interface CellSeries {
  readonly cell: string;
  readonly runs: readonly { readonly at: string; readonly revision: string; readonly ns: number }[];
  readonly levels: ReturnType<typeof levelsOf>;
}

function seriesOf(group: readonly Baseline[]): CellSeries[] {
  const cells = new Set(group.flatMap(({ cpuPerMessageNs }) => Object.keys(cpuPerMessageNs)));
  return [...cells].sort().map((cell) => {
    const runs = group.flatMap(({ at, revision, cpuPerMessageNs }) => {
      const ns = cpuPerMessageNs[cell];
      return ns === undefined ? [] : [{ at, revision: revision ?? 'unknown', ns }];
    });
    return { cell, runs, levels: levelsOf(runs.map(({ ns }) => ns)) };
  });
}

function tableOf(series: readonly CellSeries[]): string {
  const rows = series.map(({ cell, runs, levels }) => {
    const changes = levels.slice(1).map(({ from, level }, index) => {
      const change = (level / levels[index]!.level - 1) * 100;
      const { at, revision } = runs[from]!;
      const sign = change > 0 ? '+' : '';
      return `${sign}${formatNumber(change, 1)}% at ${revision.slice(0, REVISION_SHOWN)} (${at.slice(0, 10)})`;
    });
    return [
      cell,
      String(runs.length),
      barsOf(runs.map(({ ns }) => ns).slice(-BARS_SHOWN)),
      formatQuantity(levels.at(-1)!.level, 'ns'),
      changes.length === 0 ? 'none' : changes.join('; '),
    ];
  });
  return textTable('', ['cell', 'runs', 'CPU per message', 'level now', 'changes of level'], rows);
}

function barsOf(values: readonly number[]): string {
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  return values
    .map((value) => BARS[span === 0 ? 0 : Math.round(((value - low) / span) * (BARS.length - 1))]!)
    .join('');
}
