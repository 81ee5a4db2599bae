/** How far the figures can be trusted, and what was not measured. */

import { seriesOf, type CellResult } from '../cells.ts';
import { relativeHalfWidth, summarise } from '../estimates.ts';
import { cellLabels } from '../pairing.ts';
import type { ChartPart, ChartRow, PageSection, SitePage, SiteRun } from '../site/page.ts';
import { CHART_ROWS_MAX } from '../site/chart.ts';
import type { Table } from '../table.ts';
import { verdictText } from '../verdict.ts';
import { countOf, joined, percent } from '../wording.ts';
import { cellFacets } from './_cells.ts';

const HEALTH = [
  { name: 'contaminated-share', title: 'blocks disturbed' },
  { name: 'run-delay-share', title: 'waiting for a core' },
  { name: 'cpu-helpers', title: 'CPU off the threads' },
  { name: 'gc-share', title: 'collector pauses' },
] as const;

const NOT_MEASURED = [
  'Networks, radios, batteries and screens: CPU and bytes are measured, and what a phone makes of them is not.',
  'Other machines: every figure is of the machine named here, and ratios travel better than times.',
  'Staff, courts, storage and failed audits: access for an authority has costs that no processor bears.',
  'What leaks in use: side channels, and what an attacker gets, are not in costs; where there are figures of exposure, they stand on their own page.',
  'An authority’s share of messages is an assumption: one in 10,000 wherever a total holds it.',
];

const trust: SitePage = {
  name: 'trust',
  title: 'Trust',
  place: 90,
  question: 'How far can these figures be trusted, and what was not measured?',
  needs: 'There are no runs.',
  build(runs) {
    if (runs.length === 0) return undefined;
    const failed = runs.flatMap(({ cells }) => cells.filter(({ status }) => status !== 'ok'));
    const all = runs.reduce((sum, { cells }) => sum + cells.length, 0);
    return {
      findings: [
        verdictsOf(runs),
        failed.length === 0
          ? `All ${countOf(all, 'cell')} have figures: every message that was delivered was compared with what was sent.`
          : `${failed.length} of ${countOf(all, 'cell')} have no figures; they are named below and are no number anywhere.`,
      ],
      sections: [
        { title: 'The machine', parts: [{ kind: 'table', table: environmentTable(runs) }] },
        {
          title: 'Noise',
          lead: [
            'Absolute figures are worth little where other work disturbed the machine; ratios, taken between repeats that ran close together, are worth more.',
          ],
          parts: healthChart(runs),
        },
        ...runs.map(sectionOf),
        {
          title: 'What was not measured',
          parts: [{ kind: 'list', items: [...NOT_MEASURED, ...failed.map(failureText)] }],
        },
      ],
    };
  },
};
export default trust;

/** "Of 9 runs, 8 are noisy and 1 is unjudged." */
function verdictsOf(runs: readonly SiteRun[]): string {
  const [first] = runs;
  if (runs.length === 1) return verdictText(first!.summary.judgement);
  const counts = Map.groupBy(runs, ({ summary }) => summary.judgement.verdict);
  const parts = [...counts].map(
    ([verdict, of]) => `${of.length} ${of.length === 1 ? 'is' : 'are'} ${verdict}`,
  );
  return `Of ${countOf(runs.length, 'run')}, ${joined(parts)}: noisy ones tell cells apart and know ratios to no better than 3 % either way.`;
}

function failureText({ cell, status, reason }: CellResult): string {
  return `${cell}: ${status}${reason === undefined ? '' : `, ${reason}`}`;
}

function environmentTable(runs: readonly SiteRun[]): Table {
  const columns = [
    'run',
    'started',
    'processor',
    'cores',
    'virtual',
    'kernel',
    'governor',
    'Node',
    'OpenSSL',
    'revision',
    'seed',
    'budget',
  ];
  return {
    title: 'Where and with what each run was made',
    columns: columns.map((title) => ({ title })),
    rows: runs.map(({ name, manifest }) => {
      const { environment: it, git, seed, budget, startedAt } = manifest;
      return {
        cells: [
          name,
          startedAt.slice(0, 16).replace('T', ' '),
          it.cpuModel,
          String(it.availableCores),
          it.virtualised,
          `${it.platform} ${it.kernel}`,
          it.governor ?? 'unknown',
          it.node,
          it.openssl,
          git === null ? 'unknown' : `${git.revision.slice(0, 7)}${git.dirty ? ', changed' : ''}`,
          String(seed),
          budget,
        ],
      };
    }),
    notes: [],
  };
}

function sectionOf(run: SiteRun): PageSection {
  return {
    title: `${run.name}: ${run.manifest.suite.title}`,
    parts: [
      { kind: 'list', items: [verdictText(run.summary.judgement), ...run.summary.precision] },
    ],
  };
}

/** A mark for each cell of each run, so that one sees both the usual and the worst. */
function healthChart(runs: readonly SiteRun[]): ChartPart[] {
  const rows = runs.flatMap((run) => {
    const cells = run.cells.filter(({ status }) => status === 'ok');
    const labels = cellLabels(cells);
    return cells.flatMap((cell, index) => healthRows(run, cell, labels[index]!));
  });
  if (rows.length === 0 || rows.length > CHART_ROWS_MAX) return [];
  return [
    {
      kind: 'chart',
      chart: 'strips',
      id: 'trust-health',
      title: 'Noise, by run: a mark for each cell',
      description:
        'Panels of shares, a row for each run and a mark for each of its cells: half the width of the interval of the cost, blocks disturbed by other work, time spent waiting for a core, CPU off the measured threads, and pauses of the garbage collector.',
      rows,
      table: {
        columns: [
          { title: 'run', key: 'run' },
          { title: 'cell', key: 'label' },
          { title: 'what', key: 'panel' },
          { title: 'share (%)', key: 'value' },
        ],
      },
      words: { axis: '%' },
    },
  ];
}

function healthRows(run: SiteRun, cell: CellResult, label: string): ChartRow[] {
  const cost = summarise(seriesOf(cell, { metric: 'cpu-per-message', role: 'all' }));
  const shares: readonly (readonly [panel: string, share: number | undefined])[] = [
    ['half the interval', cost && relativeHalfWidth(cost)],
    ...HEALTH.map(
      ({ name, title }) => [title, summarise(seriesOf(cell, { metric: name }))?.value] as const,
    ),
  ];
  return shares.flatMap(([panel, share]): ChartRow[] =>
    share === undefined
      ? []
      : [
          {
            run: run.name,
            panel,
            label,
            ...cellFacets(cell),
            value: share * 100,
            text: `${run.name}, ${label}, ${panel}: ${percent(share)}`,
          },
        ],
  );
}
