/**
 * Designs of access for an authority beside each other: what each adds to the ratchet beneath it, for
 * whom, and what the authority pays and gets.
 *
 * Differences are taken repeat by repeat to that ratchet in the same run. Where targets alone pay for a
 * design, its differences are those of a targeted message, and only their part per carried message
 * enters a total.
 *
 * @module
 */

import { TARGET_SHARE } from '../metrics/_message-costs.ts';
import { seriesOf, type CellResult, type Series, type SeriesName } from './cells.ts';
import { differenceOf, notBelowZero, summarise, weightedSum, type Estimate } from './estimates.ts';
import {
  optionOf,
  plainName,
  ratchetBeneath,
  rungLabel,
  sectionsOf,
  type PipelineNote,
} from './pairing.ts';
import type { Column, Table, TableRow } from './table.ts';
import { joined } from './wording.ts';

const TITLE = 'Escrow designs, side by side';
/** A design alone stands in the other tables. */
const FEWEST_DESIGNS = 2;

const ROLES = ['sender', 'relay', 'receiver'] as const;

/** A cell of a design, with what it is compared with. */
interface Design {
  readonly cell: CellResult;
  readonly label: string;
  readonly note: PipelineNote | undefined;
  /** Undefined where the run has no such cell. */
  readonly ratchet: CellResult | undefined;
  /** Messages for each targeted one: more than one only where targets alone pay, and not all are. */
  readonly perTarget: number;
}

interface Measure extends Column {
  readonly of: (design: Design) => string | Estimate | undefined;
}

/** No tables with fewer than two designs. */
export function escrowTables(
  cells: readonly CellResult[],
  pipelines: readonly PipelineNote[],
): Table[] {
  const escrowed = cells.filter((cell) => cell.family === 'escrow-wrapped' && cell.status === 'ok');
  if (new Set(escrowed.map(({ pipeline }) => plainName(pipeline))).size < FEWEST_DESIGNS) return [];
  const sections = sectionsOf(escrowed).map(({ heading, cells: group, labels }) => ({
    heading,
    designs: group.map((cell, index) => designOf(cell, labels[index]!, cells, pipelines)),
  }));
  const designs = sections.flatMap((section) => section.designs);
  const tables = [
    tableOf(`${TITLE}: CPU per message`, sections, CPU_MEASURES, cpuNotes(designs)),
    tableOf(`${TITLE}: the authority`, sections, AUTHORITY_MEASURES, authorityNotes(designs)),
    tableOf(`${TITLE}: bytes on the wire`, sections, BYTE_MEASURES, byteNotes(designs)),
  ];
  return tables.filter(({ columns }) => columns.length > 1);
}

function designOf(
  cell: CellResult,
  label: string,
  cells: readonly CellResult[],
  pipelines: readonly PipelineNote[],
): Design {
  const note = pipelines.find(({ name }) => name === plainName(cell.pipeline));
  const perTarget = note?.paidByTargets === true ? messagesPerTarget(cell) : 1;
  return { cell, label, note, ratchet: ratchetBeneath(cells, cell), perTarget };
}

/** The option `targets` counts sessions of one shard; 0, or none, are all. */
export function messagesPerTarget({ pipeline, sessions, threads }: CellResult): number {
  const targets = Number(optionOf(pipeline, 'targets') ?? 0) * threads;
  return targets === 0 || sessions === undefined ? 1 : Math.max(1, sessions / targets);
}

/** Added up and taken from the same sum of the ratchet beneath, repeat by repeat. */
type Terms = (cell: CellResult, design: Design) => [Series | undefined, number][];

function difference(terms: Terms): (design: Design) => Estimate | undefined {
  return (design) => {
    const { cell, ratchet } = design;
    if (ratchet === undefined) return undefined;
    return differenceOf(weightedSum(terms(cell, design)), weightedSum(terms(ratchet, design)));
  };
}

const cpu = (role: (typeof ROLES)[number] | 'all'): SeriesName => ({
  metric: 'cpu-per-message',
  role,
});

const CPU_MEASURES: readonly Measure[] = [
  ...ROLES.map((role) => ({
    title: role,
    unit: 'ns',
    over: 'in all',
    decimals: 2,
    of: ({ cell }: Design) => withoutInterval(summarise(seriesOf(cell, cpu(role)))),
  })),
  ...ROLES.map((role) => ({
    title: role,
    unit: 'ns',
    over: 'more than the ratchet beneath',
    decimals: 2,
    of: difference((cell, { perTarget }) => [[seriesOf(cell, cpu(role)), perTarget]]),
  })),
];

const AUTHORITY_MEASURES: readonly Measure[] = [
  {
    title: 'per recovered',
    unit: 'ns',
    over: 'CPU of the authority',
    decimals: 2,
    of: ({ cell }) => notBelowZero(summarise(seriesOf(cell, authority('per-recovered')))),
  },
  {
    title: 'per carried',
    unit: 'ns',
    over: 'CPU of the authority',
    decimals: 3,
    of: ({ cell }) => withoutInterval(summarise(seriesOf(cell, authority('per-carried')))),
  },
  {
    title: 'all roles',
    unit: 'ns',
    over: 'added per carried',
    decimals: 3,
    of: (design) =>
      difference(design.note?.paidByTargets === true ? paidByTargets : paidByAll)(design),
  },
  {
    title: 'recall',
    unit: 'share',
    over: 'recovered',
    decimals: 2,
    of: ({ cell }) => recallOf(cell),
  },
  { title: 'valid / decoy / failed', over: 'recovered', of: ({ cell }) => outcomesOf(cell) },
];

/** The share of the authority and of what the relay hands over is in `all`. */
const paidByAll: Terms = (cell) => [[seriesOf(cell, cpu('all')), 1]];

const paidByTargets: Terms = (cell, { perTarget }) => [
  ...ROLES.map((role): [Series | undefined, number] => [
    seriesOf(cell, cpu(role)),
    perTarget * TARGET_SHARE,
  ]),
  ...carriedOf(cell),
];

/** What a warrant costs relay and authority per carried message; nothing without an authority. */
function carriedOf(cell: CellResult): [Series | undefined, number][] {
  return (['relay', 'authority'] as const).flatMap((role) => {
    const series = seriesOf(cell, { metric: 'cpu-per-message', role, kind: 'per-carried' });
    return series === undefined ? [] : [[series, 1] as [Series, number]];
  });
}

function authority(kind: 'per-recovered' | 'per-carried'): SeriesName {
  return { metric: 'cpu-per-message', role: 'authority', kind };
}

function recallOf(cell: CellResult): Estimate | undefined {
  return summarise(seriesOf(cell, { metric: 'recall', role: 'authority' }));
}

/** Over all repeats: `12,000 / 0 / 0`. */
function outcomesOf(cell: CellResult): string | undefined {
  const counts = ['valid', 'decoy', 'failed'].map((kind) =>
    seriesOf(cell, { metric: 'recoveries', role: 'authority', kind }),
  );
  if (counts.includes(undefined)) return undefined;
  const sums = counts.map((series) =>
    [...series!.values.values()].reduce((sum, one) => sum + one, 0),
  );
  return sums.map((sum) => sum.toLocaleString('en')).join(' / ');
}

const ADDED: SeriesName = { metric: 'overhead-bytes', kind: 'all' };
const FIRST_FRAMES: SeriesName = { metric: 'handshake-bytes', kind: 'frames' };

const BYTE_MEASURES: readonly Measure[] = [
  { title: 'carried by', of: carriedBy },
  bytes('per message', (cell, { perTarget }) => [[seriesOf(cell, ADDED), perTarget]]),
  bytes('first message', (cell, { perTarget }) => [[seriesOf(cell, FIRST_FRAMES), perTarget]]),
  bytes('later ones', (cell, { perTarget }) => {
    const later = (cell.messagesPerSession ?? NaN) - 1;
    return [
      [seriesOf(cell, ADDED), (perTarget * (later + 1)) / later],
      [seriesOf(cell, FIRST_FRAMES), -perTarget / later],
    ];
  }),
];

function bytes(title: string, terms: Terms): Measure {
  const over = 'more than the ratchet beneath';
  const of = difference(terms);
  return { title, unit: 'bytes', over, decimals: 1, of: (design) => withoutInterval(of(design)) };
}

/** Where a design's bytes ride. */
function carriedBy({ cell: { rung, pipeline } }: Design): string | undefined {
  switch (rung) {
    case 'E0':
    case 'E7':
      return 'handshake';
    case 'E1':
      return 'a copy of each message';
    case 'E2':
      return optionOf(pipeline, 'repeat') === 'every-frame' ? 'message' : 'chain';
    case 'E3':
      return optionOf(pipeline, 'context') === 'yes' ? 'chain and message' : 'message';
    case 'E4':
    case 'E5':
    case 'E6':
      return 'message';
    case 'C7':
      return 'an upload of each message';
    default:
      return undefined;
  }
}

function withoutInterval(estimate: Estimate | undefined): Estimate | undefined {
  return estimate && { ...estimate, low: undefined, high: undefined };
}

const TARGETS = Math.round(1 / TARGET_SHARE).toLocaleString('en');

function cpuNotes(designs: readonly Design[]): string[] {
  return [...beneathNotes(designs), ...targetNotes(designs)];
}

/** What stands beneath each design, in as few words as can be. */
function beneathNotes(designs: readonly Design[]): string[] {
  const beneath = new Set(designs.flatMap(({ ratchet }) => ratchet?.pipeline ?? []));
  if (beneath.size === 0)
    return ['No design has its ratchet in this run, so there are no differences.'];
  const alone = designs.filter(({ ratchet }) => ratchet === undefined);
  return [
    `The ratchet beneath is ${joined([...beneath])}, in the same run; differences are means over pairs ` +
      'of repeats, with their 95 % intervals.',
    ...(alone.length === 0
      ? []
      : [`Without it in this run: ${joined(alone.map(({ label }) => label))}.`]),
  ];
}

function targetNotes(designs: readonly Design[]): string[] {
  const targeted = designs.filter(({ note }) => note?.paidByTargets === true);
  if (targeted.length === 0) return [];
  return [
    `${joined(targeted.map(({ label }) => label))}: targets alone pay, so more is per message of a ` +
      `target; of all carried messages that is one in ${TARGETS}.`,
  ];
}

function authorityNotes(designs: readonly Design[]): string[] {
  const idle = designs.filter(({ note }) => note?.recovers === 'none');
  return [
    `per carried: of one message in ${TARGETS}, which is an assumption. added per carried: sender, ` +
      'relay and receiver, with the relay and the authority at that share' +
      (designs.some(({ note }) => note?.paidByTargets === true)
        ? ', and where targets alone pay, all of it at that share.'
        : '.'),
    'recall: of the delivered messages under a warrant, those recovered. valid, decoy and failed: ' +
      'opened to what was sent, to something else, not at all; over all repeats.',
    ...(idle.length === 0
      ? []
      : [`Recovers nothing, and is there to show it: ${joined(idle.map(({ label }) => label))}.`]),
    ...removalNotes(designs),
  ];
}

/** What each design removes, once for all of its options. */
function removalNotes(designs: readonly Design[]): string[] {
  const notes = new Map<string, string>();
  for (const { cell, note } of designs) {
    if (note?.removes === undefined) continue;
    const pipeline = plainName(cell.pipeline);
    notes.set(pipeline, `${rungLabel({ rung: cell.rung, pipeline })} removes ${note.removes}.`);
  }
  return [...notes.values()];
}

function byteNotes(designs: readonly Design[]): string[] {
  return [
    'first message: with the handshake. Of designs with a field, each frame has 3 bytes for its type ' +
      'and length, where it is empty too.',
    ...targetNotes(designs),
  ];
}

interface DesignSection {
  readonly heading: string;
  readonly designs: readonly Design[];
}

/** Columns that no design fills are left out; a text that only names no figure. */
function tableOf(
  title: string,
  sections: readonly DesignSection[],
  measures: readonly Measure[],
  notes: readonly string[],
): Table {
  const designs = sections.flatMap((section) => section.designs);
  const fills = (measure: Measure): boolean =>
    designs.some((design) => measure.of(design) !== undefined);
  const filled = measures.filter(fills);
  const columns = filled.some(({ unit }) => unit !== undefined) ? filled : [];
  const rows = sections.flatMap(({ heading, designs: group }): TableRow[] => [
    ...(heading === '' ? [] : [{ cells: [], heading }]),
    ...group.map((design) => ({
      cells: [design.label, ...columns.map((measure) => measure.of(design))],
    })),
  ]);
  return { title, columns: [{ title: 'pipeline' }, ...columns], rows, notes };
}
