/**
 * Tables of text only.
 *
 * @module
 */

import { renderTable } from '../report/table.ts';

export function textTable(
  title: string,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  notes: readonly string[] = [],
): string {
  return renderTable({
    title,
    columns: headings.map((heading) => ({ title: heading })),
    rows: rows.map((cells) => ({ cells })),
    notes,
  });
}
