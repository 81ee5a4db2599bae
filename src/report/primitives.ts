/**
 * What is printed of a run of primitives: a dense table, primitive by implementation, and how far it
 * can be trusted.
 *
 * @module
 */

import type { RepeatRecord } from '../results/record.ts';
import { median } from '../stats/quantile.ts';
import { seriesOf, type CellResult } from './cells.ts';
import { notBelowZero, ratioOf, relativeHalfWidth, summarise, type Estimate } from './estimates.ts';
import { formatEstimate, formatNumber, scaleFor, type Scale } from './numbers.ts';
import { hasNeverSettled } from './settling.ts';
import type { Summary } from './summary.ts';
import type { Column, Table, TableRow } from './table.ts';
import { WIDE, type Judgement } from './verdict.ts';
import { countOf, joined, percent, percentRange } from './wording.ts';

/** What reports print of an implementation. */
export interface ImplementationNote {
  readonly name: string;
  readonly title: string;
  readonly caveats: readonly string[];
}

export interface OperationSummaryInput {
  readonly suite: {
    readonly title: string;
    readonly question: string;
    readonly analysis: readonly string[];
  };
  /** In the order of the suite. */
  readonly cells: readonly CellResult[];
  readonly records: readonly RepeatRecord[];
  readonly implementations: readonly ImplementationNote[];
}

/** It computes nothing: the floor, and never the fastest. */
const FLOOR = 'null';
/** Above it, tinybench's reading of the clock is pointed out. */
const TIMER_FLAGGED = 0.01;
/** Above it, what the loop around a call costs is pointed out. */
const FLOOR_FLAGGED = 0.05;
/** Names in one sentence. */
const LISTED_MAX = 8;
/** Above it, a median over repeats says little. */
const USELESS = 0.5;

const WALL = { metric: 'primitive-wall' } as const;
const RATE = { metric: 'primitive-rate' } as const;

export function primitivesSummary(input: OperationSummaryInput): Summary {
  const { suite, cells, implementations } = input;
  const named = new Set(cells.map(({ implementation }) => implementation));
  return {
    title: suite.title,
    question: suite.question,
    scope: scopeOf(cells),
    judgement: judgePrimitives(cells),
    tables: [wallTable(cells), cpuTable(cells), rateTable(cells)],
    topics: topicsOf(cells, input.records),
    precision: precisionOf(input),
    pipelines: implementations
      .filter(({ name }) => named.has(name))
      .map(({ name, title, caveats }) => [`${name}: ${title}.`, ...caveats].join(' ')),
    analysis: suite.analysis,
  };
}

/** Time of one call with its interval, and how many times the fastest that is. */
export function wallTable(cells: readonly CellResult[]): Table {
  return matrix(cells, {
    title: 'Time of one call, median; x: times the fastest',
    unit: 'ns',
    estimateOf: (cell) => notBelowZero(summarise(seriesOf(cell, WALL))),
    textOf(cell, estimate, scale, row) {
      const shown = formatEstimate(estimate, scale);
      const fastest = fastestOf(row);
      if (fastest === undefined || cell.implementation === FLOOR) return shown;
      if (cell === fastest) return `${shown} x1`;
      const ratio = ratioOf(seriesOf(cell, WALL), seriesOf(fastest, WALL));
      return ratio === undefined ? shown : `${shown} x${formatNumber(ratio.value, 2)}`;
    },
    notes: [
      'Each row is in the unit beside its length. In brackets: 95 % intervals over repeats. Factors ' +
        'are geometric means of the ratios within repeats.',
    ],
  });
}

/** CPU of one call, to be narrow without its interval. */
export function cpuTable(cells: readonly CellResult[]): Table {
  const ofProcess = [
    ...new Set(
      cells.flatMap((cell) =>
        seriesOf(cell, { metric: 'primitive-cpu', kind: 'process' }) ? [cell.implementation] : [],
      ),
    ),
  ];
  return matrix(cells, {
    title: 'CPU of one call, over the whole timed phase',
    unit: 'ns',
    estimateOf: (cell) =>
      summarise(
        seriesOf(cell, { metric: 'primitive-cpu', kind: 'thread' }) ??
          seriesOf(cell, { metric: 'primitive-cpu', kind: 'process' }),
      ),
    textOf: (_, { value }, scale) => formatNumber(value * scale.factor),
    notes:
      ofProcess.length === 0
        ? []
        : [
            `${joined(ofProcess)}: CPU of the process with all its threads, not comparable with that ` +
              'of one thread.',
          ],
  });
}

/** Calls per second over all time, so with the pauses that a median leaves out. */
export function rateTable(cells: readonly CellResult[]): Table {
  return matrix(cells, {
    title: 'Calls per second',
    unit: '/s',
    estimateOf: (cell) => notBelowZero(summarise(seriesOf(cell, RATE))),
    textOf: (_, estimate, scale) => formatEstimate(estimate, scale),
    notes: [],
  });
}

interface Matrix {
  readonly title: string;
  readonly unit: 'ns' | '/s';
  readonly estimateOf: (cell: CellResult) => Estimate | undefined;
  readonly textOf: (
    cell: CellResult,
    estimate: Estimate,
    scale: Scale,
    row: readonly CellResult[],
  ) => string;
  readonly notes: readonly string[];
}

/** Primitives and their lengths downwards, implementations across. */
function matrix(
  cells: readonly CellResult[],
  { title, unit, estimateOf, textOf, notes }: Matrix,
): Table {
  const implementations = [...new Set(cells.map(({ implementation }) => implementation))];
  const columns: Column[] = [
    { title: 'primitive' },
    ...implementations.map((implementation) => ({ title: implementation, unit: '' })),
  ];
  const remarks = new Remarks();
  const rows: TableRow[] = [];
  for (const [primitive, ofPrimitive] of Map.groupBy(cells, ({ pipeline }) => pipeline)) {
    rows.push({ cells: [], heading: primitive });
    for (const [length, row] of Map.groupBy(ofPrimitive, ({ workload }) => workload)) {
      const values = row.flatMap((cell) =>
        cell.implementation === FLOOR ? [] : (estimateOf(cell)?.value ?? []),
      );
      const scale = rowScale(unit, values);
      const texts = implementations.map((implementation) => {
        const cell = row.find((one) => one.implementation === implementation);
        if (cell === undefined) return undefined;
        const estimate = estimateOf(cell);
        if (cell.status !== 'ok' || estimate === undefined) return remarks.markOf(cell);
        return textOf(cell, estimate, scale, row);
      });
      rows.push({ cells: [`  ${lengthText(length)}, ${scale.unit}`, ...texts] });
    }
  }
  return { title, columns, rows, notes: [...notes, ...remarks.notes()] };
}

/** `64B` to `64 B`. */
function lengthText(workload: string): string {
  return workload.replace(/^(\d+)B\b/, '$1 B');
}

const RATE_SCALES: readonly (Scale & { readonly from: number })[] = [
  { unit: '/s', factor: 1, from: 0 },
  { unit: 'k/s', factor: 1e-3, from: 1e4 },
  { unit: 'M/s', factor: 1e-6, from: 1e7 },
];

function rowScale(unit: 'ns' | '/s', values: readonly number[]): Scale {
  if (unit === 'ns') return scaleFor('ns', values);
  const middle = values.length === 0 ? 0 : median(values);
  return RATE_SCALES.findLast(({ from }) => middle >= from)!;
}

/** Why a cell has no number, as a letter in its place and a note under the table. */
class Remarks {
  /** Remark to the primitives that it is about. */
  readonly #about = new Map<string, Set<string>>();

  markOf({ status, reason, pipeline }: CellResult): string {
    const remark = reason === undefined ? status : `${status}: ${reason}`;
    let about = this.#about.get(remark);
    if (about === undefined) {
      about = new Set();
      this.#about.set(remark, about);
    }
    about.add(pipeline);
    const mark = letter([...this.#about.keys()].indexOf(remark));
    return `${status === 'ok' ? 'none' : status} (${mark})`;
  }

  notes(): string[] {
    return [...this.#about].map(
      ([remark, about], index) => `(${letter(index)}) ${remark} (${[...about].join(', ')})`,
    );
  }
}

/** a, b, ..., z, aa, ab, ... */
function letter(index: number): string {
  const last = String.fromCharCode(97 + (index % 26));
  return index < 26 ? last : letter(Math.floor(index / 26) - 1) + last;
}

/** Among implementations that compute. */
function fastestOf(row: readonly CellResult[]): CellResult | undefined {
  let fastest: { readonly cell: CellResult; readonly ns: number } | undefined;
  for (const cell of row) {
    const ns = summarise(seriesOf(cell, WALL))?.value;
    if (cell.status !== 'ok' || cell.implementation === FLOOR || ns === undefined) continue;
    if (fastest === undefined || ns < fastest.ns) fastest = { cell, ns };
  }
  return fastest?.cell;
}

function scopeOf(cells: readonly CellResult[]): string {
  const primitives = new Set(cells.map(({ pipeline }) => pipeline)).size;
  const implementations = new Set(cells.map(({ implementation }) => implementation)).size;
  return (
    `${countOf(cells.length, 'cell')}: ${countOf(primitives, 'primitive')}, ` +
    `${countOf(implementations, 'implementation')}, 1 thread.`
  );
}

function judgePrimitives(cells: readonly CellResult[]): Judgement {
  const widths = cells.flatMap((cell) => {
    const estimate = summarise(seriesOf(cell, WALL));
    return (estimate && relativeHalfWidth(estimate)) ?? [];
  });
  if (widths.length === 0) {
    return {
      verdict: 'unjudged',
      because: 'Fewer than 3 repeats give no intervals: nothing says how far a figure is off.',
    };
  }
  return {
    verdict: Math.min(...widths) > USELESS ? 'too noisy' : median(widths) > WIDE ? 'noisy' : 'fine',
    because: `Times are known to ${percentRange(widths)} either way.`,
  };
}

/** Who computes what, where that is not the implementation's own library. */
function topicsOf(
  cells: readonly CellResult[],
  records: readonly RepeatRecord[],
): Summary['topics'] {
  const known = new Set(cells.map(({ cell }) => cell));
  const bySource = new Map<string, Set<string>>();
  for (const { cell, implementation, operation } of records) {
    if (operation === undefined || operation.source === 'library' || !known.has(cell)) continue;
    const key = `${implementation}, ${SOURCES[operation.source] ?? `by ${operation.source}`}`;
    bySource.set(key, (bySource.get(key) ?? new Set()).add(operation.primitive));
  }
  const sentences = [...bySource]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([who, primitives]) => `${who}: ${[...primitives].sort().join(', ')}.`);
  return sentences.length === 0
    ? []
    : [{ title: "What is not computed by the implementation's own library", sentences }];
}

const SOURCES: Readonly<Record<string, string>> = {
  composed: 'composed by sealbench over its SHA-256 or HMAC',
  assembled: 'assembled by sealbench from its ML-KEM-768 and X25519',
};

function precisionOf({ cells, records }: OperationSummaryInput): string[] {
  const measured = cells.filter(({ status }) => status === 'ok');
  if (measured.length === 0) return [];
  return [
    ...methodNotes(measured, records),
    ...agreementNotes(records),
    ...timerNotes(measured, records),
    ...floorNotes(measured),
    ...settlingNotes(measured),
    ...disturbanceNotes(measured),
  ];
}

function methodNotes(cells: readonly CellResult[], records: readonly RepeatRecord[]): string[] {
  const repeats = cells.map((cell) => cell.repeats);
  const [fewest, most] = [Math.min(...repeats), Math.max(...repeats)];
  const range = fewest === most ? countOf(most, 'repeat') : `${fewest} to ${most} repeats`;
  const perSample = records.flatMap(({ operation }) => operation?.timed?.callsPerSample ?? []);
  const notes = [
    `Each value is the median over ${range}, each in a fresh process` +
      `${most < 3 ? '. Where there are fewer than 3 repeats there are no intervals' : ''}.`,
  ];
  if (perSample.length > 0) {
    notes.push(
      `A sample of tinybench is ${Math.min(...perSample)} to ${Math.max(...perSample)} calls, a power ` +
        'of two that makes it last 50 us; one call where that takes longer.',
    );
  }
  const took = durationOf(records);
  if (took !== undefined) notes.push(`From the first repeat to the last it took ${took}.`);
  return notes;
}

/** From the start of the first repeat to that of the last; undefined for one repeat. */
function durationOf(records: readonly RepeatRecord[]): string | undefined {
  const starts = records.map(({ startedAt }) => Date.parse(startedAt));
  const ms = Math.max(...starts) - Math.min(...starts);
  if (!(ms > 0)) return undefined;
  return ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${formatNumber(ms / 60_000)} minutes`;
}

/** The same inputs must give the same outputs, whoever computes. */
function agreementNotes(records: readonly RepeatRecord[]): string[] {
  const outputs = new Map<string, Map<number, Set<string>>>();
  for (const { implementation, operation, seed, status } of records) {
    if (status !== 'ok' || operation === undefined || operation.outputs === null) continue;
    if (implementation === FLOOR) continue;
    const key = `${operation.primitive} of ${operation.bytes} B, seed ${seed}`;
    const given = outputs.get(key) ?? new Map<number, Set<string>>();
    given.set(operation.outputs, (given.get(operation.outputs) ?? new Set()).add(implementation));
    outputs.set(key, given);
  }
  const differing = [...outputs].filter(([, given]) => given.size > 1);
  if (differing.length > 0) {
    return differing.map(([key, given]) => {
      const sides = [...given.values()].map((names) => [...names].join(' and '));
      return `WRONG: ${key}: ${sides.join(' gives other outputs than ')}.`;
    });
  }
  const compared = [...outputs.values()].filter((given) => [...given.values()][0]!.size > 1).length;
  if (compared === 0) return [];
  return [
    `Published answers were reproduced before each repeat, and outputs of the same inputs were the ` +
      `same from all implementations, wherever they are not random: ${countOf(compared, 'comparison')}.`,
  ];
}

function timerNotes(cells: readonly CellResult[], records: readonly RepeatRecord[]): string[] {
  const flagged = flaggedBy(cells, 'primitive-timer-share', TIMER_FLAGGED);
  const warned = new Set(
    records.flatMap(({ cell, operation }) =>
      (operation?.timed?.timerWarnings.length ?? 0) > 0 ? [cell] : [],
    ),
  );
  const notes: string[] = [];
  if (flagged.length > 0) {
    notes.push(
      `Warning: reading the clock is more than ${percent(TIMER_FLAGGED)} of a sample of ` +
        `${shortList(flagged)}.`,
    );
  }
  if (warned.size > 0) {
    notes.push(
      `Warning: tinybench found samples of ${countOf(warned.size, 'cell')} too coarse for the clock: ` +
        `${shortList([...warned])}.`,
    );
  }
  return notes;
}

/** Beside a fast call, the loop, the checksum and a copy weigh. */
function floorNotes(cells: readonly CellResult[]): string[] {
  const flagged: string[] = [];
  for (const ofPrimitive of Map.groupBy(cells, ({ pipeline }) => pipeline).values()) {
    const floors = ofPrimitive
      .filter(({ implementation }) => implementation === FLOOR)
      .flatMap((cell) => summarise(seriesOf(cell, WALL))?.value ?? []);
    if (floors.length === 0) continue;
    // That of the shortest input: copying the others is work that all do.
    const floorNs = Math.min(...floors);
    for (const cell of ofPrimitive) {
      const ns = summarise(seriesOf(cell, WALL))?.value;
      if (cell.implementation === FLOOR || ns === undefined || floorNs <= FLOOR_FLAGGED * ns)
        continue;
      flagged.push(`${nameOf(cell)} (${percent(floorNs / ns)})`);
    }
  }
  return flagged.length === 0
    ? []
    : [
        `Warning: the loop around the call, which null shows, is more than ${percent(FLOOR_FLAGGED)} ` +
          `of ${shortList(flagged)}.`,
      ];
}

function settlingNotes(cells: readonly CellResult[]): string[] {
  const flagged = cells.filter(hasNeverSettled).map(nameOf);
  if (flagged.length === 0) return ['All cells reached a steady speed.'];
  return [
    `${countOf(flagged.length, 'cell')} of ${cells.length} never settled, for the code was still being ` +
      `compiled or other work came in between: ${shortList(flagged)}.`,
  ];
}

function disturbanceNotes(cells: readonly CellResult[]): string[] {
  const shares = cells.flatMap(
    (cell) => summarise(seriesOf(cell, { metric: 'contaminated-share' }))?.value ?? [],
  );
  if (shares.length === 0) return [];
  return [`Windows disturbed by other work on the machine: ${percentRange(shares)} of a cell.`];
}

/** As many as can be read; `rows` has them all. */
function shortList(names: readonly string[]): string {
  const more = names.length - LISTED_MAX;
  return more > 0 ? `${names.slice(0, LISTED_MAX).join(', ')} and ${more} more` : joined(names);
}

function flaggedBy(cells: readonly CellResult[], metric: string, limit: number): string[] {
  return cells.flatMap((cell) => {
    const share = summarise(seriesOf(cell, { metric }))?.value;
    return share !== undefined && share > limit ? [nameOf(cell)] : [];
  });
}

function nameOf({ pipeline, workload, implementation }: CellResult): string {
  return `${pipeline} ${lengthText(workload)} by ${implementation}`;
}
