/**
 * A chart: a Vega-Lite file and rows, to SVG in light and in dark, without a browser.
 *
 * Expressions are interpreted, never compiled: no text becomes code. Data is inside the
 * specification, never behind an address, and what Vega would load from outside is refused.
 *
 * @module
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vega from 'vega';
import { expressionInterpreter } from 'vega-interpreter';
import { compile, type TopLevelSpec } from 'vega-lite';
import { badInput, HarnessError } from '../../core/errors.ts';
import { CHARTS_DIR } from '../../core/paths.ts';
import { escapeHtml } from './html.ts';
import { Font, FONT_WEIGHTS, type FontWeight } from './font.ts';
import { FACETS, type ChartPart, type ChartRow } from './page.ts';
import { colourOf, configOf, INKS, type Theme } from './theme.ts';

/** More is not a picture any more; feed buckets, never samples. */
export const CHART_ROWS_MAX = 5_000;
/** Names are cut in a chart; the table behind it has all of them. */
const NAME_CHARACTERS_MAX = 80;

export type ChartSpec = TopLevelSpec;

/** Draws charts with one set of fonts. */
export class ChartMaker {
  readonly #fonts: ReadonlyMap<FontWeight, Font>;
  readonly #files = new Map<string, string>();

  private constructor(fonts: ReadonlyMap<FontWeight, Font>) {
    this.#fonts = fonts;
    measureTextWith(fonts);
  }

  static async create(): Promise<ChartMaker> {
    const fonts = new Map<FontWeight, Font>();
    for (const weight of FONT_WEIGHTS) fonts.set(weight, await Font.load(weight));
    return new ChartMaker(fonts);
  }

  get fonts(): ReadonlyMap<FontWeight, Font> {
    return this.#fonts;
  }

  /**
   * The whole specification, with data, as anybody can open it in an editor of Vega-Lite.
   *
   * @throws HarnessError BAD_INPUT for more rows than a chart is fed.
   */
  async specOf(part: ChartPart, theme: Theme): Promise<ChartSpec> {
    if (part.rows.length > CHART_ROWS_MAX) {
      throw badInput(
        `chart ${part.id}: expected at most ${CHART_ROWS_MAX} rows, got ${part.rows.length}; ` +
          'report fewer runs at once',
      );
    }
    const spec = JSON.parse(await this.#read(part.chart), (_, value: unknown) =>
      filledIn(value, part, theme),
    ) as Record<string, unknown>;
    return {
      ...spec,
      description: part.description,
      data: { name: 'rows' },
      datasets: { rows: part.rows.map(shortened) },
      config: configOf(theme),
    } as unknown as ChartSpec;
  }

  /**
   * The picture, of its own size, on a transparent ground, without a title: whoever shows it has one.
   * Marks that stand for a row say so by `aria-label` and carry its facets as `data-` attributes.
   */
  async draw(part: ChartPart, theme: Theme): Promise<string> {
    const spec = await this.specOf(part, theme);
    const marked = {
      ...spec,
      datasets: {
        rows: part.rows.map((row, index) => ({ ...shortened(row), text: tokenOf(index) })),
      },
    };
    const compiled = compile(marked, { logger: QUIET }).spec;
    const view = new vega.View(vega.parse(compiled, undefined, { ast: true }), {
      renderer: 'none',
      expr: expressionInterpreter,
      loader: NO_LOADER,
      logger: QUIET,
    });
    try {
      return annotated(await view.toSVG(), part);
    } finally {
      view.finalize();
    }
  }

  async #read(name: string): Promise<string> {
    let text = this.#files.get(name);
    if (text === undefined) {
      try {
        text = await readFile(join(CHARTS_DIR, `${name}.vl.json`), 'utf8');
      } catch {
        throw new HarnessError(
          'BAD_INPUT',
          `chart ${name}: expected ${name}.vl.json in src/report/charts`,
        );
      }
      this.#files.set(name, text);
    }
    return text;
  }
}

/** Vega's own estimate without a canvas is 0.8 of the size for every character: labels get cut. */
function measureTextWith(fonts: ReadonlyMap<FontWeight, Font>): void {
  // Exported by vega-scenegraph for this purpose, and not in its types.
  const { textMetrics } = vega as unknown as { readonly textMetrics: TextMetrics };
  textMetrics.width = ({ fontSize = 11, fontWeight = 400 }, text) => {
    const weight = fontWeight === 'bold' || Number(fontWeight) >= 600 ? 600 : 400;
    return fonts
      .get(weight)!
      .width(typeof text === 'string' ? text : JSON.stringify(text ?? ''), fontSize);
  };
}

interface TextMetrics {
  width: (
    item: { readonly fontSize?: number; readonly fontWeight?: number | string },
    text: unknown,
  ) => number;
}

const NO_LOADER: vega.Loader = {
  load: () => Promise.reject(new Error('a chart loads nothing')),
  sanitize: () => Promise.reject(new Error('a chart links nowhere')),
  http: () => Promise.reject(new Error('a chart loads nothing')),
  file: () => Promise.reject(new Error('a chart loads nothing')),
};

/** Warnings of Vega go to nobody; what is wrong throws. */
const QUIET = vega.logger(vega.Error);

/** `"${name}"` is replaced by a value, `${name}` within a text by a word. */
function filledIn(value: unknown, part: ChartPart, theme: Theme): unknown {
  if (typeof value !== 'string') return value;
  const { words = {}, values = {} } = part;
  // Vega-Lite sorts panels by name unless told their order.
  if (value === '${panels}') return [...new Set(part.rows.map(({ panel }) => panel))];
  const whole = /^\$\{([\w-]+)\}$/.exec(value)?.[1];
  if (whole !== undefined && values[whole] !== undefined) return values[whole];
  const coloured = /^\$\{colours:([\w-]+)\}$/.exec(value)?.[1];
  if (coloured !== undefined) {
    const names = values[coloured];
    if (!Array.isArray(names)) throw new TypeError(`"values.${coloured}" expected names`);
    return names.map((name) => colourOf(String(name), names.map(String), theme));
  }
  return value.replace(/\$\{([\w-]+)\}/g, (_, name: string) => {
    const ink = INKS[theme][name as keyof (typeof INKS)[Theme]] as string | undefined;
    const word = words[name] ?? ink;
    if (word === undefined) throw new TypeError(`"words" expected ${name}`);
    return word;
  });
}

function shortened(row: ChartRow): ChartRow {
  const entries = Object.entries(row).map(([key, value]) =>
    typeof value === 'string' && key !== 'text' && value.length > NAME_CHARACTERS_MAX
      ? [key, `${value.slice(0, NAME_CHARACTERS_MAX - 1)}…`]
      : [key, value],
  );
  return Object.fromEntries(entries) as ChartRow;
}

const tokenOf = (row: number): string => `row:${row}`;

/** Puts the text of a row, and what it can be filtered by, where Vega put its number. */
function annotated(svg: string, { rows }: ChartPart): string {
  return svg.replace(/ aria-label="row:(\d+)"/g, (_, index: string) => {
    const row = rows[Number(index)]!;
    const facets = FACETS.flatMap((facet) => {
      const value = row[facet];
      return typeof value === 'string' ? [` data-${facet}="${escapeHtml(value)}"`] : [];
    });
    return ` aria-label="${escapeHtml(row.text)}" class="mark"${facets.join('')}`;
  });
}
