/**
 * Tables: the same one as aligned plain text and as Markdown.
 *
 * Numbers come as values with intervals and in the program's units (ns, B, a share); each column
 * chooses one scale for all its numbers, and says it in its heading.
 *
 * @module
 */

import type { Estimate } from './estimates.ts';
import { formatEstimate, scaleFor, type Scale } from './numbers.ts';
import { displayWidth, forMarkdown, forTerminal, padEnd, padStart } from './text.ts';

export interface Column {
  readonly title: string;
  /** Of its numbers: `ns`, `B`, `share`, another word that is printed as it is, or '' for none. */
  readonly unit?: string;
}

export interface TableRow {
  /** Text is left-aligned, numbers are right-aligned, undefined is printed as `-`. */
  readonly cells: readonly (string | Estimate | undefined)[];
  /** Why the row has no numbers: printed in place of what follows its texts. */
  readonly remark?: string;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly TableRow[];
  /** One paragraph each, under the table. */
  readonly notes: readonly string[];
}

export interface Terminal {
  /** Columns of the terminal: a wider table is cut into several, each with its first column. */
  readonly width?: number | undefined;
  /** Only for a terminal: bold headings. */
  readonly colour?: boolean;
}

/** Aligned plain text; ends with a line end. Control characters are written out. */
export function renderTable(table: Table, { width, colour = false }: Terminal = {}): string {
  const grid = layOut(table, forTerminal);
  const blocks = cutColumns(grid, width).map((columns) => renderBlock(grid, columns, colour));
  const title = table.title === '' ? [] : [forTerminal(table.title)];
  const notes = table.notes.map((note) => wrap(forTerminal(note), width));
  const parts = [...title, ...blocks, ...(notes.length === 0 ? [] : [notes.join('\n')])];
  return `${parts.join('\n\n')}\n`;
}

/** A table of GitHub Flavored Markdown; ends with a line end. */
export function renderMarkdown(table: Table): string {
  const grid = layOut(table, forMarkdown);
  const lines = [
    markdownLine(grid.headings),
    markdownLine(grid.isNumber.map((isNumber) => (isNumber ? '--:' : '---'))),
    ...grid.rows.map(({ texts, remark }) => {
      if (remark === undefined) return markdownLine(texts);
      const cells = [...texts, remark];
      return markdownLine([...cells, ...grid.headings.slice(cells.length).map(() => '')]);
    }),
  ];
  const title = table.title === '' ? [] : [`**${forMarkdown(table.title)}**`];
  const notes = table.notes.map((note) => `- ${forMarkdown(note)}`);
  const parts = [...title, lines.join('\n'), ...(notes.length === 0 ? [] : [notes.join('\n')])];
  return `${parts.join('\n\n')}\n`;
}

function markdownLine(texts: readonly string[]): string {
  return `| ${texts.join(' | ')} |`;
}

/** A table whose every cell is a finished text. */
interface Grid {
  readonly headings: readonly string[];
  readonly isNumber: readonly boolean[];
  /** Rows with a remark have texts only for the columns before it. */
  readonly rows: readonly { readonly texts: readonly string[]; readonly remark?: string }[];
}

function layOut(table: Table, escape: (text: string) => string): Grid {
  const isNumber = table.columns.map(({ unit }) => unit !== undefined);
  const scales = table.columns.map(({ unit }, index) => columnScale(table, index, unit));
  return {
    headings: table.columns.map(({ title }, index) => {
      const unit = scales[index]!.unit;
      return escape(unit === '' ? title : `${title} (${unit})`);
    }),
    isNumber,
    rows: table.rows.map(({ cells, remark }) => {
      const shown = remark === undefined ? cells : cells.slice(0, firstNumber(isNumber));
      const texts = shown.map((cell, index) =>
        cell === undefined
          ? '-'
          : typeof cell === 'string'
            ? escape(cell)
            : formatEstimate(cell, scales[index]!),
      );
      return remark === undefined ? { texts } : { texts, remark: escape(remark) };
    }),
  };
}

function firstNumber(isNumber: readonly boolean[]): number {
  const index = isNumber.indexOf(true);
  return index === -1 ? isNumber.length : index;
}

function columnScale(table: Table, index: number, unit: string | undefined): Scale {
  if (unit === undefined) return { unit: '', factor: 1 };
  const values: number[] = [];
  for (const { cells, remark } of table.rows) {
    const cell = cells[index];
    if (remark === undefined && typeof cell === 'object') values.push(cell.value);
  }
  return scaleFor(unit, values);
}

const GAP = '  ';

/** Groups of column numbers that fit side by side; the first column begins every group. */
function cutColumns(grid: Grid, width = Infinity): number[][] {
  const widths = columnWidths(grid);
  const groups: number[][] = [[0]];
  let used = widths[0] ?? 0;
  for (let column = 1; column < widths.length; column++) {
    const needed = GAP.length + widths[column]!;
    const group = groups.at(-1)!;
    if (used + needed > width && group.length > 1) {
      groups.push([0, column]);
      used = widths[0]! + needed;
    } else {
      group.push(column);
      used += needed;
    }
  }
  return groups;
}

function columnWidths(grid: Grid): number[] {
  return grid.headings.map((heading, column) =>
    Math.max(
      displayWidth(heading),
      ...grid.rows.map(({ texts }) => displayWidth(texts[column] ?? '')),
    ),
  );
}

function renderBlock(grid: Grid, columns: readonly number[], colour: boolean): string {
  const widths = columnWidths(grid);
  const pad = (text: string, column: number): string =>
    grid.isNumber[column] === true
      ? padStart(text, widths[column]!)
      : padEnd(text, widths[column]!);
  const heading = columns
    .map((column) => pad(grid.headings[column]!, column))
    .join(GAP)
    .trimEnd();
  const rule = columns.map((column) => '-'.repeat(widths[column]!)).join(GAP);
  const lines = [colour ? `\u001B[1m${heading}\u001B[22m` : heading, rule];
  for (const { texts, remark } of grid.rows) {
    const shown = columns.filter((column) => column < texts.length);
    const padded = shown.map((column) => pad(texts[column]!, column));
    if (remark !== undefined && shown.length < columns.length) padded.push(remark);
    lines.push(padded.join(GAP).trimEnd());
  }
  return lines.join('\n');
}

/** Breaks a paragraph at spaces; the lines after the first are indented. */
function wrap(text: string, width = Infinity): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = `${GAP}${word}`;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}
