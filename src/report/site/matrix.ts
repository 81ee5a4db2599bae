/**
 * A matrix of costs as HTML, with what a browser needs to compare by another line or column.
 *
 * @module
 */

import { isUndecided, type Estimate } from '../estimates.ts';
import { formatNumber } from '../numbers.ts';
import { dataBlock, markup, type Html } from './html.ts';
import { FACETS, type Facets, type MatrixPart, type MatrixPlace } from './page.ts';
import { siteEstimate, siteScale } from './quantities.ts';

/** Where the shades change: a factor, or one over it. */
const STEPS = [1.1, 1.5, 3] as const;

/** How a factor looks: `open` for an undecided one, `up1` to `up4` worse, `down1` to `down4` better. */
export function shadeOf(ratio: Estimate | undefined, isBetterHigher = false): string {
  if (ratio === undefined) return 'none';
  const { value, low, high } = ratio;
  if (low === undefined || high === undefined || isUndecided(ratio, 1)) return 'open';
  const size = value > 1 ? value : 1 / value;
  const step = 1 + STEPS.filter((limit) => size > limit).length;
  return `${value > 1 === isBetterHigher ? 'down' : 'up'}${step}`;
}

/** `data-family="ratchet"` and so on. */
export function facetAttributes(facets: Facets): Html[] {
  return FACETS.flatMap((facet) => {
    const value = facets[facet];
    if (value === undefined) return [];
    const name = {
      family: markup`data-family`,
      implementation: markup`data-implementation`,
      workload: markup`data-workload`,
      role: markup`data-role`,
    }[facet];
    return [markup` ${name}="${value}"`];
  });
}

export function renderMatrix(part: MatrixPart): Html {
  const { id, title, columns, lines, best } = part;
  const scales = columns.map(({ unit }, column) =>
    siteScale(unit, best === 'line' ? allValues(part) : valuesOf(part, column)),
  );
  const reference = part.reference;
  const choices =
    best === 'column' ? lines.map(({ label }) => label) : columns.map((one) => one.title);
  return markup`<div
    class="matrix"
    id="${id}"
    data-best="${best}"
    data-bests="${JSON.stringify(bestsOf(part))}"
  >
    <div class="matrix-bar">
      <h3 id="${id}-h">${title}</h3>
      <label class="needs-script"
        >Compare with
        <select data-matrix="${id}">
          <option value="">
            ${best === 'column' ? 'the best of each column' : 'the best of each line'}
          </option>
          ${choices.map(
            (choice, index) =>
              markup`<option value="${index}" ${index === reference && markup` selected`}>
                ${choice}
              </option>`,
          )}
        </select></label
      >
    </div>
    <div class="scroll" tabindex="0" role="group" aria-labelledby="${id}-h">
      <table>
        <thead>
          <tr>
            <th scope="col">${best === 'column' ? 'pipeline' : ''}</th>
            ${columns.map(
              (column, index) =>
                markup`<th scope="col" class="n">
                  ${column.title}${unitText(scales[index]!.unit)}
                </th>`,
            )}
          </tr>
        </thead>
        <tbody>
          ${lines.map(
            (line, at) =>
              markup`<tr${facetAttributes(line.facets)}><th scope="row">${line.label}${caveatsOf(line.caveats)}</th>${
                line.remark === undefined
                  ? line.cells.map((cell, column) =>
                      renderCell(part, { line: at, column }, cell, scales[column]!),
                    )
                  : markup`<td colspan="${columns.length}" class="remark">${line.remark}</td>`
              }</tr>
`,
          )}
        </tbody>
      </table>
    </div>
    <p class="key">
      <span class="swatch down1"></span><span class="swatch down2"></span
      ><span class="swatch down3"></span><span class="swatch down4"></span> better
      <span class="swatch open"></span> undecided, ≈: the 95 % interval of the factor holds 1
      <span class="swatch up1"></span><span class="swatch up2"></span
      ><span class="swatch up3"></span><span class="swatch up4"></span> worse; shades change at 1.1,
      1.5 and 3 times
    </p>
    ${dataBlock(`${id}-ratios`, ratiosOf(part))}
  </div> `;
}

function unitText(unit: string): string {
  return unit === '' ? '' : ` (${unit})`;
}

function caveatsOf(caveats: readonly string[]): Html | undefined {
  if (caveats.length === 0) return undefined;
  return markup`<details class="caveat">
    <summary aria-label="Caveats">caveats</summary>
    <ul>
      ${caveats.map((text) => markup`<li>${text}</li>`)}
    </ul>
  </details>`;
}

function renderCell(
  part: MatrixPart,
  place: MatrixPlace,
  cell: Estimate | undefined,
  scale: { readonly unit: string; readonly factor: number },
): Html {
  if (cell === undefined) return markup`<td class="n none">–</td>`;
  const base = baseOf(part, place);
  const isBase = base !== undefined && base.line === place.line && base.column === place.column;
  const ratio = base === undefined || isBase ? undefined : part.ratio(place, base);
  const shade = isBase ? 'same' : shadeOf(ratio, part.columns[place.column]!.isBetterHigher);
  const { value, interval } = siteEstimate(cell, scale);
  return markup`<td class="n ${shade}">
    <b>${value}</b> <i class="factor">${factorText(isBase, ratio)}</i> <small>${interval}</small>
  </td>`;
}

function factorText(isBase: boolean, ratio: Estimate | undefined): string {
  if (isBase) return '1';
  if (ratio === undefined) return '';
  return `${isUndecided(ratio, 1) || ratio.low === undefined ? '≈ ' : ''}×${formatNumber(ratio.value)}`;
}

/** The cheapest line of every column, or the cheapest column of every line; null without figures. */
function bestsOf(part: MatrixPart): (number | null)[] {
  return part.best === 'column'
    ? part.columns.map((_, column) => bestPlace(part, { line: 0, column })?.line ?? null)
    : part.lines.map((_, line) => bestPlace(part, { line, column: 0 })?.column ?? null);
}

/** What a place is compared with: the reference, or the best of its column or line. */
function baseOf(part: MatrixPart, place: MatrixPlace): MatrixPlace | undefined {
  if (part.reference === undefined) return bestPlace(part, place);
  const { line, column } = place;
  return part.best === 'column'
    ? { line: part.reference, column }
    : { line, column: part.reference };
}

function bestPlace(part: MatrixPart, { line, column }: MatrixPlace): MatrixPlace | undefined {
  const places =
    part.best === 'column'
      ? part.lines.map((_, index) => ({ line: index, column }))
      : part.columns.map((_, index) => ({ line, column: index }));
  let best: MatrixPlace | undefined;
  let least = Infinity;
  for (const place of places) {
    const value = part.lines[place.line]!.cells[place.column]?.value;
    const rank = part.columns[place.column]!.isBetterHigher === true ? -(value ?? NaN) : value;
    if (rank !== undefined && rank < least) {
      best = place;
      least = rank;
    }
  }
  return best;
}

function valuesOf({ lines }: MatrixPart, column: number): number[] {
  return lines.flatMap(({ cells }) => cells[column]?.value ?? []);
}

function allValues(part: MatrixPart): number[] {
  return part.columns.flatMap((_, column) => valuesOf(part, column));
}

/**
 * By place, `line:column`, and by reference: the text of the factor and its shade. A browser only
 * looks up what was computed here, from pairs of repeats.
 */
function ratiosOf(part: MatrixPart): Record<string, readonly (readonly [string, string] | null)[]> {
  const all: Record<string, (readonly [string, string] | null)[]> = {};
  for (const [line, { cells }] of part.lines.entries()) {
    for (const [column, cell] of cells.entries()) {
      if (cell === undefined) continue;
      const place = { line, column };
      const bases = part.best === 'column' ? part.lines : part.columns;
      all[`${line}:${column}`] = bases.map((_, index) => {
        const base = part.best === 'column' ? { line: index, column } : { line, column: index };
        const isBase = base.line === line && base.column === column;
        if (isBase) return ['1', 'same'];
        if (part.lines[base.line]!.cells[base.column] === undefined) return null;
        const ratio = part.ratio(place, base);
        return ratio === undefined
          ? null
          : [factorText(false, ratio), shadeOf(ratio, part.columns[column]!.isBetterHigher)];
      });
    }
  }
  return all;
}
