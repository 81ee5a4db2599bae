/** What a relay bears: how long messages wait as more of them come, and what a request costs it. */

import { seriesOf, type CellResult, type Series, type SeriesName } from '../cells.ts';
import { summarise, type Estimate } from '../estimates.ts';
import { formatNumber, formatQuantity } from '../numbers.ts';
import { cellLabels } from '../pairing.ts';
import { responseSentences, responseTable } from '../response-times.ts';
import { saturationSentences, saturationTable } from '../saturation.ts';
import type { ChartPart, ChartRow, PageSection, SitePage, SiteRun } from '../site/page.ts';
import { quantityText, sitewise } from '../site/quantities.ts';
import { cellFacets, chartId, costMatrix, type CostColumn } from './_cells.ts';

const PANELS_MAX = 12;
/** Of a run, at the top of the page; its tables have the others. */
const SENTENCES_MAX = 2;
/** Repeats whose searches are drawn: each has up to some sixty windows. */
const SEARCHES_MAX = 3;

const CURVES = [
  { part: 'response p99', name: { metric: 'response-time', statistic: 'p99' } },
  { part: 'response p50', name: { metric: 'response-time', statistic: 'p50' } },
  { part: 'service p50', name: { metric: 'service-time', statistic: 'p50' } },
] as const satisfies readonly { part: string; name: SeriesName }[];

const COLUMNS: readonly CostColumn[] = [
  {
    title: 'knee',
    unit: 'messages/s',
    isBetterHigher: true,
    name: { metric: 'knee-rate' },
  },
  { title: 'response p50', unit: 'ns', name: { metric: 'response-time', statistic: 'p50' } },
  { title: 'response p99', unit: 'ns', name: { metric: 'response-time', statistic: 'p99' } },
  { title: 'service p50', unit: 'ns', name: { metric: 'service-time', statistic: 'p50' } },
  {
    title: 'requests',
    unit: 'requests/s',
    isBetterHigher: true,
    name: { metric: 'request-rate' },
  },
  {
    title: 'server CPU per request',
    unit: 'ns',
    name: { metric: 'server-cpu-per-request', role: 'relay' },
  },
  { title: 'server busy', unit: 'share', name: { metric: 'server-busy-share' } },
  { title: 'CPU per connection', unit: 'ns', name: { metric: 'connection-cpu' } },
  {
    title: 'hand-over p50',
    unit: 'ns',
    name: { metric: 'hand-over-latency', statistic: 'p50' },
  },
];

const relay: SitePage = {
  name: 'relay',
  title: 'Relay',
  place: 60,
  question: 'How long do messages wait as more of them come, and where is the knee?',
  needs: 'There is no run under load: sealbench run load/knee, load/saturation or curated/relay.',
  build(runs) {
    // Runs of attacks hand messages over too, and load nothing.
    const loaded = runs.filter(
      ({ cells, manifest }) => manifest.suite.kind !== 'exposure' && cells.some(isLoaded),
    );
    if (loaded.length === 0) return undefined;
    return {
      findings: loaded.flatMap((run) => [
        ...findingsOf(run),
        ...saturationSentences(run.cells, run.manifest.suite.baseline).slice(0, SENTENCES_MAX),
        ...responseSentences(run.cells).slice(0, SENTENCES_MAX),
      ]),
      sections: loaded.map(sectionOf),
    };
  },
};
export default relay;

/** The first series of a cell with that metric and statistic, whatever its kind and role. */
function anySeries(
  cell: CellResult,
  { metric, statistic = 'median' }: SeriesName,
): Series | undefined {
  return (
    seriesOf(cell, { metric, statistic }) ??
    [...cell.series.values()].find((one) => one.metric === metric && one.statistic === statistic)
  );
}

/** A search that gave up has no figure, and is shown with its reason. */
function isLoaded(cell: CellResult): boolean {
  return cell.load !== 'closed' || COLUMNS.some(({ name }) => anySeries(cell, name) !== undefined);
}

function findingsOf(run: SiteRun): string[] {
  const knees = run.cells
    .flatMap((cell) => {
      const knee = summarise(anySeries(cell, { metric: 'knee-rate' }));
      return knee === undefined ? [] : [{ cell, knee }];
    })
    .toSorted((a, b) => b.knee.value - a.knee.value);
  const [most, least] = [knees[0], knees.at(-1)];
  if (most === undefined || least === undefined) return [];
  return [
    most === least
      ? `Response times stay within their bound up to ${kneeText(most)}.`
      : `The rate up to which response times stay within their bound goes from ${kneeText(least)} to ${kneeText(most)}.`,
  ];
}

function kneeText({ cell, knee }: { readonly cell: CellResult; readonly knee: Estimate }): string {
  return `${quantityText(knee, 'messages/s')} (${cell.pipeline})`;
}

function sectionOf(run: SiteRun): PageSection {
  const cells = run.cells.filter((cell) => isLoaded(cell) || cell.status !== 'ok');
  const labels = cellLabels(cells);
  const { baseline } = run.manifest.suite;
  const columns = COLUMNS.map((column) => ({ ...column, name: nameIn(cells, column.name) }));
  return {
    title: run.manifest.suite.title,
    lead: [run.manifest.suite.question],
    parts: [
      ...loadChart(run, cells),
      ...[saturationTable(run.cells, baseline), responseTable(run.cells)].flatMap((table) =>
        table.rows.length === 0 ? [] : [{ kind: 'table' as const, table }],
      ),
      costMatrix(
        { id: chartId('relay', run, 'cells'), title: 'Under load, by cell' },
        cells,
        labels,
        columns,
        run,
      ),
    ],
    notes: [
      'Response time runs from the moment when a message was due, with its wait behind others; service time is the work alone.',
      ...run.manifest.suite.analysis,
    ],
  };
}

/** With the kind and role that these cells have it by. */
function nameIn(cells: readonly CellResult[], name: SeriesName): SeriesName {
  const found = cells.map((cell) => anySeries(cell, name)).find((series) => series !== undefined);
  if (found === undefined) return name;
  const { metric, stage, role, kind, statistic } = found;
  return { metric, stage, role, kind, statistic };
}

/** One panel for each pipeline in one setting; cells of several rates make a curve. */
function loadChart(run: SiteRun, cells: readonly CellResult[]): ChartPart[] {
  const measured = cells.filter(({ status }) => status === 'ok');
  const groups = [...Map.groupBy(measured, withoutRate)];
  const rows = groups
    .slice(0, PANELS_MAX)
    .flatMap(([panel, group]) => [...rowsOf(panel, group), ...windowRows(run, panel, group)]);
  if (rows.length === 0) return [];
  return [
    {
      kind: 'chart',
      chart: 'load',
      id: chartId('relay', run, 'load'),
      title: 'Time of a message against the offered rate, in ms on a log scale',
      description:
        'A panel for each pipeline and setting: response and service times on a log scale against the rate at which messages come. Dashed lines mark the knee, the highest rate within the bound.',
      rows,
      table: {
        columns: [
          { title: 'where', key: 'panel' },
          { title: 'what', key: 'part' },
          { title: 'offered per second', key: 'rate' },
          { title: 'time (ms)', key: 'value' },
        ],
      },
      values: {
        parts: [WINDOW, ...CURVES.map(({ part }) => part)].filter((part) =>
          rows.some((row) => row['part'] === part),
        ),
      },
    },
  ];
}

/** All that a cell's name says but its rate. */
function withoutRate({ pipeline, implementation, workload }: CellResult): string {
  const [name, options = ''] = workload.split(':');
  const rest = options.split(',').filter((one) => one !== '' && !one.startsWith('rate='));
  return [pipeline, implementation, rest.length === 0 ? name : `${name}:${rest.join(',')}`].join(
    ', ',
  );
}

function rowsOf(panel: string, cells: readonly CellResult[]): ChartRow[] {
  return cells.flatMap((cell) => {
    const rate = summarise(anySeries(cell, { metric: 'offered-rate' }));
    const knee = summarise(anySeries(cell, { metric: 'knee-rate' }));
    const common = { panel, ...cellFacets(cell) };
    const rows: ChartRow[] =
      rate === undefined
        ? []
        : CURVES.flatMap(({ part, name }): ChartRow[] => {
            const time = summarise(anySeries(cell, name));
            if (time === undefined || time.value <= 0) return [];
            return [
              {
                ...common,
                part,
                rate: rate.value,
                value: time.value / 1e6,
                text: `${panel}, ${part} at ${quantityText({ ...rate, low: undefined, high: undefined }, 'messages/s')}: ${quantityText(time, 'ns')}`,
              },
            ];
          });
    if (knee === undefined) return rows;
    const shown = `knee ${quantityText({ ...knee, low: undefined, high: undefined }, 'messages/s')}`;
    return [
      ...rows,
      { ...common, part: 'knee', rate: knee.value, value: null, shown, text: `${panel}: ${shown}` },
    ];
  });
}

const WINDOW = 'p99 of one window';

/** What a search for the knee measured on its way, window by window. */
function windowRows(run: SiteRun, panel: string, cells: readonly CellResult[]): ChartRow[] {
  return cells.flatMap((cell) => {
    const records = run.records.filter(
      ({ cell: name, status }) => name === cell.cell && status === 'ok',
    );
    const searches = records
      .slice(0, SEARCHES_MAX)
      .flatMap(({ shards, relay: server }) => [
        ...shards.flatMap(({ saturation }) => saturation ?? []),
        ...(server?.knee === undefined ? [] : [server.knee]),
      ]);
    return searches.flatMap(({ windows }) =>
      windows.load.flatMap((rate, index): ChartRow[] => {
        const responseNs = windows.responseNs[index]!;
        if (windows.isValid[index] !== true || responseNs <= 0) return [];
        const text = `${panel}, one window at ${formatNumber(rate)} messages/s: p99 ${formatQuantity(responseNs, 'ns')}`;
        return [
          {
            panel,
            ...cellFacets(cell),
            part: WINDOW,
            rate,
            value: responseNs / 1e6,
            text: sitewise(text),
          },
        ];
      }),
    );
  });
}
