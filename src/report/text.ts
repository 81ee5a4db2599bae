/**
 * Text of unknown origin, made safe to print; and how wide it is.
 *
 * Names come from files and from users' own pipelines. On a terminal a control character moves the
 * cursor or changes colours; in Markdown a bar ends a cell and a tag is markup.
 *
 * @module
 */

/** Control characters, line separators, and what reorders text (Unicode Standard Annex 9). */
const UNPRINTABLE =
  // oxlint-disable-next-line no-control-regex -- These are what is looked for.
  /[\u0000-\u001F\u007F-\u009F\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069\uFEFF]/g;

/** One line without control characters: they are written out, `\n` as `\x0a`. */
export function forTerminal(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
  });
}

/** The text in a cell or a paragraph of Markdown, with nothing in it read as markup. */
export function forMarkdown(text: string): string {
  return forTerminal(text)
    .replace(/[\\`*_[\]|~#]/g, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

const COMBINING = /^\p{Mark}$/u;
/** East Asian wide characters and emoji, roughly (Unicode Standard Annex 11). */
const WIDE =
  /^[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]$/u;

/** Columns that printable text takes on a terminal. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) {
    if (COMBINING.test(character)) continue;
    width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

export function padEnd(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

export function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + text;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}
