/**
 * The ladder: one line per cell, what a message costs whom, and how that compares.
 *
 * @module
 */

import { TARGET_SHARE } from '../metrics/_message-costs.ts';
import { seriesOf, type CellResult, type SeriesName } from './cells.ts';
import { ratioOf, summarise, type Estimate } from './estimates.ts';
import { formatEstimate, formatNumber, formatQuantity, scaleFor } from './numbers.ts';
import { baselineFor, cellLabels, plainName, type PipelineNote } from './pairing.ts';
import type { Overhead } from './rows.ts';
import type { Column, Table, TableRow } from './table.ts';

export interface LadderInput {
  readonly title: string;
  /** In the order of the suite. */
  readonly cells: readonly CellResult[];
  readonly pipelines: readonly PipelineNote[];
  /** The pipeline, with its options, that ratios refer to. */
  readonly baseline?: string | undefined;
  readonly overhead?: Overhead | undefined;
  /** Further remarks of the caller. */
  readonly notes?: readonly string[] | undefined;
}

/** Above this share of the process's CPU, work off the measured threads is pointed out. */
const HELPERS_FLAGGED = 0.05;

const SENDING = { metric: 'latency', stage: 'send', role: 'sender' } as const;
const RECEIVING = { metric: 'latency', stage: 'receive', role: 'receiver' } as const;
const RECOVERY = {
  metric: 'cpu-per-message',
  role: 'authority',
  kind: 'per-recovered',
} as const satisfies SeriesName;
/** A column and how a cell fills it. */
interface Measure extends Required<Column> {
  readonly of: (cell: CellResult) => Estimate | undefined;
}

export function ladderTable(input: LadderInput): Table {
  const { cells, baseline } = input;
  const labels = cellLabels(cells);
  const hasAuthority = cells.some((cell) => seriesOf(cell, RECOVERY) !== undefined);
  const measures = [
    perMessage('sender'),
    perMessage('relay'),
    perMessage('receiver'),
    perMessage('all'),
    ...(baseline === undefined ? [] : [ratioTo(cells, baseline)]),
    ...(hasAuthority ? [read('authority, per recovered', 'ns', RECOVERY)] : []),
    read('opening a session', 'ns', { metric: 'cpu-opening', role: 'all' }),
    read('bytes added', 'B', { metric: 'overhead-bytes', kind: 'all' }),
    read('send p50', 'ns', { ...SENDING, statistic: 'p50' }),
    read('send p99', 'ns', { ...SENDING, statistic: 'p99' }),
    read('receive p50', 'ns', { ...RECEIVING, statistic: 'p50' }),
    read('receive p99', 'ns', { ...RECEIVING, statistic: 'p99' }),
  ] satisfies Measure[];

  const rows = cells.map((cell, index): TableRow => {
    const label = labels[index]!;
    if (cell.status !== 'ok') return { cells: [label], remark: remarkOf(cell) };
    return { cells: [label, ...measures.map((measure) => measure.of(cell))] };
  });
  return {
    title: input.title,
    columns: [{ title: 'pipeline' }, ...measures],
    rows,
    notes: notesOf(input, labels, hasAuthority),
  };
}

/** `unavailable: the library is not installed`. */
function remarkOf({ status, reason }: CellResult): string {
  return reason === undefined ? status : `${status}: ${reason}`;
}

function read(title: string, unit: string, name: SeriesName): Measure {
  return { title, unit, of: (cell) => summarise(seriesOf(cell, name)) };
}

function perMessage(role: 'sender' | 'relay' | 'receiver' | 'all'): Measure {
  return read(role, 'ns', { metric: 'cpu-per-message', role });
}

const TOTAL = { metric: 'cpu-per-message', role: 'all' } as const satisfies SeriesName;

function ratioTo(cells: readonly CellResult[], baseline: string): Measure {
  return {
    title: `times ${baseline}`,
    unit: '',
    of(cell) {
      const base = baselineFor(cells, cell, baseline);
      if (base === undefined) return undefined;
      return ratioOf(seriesOf(cell, TOTAL), seriesOf(base, TOTAL));
    },
  };
}

function notesOf(
  input: LadderInput,
  labels: readonly string[],
  hasAuthority: boolean,
): readonly string[] {
  const { cells } = input;
  return [
    ...methodNotes(input, hasAuthority),
    ...healthNotes(cells, labels),
    ...overheadNotes(input.overhead),
    ...(input.notes ?? []),
    ...pipelineNotes(input),
  ];
}

function methodNotes({ cells, baseline }: LadderInput, hasAuthority: boolean): readonly string[] {
  const measured = cells.filter(({ status }) => status === 'ok');
  if (measured.length === 0) return ['No cell has figures.'];
  const repeats = measured.map((cell) => cell.repeats);
  const notes = [
    'The columns sender, relay, receiver and all: CPU per message of an open session. Each value is the ' +
      `median over ${rangeOf(repeats)}, each in a fresh process, with its 95 % interval in ` +
      'brackets.',
  ];
  if (Math.min(...repeats) < 3) {
    notes.push('Where there are fewer than 3 repeats there are no intervals.');
  }
  if (baseline !== undefined) notes.push(...baselineNotes(cells, baseline));
  if (hasAuthority) {
    notes.push(
      'The column all counts what an authority spends on a recovered message for one message in ' +
        `${Math.round(1 / TARGET_SHARE)}.`,
    );
  }
  notes.push(
    'Opening a session is publish, initiate and accept; accept also opens the first message. ' +
      'Bytes added: on the wire, per message, beyond the plaintext. The percentiles are of single ' +
      "calls. A pipeline's name carries the options that are not its defaults.",
  );
  return notes;
}

function baselineNotes(cells: readonly CellResult[], baseline: string): readonly string[] {
  if (!cells.some((cell) => cell.status === 'ok' && cell.pipeline === baseline)) {
    return [`There are no ratios: ${baseline} has no figures in this run.`];
  }
  const notes = [
    `The column times ${baseline}: the ratio of all, repeat by repeat, to ${baseline} in the same run.`,
  ];
  for (const cell of cells) {
    const base = cell.status === 'ok' ? baselineFor(cells, cell, baseline) : undefined;
    if (base !== undefined && base.implementation !== cell.implementation) {
      notes.push(
        `${cell.pipeline} of ${cell.implementation} is compared with ${baseline} of ` +
          `${base.implementation}.`,
      );
    }
  }
  return [...new Set(notes)];
}

function healthNotes(cells: readonly CellResult[], labels: readonly string[]): readonly string[] {
  const notes: string[] = [];
  let worst: { readonly label: string; readonly share: number } | undefined;
  for (const [index, cell] of cells.entries()) {
    const label = labels[index]!;
    const share = summarise(seriesOf(cell, { metric: 'contaminated-share' }))?.value;
    if (share !== undefined && share > (worst?.share ?? -1)) worst = { label, share };
    const helpers = summarise(seriesOf(cell, { metric: 'cpu-helpers' }))?.value;
    if (helpers !== undefined && helpers > HELPERS_FLAGGED) {
      notes.push(
        `${label}: ${formatQuantity(helpers, 'share')} of the process's CPU was spent off the ` +
          'measured threads and is in no figure per message.',
      );
    }
    if (cell.leftOut > 0) {
      notes.push(`${label}: left out as invalid: ${countOf(cell.leftOut, 'repeat')}.`);
    }
  }
  if (worst !== undefined) {
    const { label, share } = worst;
    notes.unshift(
      share === 0
        ? 'No block of work was disturbed by other work on the machine.'
        : `Blocks disturbed by other work on the machine: at most ` +
            `${formatQuantity(share, 'share')} of a cell (${label}).`,
    );
  }
  return notes;
}

function overheadNotes(overhead: Overhead | undefined): readonly string[] {
  if (overhead === undefined) return [];
  return [
    `The harness itself costs ${withUnit(overhead.cpuNs)} of CPU per call and adds ` +
      `${withUnit(overhead.latencyNs)} to a latency; that is in the figures.`,
  ];
}

function withUnit(estimate: Estimate): string {
  const scale = scaleFor('ns', [estimate.value]);
  return `${formatEstimate(estimate, scale)} ${scale.unit}`;
}

/** Title and caveats of every pipeline in the table, each once. */
function pipelineNotes({ cells, pipelines }: LadderInput): readonly string[] {
  const names = new Set(cells.map(({ pipeline }) => plainName(pipeline)));
  return [...names].flatMap((name) => {
    const note = pipelines.find((pipeline) => pipeline.name === name);
    if (note === undefined) return [];
    return [[`${name}: ${sentence(note.title)}`, ...note.caveats.map(sentence)].join(' ')];
  });
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function rangeOf(repeats: readonly number[]): string {
  const fewest = Math.min(...repeats);
  const most = Math.max(...repeats);
  return fewest === most ? countOf(most, 'repeat') : `${fewest} to ${most} repeats`;
}

function countOf(count: number, what: string): string {
  return `${formatNumber(count)} ${what}${count === 1 ? '' : 's'}`;
}
