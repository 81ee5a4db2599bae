/** The same work by different implementations, and libraries beside ours. */

import { seriesOf, type CellResult, type SeriesName } from '../cells.ts';
import { isUndecided, notBelowZero, ratioOf, summarise, type Estimate } from '../estimates.ts';
import { formatNumber } from '../numbers.ts';
import { plainName, threadsText } from '../pairing.ts';
import { rivalsTable } from '../rivals.ts';
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
import { caveatsOf, cellFacets, chartId, costMatrix, costOf, type CostColumn } from './_cells.ts';

const FLOOR = 'null';
const TOTAL: SeriesName = { metric: 'cpu-per-message', role: 'all' };

/** One piece of work that several implementations did. */
interface Contest {
  readonly run: SiteRun;
  readonly what: string;
  readonly cells: readonly CellResult[];
}

const implementations: SitePage = {
  name: 'implementations',
  title: 'Implementations',
  place: 20,
  question:
    'How far apart are implementations of the same work, and which differences are decided?',
  needs:
    'There is no run in which several implementations did the same: sealbench run curated/providers, curated/primitives or curated/rivals.',
  build(runs) {
    const contests = runs.flatMap(contestsOf);
    const sections = [
      ...runs.flatMap((run) =>
        providerSections(
          run,
          contests.filter((it) => it.run === run),
        ),
      ),
      ...runs.flatMap(primitiveSections),
      ...runs.flatMap(rivalSections),
    ];
    if (sections.length === 0) return undefined;
    return {
      findings: [...contests.flatMap(bandSentence), ...runs.flatMap(rivalSentences)],
      sections,
    };
  },
};
export default implementations;

function contestsOf(run: SiteRun): Contest[] {
  const groups = Map.groupBy(
    run.cells.filter((cell) => seriesOf(cell, TOTAL) !== undefined || cell.status !== 'ok'),
    (cell) => [cell.pipeline, cell.workload, threadsText(cell)].join(', '),
  );
  return [...groups].flatMap(([what, cells]) =>
    new Set(cells.map(({ implementation }) => implementation)).size < 2 ||
    !cells.some((cell) => cell.status === 'ok')
      ? []
      : [{ run, what, cells: cells.toSorted((a, b) => costNs(a) - costNs(b)) }],
  );
}

function costNs(cell: CellResult): number {
  return summarise(seriesOf(cell, TOTAL))?.value ?? Infinity;
}

/** From the cheapest to the dearest, without the floor that computes nothing. */
function bandSentence({ what, cells }: Contest): string[] {
  const real = cells.filter((cell) => cell.implementation !== FLOOR && costNs(cell) < Infinity);
  const [best, last] = [real[0], real.at(-1)];
  if (best === undefined || last === undefined || best === last) return [];
  const ratio = ratioOf(seriesOf(last, TOTAL), seriesOf(best, TOTAL));
  if (ratio === undefined) return [];
  const times = isUndecided(ratio, 1)
    ? 'no difference between the two could be shown'
    : `${formatNumber(ratio.value)} times as much (${confidence(ratio)})`;
  const name = what.split(', ')[0]!;
  return [
    `A message of ${name} costs ${quantityText({ ...costOf(best, TOTAL)!, low: undefined, high: undefined }, 'ns')} of CPU ` +
      `with ${best.implementation}, the cheapest, and ${quantityText({ ...costOf(last, TOTAL)!, low: undefined, high: undefined }, 'ns')} with ` +
      `${last.implementation}, the dearest: ${times}.`,
  ];
}

const COLUMNS: readonly CostColumn[] = [
  ...(['all', 'sender', 'relay', 'receiver'] as const).map((role) => ({
    title: role,
    unit: 'ns',
    name: { metric: 'cpu-per-message', role },
  })),
  {
    title: 'all, with opening',
    unit: 'ns',
    name: { metric: 'cpu-per-message-amortised', role: 'all' },
  },
];

function providerSections(run: SiteRun, contests: readonly Contest[]): PageSection[] {
  if (contests.length === 0) return [];
  return [
    {
      title: run.manifest.suite.title,
      lead: [run.manifest.suite.question],
      parts: contests.flatMap((contest, index) => [
        contestChart(contest, chartId('implementations', run, index)),
        costMatrix(
          {
            id: chartId('implementations', run, index, 'costs'),
            title: `CPU per message of ${contest.what}`,
            reference: contest.cells.findIndex(
              ({ implementation, status }) => implementation !== FLOOR && status === 'ok',
            ),
          },
          contest.cells,
          contest.cells.map(({ implementation }) => implementation),
          COLUMNS,
          run,
        ),
      ]),
      notes: run.manifest.suite.analysis,
    },
  ];
}

function contestChart({ cells, what, run }: Contest, id: string): ChartPart {
  const costs = cells.map((cell) => costOf(cell, TOTAL));
  const scale = siteScale(
    'ns',
    costs.flatMap((cost) => cost?.value ?? []),
  );
  return {
    kind: 'chart',
    chart: 'factors',
    id,
    title: `CPU per message of ${what}, by implementation`,
    description: `A point for each implementation with its 95 % interval, on a log scale; from ${run.name}.`,
    rows: cells.flatMap((cell, index): ChartRow[] => {
      const cost = costs[index];
      if (cost === undefined) return [];
      return [
        {
          label: cell.implementation,
          part: cell.implementation,
          ...cellFacets(cell),
          ...onScale(cost, scale.factor),
          shown: quantityText(cost, 'ns', scale),
          text: `${cell.implementation}: ${quantityText(cost, 'ns', scale)}`,
        },
      ];
    }),
    table: {
      columns: [
        { title: 'implementation', key: 'label' },
        { title: `CPU per message (${scale.unit})`, key: 'value' },
        { title: 'low', key: 'low' },
        { title: 'high', key: 'high' },
      ],
    },
    words: { axis: `CPU per message (${scale.unit}), log scale` },
    values: { parts: [...new Set(cells.map(({ implementation }) => implementation))] },
  };
}

/** On a log scale an interval cannot begin at nothing. */
function onScale({ value, low, high }: Estimate, factor: number) {
  return {
    value: value * factor,
    low: low === undefined || low <= 0 ? value * factor : low * factor,
    high: high === undefined ? value * factor : high * factor,
  };
}

const PRIMITIVE_CPU: SeriesName = { metric: 'primitive-cpu', kind: 'thread' };

/** Operations by implementations: columns compete. */
function primitiveSections(run: SiteRun): PageSection[] {
  const measured = run.cells.filter((cell) => seriesOf(cell, PRIMITIVE_CPU) !== undefined);
  if (measured.length === 0) return [];
  const columns = [...new Set(measured.map(({ implementation }) => implementation))];
  const groups = [...Map.groupBy(measured, ({ pipeline, workload }) => `${pipeline} ${workload}`)];
  const at = (line: number, column: number): CellResult | undefined =>
    groups[line]![1].find(({ implementation }) => implementation === columns[column]);
  const matrix: MatrixPart = {
    kind: 'matrix',
    id: chartId('implementations', run, 'primitives'),
    title: 'CPU of one call',
    columns: columns.map((title) => ({ title, unit: 'ns' })),
    best: 'line',
    lines: groups.map(([label, cells], line) => ({
      label,
      facets: { workload: cells[0]!.workload },
      cells: columns.map((_, column) => {
        const cell = at(line, column);
        return cell && notBelowZero(summarise(seriesOf(cell, PRIMITIVE_CPU)));
      }),
      caveats: caveatsOf(cells[0]!, run),
    })),
    ratio: (a, b) => {
      const [candidate, base] = [at(a.line, a.column), at(b.line, b.column)];
      if (candidate === undefined || base === undefined) return undefined;
      return ratioOf(seriesOf(candidate, PRIMITIVE_CPU), seriesOf(base, PRIMITIVE_CPU));
    },
  };
  return [
    {
      title: run.manifest.suite.title,
      lead: [run.manifest.suite.question],
      parts: [matrix],
      notes: run.manifest.suite.analysis,
    },
  ];
}

interface Rival {
  readonly where: string;
  readonly label: string;
  readonly library: string;
  readonly ratio: Estimate;
}

/** As the table of libraries has them: the ratio is the column of that title. */
function rivalsOf(run: SiteRun): Rival[] {
  const table = rivalsTable(run.cells, run.pipelines);
  const column = table.columns.findIndex(({ title }) => title === 'ratio');
  let where = '';
  return table.rows.flatMap(({ cells, heading }): Rival[] => {
    if (heading !== undefined) where = heading;
    const [label, ratio] = [cells[0], cells[column]];
    if (typeof label !== 'string' || typeof ratio !== 'object') return [];
    return [{ where, label, library: label.split('.').at(-1)!, ratio }];
  });
}

function rivalSentences(run: SiteRun): string[] {
  const rivals = rivalsOf(run);
  if (rivals.length === 0) return [];
  const dearer = rivals.filter(({ ratio }) => !isUndecided(ratio, 1) && ratio.value > 1).length;
  const cheaper = rivals.filter(({ ratio }) => !isUndecided(ratio, 1) && ratio.value < 1).length;
  return [
    `Of ${rivals.length} comparisons with libraries of others, theirs costs more CPU in ${dearer}, less in ${cheaper}, and ` +
      `${rivals.length - dearer - cheaper} could not be decided; what a library pays for its bridge to JavaScript is in its figure.`,
  ];
}

function rivalSections(run: SiteRun): PageSection[] {
  const rivals = rivalsOf(run);
  if (rivals.length === 0) return [];
  const id = chartId('implementations', run, 'rivals');
  return [
    {
      title: run.manifest.suite.title,
      lead: [run.manifest.suite.question],
      parts: [
        {
          kind: 'chart',
          chart: 'factors',
          id,
          title: 'Libraries of others: CPU per message, as a multiple of ours',
          description:
            'A point for each library and workload with the 95 % interval of the ratio, on a log scale; right of 1 the library costs more.',
          rows: rivals.map(({ where, label, library, ratio }): ChartRow => {
            const name = `${label}, ${where}`;
            const shown = `×${formatNumber(ratio.value)}`;
            return {
              label: name,
              part: library,
              library,
              workload: where.split(', ').find((part) => part.includes('sessions')) ?? where,
              ...onScale(ratio, 1),
              shown: isUndecided(ratio, 1) ? `≈ ${shown}` : shown,
              text: `${name}: ${formatNumber(ratio.value)} times ours (${confidence(ratio)})`,
            };
          }),
          table: {
            columns: [
              { title: 'library, workload', key: 'label' },
              { title: 'times ours', key: 'value' },
              { title: 'low', key: 'low' },
              { title: 'high', key: 'high' },
            ],
          },
          words: { axis: 'times the cost of ours, log scale' },
          values: { parts: [...new Set(rivals.map(({ library }) => library))] },
        },
        { kind: 'table', table: rivalsTable(run.cells, run.pipelines) },
        {
          kind: 'list',
          title: 'What each library is, and what differs',
          folded: true,
          items: libraryNotes(run),
        },
      ],
      notes: run.manifest.suite.analysis,
    },
  ];
}

function libraryNotes(run: SiteRun): string[] {
  const cells = run.cells.filter(({ pipeline }) =>
    run.pipelines.some(
      ({ name, foreign }) => name === plainName(pipeline) && foreign !== undefined,
    ),
  );
  const firsts = [...Map.groupBy(cells, ({ pipeline }) => pipeline).values()].map(
    (group) => group[0]!,
  );
  return firsts.map((cell) => `${cell.pipeline}: ${caveatsOf(cell, run).join(' ')}`);
}
