/**
 * The tables of loads of a relay, one for each kind of load.
 *
 * @module
 */

import type { RelayFacts } from '../measure/relay-facts.ts';
import { seriesOf, type CellResult, type Series, type SeriesName } from './cells.ts';
import { notBelowZero, ratioOf, summarise, type Estimate } from './estimates.ts';
import { plainName } from './pairing.ts';
import type { Column, Table, TableRow } from './table.ts';
import { countOf } from './wording.ts';

export type Load = RelayFacts['load'];

const CPU = { metric: 'server-cpu-per-request', role: 'relay' } as const;
export const CPU_PER_MESSAGE = { ...CPU, kind: 'message' } as const;

export function tableOf(
  load: Load,
  cells: readonly CellResult[],
  baseline: string | undefined,
): Table {
  if (load === 'saturation') return saturationTable(cells, baseline);
  if (load === 'knee') return kneeTable(cells);
  return load === 'hand-over' ? handOverTable(cells) : connectionTable(cells);
}

/** CPU of the relay per request and per message, and how many times the baseline that is. */
function saturationTable(cells: readonly CellResult[], baseline: string | undefined): Table {
  return grouped(cells, {
    title: 'The relay at saturation',
    columns: [
      { title: 'pipeline' },
      { title: 'CPU per message', unit: 'ns' },
      ...(baseline === undefined ? [] : [{ title: `x ${plainName(baseline)}`, unit: '' }]),
      { title: 'per request', unit: 'ns' },
      { title: 'requests/s', unit: '', decimals: 0 },
      { title: 'of a core', unit: 'share', decimals: 0 },
      { title: 'of the loop', unit: 'share', decimals: 0 },
    ],
    numbersOf: (cell) => [
      valueOf(cell, CPU_PER_MESSAGE),
      ...(baseline === undefined
        ? []
        : [ratioOf(seriesOf(cell, CPU_PER_MESSAGE), baseSeries(cells, cell, baseline))]),
      valueOf(cell, CPU),
      valueOf(cell, { metric: 'request-rate' }),
      valueOf(cell, { metric: 'server-busy-share', kind: 'cpu' }),
      valueOf(cell, { metric: 'server-busy-share', kind: 'loop' }),
    ],
    notes: [
      'CPU is that of the whole process of the relay. A message is an append and its share of a fetch ' +
        'and of an acknowledgement. Requests per second depend on the machine and on the generator ' +
        'beside it: compare CPU. Of frames that autocannon repeats nothing is known; delivery was ' +
        'proved before, by a message of every session. Busy: CPU as a share of one core, which is 90 % ' +
        'at least with frames in memory; and the event loop, which waits for commits too, and is 90 % ' +
        'busy at least with SQLite. In brackets: 95 % intervals over repeats.',
    ],
  });
}

/** The knee, and what an open loop read at half of it. */
function kneeTable(cells: readonly CellResult[]): Table {
  const append = { kind: 'append' } as const;
  return grouped(cells, {
    title: 'The knee, and times of an append at half of it',
    columns: [
      { title: 'pipeline' },
      { title: 'knee, messages/s', unit: '', decimals: 0 },
      { title: 'p50', unit: 'ns', over: 'service' },
      { title: 'p99', unit: 'ns', over: 'service' },
      { title: 'p50', unit: 'ns', over: 'response' },
      { title: 'p99', unit: 'ns', over: 'response' },
      { title: 'p99', unit: 'ns', over: 'lag' },
    ],
    numbersOf: (cell) => [
      kneeOf(cell),
      valueOf(cell, { metric: 'service-time', ...append, statistic: 'p50' }),
      valueOf(cell, { metric: 'service-time', ...append, statistic: 'p99' }),
      valueOf(cell, { metric: 'response-time', ...append, statistic: 'p50' }),
      valueOf(cell, { metric: 'response-time', ...append, statistic: 'p99' }),
      valueOf(cell, { metric: 'schedule-lag', ...append, statistic: 'p99' }),
    ],
    notes: [
      'Service: from when the request was written; response: from when it was due; lag: what the ' +
        'driver was late. Every message was fetched, opened by its receiver and compared.',
    ],
  });
}

function handOverTable(cells: readonly CellResult[]): Table {
  return grouped(cells, {
    title: 'Until the authority had an intercepted message',
    columns: [
      { title: 'pipeline' },
      { title: 'messages/s', unit: '', decimals: 0 },
      { title: 'p50', unit: 'ns', over: 'from send' },
      { title: 'p90', unit: 'ns', over: 'from send' },
      { title: 'p99', unit: 'ns', over: 'from send' },
      { title: 'max', unit: 'ns', over: 'from send' },
      { title: 'p50', unit: 'ns', over: 'append itself' },
      { title: 'p99', unit: 'ns', over: 'append itself' },
    ],
    numbersOf: (cell) => [
      valueOf(cell, { metric: 'offered-rate' }),
      ...['p50', 'p90', 'p99', 'max'].map((statistic) => valueOf(cell, handedOver(statistic))),
      ...['p50', 'p99'].map((statistic) =>
        valueOf(cell, { metric: 'service-time', kind: 'append', statistic }),
      ),
    ],
    notes: [
      'From when the sender began to send until the authority had it; beside it, what the append took ' +
        'the sender. Every frame to or from the target was handed over, once.',
    ],
  });
}

function connectionTable(cells: readonly CellResult[]): Table {
  const points = pointsOf(cells);
  return grouped(cells, {
    title: 'CPU of a connection, and of a message on it',
    columns: [
      { title: 'pipeline' },
      { title: 'connection', unit: 'ns', over: 'relay' },
      { title: 'message', unit: 'ns', over: 'relay' },
      ...points.map((point) => ({ title: `at ${point}`, unit: 'ns', over: 'relay, a message' })),
      { title: 'connection', unit: 'ns', over: 'client' },
      { title: 'message', unit: 'ns', over: 'client' },
    ],
    numbersOf: (cell) => [
      notBelowZero(valueOf(cell, connectionCpu('relay', 'connection'))),
      valueOf(cell, connectionCpu('relay', 'message')),
      ...points.map((point) => valueOf(cell, connectionCpu('relay', `at-${point}`))),
      notBelowZero(valueOf(cell, connectionCpu('sender', 'connection'))),
      valueOf(cell, connectionCpu('sender', 'message')),
    ],
    notes: [
      'Intercept and slope of CPU per connection over the messages that it carried; at N: all CPU by ' +
        'messages, when a connection carries N. The client is the driver, so its figures are those of ' +
        'a library of Node and not of a phone.',
    ],
  });
}

function handedOver(statistic: string): SeriesName {
  return { metric: 'hand-over-latency', role: 'authority', kind: 'from-send', statistic };
}

function connectionCpu(role: 'relay' | 'sender', kind: string): SeriesName {
  return { metric: 'connection-cpu', role, kind };
}

interface GroupedTable {
  readonly title: string;
  readonly columns: readonly Column[];
  /** After the name. */
  readonly numbersOf: (cell: CellResult) => readonly (Estimate | undefined)[];
  readonly notes: readonly string[];
}

/** Pipelines under a heading for each workload, key exchange and store. */
function grouped(
  cells: readonly CellResult[],
  { title, columns, numbersOf, notes }: GroupedTable,
): Table {
  const rows: TableRow[] = [];
  for (const [place, ofPlace] of Map.groupBy(cells, placeText)) {
    rows.push({ cells: [], heading: place });
    for (const cell of ofPlace) {
      const name = `  ${cell.pipeline}`;
      if (cell.status === 'ok') rows.push({ cells: [name, ...numbersOf(cell)] });
      else rows.push({ cells: [name], remark: `${cell.status}: ${cell.reason ?? 'no reason'}` });
    }
  }
  const leftOut = cells.filter((cell) => cell.leftOut > 0);
  const more = leftOut.map(
    ({ pipeline, leftOut: count, ...cell }) =>
      `${pipeline}, ${placeText(cell)}: ${countOf(count, 'repeat')} left out as invalid.`,
  );
  return { title, columns, rows, notes: [...notes, ...more] };
}

/** What a workload's segment says besides its name. */
export function optionsOf(workload: string): Readonly<Record<string, string>> {
  const [, options = ''] = workload.split(':');
  return Object.fromEntries(
    options.split(',').flatMap((option) => {
      const [key, value] = option.split('=');
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
}

export const TLS_WORDS: Readonly<Record<string, string>> = {
  none: 'no TLS',
  x25519: 'TLS 1.3 with X25519',
  'x25519-mlkem768': 'TLS 1.3 with X25519MLKEM768',
};
export const STORE_WORDS: Readonly<Record<string, string>> = {
  memory: 'kept in memory',
  'sqlite-full': 'SQLite, durable',
  'sqlite-normal': 'SQLite, not durable',
};
const RESUME_WORDS: Readonly<Record<string, string>> = {
  no: 'full handshakes',
  yes: 'resumed',
};

export function placeText({ workload }: Pick<CellResult, 'workload'>): string {
  const { tls = '', store = '', rate, resume, ...others } = optionsOf(workload);
  const own = Object.entries(others).map(([key, value]) => `${key}=${value}`);
  return [
    [workload.split(':')[0]!, ...own].join(' '),
    TLS_WORDS[tls] ?? tls,
    STORE_WORDS[store] ?? store,
    ...(rate === undefined ? [] : [`${rate} messages/s`]),
    ...(resume === undefined || tls === 'none' ? [] : [RESUME_WORDS[resume] ?? resume]),
  ].join(', ');
}

function valueOf(cell: CellResult, name: SeriesName): Estimate | undefined {
  return notBelowZero(summarise(seriesOf(cell, name)));
}

/** Of whatever bound its kind names. */
export function kneeOf(cell: CellResult): Estimate | undefined {
  const series = [...cell.series.values()].find(({ metric }) => metric === 'knee-rate');
  return notBelowZero(summarise(series));
}

function pointsOf(cells: readonly CellResult[]): number[] {
  const points = new Set<number>();
  for (const cell of cells) {
    for (const { metric, kind } of cell.series.values()) {
      if (metric === 'connection-cpu' && kind.startsWith('at-')) points.add(Number(kind.slice(3)));
    }
  }
  return [...points].sort((a, b) => a - b);
}

/** The series of the baseline beside a cell: at the same place. */
export function baseSeries(
  cells: readonly CellResult[],
  { workload, implementation }: CellResult,
  baseline: string,
): Series | undefined {
  const base = cells.find(
    (other) =>
      other.pipeline === baseline &&
      other.workload === workload &&
      other.implementation === implementation,
  );
  return base && seriesOf(base, CPU_PER_MESSAGE);
}
