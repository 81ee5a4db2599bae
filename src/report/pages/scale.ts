/** How cost and memory grow with the number of live sessions. */

import { seriesOf, type CellResult, type Series } from '../cells.ts';
import { isUndecided, ratioOf, summarise, weightedSum, type Estimate } from '../estimates.ts';
import { memoryTable } from '../memory-slopes.ts';
import { formatNumber } from '../numbers.ts';
import { cellLabels, optionOf, plainName, threadsText } from '../pairing.ts';
import type {
  ChartPart,
  ChartRow,
  MatrixPart,
  PageSection,
  SitePage,
  SiteRun,
} from '../site/page.ts';
import { quantityText, siteScale } from '../site/quantities.ts';
import { confidence } from '../wording.ts';
import { scaleTable, sizeSentences } from '../scale.ts';
import { cellFacets, chartId, costMatrix, type CostColumn } from './_cells.ts';

/** All of `retained-bytes` but the pages of the heap that hold nothing. */
const RETAINED = ['heap', 'external', 'arraybuffer', 'wasm', 'native'] as const;

interface Measure {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly of: (cell: CellResult) => Series | undefined;
}

const MEASURES: readonly Measure[] = [
  {
    name: 'cpu',
    title: 'CPU per message, all roles',
    unit: 'ns',
    of: (cell) => seriesOf(cell, { metric: 'cpu-per-message', role: 'all' }),
  },
  { name: 'retained', title: 'Memory retained per session', unit: 'B', of: retained },
  {
    name: 'rss',
    title: 'Peak resident memory of the process',
    unit: 'B',
    of: (cell) => seriesOf(cell, { metric: 'peak-rss' }),
  },
  {
    name: 'opened',
    title: 'Sessions opened per second',
    unit: 'sessions/s',
    of: (cell) => seriesOf(cell, { metric: 'session-rate' }),
  },
  {
    name: 'throughput',
    title: 'Messages per second',
    unit: 'messages/s',
    of: (cell) => seriesOf(cell, { metric: 'throughput' }),
  },
];

function retained(cell: CellResult): Series | undefined {
  const parts = RETAINED.map((kind) => seriesOf(cell, { metric: 'retained-bytes', kind }));
  if (parts.includes(undefined)) return undefined;
  return weightedSum(parts.map((part) => [part, 1] as const));
}

/** Of a run without growth: its cells beside each other. */
const COLUMNS: readonly CostColumn[] = [
  ...(['sender', 'receiver', 'all'] as const).map((role) => ({
    title: `CPU per message, ${role}`,
    unit: 'ns',
    name: { metric: 'cpu-per-message', role },
  })),
  {
    title: 'opened',
    unit: 'sessions/s',
    isBetterHigher: true,
    name: { metric: 'session-rate' },
  },
  {
    title: 'carried, with opening',
    unit: 'messages/s',
    isBetterHigher: true,
    name: { metric: 'throughput' },
  },
  { title: 'peak memory', unit: 'B', name: { metric: 'peak-rss' } },
];

/** Cells that differ in the number of their sessions only, fewest first. */
interface Growth {
  readonly run: SiteRun;
  readonly label: string;
  readonly points: readonly { readonly cell: CellResult; readonly sessions: number }[];
}

const scale: SitePage = {
  name: 'scale',
  title: 'Scale',
  place: 50,
  question: 'How do cost and memory grow with the number of live sessions?',
  needs:
    'There is no run of many sessions: sealbench run scale/growth, scale/memory or scale/million-sessions.',
  build(runs) {
    const shown = runs
      .map((run) => ({ run, growths: growthsOf(run) }))
      .filter(({ run, growths }) => growths.length > 0 || isOfScale(run));
    if (shown.length === 0) return undefined;
    return {
      findings: shown.flatMap(({ run, growths }) => [
        ...growths.flatMap(findingOf),
        ...sizeSentences(run.cells),
        ...(growths.length > 0
          ? []
          : [
              `${run.name} has figures for one number of sessions of each pipeline: it shows what that many take, and nothing of how cost grows with their number.`,
            ]),
      ]),
      sections: shown.map(({ run, growths }) => sectionOf(run, growths)),
    };
  },
};
export default scale;

/** Sessions are what it is about, also where it has one number of them. */
function isOfScale({ manifest, cells }: SiteRun): boolean {
  return manifest.suite.name.startsWith('scale/') || scaleTable(cells).rows.length > 0;
}

function growthsOf(run: SiteRun): Growth[] {
  const measured = run.cells.filter(
    (cell) => cell.status === 'ok' && sessionsOf(cell) !== undefined,
  );
  const groups = Map.groupBy(measured, (cell) =>
    [cell.pipeline, cell.implementation, workloadWithoutSessions(cell), threadsText(cell)].join(
      ', ',
    ),
  );
  const found = [...groups.values()]
    .map((cells) =>
      cells
        .map((cell) => ({ cell, sessions: sessionsOf(cell)! }))
        .sort((a, b) => a.sessions - b.sessions),
    )
    .filter((points) => new Set(points.map(({ sessions }) => sessions)).size > 1);
  const several = new Set(found.map((points) => points[0]!.cell.implementation)).size > 1;
  return found.map((points) => {
    const { pipeline, implementation } = points[0]!.cell;
    return { run, label: several ? `${pipeline}, ${implementation}` : pipeline, points };
  });
}

function sessionsOf({ workload }: CellResult): number | undefined {
  const sessions = Number(optionOf(workload, 'sessions'));
  return sessions > 0 ? sessions : undefined;
}

function workloadWithoutSessions({ workload }: CellResult): string {
  const options = workload.slice(plainName(workload).length + 1).split(',');
  return [plainName(workload), ...options.filter((one) => !one.startsWith('sessions='))].join(',');
}

function findingOf({ label, points }: Growth): string[] {
  const [first, last] = [points[0]!, points.at(-1)!];
  const of = MEASURES[0]!.of;
  const ratio = ratioOf(of(last.cell), of(first.cell));
  if (ratio === undefined) return [];
  const sizes = `from ${first.sessions.toLocaleString('en')} to ${last.sessions.toLocaleString('en')} live sessions`;
  return [
    isUndecided(ratio, 1)
      ? `${label}: no change of the CPU of a message could be shown ${sizes} (${confidence(ratio)} times).`
      : `${label}: ${sizes} the CPU of a message grows ${formatNumber(ratio.value)} times (${confidence(ratio)}).`,
  ];
}

function sectionOf(run: SiteRun, growths: readonly Growth[]): PageSection {
  const charts = MEASURES.flatMap((measure) => growthChart(run, growths, measure));
  const tables = [scaleTable(run.cells), memoryTable(run.cells)];
  return {
    title: run.manifest.suite.title,
    lead: [run.manifest.suite.question],
    parts: [
      ...charts,
      ...(charts.length > 0 ? [] : [cellsMatrix(run)]),
      ...tables.flatMap((table) =>
        table.rows.length === 0 ? [] : [{ kind: 'table' as const, table }],
      ),
    ],
    notes: run.manifest.suite.analysis,
  };
}

function cellsMatrix(run: SiteRun): MatrixPart {
  const title = 'What this many sessions take';
  const id = chartId('scale', run, 'cells');
  const labels = cellLabels(run.cells).map(
    (label, at) => `${label}, sessions: ${run.cells[at]!.sessions?.toLocaleString('en') ?? '-'}`,
  );
  return costMatrix({ id, title }, run.cells, labels, COLUMNS, run);
}

function growthChart(run: SiteRun, growths: readonly Growth[], measure: Measure): ChartPart[] {
  const { name, title, unit, of } = measure;
  const lines = growths.flatMap(({ label, points }) => {
    const known = points.flatMap(({ cell, sessions }) => {
      const estimate = summarise(of(cell));
      return estimate === undefined ? [] : [{ cell, sessions, estimate }];
    });
    return known.length < 2 ? [] : [{ label, known }];
  });
  if (lines.length === 0) return [];
  const values = lines.flatMap(({ known }) => known.map(({ estimate }) => estimate.value));
  const scaleOf = siteScale(unit, values);
  // A logarithm has no place for what is nothing or less, as a residual may be.
  const isLog =
    values.every((value) => value > 0) && Math.max(...values) / Math.min(...values) > 20;
  const rows = lines.flatMap(({ label, known }) =>
    known.map(({ cell, sessions, estimate }, index): ChartRow => ({
      label,
      ...cellFacets(cell),
      sessions,
      ...bounded(estimate, scaleOf.factor, isLog),
      last: index === known.length - 1,
      text: `${label}, ${sessions.toLocaleString('en')} sessions: ${quantityText(estimate, unit, scaleOf)}`,
    })),
  );
  return [
    {
      kind: 'chart',
      chart: 'growth',
      id: chartId('scale', run, name),
      title: `${title}, against the number of live sessions`,
      description: `A line for each pipeline over the number of live sessions, on a log scale of sessions${isLog ? ' and of values' : ''}, with 95 % intervals.`,
      rows,
      table: {
        columns: [
          { title: 'pipeline', key: 'label' },
          { title: 'live sessions', key: 'sessions' },
          { title: `${title} (${scaleOf.unit})`, key: 'value' },
          { title: 'low', key: 'low' },
          { title: 'high', key: 'high' },
        ],
      },
      words: {
        axis: `${scaleOf.unit}${isLog ? ', log scale' : ''}`,
        yscale: isLog ? 'log' : 'linear',
      },
      values: { labels: lines.map(({ label }) => label) },
    },
  ];
}

function bounded({ value, low, high }: Estimate, factor: number, isLog: boolean) {
  return {
    value: value * factor,
    low: (low === undefined || (isLog && low <= 0) ? value : low) * factor,
    high: (high ?? value) * factor,
  };
}
