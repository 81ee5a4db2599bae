/**
 * What each adversary recovers from each pipeline, as a map with its numbers in it.
 *
 * @module
 */

import type { ExposureFacts } from '../../measure/exposure-facts.ts';
import type { CellResult } from '../cells.ts';
import { ATTACK_COLUMNS, attackOf, percentText, reasonOf, type AttackColumn } from '../exposure.ts';
import { rungLabel } from '../pairing.ts';
import type { ChartPart, ChartRow, SiteRun } from '../site/page.ts';
import { cellFacets, chartId } from './_cells.ts';

export interface Attacked {
  readonly cell: CellResult;
  readonly facts: ExposureFacts;
}

/** The cells of a run on which attacks were mounted, in their order. */
export function attackedCells({ cells, records }: SiteRun): Attacked[] {
  const facts = new Map(records.map((record) => [record.cell, record.exposure]));
  return cells.flatMap((cell) => {
    const found = facts.get(cell.cell);
    return found === undefined ? [] : [{ cell, facts: found }];
  });
}

const SIDES = [
  { panel: 'of the messages before the compromise', side: 'past' },
  { panel: 'of the messages after the compromise', side: 'future' },
] as const;

export function attackMap(run: SiteRun, attacked: readonly Attacked[]): ChartPart[] {
  const columns = ATTACK_COLUMNS.filter(({ kinds }) =>
    attacked.some(({ facts }) => attackOf(facts, kinds) !== undefined),
  );
  if (columns.length === 0) return [];
  const rows = SIDES.flatMap(({ panel, side }) =>
    attacked.flatMap(({ cell, facts }) =>
      columns.map((column): ChartRow => {
        const label = rungLabel(cell);
        const { share, shown, told } = markOf(facts, column, side);
        const text = `${label}, ${column.title}, ${panel}: ${told}`;
        return { panel, label, attack: column.title, ...cellFacets(cell), share, shown, text };
      }),
    ),
  );
  return [
    {
      kind: 'chart',
      chart: 'attacks',
      id: chartId('exposure', run, 'attacks'),
      title: 'Messages recovered by each adversary from each pipeline, in %',
      description:
        'Two maps, before and after the compromise: a line for each pipeline, a column for each adversary, in each cell the share of messages recovered in per cent; the darker, the more. –: nobody has this power, or there were no messages to recover. n/m: not mounted, which is no 0.',
      rows,
      table: {
        columns: [
          { title: 'pipeline', key: 'label' },
          { title: 'adversary', key: 'attack' },
          { title: 'which', key: 'panel' },
          { title: '%', key: 'shown' },
        ],
      },
      values: {
        labels: [...new Set(attacked.map(({ cell }) => rungLabel(cell)))],
        attacks: columns.map(({ title }) => title),
      },
    },
  ];
}

interface CellMark {
  /** Null where there is no figure. */
  readonly share: number | null;
  readonly shown: string;
  readonly told: string;
}

function markOf(facts: ExposureFacts, column: AttackColumn, side: 'past' | 'future'): CellMark {
  const attack = attackOf(facts, column.kinds);
  if (attack === undefined) {
    const reason = reasonOf(facts, column.kinds);
    return reason === undefined
      ? { share: null, shown: '–', told: 'nobody has this power' }
      : { share: null, shown: 'n/m', told: `not mounted: ${reason}` };
  }
  const { of, recovered } = attack[side];
  if (of === 0) return { share: null, shown: '–', told: 'no messages to recover' };
  const share = recovered / of;
  const text = percentText(share);
  const told = `${recovered.toLocaleString('en-US')} of ${of.toLocaleString('en-US')} messages`;
  return { share, shown: text.replace(' %', ''), told };
}
