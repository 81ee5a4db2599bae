/**
 * Service and response times of messages that came by a schedule: as a table and in sentences.
 *
 * @module
 */

import { seriesOf, type CellResult } from './cells.ts';
import { summarise, type Estimate } from './estimates.ts';
import { formatNumber, formatQuantity } from './numbers.ts';
import { rowsOf, type Measure } from './tables.ts';
import type { Table } from './table.ts';

/** Empty where no workload has a schedule. */
export function responseTable(cells: readonly CellResult[]): Table {
  const scheduled = cells.filter(({ load }) => load === 'scheduled');
  const measures: Measure[] = [
    column('offered', '', { metric: 'offered-rate' }, 'messages/s'),
    column('completed', '', { metric: 'completed-rate' }, 'messages/s'),
    column('p50', 'ns', { metric: 'service-time', statistic: 'p50' }, 'service'),
    column('p99', 'ns', { metric: 'service-time', statistic: 'p99' }, 'service'),
    column('p50', 'ns', { metric: 'response-time', statistic: 'p50' }, 'response'),
    column('p99', 'ns', { metric: 'response-time', statistic: 'p99' }, 'response'),
    column('p99', 'ns', { metric: 'schedule-lag', statistic: 'p99' }, 'lag'),
  ];
  return {
    title: 'Messages that do not wait for the system: service and response times',
    columns: [{ title: 'pipeline' }, ...measures],
    rows: rowsOf(scheduled, measures, true),
    notes: [
      'service: from the start of a message to its end. response: from its scheduled moment to the ' +
        'same end, so with the wait behind earlier ones. lag: what the generator itself was late, with ' +
        'nothing else to do. Rates are of all threads together; each has a queue of its own. What is ' +
        'read is never corrected; where lag made response times longer by a tenth, the repeat is invalid.',
    ],
  };
}

/** What the wait adds to a message, of each cell. */
export function responseSentences(cells: readonly CellResult[]): string[] {
  return cells.flatMap((cell) => {
    if (cell.load !== 'scheduled') return [];
    const rate = figureOf(cell, { metric: 'offered-rate' });
    const service = figureOf(cell, { metric: 'service-time', statistic: 'p99' });
    const response = figureOf(cell, { metric: 'response-time', statistic: 'p99' });
    if (rate === undefined || service === undefined || response === undefined) return [];
    return [
      `${cell.pipeline} of ${cell.implementation}, ${cell.workload}: at ` +
        `${formatNumber(rate.value)} messages per second 1 in 100 is done ` +
        `${formatQuantity(response.value, 'ns')} after its moment or later; without the wait 1 in 100 ` +
        `takes ${formatQuantity(service.value, 'ns')} or longer.`,
    ];
  });
}

type Name = Parameters<typeof seriesOf>[1];

function column(title: string, unit: string, name: Name, over: string): Measure {
  return {
    title,
    unit,
    over,
    decimals: 2,
    of(cell) {
      const estimate = figureOf(cell, name);
      return estimate && { ...estimate, low: undefined, high: undefined };
    },
  };
}

function figureOf(cell: CellResult, name: Name): Estimate | undefined {
  return summarise(seriesOf(cell, name));
}
