/**
 * The highest rates that cells carry within a bound: as a table and in sentences.
 *
 * @module
 */

import { seriesOf, type CellResult, type Series } from './cells.ts';
import { isUndecided, ratioOf, summarise, type Estimate } from './estimates.ts';
import { formatNumber } from './numbers.ts';
import { baselineFor } from './pairing.ts';
import { rowsOf, type Measure } from './tables.ts';
import type { Table } from './table.ts';
import { confidence, countOf } from './wording.ts';

/** Of a cell that has one; the kind names the bound. */
export function kneeOf(cell: CellResult): Series | undefined {
  return [...cell.series.values()].find(({ metric }) => metric === 'knee-rate');
}

/** Empty where no saturation was searched. */
export function saturationTable(cells: readonly CellResult[], baseline: string | undefined): Table {
  const searched = cells.filter(({ load }) => load === 'searched');
  const measures: Measure[] = [
    { title: 'messages/s', unit: '', of: (cell) => summarise(kneeOf(cell)) },
    ...(baseline === undefined ? [] : [ratioTo(cells, baseline)]),
    time('p50', 'service-time', 'service'),
    time('p99', 'service-time', 'service'),
    time('p50', 'response-time', 'response'),
    time('p99', 'response-time', 'response'),
  ];
  const bounds = new Set(searched.flatMap((cell) => kneeOf(cell)?.kind ?? []));
  const bound = bounds.size === 0 ? 'a bound' : [...bounds].map(boundText).join(' or ');
  return {
    title: `Highest rate with 99 of 100 messages done within ${bound}`,
    columns: [{ title: 'pipeline' }, ...measures],
    rows: rowsOf(searched, measures, true),
    notes: [
      'One thread for sender, relay and receiver together. Messages come as a Poisson process; ' +
        'response is from the scheduled moment on, service without the wait. The times are those at ' +
        'the rate in the first column.',
      ...(baseline === undefined
        ? []
        : [`ratio: repeat by repeat, to ${baseline} in the same run.`]),
    ],
  };
}

export function saturationSentences(
  cells: readonly CellResult[],
  baseline: string | undefined,
): string[] {
  return cells.flatMap((cell) => {
    const series = kneeOf(cell);
    const knee = summarise(series);
    if (series === undefined || knee === undefined) return [];
    const ratio = baseline === undefined ? undefined : ratioOfKnees(cells, cell, baseline);
    return [
      `With ${cell.pipeline} of ${cell.implementation}, ${countOf(cell.threads, 'thread')} ` +
        `carries up to ${formatNumber(knee.value)} messages per second with 99 of 100 done within ` +
        `${boundText(series.kind)} (${confidence(knee)})${ratio === undefined ? '' : ratioText(ratio, baseline!)}.`,
    ];
  });
}

function ratioText(ratio: Estimate, baseline: string): string {
  if (isUndecided(ratio, 1)) return `; no difference to ${baseline} could be shown`;
  return `, ${formatNumber(ratio.value)} times the rate of ${baseline} (${confidence(ratio)})`;
}

/** `p99<=5ms` to `5 ms`. */
function boundText(kind: string): string {
  return `${kind.slice('p99<='.length, -'ms'.length)} ms`;
}

function ratioTo(cells: readonly CellResult[], baseline: string): Measure {
  return {
    title: 'ratio',
    unit: '',
    decimals: 3,
    of: (cell) => ratioOfKnees(cells, cell, baseline),
  };
}

/** Undefined for the baseline itself, too. */
function ratioOfKnees(
  cells: readonly CellResult[],
  cell: CellResult,
  baseline: string,
): Estimate | undefined {
  const base = baselineFor(cells, cell, baseline);
  return base === undefined || base === cell ? undefined : ratioOf(kneeOf(cell), kneeOf(base));
}

function time(statistic: string, metric: string, over: string): Measure {
  return {
    title: statistic,
    unit: 'ns',
    over,
    decimals: 2,
    of(cell) {
      const estimate = summarise(seriesOf(cell, { metric, statistic }));
      return estimate && { ...estimate, low: undefined, high: undefined };
    },
  };
}
