/**
 * The tables of a run: one line per cell, several narrow tables instead of a wide one.
 *
 * A cost cannot be negative, so an interval that reaches below zero is printed from 0 here. Rows
 * and comparisons keep it as it is.
 *
 * @module
 */

import { TARGET_SHARE } from '../metrics/_message-costs.ts';
import { breakEvenOf, type BreakEven } from './break-even.ts';
import { seriesOf, type CellResult, type SeriesName } from './cells.ts';
import { notBelowZero, ratioOf, summarise, type Estimate } from './estimates.ts';
import { formatNumber } from './numbers.ts';
import { baselineFor, cellLabels, comparableGroups, rungBelow, sectionsOf } from './pairing.ts';
import { hasNeverSettled, settlingOf } from './settling.ts';
import type { Column, Table, TableRow } from './table.ts';
import { joined } from './wording.ts';

/** A column and how a cell fills it. */
export interface Measure extends Column {
  readonly unit: string;
  readonly of: (cell: CellResult) => string | Estimate | undefined;
}

/** CPU per message in an open session, by role, with the ratio to the baseline. */
export function messageTable(cells: readonly CellResult[], baseline: string | undefined): Table {
  const hasAuthority = cells.some((cell) => seriesOf(cell, RECOVERY) !== undefined);
  const hasRatio =
    baseline !== undefined && cells.some((cell) => isCompared(cells, cell, baseline));
  const measures = [
    perMessage('sender'),
    perMessage('relay'),
    perMessage('receiver'),
    perMessage('all'),
    ...(hasRatio ? [ratioTo(cells, baseline)] : []),
    ...(hasAuthority ? [withInterval('authority', RECOVERY)] : []),
  ];
  const notes: string[] = [...unsettledNotes(cells)];
  if (hasRatio) notes.push(`ratio: all, repeat by repeat, to ${baseline} in the same run.`);
  if (baseline !== undefined) notes.push(...baselineNotes(cells, baseline));
  if (hasAuthority) {
    notes.push(
      'authority: per message that it recovers; all counts that for one message in ' +
        `${Math.round(1 / TARGET_SHARE).toLocaleString('en')}.`,
    );
  }
  return {
    title: 'CPU per message of an open session',
    columns: [{ title: 'pipeline' }, ...measures],
    rows: rowsOf(cells, measures, true),
    notes,
  };
}

/** "* never settled: L0 plaintext in 3 of 10 repeats." */
function unsettledNotes(cells: readonly CellResult[]): string[] {
  const labels = cellLabels(cells);
  const unsettled = cells.flatMap((cell, index) => {
    const { judged, neverSettled } = settlingOf(cell);
    return hasNeverSettled(cell)
      ? [`${labels[index]!} in ${neverSettled} of ${judged} repeats`]
      : [];
  });
  return unsettled.length === 0 ? [] : [`* never settled: ${joined(unsettled)}.`];
}

/** What is done once per connection or session, and what a message costs with its share of it. */
export function openingTable(cells: readonly CellResult[]): Table {
  const title =
    'CPU of connecting, of opening a session, and of a message with its share of both ' +
    `(${spread(cells)})`;
  return tableOf(
    title,
    cells,
    [
      value('client', { metric: 'cpu', stage: 'connect', role: 'sender' }, 'connect'),
      value('relay', { metric: 'cpu', stage: 'connect', role: 'relay' }, 'connect'),
      value('publish', { metric: 'cpu', stage: 'publish', role: 'receiver' }, 'open'),
      value('initiate', { metric: 'cpu', stage: 'initiate', role: 'sender' }, 'open'),
      value('accept', { metric: 'cpu', stage: 'accept', role: 'receiver' }, 'open'),
      value('steady', { metric: 'cpu-per-message', role: 'all' }, 'message'),
      withInterval('amortised', { metric: 'cpu-per-message-amortised', role: 'all' }, 'message'),
    ],
    ['accept also opens the first message. connect is one end of one connection.'],
  );
}

/** Bytes: exact, but for the lengths that the seed of each repeat draws. */
export function bytesTable(cells: readonly CellResult[]): Table {
  const escrow = { metric: 'wire-bytes', kind: 'escrow' };
  const hasEscrow = cells.some((cell) => seriesOf(cell, escrow) !== undefined);
  const keys = { metric: 'stored-keys', kind: 'skipped' };
  const hasKeys = cells.some((cell) => (summarise(seriesOf(cell, keys))?.value ?? 0) > 0);
  return tableOf(
    'Bytes on the wire and in the store',
    cells,
    [
      bytes('added', { metric: 'overhead-bytes', kind: 'all' }, 'per message'),
      ...(hasEscrow ? [bytes('for escrow', escrow, 'per message')] : []),
      bytes('stored', { metric: 'stored-bytes', role: 'relay' }, 'per message'),
      bytes('prekey bundle', { metric: 'handshake-bytes', kind: 'bundle' }, 'per session'),
      bytes('first frames', { metric: 'handshake-bytes', kind: 'frames' }, 'per session'),
      ...(hasKeys ? [{ ...bytes('kept', keys, 'per session'), unit: 'keys' }] : []),
      ...UNDELIVERED.filter(({ kind }) => hasUndelivered(cells, kind)).map(({ kind, title }) =>
        percentage(title, { metric: 'undelivered-share', kind }, 'of messages'),
      ),
    ],
    [
      'added: on the wire, beyond the plaintext, without prekey bundles and connecting. stored: ' +
        'what the relay keeps of a message. first frames: those that carry the first message, ' +
        'with it.' +
        (hasKeys ? ' kept: keys of messages that never came, when all is delivered.' : '') +
        (UNDELIVERED.some(({ kind }) => hasUndelivered(cells, kind))
          ? ' lost: by the network. refused: more messages were missing before them than the ' +
            'pipeline keeps keys for; what is refused costs its receiver little.'
          : ''),
    ],
  );
}

const UNDELIVERED = [
  { kind: 'lost', title: 'lost' },
  { kind: 'refused', title: 'refused' },
] as const;

function hasUndelivered(cells: readonly CellResult[], kind: string): boolean {
  const name = { metric: 'undelivered-share', kind };
  return cells.some((cell) => (summarise(seriesOf(cell, name))?.value ?? 0) > 0);
}

function percentage(title: string, name: SeriesName, over: string): Measure {
  const of = (cell: CellResult): Estimate | undefined => {
    const share = summarise(seriesOf(cell, name));
    return share && { ...share, value: share.value * 100, ...hundredfold(share) };
  };
  return { title, unit: '%', over, decimals: 1, of };
}

function hundredfold({ low, high }: Estimate): Partial<Estimate> {
  return low === undefined || high === undefined ? {} : { low: low * 100, high: high * 100 };
}

/** Wall time of single calls. */
export function latencyTable(cells: readonly CellResult[]): Table {
  const stages = [
    { over: 'send', at: { stage: 'send', role: 'sender' } },
    { over: 'relay store', at: { stage: 'relay', role: 'relay', kind: 'store' } },
    { over: 'relay fetch', at: { stage: 'relay', role: 'relay', kind: 'fetch' } },
    { over: 'receive', at: { stage: 'receive', role: 'receiver' } },
  ] as const;
  return tableOf(
    'Time of one call',
    cells,
    stages.flatMap(({ over, at }) =>
      ['p50', 'p99'].map((statistic) =>
        value(statistic, { metric: 'latency', ...at, statistic }, over),
      ),
    ),
    [
      'Wall time on this machine, without network or queue; no delay that a user would see. There ' +
        'is a percentile where 30 calls or more of each repeat took longer.',
    ],
  );
}

/** The n-th message of a session, and when a dearer opening is paid back. */
export function indexTable(cells: readonly CellResult[]): Table {
  const numbers = new Set<number>();
  for (const cell of cells) {
    for (const { metric, kind } of cell.series.values()) {
      if (metric === 'cpu-by-index') numbers.add(Number(kind));
    }
  }
  const byIndex = [...numbers]
    .sort((a, b) => a - b)
    .map((number) =>
      value(
        String(number),
        { metric: 'cpu-by-index', role: 'all', kind: String(number) },
        'message',
      ),
    );
  const evens = new Map<CellResult, BreakEven>();
  for (const group of comparableGroups(cells)) {
    for (const cell of group) {
      const lower = rungBelow(group, cell);
      const even = lower === undefined ? undefined : breakEvenOf(cell, lower);
      if (even !== undefined) evens.set(cell, even);
    }
  }
  const breakEven: Measure = {
    title: 'rung below',
    over: 'break-even with',
    unit: 'messages',
    of(cell) {
      const even = evens.get(cell);
      return even === undefined ? undefined : (even.messages ?? even.verdict);
    },
  };
  return tableOf(
    'CPU of the n-th message of a session',
    cells,
    [...byIndex, ...(evens.size === 0 ? [] : [breakEven])],
    [
      'The first message is that which accept opens; initiate and publish come before it.',
      ...(evens.size === 0
        ? []
        : [
            'break-even: messages of a session after which the one of two neighbouring rungs ' +
              'whose opening costs more has paid that back by cheaper messages; never, when its ' +
              'messages cost more as well; undecided, when an interval leaves open which costs more.',
          ]),
    ],
  );
}

const RECOVERY = {
  metric: 'cpu-per-message',
  role: 'authority',
  kind: 'per-recovered',
} as const satisfies SeriesName;

const TOTAL = { metric: 'cpu-per-message', role: 'all' } as const satisfies SeriesName;

function perMessage(role: 'sender' | 'relay' | 'receiver' | 'all'): Measure {
  return withInterval(role, { metric: 'cpu-per-message', role });
}

function withInterval(title: string, name: SeriesName, over?: string): Measure {
  const of = (cell: CellResult): Estimate | undefined =>
    notBelowZero(summarise(seriesOf(cell, name)));
  return { title, unit: 'ns', over, decimals: 2, of };
}

/** Without its interval, to be narrow; `sealbench rows` has it. */
function value(title: string, name: SeriesName, over: string): Measure {
  return {
    title,
    unit: 'ns',
    over,
    decimals: 2,
    of(cell) {
      const estimate = summarise(seriesOf(cell, name));
      return estimate && { ...estimate, low: undefined, high: undefined };
    },
  };
}

function bytes(title: string, name: SeriesName, over: string): Measure {
  const of = (cell: CellResult): Estimate | undefined =>
    notBelowZero(summarise(seriesOf(cell, name)));
  // Not scaled: sizes of 100 B and of 64 KiB may stand in one column.
  return { title, unit: 'bytes', over, decimals: 1, of };
}

function ratioTo(cells: readonly CellResult[], baseline: string): Measure {
  return {
    title: 'ratio',
    unit: '',
    decimals: 3,
    of(cell) {
      const base = baselineFor(cells, cell, baseline);
      return base && ratioOf(seriesOf(cell, TOTAL), seriesOf(base, TOTAL));
    },
  };
}

/** Whether there is a ratio to another cell; that of a cell to itself says nothing. */
function isCompared(cells: readonly CellResult[], cell: CellResult, baseline: string): boolean {
  const base = cell.status === 'ok' ? baselineFor(cells, cell, baseline) : undefined;
  return base !== undefined && base !== cell;
}

function baselineNotes(cells: readonly CellResult[], baseline: string): readonly string[] {
  if (!cells.some((cell) => cell.status === 'ok' && cell.pipeline === baseline)) {
    return [`There are no ratios: ${baseline} has no figures in this run.`];
  }
  const notes = new Set<string>();
  for (const cell of cells) {
    const base = cell.status === 'ok' ? baselineFor(cells, cell, baseline) : undefined;
    if (base !== undefined && base.implementation !== cell.implementation) {
      notes.add(
        `${cell.pipeline} of ${cell.implementation} is compared with ${baseline} of ` +
          `${base.implementation}.`,
      );
    }
  }
  return [...notes];
}

/** "40 messages per session, 20 per connection". */
function spread(cells: readonly CellResult[]): string {
  const known = cells.filter(({ messagesPerSession }) => messagesPerSession !== undefined);
  const allOf = (count: (cell: CellResult) => number | undefined): string =>
    [...new Set(known.map((cell) => formatNumber(count(cell)!)))].join(' or ');
  return (
    `${allOf(({ messagesPerSession }) => messagesPerSession)} messages per session, ` +
    `${allOf(({ messagesPerConnection }) => messagesPerConnection)} per connection`
  );
}

/** Cells and columns without figures are left out; the first table says why there are none. */
function tableOf(
  title: string,
  cells: readonly CellResult[],
  measures: readonly Measure[],
  notes: readonly string[],
): Table {
  const fills = (cell: CellResult, measure: Measure): boolean => measure.of(cell) !== undefined;
  const filled = measures.filter((measure) => cells.some((cell) => fills(cell, measure)));
  const measured = cells.filter((cell) => filled.some((measure) => fills(cell, measure)));
  const rows = rowsOf(measured, filled, false);
  return { title, columns: [{ title: 'pipeline' }, ...filled], rows, notes };
}

/** @param withRemarks Whether a cell without figures has a line that says why. */
export function rowsOf(
  cells: readonly CellResult[],
  measures: readonly Measure[],
  withRemarks: boolean,
): TableRow[] {
  const rows: TableRow[] = [];
  for (const { heading, cells: group, labels } of sectionsOf(cells)) {
    if (heading !== '') rows.push({ cells: [], heading });
    for (const [index, cell] of group.entries()) {
      const mark = withRemarks && hasNeverSettled(cell) ? ' *' : '';
      const label = `${labels[index]!}${mark}`;
      if (withRemarks && cell.status !== 'ok') {
        rows.push({ cells: [label], remark: remarkOf(cell) });
      } else rows.push({ cells: [label, ...measures.map((measure) => measure.of(cell))] });
    }
  }
  return rows;
}

/** `unavailable: the library is not installed`. */
function remarkOf({ status, reason }: CellResult): string {
  return reason === undefined ? status : `${status}: ${reason}`;
}
