/** Designs of access for an authority, side by side. */

import type { CellResult, SeriesName } from '../cells.ts';
import { escrowTables } from '../escrow.ts';
import { isUndecided, type Estimate } from '../estimates.ts';
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
import { magnitude, magnitudeConfidence } from '../wording.ts';
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
  const added = figuresOf(tables, 'added per carried', 'all roles');
  const decided = added
    .filter(({ estimate }) => estimate.low !== undefined && !isUndecided(estimate, 0))
    .toSorted((a, b) => a.estimate.value - b.estimate.value);
  const [least, most] = [decided[0], decided.at(-1)];
  const open = added.length - decided.length;
  const removes = tables.some(({ notes }) => notes.some((note) => note.includes(' removes ')));
  return [
    ...(least === undefined || most === undefined || least === most
      ? []
      : [
          `Of ${added.length} designs of access for an authority, the cheapest whose cost could be shown, ${least.label}, adds ` +
            `${inWords(least.estimate)} of CPU to each carried message, and the dearest, ${most.label}, ` +
            `${inWords(most.estimate)}: all roles together, if one message in 10,000 is recovered.`,
        ]),
    ...(open === 0
      ? []
      : [
          `For ${open} of the designs no added cost could be shown; that is no proof that there is none.`,
        ]),
    ...(removes
      ? [
          'Cost is one side. Designs differ in what they remove, for targets or for everyone, and in what the authority fails to recover; both stand below.',
        ]
      : []),
  ];
}

/** "374 µs (95 % interval 359 to 388)". */
function inWords(cpu: Estimate): string {
  return `${magnitude(cpu)} (${magnitudeConfidence(cpu)})`;
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
    ...logChart(run, figuresOf(tables, RECOVERED, 'per recovered'), shorten, AUTHORITY_CHART),
    ...logChart(run, figuresOf(tables, BENEATH, 'per message'), shorten, BYTES_CHART),
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

function optionsIn(text: string): string[] {
  return text.split(':')[1]?.split(',') ?? [];
}

/** Drops from labels the options that all designs of a run share. */
function shorteningOf(cells: readonly CellResult[]): (label: string) => string {
  const escrowed = cells.filter(({ family }) => family === 'escrow-wrapped');
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
      panel: `${panel}, added`,
      part: panel,
      role: panel,
      label: shorten(label),
      ...facetsOf(run, label),
      value: value * scale.factor,
      low: (low ?? value) * scale.factor,
      high: (high ?? value) * scale.factor,
      text: `${shorten(label)}, ${panel}: ${quantityText(estimate, 'ns', scale)} more per message`,
    })),
  );
  if (rows.length === 0) return [];
  return [
    {
      kind: 'chart',
      chart: 'dots',
      id: chartId('escrow', run, 'sides'),
      title: 'CPU per message that each design adds to the ratchet beneath it, by who pays',
      description:
        'Three panels with scales of their own: CPU per message that sender, relay and receiver spend more than without the design; points with 95 % intervals.',
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
      values: { parts: PANELS.map(({ panel }) => panel), width: 215 },
    },
  ];
}

function facetsOf(run: SiteRun, label: string): ReturnType<typeof cellFacets> {
  const cell = run.cells.find(
    (one) => rungLabel(one) === label || label.startsWith(`${rungLabel(one)} /`),
  );
  return cell === undefined ? {} : cellFacets(cell);
}

/** Figures of one column on a log scale, which has no place for what is nothing. */
function logChart(
  run: SiteRun,
  figures: readonly Figure[],
  shorten: (label: string) => string,
  { name, unit, part, ...texts }: LogChart,
): ChartPart[] {
  const positive = figures.filter(({ estimate }) => estimate.value > 0);
  if (positive.length < 2) return [];
  const scale = siteScale(
    unit,
    positive.map(({ estimate }) => estimate.value),
  );
  const axis = unit === 'B' ? 'bytes' : scale.unit;
  const factor = unit === 'B' ? 1 : scale.factor;
  return [
    {
      kind: 'chart',
      chart: 'factors',
      id: chartId('escrow', run, name),
      ...texts,
      rows: positive.map(({ label, estimate: { value, low, high }, estimate }): ChartRow => {
        const shown = quantityText(estimate, unit);
        return {
          label: shorten(label),
          part,
          ...facetsOf(run, label),
          value: value * factor,
          low: (low === undefined || low <= 0 ? value : low) * factor,
          high: (high ?? value) * factor,
          shown: quantityText({ ...estimate, low: undefined, high: undefined }, unit),
          text: `${shorten(label)}: ${shown}`,
        };
      }),
      table: {
        columns: [
          { title: 'design', key: 'label' },
          { title: axis, key: 'value' },
          { title: 'low', key: 'low' },
          { title: 'high', key: 'high' },
        ],
      },
      words: { axis: `${axis}, log scale` },
      values: { parts: [part] },
    },
  ];
}

interface LogChart {
  readonly name: string;
  readonly unit: string;
  readonly part: string;
  readonly title: string;
  readonly description: string;
}

const AUTHORITY_CHART: LogChart = {
  name: 'authority',
  unit: 'ns',
  part: 'authority',
  title: 'CPU of the authority for each message that it recovers',
  description: 'A point for each design with its 95 % interval, on a log scale.',
};

const BYTES_CHART: LogChart = {
  name: 'bytes',
  unit: 'B',
  part: 'bytes',
  title: 'Bytes on the wire that each design adds to a message',
  description:
    'A point for each design, on a log scale: mean bytes per message beyond the ratchet beneath.',
};
