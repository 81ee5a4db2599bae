/** How long single calls take: the whole distribution, from the histograms of a run. */

import type { TimedId } from '../../measure/facts.ts';
import { Histogram } from '../../measure/histogram.ts';
import type { CellResult } from '../cells.ts';
import { formatQuantity } from '../numbers.ts';
import { cellLabels } from '../pairing.ts';
import type { ChartPart, ChartRow, PageSection, SitePage, SiteRun } from '../site/page.ts';
import { sitewise } from '../site/quantities.ts';
import { latencyTable } from '../tables.ts';
import { joined } from '../wording.ts';
import { cellFacets, chartId } from './_cells.ts';

/** Calls of a message in an open session, in the order of its way. */
const STAGES: readonly { readonly id: TimedId; readonly name: string; readonly role: string }[] = [
  { id: 'send', name: 'send', role: 'sender' },
  { id: 'relay-store', name: 'relay store', role: 'relay' },
  { id: 'relay-fetch', name: 'relay fetch', role: 'relay' },
  { id: 'receive', name: 'receive', role: 'receiver' },
];

/** Of one chart; a reader compares no more. */
const CELLS_MAX = 15;
const RUNS_MAX = 1;
/** A percentile that rests on fewer larger samples is those samples' luck. */
const FEWEST_BEYOND = 30;
/** Quantiles at which curves are drawn: buckets, never samples. */
const SHARES: readonly number[] = [
  0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75,
  0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999,
];

interface Curve {
  readonly cell: CellResult;
  readonly label: string;
  readonly stage: (typeof STAGES)[number];
  readonly histogram: Histogram;
}

const latency: SitePage = {
  name: 'latency',
  title: 'Latency',
  place: 40,
  question: 'How long does one call take, and how long do the slowest ones take?',
  needs: 'There is no run with latencies of calls: sealbench run curated/ladder.',
  build(runs) {
    const timed = runs.filter(({ records }) => records.some(hasLatency));
    if (timed.length === 0) return undefined;
    const ranked = timed.toSorted((a, b) => rungsOf(b) - rungsOf(a));
    const shown = ranked.slice(0, RUNS_MAX);
    const others = ranked.slice(RUNS_MAX).map(({ name }) => name);
    const drawn = shown.map((run) => ({ run, curves: curvesOf(run) }));
    return {
      findings: findingsOf(drawn[0]!.curves),
      sections: [
        ...drawn.map(({ run, curves }) => sectionOf(run, curves)),
        ...(others.length === 0
          ? []
          : [
              {
                title: 'Not drawn',
                lead: [
                  `Percentiles of ${joined(others)} are in their rows; report one of them alone to see its curves.`,
                ],
                parts: [],
              },
            ]),
      ],
    };
  },
};
export default latency;

/** The run that shows most of the ladder is the one to draw. */
function rungsOf({ cells }: SiteRun): number {
  return new Set(cells.map(({ rung }) => rung).filter((rung) => /^L\d+$/.test(rung))).size;
}

function hasLatency({ shards }: SiteRun['records'][number]): boolean {
  return shards.some(({ stages }) => stages.some(({ latency: { calls } }) => calls > 0));
}

/** All repeats of a cell put together: fit for the shape of a curve, not for an interval. */
function curvesOf(run: SiteRun): Curve[] {
  const cells = run.cells.filter(({ status }) => status === 'ok').slice(0, CELLS_MAX);
  const labels = cellLabels(cells);
  return cells.flatMap((cell, index) => {
    const records = run.records.filter((one) => one.cell === cell.cell && one.status === 'ok');
    return STAGES.flatMap((stage): Curve[] => {
      const histogram = new Histogram();
      for (const { shards } of records) {
        for (const { stages } of shards) {
          const facts = stages.find(({ id }) => id === stage.id);
          if (facts !== undefined) histogram.merge(Histogram.decode(facts.latency.histogram));
        }
      }
      return histogram.count === 0 ? [] : [{ cell, label: labels[index]!, stage, histogram }];
    });
  });
}

function findingsOf(curves: readonly Curve[]): string[] {
  const at = ({ histogram }: Curve, percent: number): number =>
    histogram.valueAtPercentile(percent)!;
  const tailed = curves
    .filter(({ histogram }) => histogram.count * 0.01 >= FEWEST_BEYOND)
    .toSorted((a, b) => at(b, 99) / at(b, 50) - at(a, 99) / at(a, 50));
  const slowest = curves.toSorted((a, b) => at(b, 50) - at(a, 50))[0];
  const [worst] = tailed;
  return [
    ...(slowest === undefined
      ? []
      : [
          `The slowest call of the run is ${slowest.stage.name} in ${slowest.label}: half of them take ${formatQuantity(at(slowest, 50), 'ns')} or more.`,
        ]),
    ...(worst === undefined
      ? []
      : [
          `The longest tail is that of ${worst.stage.name} in ${worst.label}: one call in a hundred takes ${formatQuantity(at(worst, 99), 'ns')} or more, against ${formatQuantity(at(worst, 50), 'ns')} in the middle.`,
        ]),
  ];
}

const NOTE =
  'Wall time of single calls on this machine, without network or queue, all repeats together; no delay that a user would see. Nothing is interpolated; a curve ends where fewer than 30 calls were slower.';

function sectionOf(run: SiteRun, curves: readonly Curve[]): PageSection {
  return {
    title: run.manifest.suite.title,
    lead: [run.summary.scope],
    parts: [
      ecdfChart(run, curves),
      percentileChart(run, curves),
      { kind: 'table', table: latencyTable(run.cells) },
    ],
    notes: [NOTE],
  };
}

const points = (histogram: Histogram): { share: number; valueUs: number }[] =>
  SHARES.filter((share) => share <= 0.5 || histogram.count * (1 - share) >= FEWEST_BEYOND).map(
    (share) => ({ share, valueUs: histogram.valueAtPercentile(share * 100)! / 1_000 }),
  );

function rowsOf(
  curves: readonly Curve[],
  panelOf: (curve: Curve) => string,
  partOf: (curve: Curve) => string,
) {
  return curves.flatMap((curve): ChartRow[] => {
    const { cell, label, stage, histogram } = curve;
    const summary = [50, 90, 99]
      .filter((percent) => histogram.count * (1 - percent / 100) >= FEWEST_BEYOND)
      .map(
        (percent) =>
          `p${percent} ${sitewise(formatQuantity(histogram.valueAtPercentile(percent)!, 'ns'))}`,
      );
    const text = `${label}, ${stage.name}: ${summary.join(', ')}; ${histogram.count.toLocaleString('en')} calls`;
    return points(histogram).map(({ share, valueUs }) => ({
      panel: panelOf(curve),
      part: partOf(curve),
      label,
      stage: stage.name,
      role: stage.role,
      ...cellFacets(cell),
      share,
      beyond: 1 / (1 - share),
      value: valueUs,
      text,
    }));
  });
}

function tableOf(curves: readonly Curve[]): ChartPart['table'] {
  const percents = [50, 90, 99, 99.9];
  return {
    columns: [
      { title: 'pipeline', key: 'label' },
      { title: 'call', key: 'stage' },
      { title: 'calls', key: 'calls' },
      ...percents.map((percent) => ({ title: `p${percent} (µs)`, key: `p${percent}` })),
    ],
    rows: curves.map(({ cell, label, stage, histogram }) => ({
      label,
      stage: stage.name,
      role: stage.role,
      ...cellFacets(cell),
      calls: histogram.count.toLocaleString('en'),
      ...Object.fromEntries(
        percents.map((percent) => [
          `p${percent}`,
          histogram.count * (1 - percent / 100) >= FEWEST_BEYOND
            ? histogram.valueAtPercentile(percent)! / 1_000
            : null,
        ]),
      ),
    })),
  };
}

function ecdfChart(run: SiteRun, curves: readonly Curve[]): ChartPart {
  return {
    kind: 'chart',
    chart: 'ecdf',
    id: chartId('latency', run, 'ecdf'),
    title: 'Share of calls that took at most so long',
    description:
      'One panel for each pipeline: cumulative distributions of the time of one call of send, relay store, relay fetch and receive, on a log scale of time.',
    rows: rowsOf(
      curves,
      ({ label }) => label,
      ({ stage }) => stage.name,
    ),
    table: tableOf(curves),
    words: { axis: 'µs, log scale' },
    values: { parts: STAGES.map(({ name }) => name) },
  };
}

function percentileChart(run: SiteRun, curves: readonly Curve[]): ChartPart {
  return {
    kind: 'chart',
    chart: 'percentiles',
    id: chartId('latency', run, 'percentiles'),
    title: 'Time of one call by percentile, in µs, both on log scales: the tail',
    description:
      'One panel for each call, one line for each pipeline, coloured by family: time against percentile, both on log scales.',
    rows: rowsOf(
      curves,
      ({ stage }) => stage.name,
      ({ cell }) => cell.family,
    ),
    table: tableOf(curves),
    values: { parts: [...new Set(curves.map(({ cell }) => cell.family))] },
  };
}
