/**
 * A comparison for people: decided changes first, then what was not, then what is only shown.
 *
 * @module
 */

import { EXACT_FLOOR } from '../compare/cell.ts';
import {
  finalCosts,
  isTooNoisy,
  type ComparedCell,
  type FinalCost,
  type Outcome,
} from '../compare/gate.ts';
import { formatNumber, formatQuantity } from './numbers.ts';
import { renderMarkdown, renderTable, type Table } from './table.ts';
import { forMarkdown, forTerminal } from './text.ts';

export interface ComparisonToShow {
  readonly base: string;
  readonly head: string;
  readonly outcome: Outcome;
  readonly cells: readonly ComparedCell[];
  /** Cells; more than there are where the comparison was interrupted. */
  readonly planned: number;
  /** What was measured of each cell, for people. */
  readonly effort: string;
  /** CPU model, cores and Node, for people. */
  readonly machine: string;
}

const VERDICT_WORDS: Readonly<Record<string, string>> = {
  failed: 'FAILED',
  regressed: 'REGRESSED',
  improved: 'improved',
  undecided: 'undecided',
  unchanged: 'no change',
  named: 'changed',
  'not comparable': 'not comparable',
};
/** Decided changes first. */
const ORDER = Object.keys(VERDICT_WORDS);

const OUTCOME_SENTENCES: Readonly<Record<Outcome, string>> = {
  fine: 'No regression beyond the floor.',
  regressed: 'Head is worse than base, beyond the floor.',
  failed: 'Head gives a wrong result or does not run.',
  'too-noisy':
    'Too noisy to decide: two copies of the base differ by more than twice the declared floor.',
  nothing: 'No cell could be compared.',
  undecided: 'Undecided: an interval straddles the floor, and --strict asks for a decision.',
};

/** For a terminal. */
export function renderComparison(shown: ComparisonToShow, width?: number): string {
  const parts = tablesOf(shown).map((table) => renderTable(table, { width }));
  return `${headlines(shown).map(forTerminal).join('\n')}\n\n${parts.join('\n')}`;
}

/** For a pull request: what is only shown is folded away. */
export function comparisonMarkdown(shown: ComparisonToShow): string {
  const [first, ...others] = tablesOf(shown);
  const [sentence, ...about] = headlines(shown).map(forMarkdown);
  const folded = others.map(
    (table) =>
      `<details><summary>${table.title}</summary>\n\n` +
      `${renderMarkdown({ ...table, title: '' })}\n</details>\n`,
  );
  const parts = [`### ${sentence!}`, about.join('  \n'), renderMarkdown({ ...first!, title: '' })];
  return [...parts, ...folded].join('\n\n');
}

function headlines(shown: ComparisonToShow): string[] {
  const { base, head, outcome, cells, planned, effort, machine } = shown;
  const part =
    cells.length < planned
      ? `Interrupted after ${cells.length} of ${planned} cells. In these: `
      : '';
  return [
    `sealbench compare: ${part}${OUTCOME_SENTENCES[outcome]}`,
    `base: ${base}`,
    `head: ${head}`,
    `${effort} for each cell, on ${machine}`,
  ];
}

interface Line {
  readonly verdict: string;
  readonly cells: readonly (string | undefined)[];
}

function tablesOf(shown: ComparisonToShow): Table[] {
  const decided = shown.cells.flatMap((cell) => [
    ...failureLine(cell),
    ...exactLines(cell),
    ...sameLine(cell),
  ]);
  const costs = shown.cells.flatMap((cell) =>
    finalCosts(cell).map((cost) => ({ cost, line: costLine(cell.cell, cost) })),
  );
  const deciding = costs.filter(({ cost }) => cost.decides).map(({ line }) => line);
  const others = costs.filter(({ cost }) => !cost.decides).map(({ line }) => line);
  const columns = [
    'verdict',
    'cell',
    'figure',
    'head / base, 95%',
    'floor of this job',
    'smallest shown',
    'base',
    'head',
  ].map((title) => ({ title }));
  const main: Table = {
    title: 'What decides',
    columns,
    rows: inOrder([...decided, ...deciding]),
    notes: notesOf(shown),
  };
  if (others.length === 0) return [main];
  return [
    main,
    {
      title: 'What is only shown: wall time, and CPU by role',
      columns,
      rows: inOrder(others),
      notes: [
        'These do not decide: wall time waits for whoever else has the core, and a part of the ' +
          'cost is judged with the whole.',
      ],
    },
  ];
}

function inOrder(lines: readonly Line[]): Table['rows'] {
  return lines
    .toSorted((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict))
    .map(({ verdict, cells }) => ({ cells: [VERDICT_WORDS[verdict]!, ...cells] }));
}

function failureLine({ cell, failure }: ComparedCell): Line[] {
  if (failure === undefined) return [];
  const verdict = failure.side === 'head' ? 'failed' : 'not comparable';
  return [{ verdict, cells: [cell, `${failure.side}: ${failure.status}: ${failure.reason}`] }];
}

function exactLines({ cell, figures }: ComparedCell): Line[] {
  return (figures?.changed ?? []).map(({ name, unit, base, head, verdict }) => ({
    verdict,
    cells: [
      cell,
      name,
      base === 0 ? 'new' : (head / base).toFixed(4),
      'exact',
      `${formatNumber(EXACT_FLOOR * 100)}%`,
      exactText(base, unit),
      exactText(head, unit),
    ],
  }));
}

/** Of a cell that is compared by nothing but exact figures, all of which are the same. */
function sameLine({ cell, figures }: ComparedCell): Line[] {
  if (figures === undefined || figures.costs.length > 0 || figures.changed.length > 0) return [];
  const { exactCount } = figures;
  if (exactCount === 0) return [];
  const what = exactCount === 1 ? 'the exact figure' : `all ${exactCount} exact figures`;
  return [{ verdict: 'unchanged', cells: [cell, what, '1.0000', 'exact'] }];
}

function exactText(value: number, unit: string): string {
  return unit === 'B' || unit === 'ns'
    ? formatQuantity(value, unit)
    : `${formatNumber(value)} ${unit}`;
}

function costLine(cell: string, cost: FinalCost): Line {
  const { final, name, unit, ratio, interval, measuredFloor, smallest, base, head } = cost;
  return {
    verdict: final,
    cells: [
      cell,
      name,
      `${ratio.toFixed(4)} [${interval.low.toFixed(4)}, ${interval.high.toFixed(4)}]`,
      percent(measuredFloor),
      percent(smallest),
      exactText(base, unit),
      exactText(head, unit),
    ],
  };
}

function notesOf({ cells }: ComparisonToShow): string[] {
  const costs = cells.flatMap((cell) =>
    finalCosts(cell).map((cost) => ({ cell: cell.cell, cost })),
  );
  const acquitted = costs.filter(({ cost }) => cost.acquitted);
  const noisy = cells.filter(isTooNoisy);
  const varying = new Set(cells.flatMap(({ figures }) => figures?.varying ?? []));
  const exact = cells.reduce((sum, { figures }) => sum + (figures?.exactCount ?? 0), 0);
  const floors = new Set(
    costs.filter(({ cost }) => cost.decides).map(({ cost }) => percent(cost.declaredFloor)),
  );
  return [
    'A verdict needs the whole interval beyond the larger of the declared floor' +
      (floors.size === 0 ? '' : ` (${[...floors].join(', ')})`) +
      ' and the floor of this job: the outer end of the interval between two copies of the base. A ' +
      'regression was measured once more with fresh processes.',
    ...acquitted.map(
      ({ cell, cost }) => `${cell}, ${cost.name}: accused, and not confirmed by fresh processes.`,
    ),
    ...noisy.map(
      ({ cell }) => `${cell}: two copies of the base differ by more than twice the declared floor.`,
    ),
    `${exact} figures are exact: copies of the base agree in them, so any change is named, and one ` +
      `of more than ${formatNumber(EXACT_FLOOR * 100)}% counts.`,
    ...(varying.size === 0
      ? []
      : [`Not exact on this machine, and left out in part: ${[...varying].join(', ')}.`]),
  ];
}

function percent(share: number): string {
  return `${formatNumber(share * 100, 2)}%`;
}
