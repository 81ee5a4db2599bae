/**
 * HTML in which nothing of unknown origin can be markup.
 *
 * A result file is not trusted: names of pipelines and cells, reasons and suites may hold anything.
 * Text becomes HTML here and nowhere else, by a template whose parts are escaped unless they are
 * HTML already.
 *
 * @module
 */

import { forTerminal } from '../text.ts';

/** A piece of finished HTML. Made by {@link markup} and {@link trusted} only. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

export type HtmlPart = Html | string | number | undefined | false | readonly HtmlPart[];

/** The text with nothing in it read as markup, inside an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return forTerminal(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** Escapes every part that is not {@link Html}; `undefined` and `false` are nothing. */
export function markup(texts: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  let result = texts[0]!;
  for (const [index, part] of parts.entries()) {
    result += rendered(part) + texts[index + 1]!;
  }
  return new Html(result);
}

/** Only for text that this program made: prerendered charts, its own styles and scripts. */
export function trusted(text: string): Html {
  return new Html(text);
}

/**
 * JSON as a data block, which browsers never run: `<` cannot end it early.
 *
 * @param id Of the element; a word of ours.
 */
export function dataBlock(id: string, value: unknown): Html {
  const json = JSON.stringify(value)
    .replaceAll('<', String.raw`\u003c`)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`);
  return markup`<script type="application/json" id="${id}">
    ${trusted(json)}
  </script>`;
}

function rendered(part: HtmlPart): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.toString();
  if (typeof part === 'string') return escapeHtml(part);
  if (typeof part === 'number') return String(part);
  return part.map(rendered).join('');
}
