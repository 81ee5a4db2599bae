/**
 * The rows of a chart, for programs and spreadsheets.
 *
 * @module
 */

import { csvField } from '../rows.ts';
import type { ChartRow } from './page.ts';

/** RFC 4180, with a line of headings: all keys of all rows. */
export function chartRowsToCsv(rows: readonly ChartRow[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [
    columns.map(csvField),
    ...rows.map((row) =>
      columns.map((column) => {
        const value = row[column] ?? undefined;
        return csvField(typeof value === 'boolean' ? String(value) : value);
      }),
    ),
  ];
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
}

/** An array with one row per line. */
export function chartRowsToJson(rows: readonly ChartRow[]): string {
  return rows.length === 0
    ? '[]\n'
    : `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`;
}
