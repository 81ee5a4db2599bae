/** The same suite on the same machine, run after run. */

import { seriesOf, type CellResult, type SeriesName } from '../cells.ts';
import { notBelowZero, summarise, type Estimate } from '../estimates.ts';
import { formatNumber } from '../numbers.ts';
import { cellLabels } from '../pairing.ts';
import { levelsOf } from '../../stats/change-points.ts';
import { fingerprintOf } from '../../results/fingerprint.ts';
import type { ChartPart, ChartRow, PageSection, SitePage, SiteRun } from '../site/page.ts';
import { quantityText, siteScale } from '../site/quantities.ts';
import { countOf } from '../wording.ts';
import { cellFacets, chartId } from './_cells.ts';

const TOTAL: SeriesName = { metric: 'cpu-per-message', role: 'all' };
const RUNS_MIN = 2;
const PANELS_MAX = 16;

const history: SitePage = {
  name: 'history',
  title: 'History',
  place: 80,
  question: 'How did costs move from run to run, on one machine with one suite?',
  needs: 'There are no two runs of one suite on one machine among these: report them together.',
  build(runs) {
    const series = [...Map.groupBy(runs, surroundingsOf).values()]
      .filter((group) => group.length >= RUNS_MIN)
      .map((group) =>
        group.toSorted((a, b) => (a.manifest.startedAt < b.manifest.startedAt ? -1 : 1)),
      );
    if (series.length === 0) return undefined;
    return { findings: series.map(findingOf), sections: series.map(sectionOf) };
  },
};
export default history;

/** Machine, software and suite; the code may differ, for that is what moves. */
function surroundingsOf({ manifest }: SiteRun): string {
  return [...fingerprintOf(manifest)]
    .filter(([field]) => field !== 'codeDigest')
    .map(([field, value]) => `${field}=${value}`)
    .join('\n');
}

/** All runs of a cell that has a cost in each of them or in some. */
interface Track {
  readonly label: string;
  readonly cell: CellResult;
  readonly points: readonly {
    readonly place: number;
    readonly run: SiteRun;
    readonly estimate: Estimate;
  }[];
}

function tracksOf(runs: readonly SiteRun[]): Track[] {
  const cells = runs.at(-1)!.cells.filter(({ status }) => status === 'ok');
  const labels = cellLabels(cells);
  return cells.flatMap((cell, index): Track[] => {
    const points = runs.flatMap((run, at) => {
      const same = run.cells.find((one) => one.cell === cell.cell);
      const estimate = same && notBelowZero(summarise(seriesOf(same, TOTAL)));
      return estimate === undefined ? [] : [{ place: at + 1, run, estimate }];
    });
    return points.length < RUNS_MIN ? [] : [{ label: labels[index]!, cell, points }];
  });
}

/** Intervals that do not touch: seen between two runs, which is weaker than pairs within one. */
function apart(a: Estimate, b: Estimate): boolean {
  if (a.low === undefined || a.high === undefined || b.low === undefined || b.high === undefined)
    return false;
  return a.high < b.low || b.high < a.low;
}

/** For each run "×1.2" where a new level begins with it, '' elsewhere; as `trend` finds levels. */
function stepTexts(values: readonly number[]): string[] {
  const texts = values.map(() => '');
  if (values.some((value) => value <= 0)) return texts;
  const levels = levelsOf(values);
  for (const [index, { from, level }] of levels.slice(1).entries()) {
    texts[from] = `×${formatNumber(level / levels[index]!.level)}`;
  }
  return texts;
}

function findingOf(runs: readonly SiteRun[]): string {
  const tracks = tracksOf(runs);
  const moved = tracks.filter(({ points }) => apart(points[0]!.estimate, points.at(-1)!.estimate));
  return (
    `Over ${countOf(runs.length, 'run')} of ${runs[0]!.manifest.suite.name}, from ${dateOf(runs[0]!)} to ${dateOf(runs.at(-1)!)}, ` +
    `the intervals of first and last run lie apart in ${moved.length} of ${countOf(tracks.length, 'cell')}; ` +
    'a machine may differ from day to day by more than code does.'
  );
}

function dateOf({ manifest }: SiteRun): string {
  return manifest.startedAt.slice(0, 10);
}

function sectionOf(runs: readonly SiteRun[]): PageSection {
  const first = runs[0]!;
  const tracks = tracksOf(runs).slice(0, PANELS_MAX);
  return {
    title: first.manifest.suite.title,
    lead: [`${countOf(runs.length, 'run')} on ${first.manifest.environment.cpuModel}.`],
    parts: [
      ...historyChart(first, tracks),
      {
        kind: 'list',
        title: 'The runs',
        items: runs.map(
          (run, index) =>
            `${index + 1}: ${run.name}, ${run.manifest.startedAt}, revision ${run.manifest.git?.revision.slice(0, 7) ?? 'unknown'}`,
        ),
      },
    ],
    notes: [
      'Runs are not paired with each other, so this is for trends and never for a verdict: sealbench compare gives one.',
    ],
  };
}

function historyChart(first: SiteRun, tracks: readonly Track[]): ChartPart[] {
  if (tracks.length === 0) return [];
  const scale = siteScale(
    'ns',
    tracks.flatMap(({ points }) => points.map(({ estimate }) => estimate.value)),
  );
  return [
    {
      kind: 'chart',
      chart: 'history',
      id: chartId('history', first, 'cpu'),
      title: `CPU per message of all roles, run after run, in ${scale.unit}; scales do not begin at zero`,
      description:
        'A panel for each pipeline with a scale of its own that does not begin at zero: medians of each run with the band of their 95 % intervals. Dashed lines mark changes of level, by optimal partitioning; a level has two runs at least.',
      rows: tracks.flatMap(({ label, cell, points }) => {
        const steps = stepTexts(points.map(({ estimate }) => estimate.value));
        return points.map(
          ({ place, run, estimate: { value, low, high }, estimate }, index): ChartRow => ({
            panel: label,
            ...cellFacets(cell),
            place,
            run: run.name,
            value: value * scale.factor,
            low: (low ?? value) * scale.factor,
            high: (high ?? value) * scale.factor,
            step: steps[index]!,
            text: `${label}, ${run.name}: ${quantityText(estimate, 'ns', scale)}`,
          }),
        );
      }),
      table: {
        columns: [
          { title: 'pipeline', key: 'panel' },
          { title: 'run', key: 'run' },
          { title: `CPU per message (${scale.unit})`, key: 'value' },
          { title: 'low', key: 'low' },
          { title: 'high', key: 'high' },
        ],
      },
    },
  ];
}
