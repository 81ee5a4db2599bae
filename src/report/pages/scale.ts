/** How cost and memory grow with the number of live sessions. */

import { seriesOf, type CellResult, type Series } from '../cells.ts';
import { isUndecided, ratioOf, summarise, weightedSum, type Estimate } from '../estimates.ts';
import { memoryTable } from '../memory-slopes.ts';
import { formatNumber } from '../numbers.ts';
import { optionOf, plainName, threadsText } from '../pairing.ts';
import type { ChartPart, ChartRow, PageSection, SitePage, SiteRun } from '../site/page.ts';
import { quantityText, siteScale } from '../site/quantities.ts';
import { confidence } from '../wording.ts';
import { cellFacets, chartId } from './_cells.ts';

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
    'There is no run with the same cells at several numbers of sessions: sealbench run scale/growth or scale/memory.',
  build(runs) {
    const growths = runs
      .map((run) => ({ run, growths: growthsOf(run) }))
      .filter((it) => it.growths.length > 0);
    if (growths.length === 0) return undefined;
    return {
      findings: growths.flatMap((it) => it.growths.flatMap(findingOf)),
      sections: growths.map((it) => sectionOf(it.run, it.growths)),
    };
  },
};
export default scale;

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
  const memory = memoryTable(run.cells);
  return {
    title: run.manifest.suite.title,
    lead: [run.manifest.suite.question],
    parts: [
      ...charts,
      ...(memory.rows.length === 0 ? [] : [{ kind: 'table' as const, table: memory }]),
    ],
    notes: run.manifest.suite.analysis,
  };
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
