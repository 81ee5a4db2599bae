/**
 * The parts of a page as HTML.
 *
 * @module
 */

import { layOut } from '../table.ts';
import { cellText, sitewise } from './quantities.ts';
import { markup, trusted, type Html } from './html.ts';
import { facetAttributes, renderMatrix } from './matrix.ts';
import type {
  ChartPart,
  Facets,
  ListPart,
  PageContent,
  PagePart,
  PageSection,
  TablePart,
} from './page.ts';

/** What the files of a chart are called, and its two pictures for this page. */
export interface DrawnChart {
  readonly light: string;
  readonly dark: string;
}

export type Drawn = ReadonlyMap<string, DrawnChart>;

/** Longer tables are in the CSV alone. */
const TABLE_ROWS_MAX = 400;

export function renderContent({ findings, sections }: PageContent, drawn: Drawn): Html {
  return markup`${
    findings.length > 0 &&
    markup`<section class="findings">
      <ul>
        ${findings.map((text) => markup`<li>${sitewise(text)}</li>`)}
      </ul>
    </section>`
  }
  ${sections.length >= LISTED_SECTIONS_MIN && renderContents(sections)}
  ${sections.map((section, at) => renderSection(section, at, drawn))}`;
}

/** Pages of fewer sections are short enough to scroll. */
const LISTED_SECTIONS_MIN = 3;

function renderContents(sections: readonly PageSection[]): Html {
  return markup`<nav class="contents" aria-labelledby="contents">
    <p id="contents">On this page</p>
    <ol>
      ${sections.map(({ title }, at) => markup`<li><a href="#section-${at + 1}">${title}</a></li> `)}
    </ol>
  </nav>`;
}

function renderSection(
  { title, lead = [], parts, notes = [] }: PageSection,
  at: number,
  drawn: Drawn,
): Html {
  return markup`<section id="section-${at + 1}">
    <h2>${title}</h2>
    ${lead.map((text) => markup`<p class="lead">${sitewise(text)}</p>`)}
    ${parts.map((part) => renderPart(part, drawn))}
    ${
      notes.length > 0 &&
      markup`<ul class="notes">
        ${notes.map((text) => markup`<li>${sitewise(text)}</li>`)}
      </ul>`
    }
  </section> `;
}

function renderPart(part: PagePart, drawn: Drawn): Html {
  switch (part.kind) {
    case 'chart':
      return renderChart(part, drawn.get(part.id)!);
    case 'matrix':
      return renderMatrix(part);
    case 'table':
      return renderTable(part);
    default:
      return renderList(part);
  }
}

function renderChart(part: ChartPart, { light, dark }: DrawnChart): Html {
  const { id, title, table, rows, description } = part;
  const listed = table.rows ?? rows;
  const shown = listed.slice(0, TABLE_ROWS_MAX);
  return markup`<figure class="chart" id="${id}">
    <figcaption>
      <h3>${title}</h3>
      <p class="sr">${description}</p>
    </figcaption>
    <div class="scroll plot light" tabindex="0" role="group" aria-label="${title}">
      ${trusted(light)}
    </div>
    <div class="scroll plot dark" tabindex="0" role="group" aria-label="${title}">
      ${trusted(dark)}
    </div>
    <div class="chart-foot">
      <details>
        <summary>Data table</summary>
        <div class="scroll" tabindex="0" role="group" aria-label="${`Data of: ${title}`}">
          <table>
            <thead>
              <tr>
                ${table.columns.map((column) => markup`<th scope="col">${column.title}</th>`)}
              </tr>
            </thead>
            <tbody>
              ${shown.map(
                (row) =>
                  markup`<tr${facetAttributes(facetsOf(row))}>${table.columns.map(({ key }) => {
                    const value = row[key];
                    return markup`<td${typeof value === 'number' && markup` class="n"`}>${cellText(value)}</td>`;
                  })}</tr>
`,
              )}
            </tbody>
          </table>
        </div>
        ${listed.length > shown.length && markup`<p class="small">The first ${shown.length} of ${listed.length} rows; the CSV has all.</p>`}
      </details>
      <p class="files">
        ${[
          ['svg', 'SVG'],
          ['dark.svg', 'SVG dark'],
          ['png', 'PNG'],
          ['csv', 'CSV'],
          ['json', 'JSON'],
          ['vl.json', 'Vega-Lite'],
        ].map(
          ([extension, name]) =>
            markup`<a href="charts/${id}.${extension}" aria-label="${`${name}: ${title}`}"
              >${name}</a
            > `,
        )}
      </p>
    </div>
  </figure> `;
}

function facetsOf(row: Readonly<Record<string, unknown>>): Facets {
  const facets: Record<string, string> = {};
  for (const facet of ['family', 'implementation', 'workload', 'role'] as const) {
    const value = row[facet];
    if (typeof value === 'string') facets[facet] = value;
  }
  return facets;
}

function renderTable({ table }: TablePart): Html {
  const grid = layOut(table, (text) => text);
  const spans = overSpans(grid.over);
  const hasOver = grid.over.some((text) => text !== '');
  const isDense = grid.isNumber.filter((one) => one).length > LOOSE_NUMBERS_MAX;
  return markup`<div class="block${isDense && ' dense'}">
    <h3>${table.title}</h3>
    <div class="scroll" tabindex="0" role="group" aria-label="${table.title}">
      <table>
        <thead>
          ${
            hasOver &&
            markup`<tr>
              ${spans.map(({ text, columns }) => markup`<th colspan="${columns}" ${text !== '' && markup` class="over" scope="colgroup"`}>${text}</th>`)}
            </tr>`
          }
          <tr>
            ${grid.headings.map((heading, index) => markup`<th scope="col" ${grid.isNumber[index] && markup` class="n"`}>${heading.replace('(us)', '(µs)')}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${grid.rows.map(({ texts, remark, heading }) => {
            if (heading !== undefined)
              return markup`<tr>
                <th scope="rowgroup" colspan="${grid.headings.length}" class="group">${heading}</th>
              </tr>`;
            return markup`<tr>
              ${texts.map((text, index) => (index === 0 ? markup`<th scope="row">${text}</th>` : renderText(text, grid.isNumber[index] === true)))}${remark !== undefined && markup`<td class="remark" colspan="${grid.headings.length - texts.length}">${remark}</td>`}
            </tr> `;
          })}
        </tbody>
      </table>
    </div>
    ${
      table.notes.length > 0 &&
      markup`<ul class="notes">
        ${table.notes.map((note) => markup`<li>${sitewise(note)}</li>`)}
      </ul>`
    }
  </div> `;
}

/** With more columns of numbers their intervals stand below them, so that they fit a screen. */
const LOOSE_NUMBERS_MAX = 6;

/** Short texts stay on one line: a date that is broken reads badly. */
const SHORT_CHARACTERS = 24;

function renderText(text: string, isNumber: boolean): Html {
  const isShort = !isNumber && text.length <= SHORT_CHARACTERS;
  return markup`<td${isNumber && markup` class="n"`}${isShort && markup` class="nw"`}>${numberHtml(text, isNumber)}</td>`;
}

/** The interval small beside its value. */
function numberHtml(text: string, isNumber: boolean): Html {
  const at = isNumber ? text.indexOf(' [') : -1;
  if (at === -1) return markup`${text === '-' ? '–' : text}`;
  return markup`${text.slice(0, at)} <small>${text.slice(at + 1)}</small>`;
}

function overSpans(over: readonly string[]): { text: string; columns: number }[] {
  const spans: { text: string; columns: number }[] = [];
  for (const text of over) {
    const last = spans.at(-1);
    if (last !== undefined && text !== '' && last.text === text) last.columns += 1;
    else spans.push({ text, columns: 1 });
  }
  return spans;
}

function renderList({ title, items, folded }: ListPart): Html {
  const list = markup`<ul class="plain">${items.map((text) => markup`<li>${sitewise(text)}</li>`)}</ul>`;
  if (folded === true) {
    return markup`<details class="block"><summary>${title ?? 'More'}</summary>${list}</details>`;
  }
  return markup`<div class="block">${title !== undefined && markup`<h3>${title}</h3>`}${list}</div>`;
}
