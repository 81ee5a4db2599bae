/**
 * What a seized device opens, message by message around the seizure.
 *
 * @module
 */

import { attackOf } from '../exposure.ts';
import { rungLabel } from '../pairing.ts';
import { CHART_ROWS_MAX } from '../site/chart.ts';
import type { ChartPart, ChartRow, SiteRun } from '../site/page.ts';
import type { Attacked } from './_attack-map.ts';
import { cellFacets, chartId } from './_cells.ts';

/** In the order in which they are drawn, the last on top. */
const HISTORIES = [
  { history: 'history kept', kind: 'A5a:history=kept' },
  { history: 'history of 2 days', kind: 'A5a:history=disappearing-2d' },
  { history: 'history wiped', kind: 'A5a:history=wiped' },
] as const;

export interface SeizureCurves {
  readonly parts: ChartPart[];
  /** Pipelines for which there was no room. */
  readonly leftOut: readonly string[];
}

export function seizureCurves(run: SiteRun, attacked: readonly Attacked[]): SeizureCurves {
  const curves = attacked
    .map((one) => ({ label: rungLabel(one.cell), rows: rowsOf(one) }))
    .filter(({ rows }) => rows.length > 0);
  const longest = Math.max(1, ...curves.map(({ rows }) => rows.length));
  const drawn = curves.slice(0, Math.floor(CHART_ROWS_MAX / longest));
  const leftOut = curves.slice(drawn.length).map(({ label }) => label);
  if (drawn.length === 0) return { parts: [], leftOut };
  const rows = drawn.flatMap((curve) => curve.rows);
  const part: ChartPart = {
    kind: 'chart',
    chart: 'seizure',
    id: chartId('exposure', run, 'seizure'),
    title: 'Messages that a seized device opens, by their distance from the seizure',
    description:
      'A panel for each pipeline: the share of messages recovered against their distance in the conversation from the seizure, a dotted line between the last message before it and the first after it. Three lines: the device keeps its history (thick), two days of it (dashed), nothing (thin, dotted).',
    rows,
    table: {
      // Where nothing changes a line says it all; every message is in the rows of the chart.
      rows: rows.filter(({ turns }) => turns === true),
      columns: [
        { title: 'pipeline', key: 'panel' },
        { title: 'device', key: 'history' },
        { title: 'messages from the seizure', key: 'offset' },
        { title: 'messages', key: 'of' },
        { title: 'recovered', key: 'recovered' },
      ],
    },
    values: { histories: HISTORIES.map(({ history }) => history) },
  };
  return { parts: [part], leftOut };
}

/** 0 is the last message before the seizure. Where no conversation reaches there is no row. */
function rowsOf({ cell, facts }: Attacked): ChartRow[] {
  const panel = rungLabel(cell);
  return HISTORIES.flatMap(({ history, kind }) => {
    const curve = attackOf(facts, [kind])?.curve;
    if (curve === undefined) return [];
    const reach = (curve.of.length - 1) / 2;
    const rows = curve.of.flatMap((of, at) => {
      const recovered = curve.recovered[at]!;
      return of === 0 ? [] : [{ offset: at - reach, of, recovered, share: recovered / of }];
    });
    return rows.map((row, at): ChartRow => {
      const where =
        row.offset > 0 ? `message ${row.offset} after it` : `message ${1 - row.offset} before it`;
      // Between them a line says it all.
      const turns = rows[at - 1]?.share !== row.share || rows[at + 1]?.share !== row.share;
      const text = `${panel}, ${history}, ${where}: ${row.recovered} of ${row.of} recovered`;
      return { panel, history, ...cellFacets(cell), ...row, turns, text };
    });
  });
}
