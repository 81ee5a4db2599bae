/**
 * The contract of a page of the site: runs in, sentences, charts and tables out.
 *
 * A page is one file in `src/report/pages/`, found by its name, with a default export of type
 * {@link SitePage}. To add one: write that file. It takes from the runs what it can use (their
 * {@link SiteRun.cells}, by metric and rung, as other reports do) and returns undefined when there is
 * nothing, whereupon the site says so with the page's `needs`. It writes no HTML: parts are data,
 * and whoever renders them escapes all texts, so names may be passed on as they are.
 *
 * A chart of a page is a Vega-Lite file in `src/report/charts/`, `<name>.vl.json`, that reads the
 * data set `rows`; see {@link ChartPart}.
 *
 * @module
 */

import type { Manifest } from '../../results/manifest.ts';
import type { RepeatRecord } from '../../results/record.ts';
import type { CellResult } from '../cells.ts';
import type { Estimate } from '../estimates.ts';
import type { Overhead } from '../overhead.ts';
import type { PipelineNote } from '../pairing.ts';
import type { Summary } from '../summary.ts';
import type { Table } from '../table.ts';

/** A run as pages see it. */
export interface SiteRun {
  /** Of its folder; what the run is called on the site. */
  readonly name: string;
  readonly manifest: Manifest;
  readonly records: readonly RepeatRecord[];
  /** In the order of the ladder. */
  readonly cells: readonly CellResult[];
  readonly pipelines: readonly PipelineNote[];
  readonly overhead: Overhead | undefined;
  readonly summary: Summary;
}

/** What a file in `src/report/pages/` exports as default. */
export interface SitePage {
  /** As its file, and as its address: `ladder` is `ladder.html`. */
  readonly name: string;
  readonly title: string;
  /** Where it stands in the navigation, from small to large. */
  readonly place: number;
  /** What it answers: one question. */
  readonly question: string;
  /** Without data: what would have to be run, as one sentence. */
  readonly needs: string;
  /** Undefined where no run has anything for this page. */
  build(runs: readonly SiteRun[]): PageContent | undefined;
}

export interface PageContent {
  /** What the page shows, in sentences with their numbers and intervals; the first one matters most. */
  readonly findings: readonly string[];
  readonly sections: readonly PageSection[];
}

export interface PageSection {
  readonly title: string;
  /** Paragraphs over the parts. */
  readonly lead?: readonly string[];
  readonly parts: readonly PagePart[];
  /** Under the parts, small: what to beware of. */
  readonly notes?: readonly string[];
}

export type PagePart = ChartPart | MatrixPart | TablePart | ListPart;

/** What readers can filter by. A row without one of these is shown whatever that filter says. */
export const FACETS = ['family', 'implementation', 'workload', 'role'] as const;
export type Facet = (typeof FACETS)[number];
export type Facets = Readonly<Partial<Record<Facet, string>>>;

/**
 * A row that a chart is fed: numbers in the unit that its axis says, and names. `text` is what a
 * reader is told of its mark, with unit and interval. {@link Facets} are found by their keys.
 */
export type ChartRow = Readonly<Record<string, string | number | boolean | null>> & {
  readonly text: string;
};

export interface ChartPart {
  readonly kind: 'chart';
  /** The file `src/report/charts/<chart>.vl.json`. It reads the data set `rows`. */
  readonly chart: string;
  /** Unique on the site: names the files of its SVG, PNG, CSV, JSON and specification. */
  readonly id: string;
  /** Says what is shown. */
  readonly title: string;
  /** What one sees in it, for who does not see it. */
  readonly description: string;
  /** At most 5,000. */
  readonly rows: readonly ChartRow[];
  /** The table behind it; `Row` columns of `rows` where `table` has no rows of its own. */
  readonly table: ChartTable;
  /** What stands for `${name}` in the texts of the specification. */
  readonly words?: Readonly<Record<string, string>>;
  /** What stands for the values `"${name}"` of the specification: scales' domains and ranges. */
  readonly values?: Readonly<Record<string, readonly (string | number)[] | number>>;
}

export interface ChartTable {
  readonly columns: readonly { readonly title: string; readonly key: string }[];
  /** Texts or numbers, at most three significant digits are shown; left out: the chart's rows. */
  readonly rows?: readonly Readonly<Record<string, string | number | boolean | null>>[];
}

/**
 * A dense table of costs in which lines are compared: factors are coloured, what is undecided stays
 * white, and a reader chooses the line that others are compared with.
 */
export interface MatrixPart {
  readonly kind: 'matrix';
  /** Unique on the site. */
  readonly id: string;
  readonly title: string;
  readonly columns: readonly MatrixColumn[];
  readonly lines: readonly MatrixLine[];
  /**
   * `column`: factors are to the best of the column. `line`: to the best of the line, where columns
   * are competitors.
   */
  readonly best: 'column' | 'line';
  /** Of the line, or the column, that factors refer to before a reader chooses; the best without it. */
  readonly reference?: number;
  /**
   * How many times the one figure is the other, paired repeat by repeat; undefined where they may
   * not be compared. Called once for every pair of lines, or of columns.
   */
  readonly ratio: (candidate: MatrixPlace, base: MatrixPlace) => Estimate | undefined;
}

export interface MatrixColumn {
  readonly title: string;
  readonly unit: string;
  /** Of rates; costs are better when they are lower. */
  readonly isBetterHigher?: boolean;
}

export interface MatrixPlace {
  readonly line: number;
  readonly column: number;
}

export interface MatrixLine {
  readonly label: string;
  readonly facets: Facets;
  /** One per column; undefined is shown as a dash. */
  readonly cells: readonly (Estimate | undefined)[];
  /** In place of cells: why there are none. */
  readonly remark?: string | undefined;
  /** Shown with the label, opened by whoever wants to know. */
  readonly caveats: readonly string[];
}

/** One of the tables that terminals show too. */
export interface TablePart {
  readonly kind: 'table';
  readonly table: Table;
}

export interface ListPart {
  readonly kind: 'list';
  readonly title?: string;
  /** Long texts, opened by whoever wants to know. */
  readonly folded?: true;
  readonly items: readonly string[];
}
