/**
 * The font that charts are drawn with: shipped, so that a bare machine draws text, and measured, so
 * that labels are neither cut nor crowded.
 *
 * The package has web fonts. What draws PNG wants the tables inside: WOFF 1.0 (W3C, section 5) holds
 * them one by one, each compressed by zlib. Widths are those of the tables `cmap`, format 4, and `hmtx`
 * (OpenType 1.9).
 *
 * @module
 */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';

export const FONT_WEIGHTS = [400, 600] as const;
export type FontWeight = (typeof FONT_WEIGHTS)[number];

const HEADER_BYTES = 44;
const ENTRY_BYTES = 20;

function fileOf(weight: FontWeight, extension: 'woff' | 'woff2'): string {
  const name = `@fontsource/inter/files/inter-latin-${weight}-normal.${extension}`;
  return fileURLToPath(import.meta.resolve(name));
}

/** As a browser takes it. */
export function webFont(weight: FontWeight): Promise<Uint8Array> {
  return readFile(fileOf(weight, 'woff2'));
}

interface FontTable {
  readonly tag: string;
  readonly checksum: number;
  readonly bytes: Uint8Array;
}

/** A font with its tables, and the width of each character that it has. */
export class Font {
  /** As files of fonts hold it. */
  readonly file: Uint8Array;
  readonly #widths: ReadonlyMap<number, number>;

  constructor(tables: readonly FontTable[], flavor: number) {
    this.file = sfntOf(tables, flavor);
    this.#widths = widthsOf(tables);
  }

  static async load(weight: FontWeight): Promise<Font> {
    const woff = await readFile(fileOf(weight, 'woff'));
    const view = new DataView(woff.buffer, woff.byteOffset, woff.byteLength);
    const tables: FontTable[] = [];
    for (let entry = 0; entry < view.getUint16(12); entry++) {
      const at = HEADER_BYTES + entry * ENTRY_BYTES;
      const stored = woff.subarray(
        view.getUint32(at + 4),
        view.getUint32(at + 4) + view.getUint32(at + 8),
      );
      const bytes = stored.length === view.getUint32(at + 12) ? stored : inflateSync(stored);
      tables.push({ tag: tagAt(woff, at), checksum: view.getUint32(at + 16), bytes });
    }
    return new Font(tables, view.getUint32(4));
  }

  /** Of a text on one line, without kerning; what the font has not is taken as wide as an `n`. */
  width(text: string, size: number): number {
    const usual = this.#widths.get(0x6e) ?? 0.5;
    let width = 0;
    for (const character of text) {
      width += this.#widths.get(character.codePointAt(0)!) ?? usual;
    }
    return width * size;
  }
}

function tagAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

/** OpenType 1.9, "Organization of an OpenType Font": a directory, then tables on multiples of 4. */
function sfntOf(tables: readonly FontTable[], flavor: number): Uint8Array {
  const start = 12 + 16 * tables.length;
  const total = tables.reduce((sum, { bytes }) => sum + padded(bytes.length), start);
  const file = new Uint8Array(total);
  const view = new DataView(file.buffer);
  const power = Math.floor(Math.log2(tables.length));
  view.setUint32(0, flavor);
  view.setUint16(4, tables.length);
  view.setUint16(6, 16 * 2 ** power);
  view.setUint16(8, power);
  view.setUint16(10, 16 * tables.length - 16 * 2 ** power);
  let offset = start;
  for (const [index, { tag, checksum, bytes }] of tables.entries()) {
    const at = 12 + 16 * index;
    for (let i = 0; i < 4; i++) view.setUint8(at + i, tag.charCodeAt(i));
    view.setUint32(at + 4, checksum);
    view.setUint32(at + 8, offset);
    view.setUint32(at + 12, bytes.length);
    file.set(bytes, offset);
    offset += padded(bytes.length);
  }
  return file;
}

/** Code point to width as a share of the size of the font. */
function widthsOf(tables: readonly FontTable[]): Map<number, number> {
  const viewOf = (tag: string): DataView => {
    const table = tables.find((one) => one.tag === tag);
    if (table === undefined) throw new Error(`the font has no table ${tag}`);
    return new DataView(table.bytes.buffer, table.bytes.byteOffset, table.bytes.byteLength);
  };
  const unitsPerEm = viewOf('head').getUint16(18);
  const metrics = viewOf('hhea').getUint16(34);
  const hmtx = viewOf('hmtx');
  const widths = new Map<number, number>();
  for (const [code, glyph] of glyphsOf(viewOf('cmap'))) {
    widths.set(code, hmtx.getUint16(4 * Math.min(glyph, metrics - 1)) / unitsPerEm);
  }
  return widths;
}

function* glyphsOf(cmap: DataView): Generator<readonly [code: number, glyph: number]> {
  for (let encoding = 0; encoding < cmap.getUint16(2); encoding++) {
    const at = cmap.getUint32(4 + 8 * encoding + 4);
    if (cmap.getUint16(at) !== 4) continue;
    const doubled = cmap.getUint16(at + 6);
    for (let segment = 0; segment < doubled; segment += 2) {
      const end = cmap.getUint16(at + 14 + segment);
      const start = cmap.getUint16(at + 16 + doubled + segment);
      const delta = cmap.getUint16(at + 16 + 2 * doubled + segment);
      const rangeAt = at + 16 + 3 * doubled + segment;
      const range = cmap.getUint16(rangeAt);
      for (let code = start; code <= end && code !== 0xffff; code++) {
        const raw = range === 0 ? code : cmap.getUint16(rangeAt + range + 2 * (code - start));
        const glyph = range !== 0 && raw === 0 ? 0 : (raw + delta) & 0xffff;
        if (glyph !== 0) yield [code, glyph];
      }
    }
    return;
  }
  throw new Error('the font has no cmap of format 4');
}
