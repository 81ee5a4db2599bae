/** Designs of access for an authority, side by side. */

import type { CellResult, SeriesName } from '../cells.ts';
import { escrowTables } from '../escrow.ts';
import type { Estimate } from '../estimates.ts';
import { guessPriceTables } from '../guess-price.ts';
import { rungLabel } from '../pairing.ts';
import type {
  ChartPart,
  ChartRow,
  PagePart,
  PageSection,
  SitePage,
  SiteRun,
} from '../site/page.ts';
import { quantityText, siteScale } from '../site/quantities.ts';
import type { Table } from '../table.ts';
import { cellFacets, chartId, costMatrix, type CostColumn } from './_cells.ts';

const BENEATH = 'more than the ratchet beneath';
const RECOVERED = 'CPU of the authority';

/** A figure of a design, as the tables have it. */
interface Figure {
  readonly label: string;
  readonly estimate: Estimate;
}

const escrow: SitePage = {
  name: 'escrow',
  title: 'Escrow',
  place: 30,
  question:
    'What does access for an authority cost, by design: whom, how much, and what does it remove?',
  needs: 'There is no run with two escrow designs or more: sealbench run curated/escrow.',
  build(runs) {
    const shown = runs.filter(({ cells, pipelines }) => escrowTables(cells, pipelines).length > 0);
    const guessing = runs.filter(
      (run) => !shown.includes(run) && guessPriceTables(run.cells).length > 0,
    );
    if (shown.length + guessing.length === 0) return undefined;
    return {
      findings: shown.slice(0, 1).flatMap(findingsOf),
      sections: [...shown.map(sectionOf), ...guessing.map(guessSection)],
    };
  },
};
export default escrow;

function findingsOf(run: SiteRun): string[] {
  const tables = escrowTables(run.cells, run.pipelines);
  const added = figuresOf(tables, 'added per carried', 'all roles').toSorted(
    (a, b) => a.estimate.value - b.estimate.value,
  );
  const [least, most] = [added[0], added.at(-1)];
  const removed = tables.flatMap(({ notes }) => notes.filter((note) => / removes /.test(note)));
  return [
    ...(least === undefined || most === undefined || least === most
      ? []
      : [
          `Over ${added.length} designs, access for an authority adds from ${quantityText(least.estimate, 'ns')} (${least.label}) ` +
            `to ${quantityText(most.estimate, 'ns')} (${most.label}) of CPU to each carried message, all roles together, ` +
            'with one message in 10,000 recovered.',
        ]),
    ...(removed.length === 0
      ? []
      : [
          'Cost is one side: every design removes protection from all users, whether or not they are targets; what each removes stands below.',
        ]),
  ];
}

/** Of the column of that title under that heading, with the labels of their rows. */
function figuresOf(tables: readonly Table[], over: string, title: string): Figure[] {
  return tables.flatMap(({ columns, rows }) => {
    const column = columns.findIndex((one) => one.over === over && one.title === title);
    if (column === -1) return [];
    return rows.flatMap(({ cells }): Figure[] => {
      const [label, estimate] = [cells[0], cells[column]];
      return typeof label === 'string' && typeof estimate === 'object' ? [{ label, estimate }] : [];
    });
  });
}

const COLUMNS: readonly CostColumn[] = [
  ...(['sender', 'relay', 'receiver', 'all'] as const).map((role) => ({
    title: role,
    unit: 'ns',
    name: { metric: 'cpu-per-message', role },
  })),
  {
    title: 'authority, per recovered',
    unit: 'ns',
    name: {
      metric: 'cpu-per-message',
      role: 'authority',
      kind: 'per-recovered',
    } satisfies SeriesName,
  },
  { title: 'bytes added', unit: 'bytes', name: { metric: 'overhead-bytes', kind: 'all' } },
];

function sectionOf(run: SiteRun): PageSection {
  const tables = escrowTables(run.cells, run.pipelines);
  const [cpu, authority, bytes] = tables;
  const compared = run.cells.filter(
    ({ family, rung }) => family === 'escrow-wrapped' || /^L[67]$/.test(rung),
  );
  const shorten = shorteningOf(compared);
  const reference = compared.findIndex(
    ({ pipeline, status }) => status === 'ok' && pipeline === run.manifest.suite.baseline,
  );
  const parts: PagePart[] = [
    ...sidesChart(run, tables, shorten),
    costMatrix(
      {
        id: chartId('escrow', run, 'costs'),
        title: 'CPU and bytes per message, beside the ratchet',
        reference,
      },
      compared,
      compared.map((cell) => shorten(rungLabel(cell))),
      COLUMNS,
      run,
    ),
    ...bytesChart(run, tables, shorten),
    ...[cpu, authority, bytes].flatMap((table) =>
      table === undefined ? [] : [{ kind: 'table' as const, table }],
    ),
    ...guessPriceTables(run.cells).map((table) => ({ kind: 'table' as const, table })),
  ];
  return {
    title: run.manifest.suite.title,
    lead: [run.manifest.suite.question],
    parts,
    notes: run.manifest.suite.analysis,
  };
}

function guessSection(run: SiteRun): PageSection {
  return {
    title: run.manifest.suite.title,
    lead: [run.manifest.suite.question],
    parts: guessPriceTables(run.cells).map((table) => ({ kind: 'table' as const, table })),
    notes: run.manifest.suite.analysis,
  };
}

/** Drops from labels the options that all designs of a run share. */
function shorteningOf(cells: readonly CellResult[]): (label: string) => string {
  const escrowed = cells.filter(({ family }) => family === 'escrow-wrapped');
  const optionsIn = (text: string): string[] => text.split(':')[1]?.split(',') ?? [];
  const common = optionsIn(escrowed[0]?.pipeline ?? '').filter((option) =>
    escrowed.every(({ pipeline }) => optionsIn(pipeline).includes(option)),
  );
  return (label) => {
    const [name, ...rest] = label.split(':');
    const options = optionsIn(`x:${rest.join(':')}`).filter(
      (option) => option !== '' && !common.includes(option),
    );
    return options.length === 0 ? name! : `${name} ${options.join(', ')}`;
  };
}

const PANELS = [
  { panel: 'sender', over: BENEATH, title: 'sender' },
  { panel: 'relay', over: BENEATH, title: 'relay' },
  { panel: 'receiver', over: BENEATH, title: 'receiver' },
  { panel: 'authority', over: RECOVERED, title: 'per recovered' },
] as const;

function sidesChart(
  run: SiteRun,
  tables: readonly Table[],
  shorten: (label: string) => string,
): ChartPart[] {
  const figures = PANELS.map(({ over, title }) => figuresOf(tables, over, title));
  const scale = siteScale(
    'ns',
    figures.flat().map(({ estimate }) => estimate.value),
  );
  const rows = PANELS.flatMap(({ panel }, index) =>
    figures[index]!.map(({ label, estimate: { value, low, high }, estimate }): ChartRow => ({
      panel: panel === 'authority' ? 'authority, per recovered' : `${panel}, added`,
      part: panel,
      role: panel,
      label: shorten(label),
      ...facetsOf(run, label),
      value: value * scale.factor,
      low: (low ?? value) * scale.factor,
      high: (high ?? value) * scale.factor,
      text: `${shorten(label)}, ${panel}: ${quantityText(estimate, 'ns', scale)}${panel === 'authority' ? ' per recovered message' : ' more per message'}`,
    })),
  );
  if (rows.length === 0) return [];
  return [
    {
      kind: 'chart',
      chart: 'dots',
      id: chartId('escrow', run, 'sides'),
      title:
        'What each design adds to the ratchet beneath it, by who pays, and what the authority pays',
      description:
        'Four panels with scales of their own: CPU per message that sender, relay and receiver spend more than without the design, and CPU of the authority per message that it recovers; points with 95 % intervals.',
      rows,
      table: {
        columns: [
          { title: 'design', key: 'label' },
          { title: 'who', key: 'panel' },
          { title: `CPU (${scale.unit})`, key: 'value' },
          { title: 'low', key: 'low' },
          { title: 'high', key: 'high' },
        ],
      },
      words: { axis: scale.unit },
      values: { parts: PANELS.map(({ panel }) => panel), width: 165 },
    },
  ];
}

function facetsOf(run: SiteRun, label: string): ReturnType<typeof cellFacets> {
  const cell = run.cells.find(
    (one) => rungLabel(one) === label || label.startsWith(`${rungLabel(one)} /`),
  );
  return cell === undefined ? {} : cellFacets(cell);
}

function bytesChart(
  run: SiteRun,
  tables: readonly Table[],
  shorten: (label: string) => string,
): ChartPart[] {
  const figures = figuresOf(tables, BENEATH, 'per message').filter(
    ({ estimate }) => estimate.value > 0,
  );
  if (figures.length < 2) return [];
  return [
    {
      kind: 'chart',
      chart: 'factors',
      id: chartId('escrow', run, 'bytes'),
      title: 'Bytes on the wire that each design adds to a message',
      description:
        'A point for each design, on a log scale: mean bytes per message beyond the ratchet beneath.',
      rows: figures.map(({ label, estimate: { value }, estimate }): ChartRow => ({
        label: shorten(label),
        part: 'bytes',
        ...facetsOf(run, label),
        value,
        low: value,
        high: value,
        shown: quantityText(estimate, 'B'),
        text: `${shorten(label)}: ${quantityText(estimate, 'B')} more per message`,
      })),
      table: {
        columns: [
          { title: 'design', key: 'label' },
          { title: 'bytes per message', key: 'value' },
        ],
      },
      words: { axis: 'bytes per message, log scale' },
      values: { parts: ['bytes'] },
    },
  ];
}
