/**
 * A drawn chart made into a picture: named for who does not see it, and for others' documents with
 * title, source and ground of its own, as SVG and as PNG.
 *
 * @module
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { escapeHtml } from './html.ts';
import { encodeIndexedPng } from './indexed-png.ts';
import type { Font, FontWeight } from './font.ts';
import { FONT, INKS, type Theme } from './theme.ts';

export interface Caption {
  /** Unique in its document. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** Whence the figures are. */
  readonly source: string;
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** What is in the root element. */
  readonly content: string;
}

/** What Vega drew, with shorter numbers and the font said once. */
export function drawingOf(svg: string): Drawing {
  const root = /^<svg[^>]*? width="([\d.]+)" height="([\d.]+)"[^>]*>/.exec(svg);
  if (root === null) throw new TypeError('"svg" expected a picture of Vega');
  const content = svg
    .slice(root[0].length, svg.lastIndexOf('</svg>'))
    .replaceAll(` font-family="${escapeHtml(FONT)}"`, '')
    .replaceAll(/ aria-roledescription="[^"]*"| role="graphics-(?:object|symbol)"/g, '')
    .replaceAll(
      /<path class="(?:background|foreground)" aria-hidden="true" d="(?:M0,0h0v0h0Z)?"[^>]*\/>/g,
      '',
    )
    .replaceAll(/ pointer-events="none"| opacity="1"/g, '')
    .replaceAll(
      / (?:d|transform|x2?|y2?|width|height)="[^"]*"/g,
      // Places, never texts: a figure is printed as it was given.
      (attribute) =>
        attribute.replaceAll(/-?\d+\.\d{2,}/g, (number) =>
          String(Number(Number(number).toFixed(1))),
        ),
    )
    .replaceAll(/ aria-label="/g, ' role="img" aria-label="');
  return { width: Number(root[1]), height: Number(root[2]), content };
}

/** Within a page: it is as wide as there is room, and its title stands above it in the page. */
export function inlineSvg(drawing: Drawing, { id, title, description }: Caption): string {
  const { width, height, content } = drawing;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="group" aria-labelledby="${id}-t" ` +
    `aria-describedby="${id}-d" width="${width}" height="${height}" ` +
    `viewBox="0 0 ${width} ${height}" fill="none" font-family="${escapeHtml(FONT)}">` +
    `<title id="${id}-t">${escapeHtml(title)}</title><desc id="${id}-d">${escapeHtml(description)}</desc>` +
    `${content}</svg>`
  );
}

const MARGIN = 20;
const TITLE_SIZE = 16;
const SOURCE_SIZE = 11;

/** On its own: with title, source, and a ground. */
export function standaloneSvg(
  drawing: Drawing,
  { id, title, description, source }: Caption,
  theme: Theme,
  fonts: ReadonlyMap<FontWeight, Font>,
): string {
  const { ground, text, faint } = INKS[theme];
  const titles = wrapped(title, drawing.width, (line) => fonts.get(600)!.width(line, TITLE_SIZE));
  const sources = wrapped(source, drawing.width, (line) =>
    fonts.get(400)!.width(line, SOURCE_SIZE),
  );
  const top = MARGIN + titles.length * 22 + 10;
  const width = Math.ceil(drawing.width + 2 * MARGIN);
  const height = Math.ceil(top + drawing.height + 12 + sources.length * 16 + MARGIN);
  const lines = (texts: readonly string[], first: number, step: number): string =>
    texts
      .map(
        (line, index) =>
          `<tspan x="${MARGIN}" y="${first + index * step}">${escapeHtml(line)}</tspan>`,
      )
      .join('');
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="${id}-t ${id}-d" ` +
    `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" fill="none" ` +
    `font-family="${escapeHtml(FONT)}">` +
    `<title id="${id}-t">${escapeHtml(title)}</title><desc id="${id}-d">${escapeHtml(description)}</desc>` +
    `<rect width="${width}" height="${height}" fill="${ground}"/>` +
    `<text font-size="${TITLE_SIZE}" font-weight="600" fill="${text}">${lines(titles, MARGIN + 14, 22)}</text>` +
    `<g transform="translate(${MARGIN},${top})">${drawing.content}</g>` +
    `<text font-size="${SOURCE_SIZE}" fill="${faint}">` +
    `${lines(sources, top + drawing.height + 24, 16)}</text></svg>\n`
  );
}

function wrapped(text: string, width: number, measure: (line: string) => number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && measure(`${last} ${word}`) <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
}

/** Pixels for each unit of a picture, so that it is sharp in print and on dense screens. */
const PNG_ZOOM = 1.5;

/** Draws PNG with the fonts that are shipped and no other, so that every machine draws the same. */
export class Painter {
  readonly #folder: string;
  readonly #files: readonly string[];

  private constructor(folder: string, files: readonly string[]) {
    this.#folder = folder;
    this.#files = files;
  }

  /** The renderer reads fonts from files: they lie in a folder of their own until {@link close}. */
  static async create(fonts: ReadonlyMap<FontWeight, Font>): Promise<Painter> {
    const folder = await mkdtemp(join(tmpdir(), 'sealbench-fonts-'));
    const files: string[] = [];
    for (const [weight, { file }] of fonts) {
      const path = join(folder, `${weight}.ttf`);
      await writeFile(path, file);
      files.push(path);
    }
    return new Painter(folder, files);
  }

  /** @param svg As {@link standaloneSvg} gives it. */
  paint(svg: string): Uint8Array {
    // The file of the semi-bold calls itself a family of its own.
    const named = svg.replaceAll(
      ' font-weight="600"',
      ' font-weight="600" font-family="Inter SemiBold"',
    );
    const resvg = new Resvg(named, {
      fitTo: { mode: 'zoom', value: PNG_ZOOM },
      font: { fontFiles: [...this.#files], loadSystemFonts: false, defaultFontFamily: 'Inter' },
    });
    const { width, height, pixels } = resvg.render();
    return encodeIndexedPng(width, height, pixels);
  }

  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}
