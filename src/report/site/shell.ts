/**
 * What stands around the content of every page: navigation, filters, and what a browser may do.
 *
 * @module
 */

import { markup, trusted, type Html } from './html.ts';
import { FACETS, type Facets } from './page.ts';

export interface ShellInput {
  readonly title: string;
  readonly question: string;
  readonly name: string;
  readonly pages: readonly {
    readonly name: string;
    readonly title: string;
    readonly hasData: boolean;
  }[];
  readonly content: Html;
  /** Of everything on the page that can be filtered. */
  readonly facets: readonly Facets[];
  /** One line about where the figures are from. */
  readonly source: string;
  readonly script: string;
  /** Of {@link ShellInput.script}: SHA-256, base64. */
  readonly scriptDigest: string;
}

/**
 * Nothing but the one script, by its digest, and the files of the site's own folder. `file:` is there
 * because what is opened from disk has no origin that `'self'` could be, in some browsers.
 */
function policyOf(scriptDigest: string): string {
  return [
    "default-src 'none'",
    `script-src 'sha256-${scriptDigest}'`,
    "style-src 'self' file:",
    "font-src 'self' file:",
    "img-src 'self' file:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

export function renderShell(input: ShellInput): string {
  const { title, question, name, pages, content, source, script, scriptDigest } = input;
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policyOf(scriptDigest)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>${title} · sealbench</title>
        <meta name="description" content="${question}" />
        <link rel="icon" href="assets/icon.svg" type="image/svg+xml" />
        <link rel="stylesheet" href="assets/site.css" />
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <div class="bar">
            <a class="brand" href="index.html">sealbench</a>
            <nav aria-label="Pages">
              <ul>
                ${pages.map(
                  (link) =>
                    markup`<li>
                      <a
                        href="${link.name}.html"
                        ${link.name === name && markup` aria-current="page"`}${!link.hasData && markup` class="empty"`}
                        >${link.title}</a
                      >
                    </li>`,
                )}
              </ul>
            </nav>
            <button type="button" id="theme" class="needs-script" aria-pressed="false">Dark</button>
          </div>
        </header>
        <main id="main" tabindex="-1">
          <h1>${title}</h1>
          <p class="question">${question}</p>
          ${renderFilters(input.facets)} ${content}
        </main>
        <footer>
          <p>${source}</p>
          <p>Made by sealbench from raw results. Nothing here loads anything from elsewhere.</p>
        </footer>
        <div id="tip" role="status" hidden></div>
        <script>${trusted(script)}</script>
      </body>
    </html> `;
  return page.toString();
}

/** More values than these are a list to choose one from. */
const CHIPS_MAX = 8;

/** Only what tells things apart: a facet with one value is no choice. */
function renderFilters(facets: readonly Facets[]): Html | undefined {
  const groups = FACETS.flatMap((facet) => {
    const values = new Set(facets.flatMap((one) => one[facet] ?? []));
    return values.size < 2 ? [] : [{ facet, values: [...values] }];
  });
  if (groups.length === 0) return undefined;
  return markup`<div class="filters needs-script" role="group" aria-label="Filters">
    ${groups.map(({ facet, values }) => (values.length > CHIPS_MAX ? renderChoice(facet, values) : renderChips(facet, values)))}
    <button type="button" id="reset" hidden>Show all</button>
    <p id="shown" role="status" class="sr"></p>
  </div>`;
}

function renderChips(facet: string, values: readonly string[]): Html {
  return markup`<fieldset>
    <legend>${facet}</legend>
    ${values.map(
      (value) => markup`<button
        type="button"
        class="chip"
        data-facet="${facet}"
        data-value="${value}"
        aria-pressed="false"
      >
        ${value}
      </button>`,
    )}
  </fieldset>`;
}

function renderChoice(facet: string, values: readonly string[]): Html {
  return markup`<label class="choice"
    ><span>${facet}</span>
    <select data-choice="${facet}">
      <option value="">all ${values.length}</option>
      ${values.map((value) => markup`<option value="${value}">${value}</option>`)}
    </select></label
  >`;
}
