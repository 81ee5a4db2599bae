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
  /** Printed over the title, for columns that belong together. */
  readonly over?: string | undefined;
  /** At most so many decimals, so that small numbers do not make the column wide. */
  readonly decimals?: number | undefined;
}

export interface TableRow {
  /** Text is left-aligned, numbers are right-aligned, undefined is printed as `-`. */
  readonly cells: readonly (string | Estimate | undefined)[];
  /** Why the row has no numbers: printed in place of what follows its texts. */
  readonly remark?: string;
  /** Set: a line above the rows that follow; then there are no cells. */
  readonly heading?: string;
}

export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly TableRow[];
  /** One paragraph each, under the table. */
  readonly notes: readonly string[];
}

export interface Terminal {
  /**
   * Columns of the terminal. A wider table is cut into several, each with its first column; what
   * has nothing to show in a later one is left out there. Paragraphs are broken at spaces.
   */
  readonly width?: number | undefined;
  /** Only for a terminal: bold headings. */
  readonly colour?: boolean;
}

/** Aligned plain text; ends with a line end. Control characters are written out. */
export function renderTable(table: Table, { width, colour = false }: Terminal = {}): string {
  const grid = layOut(table, forTerminal);
  const blocks = cutColumns(grid, width).map((columns, index) =>
    renderBlock(index === 0 ? grid : withContent(grid, columns), columns, colour, width),
  );
  const title = table.title === '' ? [] : [renderParagraph(table.title, width)];
  const notes = table.notes.map((note) => renderParagraph(note, width));
  const parts = [...title, ...blocks, ...(notes.length === 0 ? [] : [notes.join('\n')])];
  return `${parts.join('\n\n')}\n`;
}

/** A paragraph of text of unknown origin; ends without a line end. */
export function renderParagraph(text: string, width?: number): string {
  return wrap(forTerminal(text), width);
}

/** A table of GitHub Flavored Markdown; ends with a line end. */
export function renderMarkdown(table: Table): string {
  const grid = layOut(table, forMarkdown);
  const filled = (texts: readonly string[]): string =>
    markdownLine([...texts, ...grid.headings.slice(texts.length).map(() => '')]);
  const lines = [
    markdownLine(
      grid.headings.map((heading, column) => {
        const over = grid.over[column]!;
        return over === '' ? heading : `${over} ${heading}`;
      }),
    ),
    markdownLine(grid.isNumber.map((isNumber) => (isNumber ? '--:' : '---'))),
    ...grid.rows.map(({ texts, remark, heading }) => {
      if (heading !== undefined) return filled([`**${heading}**`]);
      return filled(remark === undefined ? texts : [...texts, remark]);
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
export interface Grid {
  readonly headings: readonly string[];
  /** Over each heading, or ''. */
  readonly over: readonly string[];
  readonly isNumber: readonly boolean[];
  readonly rows: readonly GridRow[];
}

/** With a remark there are texts only for the columns before it, with a heading none. */
export interface GridRow {
  readonly texts: readonly string[];
  readonly remark?: string;
  readonly heading?: string;
}

const NOTHING = '-';

export function layOut(table: Table, escape: (text: string) => string): Grid {
  const isNumber = table.columns.map(({ unit }) => unit !== undefined);
  const scales = table.columns.map(({ unit }, index) => columnScale(table, index, unit));
  return {
    headings: table.columns.map(({ title }, index) => {
      const unit = scales[index]!.unit;
      return escape(unit === '' ? title : `${title} (${unit})`);
    }),
    over: table.columns.map(({ over = '' }) => escape(over)),
    isNumber,
    rows: table.rows.map(({ cells, remark, heading }) => {
      if (heading !== undefined) return { texts: [], heading: escape(heading) };
      const shown = remark === undefined ? cells : cells.slice(0, firstNumber(isNumber));
      const texts = shown.map((cell, index) =>
        cell === undefined
          ? NOTHING
          : typeof cell === 'string'
            ? escape(cell)
            : formatEstimate(cell, scales[index]!, table.columns[index]?.decimals),
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

/**
 * Groups of column numbers that fit side by side; the first column begins every group. Columns
 * under one heading stay together where they can.
 */
function cutColumns(grid: Grid, width = Infinity): number[][] {
  const widths = columnWidths(grid);
  const needs = (columns: readonly number[]): number =>
    columns.reduce((sum, column) => sum + GAP.length + widths[column]!, 0);
  const groups: number[][] = [[0]];
  let used = widths[0] ?? 0;
  for (const span of spansOf(
    grid.over,
    grid.headings.slice(1).map((_, index) => index + 1),
  )) {
    const fitsALine = widths[0]! + needs(span) <= width;
    for (const columns of fitsALine ? [span] : span.map((column) => [column])) {
      const group = groups.at(-1)!;
      if (used + needs(columns) > width && group.length > 1) {
        groups.push([0, ...columns]);
        used = widths[0]! + needs(columns);
      } else {
        group.push(...columns);
        used += needs(columns);
      }
    }
  }
  return groups;
}

/** Runs of columns with one text over them; columns without such a text are runs of one. */
function spansOf(over: readonly string[], columns: readonly number[]): number[][] {
  const spans: number[][] = [];
  for (const column of columns) {
    const span = spans.at(-1);
    const before = span?.[0];
    if (before !== undefined && over[column] !== '' && over[column] === over[before]) {
      span!.push(column);
    } else spans.push([column]);
  }
  return spans;
}

/** Without the rows that have nothing in these columns, and the headings of nothing but those. */
function withContent(grid: Grid, columns: readonly number[]): Grid {
  const says = ({ texts }: GridRow): boolean =>
    columns.slice(1).some((column) => (texts[column] ?? NOTHING) !== NOTHING);
  const rows = grid.rows.filter((row, index) => {
    if (row.heading === undefined) return says(row);
    const next = grid.rows.findIndex((other, at) => at > index && other.heading !== undefined);
    return grid.rows.slice(index + 1, next === -1 ? undefined : next).some(says);
  });
  return { ...grid, rows };
}

function columnWidths(grid: Grid): number[] {
  return grid.headings.map((heading, column) =>
    Math.max(
      displayWidth(heading),
      ...(isAlone(grid.over, column) ? [displayWidth(grid.over[column]!)] : []),
      ...grid.rows.map(({ texts }) => displayWidth(texts[column] ?? '')),
    ),
  );
}

function isAlone(over: readonly string[], column: number): boolean {
  return over[column] !== over[column - 1] && over[column] !== over[column + 1];
}

function renderBlock(
  grid: Grid,
  columns: readonly number[],
  colour: boolean,
  width?: number,
): string {
  const widths = columnWidths(grid);
  const line = (texts: readonly string[], shown = columns): string =>
    shown
      .map((column) =>
        grid.isNumber[column] === true
          ? padStart(texts[column]!, widths[column]!)
          : padEnd(texts[column]!, widths[column]!),
      )
      .join(GAP)
      .trimEnd();
  const over = spansOf(grid.over, columns)
    .map((span) => {
      const room = span.reduce((sum, column) => sum + widths[column]! + GAP.length, -GAP.length);
      const text = grid.over[span[0]!]!;
      return span.length === 1 ? padStart(text, room) : centred(text, room);
    })
    .join(GAP)
    .trimEnd();
  const headings = [...(over === '' ? [] : [over]), line(grid.headings)];
  const lines = headings.map((text) => (colour ? `\u001B[1m${text}\u001B[22m` : text));
  lines.push(columns.map((column) => '-'.repeat(widths[column]!)).join(GAP));
  for (const { texts, remark, heading } of grid.rows) {
    if (heading !== undefined) {
      lines.push(heading);
      continue;
    }
    const shown = columns.filter((column) => column < texts.length);
    const cells = line(texts, shown);
    if (remark === undefined || shown.length === columns.length) lines.push(cells);
    else {
      const before = shown.reduce((sum, column) => sum + widths[column]! + GAP.length, 0);
      const room = width === undefined ? undefined : Math.max(NARROWEST_REMARK, width - before);
      const [first, ...rest] = wrap(remark, room).split('\n');
      lines.push(`${padEnd(cells, before)}${first!}`);
      lines.push(...rest.map((more) => ' '.repeat(before) + more));
    }
  }
  return lines.join('\n');
}

/** Between lines that show how far it reaches: `--- send ---`. */
function centred(text: string, room: number): string {
  const line = Math.max(0, room - displayWidth(text) - 2);
  const left = '-'.repeat(Math.floor(line / 2));
  const right = '-'.repeat(Math.ceil(line / 2));
  return padEnd(`${left} ${text} ${right}`, room);
}

/** A reason is not broken into shorter lines than this, however narrow the terminal. */
const NARROWEST_REMARK = 20;

/** A space, but not that between a number and its unit. */
const BREAKABLE = / (?!(?:%|ns|us|ms|s|B|KiB|MiB)(?:$|[^\w]))/;

/** Breaks a paragraph at spaces; the lines after the first are indented. */
function wrap(text: string, width = Infinity): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(BREAKABLE)) {
    if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > width) {
      lines.push(line);
      line = `${GAP}${word}`;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}
