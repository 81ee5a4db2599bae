/**
 * What pipelines cost against what a warrant gets and opens: a run of attacks joined with the runs of
 * costs beside it.
 *
 * Costs are factors to the baseline of their own run, pair by pair of its repeats, so that pipelines
 * of several runs may stand in one chart.
 *
 * @module
 */

import { seriesOf, type CellResult } from '../cells.ts';
import { ratioOf, type Estimate } from '../estimates.ts';
import { attackOf, percentText, reasonOf } from '../exposure.ts';
import { formatEstimate, formatNumber, scaleFor } from '../numbers.ts';
import { baselineFor, plainName, rungLabel } from '../pairing.ts';
import type { ChartPart, ChartRow, SiteRun } from '../site/page.ts';
import type { Attacked } from './_attack-map.ts';
import { cellFacets, chartId } from './_cells.ts';

const COST = { metric: 'cpu-per-message', role: 'all' } as const;

const PARTS = [
  'recall in scope',
  'over-exposure: disclosed besides',
  'over-exposure: standing',
  'a warrant gets nothing',
] as const;
type Part = (typeof PARTS)[number];

/** Of the chart, in pixels, and how far apart its labels stand at least. */
const LINE_PX = 24;
const HEIGHT_MIN_PX = 260;
const LABEL_GAP_PX = 14;
/** Beyond the cheapest and the dearest, as factors. */
const MARGIN = 1.25;

/** A pipeline with its cost, and where that is from. */
interface Priced {
  readonly one: Attacked;
  readonly label: string;
  readonly cost: Estimate;
  readonly run: SiteRun;
}

export interface CostAgainstExposure {
  readonly parts: ChartPart[];
  readonly notes: readonly string[];
}

export const COST_NEEDED =
  'No cost stands beside these attacks: report a run of the same pipelines with a baseline together with this one, such as sealbench run curated/ladder and curated/escrow.';

export function costAgainstExposure(
  run: SiteRun,
  attacked: readonly Attacked[],
  runs: readonly SiteRun[],
): CostAgainstExposure {
  const baseline = runs.map(({ manifest }) => manifest.suite.baseline).find((one) => one);
  const beside = runs.filter(({ manifest }) => manifest.suite.baseline === baseline);
  const drawable = attacked.filter(({ facts }) => exposuresOf(facts).length > 0);
  const priced = drawable.flatMap((one) =>
    baseline === undefined ? [] : priceOf(one, beside, baseline),
  );
  if (priced.length === 0 || baseline === undefined) return { parts: [], notes: [COST_NEEDED] };
  const unpriced = drawable.filter((one) => !priced.some((other) => other.one === one));
  const sources = [...new Set(priced.map((one) => one.run.name))];
  return {
    parts: [chartOf(run, priced, baseline)],
    notes: [
      `Cost: CPU per message of all roles, as a factor to ${baseline} in the same run; from ${sources.join(', ')}. What an authority spends on recovering is in it as far as that run recovered.`,
      ...(unpriced.length === 0
        ? []
        : [
            `Without a cost in these runs, and so not in the chart: ${unpriced.map(({ cell }) => rungLabel(cell)).join(', ')}.`,
          ]),
    ],
  };
}

/** By the first run that has it; without a cost there is none. */
function priceOf(one: Attacked, runs: readonly SiteRun[], baseline: string): Priced[] {
  for (const run of runs) {
    const cell = partnerIn(run, one.cell);
    const base = cell && baselineFor(run.cells, cell, baseline);
    const cost = base && ratioOf(seriesOf(cell, COST), seriesOf(base, COST));
    if (cell === undefined || cost === undefined) continue;
    const own = rungLabel(one.cell);
    const label = cell.pipeline === one.cell.pipeline ? own : `${own} (cost: ${cell.pipeline})`;
    return [{ one, label, cost, run }];
  }
  return [];
}

/** The same pipeline: what share of sessions is under a warrant may differ where all pay alike. */
function partnerIn({ cells, pipelines }: SiteRun, wanted: CellResult): CellResult | undefined {
  const measured = cells.filter(
    (cell) =>
      cell.status === 'ok' &&
      cell.implementation === wanted.implementation &&
      seriesOf(cell, COST) !== undefined,
  );
  const same = measured.find(({ pipeline }) => pipeline === wanted.pipeline);
  const note = pipelines.find(({ name }) => name === plainName(wanted.pipeline));
  if (same !== undefined || note === undefined || note.paidByTargets === true) return same;
  return measured.find(
    ({ pipeline }) => withoutTargets(pipeline) === withoutTargets(wanted.pipeline),
  );
}

function withoutTargets(pipeline: string): string {
  const name = plainName(pipeline);
  const options = pipeline.slice(name.length + 1).split(',');
  return [name, ...options.filter((one) => one !== '' && !one.startsWith('targets='))].join(' ');
}

interface Exposure {
  readonly part: Part;
  readonly hits: number;
  readonly of: number;
}

/** None where access could exist and was not mounted: that is no 0. */
function exposuresOf(facts: Attacked['facts']): Exposure[] {
  const warrant = attackOf(facts, ['A6'])?.warrant;
  if (warrant === undefined || warrant.askedForRecovered === 0) {
    if (reasonOf(facts, ['A6']) !== undefined) return [];
    return [{ part: 'a warrant gets nothing', hits: 0, of: warrant?.askedFor ?? facts.messages }];
  }
  const { askedFor, askedForRecovered, opens, opensOutside } = warrant;
  const mass = attackOf(facts, ['A7']);
  const standing: Exposure[] =
    mass === undefined
      ? []
      : [
          {
            part: 'over-exposure: standing',
            hits: mass.past.recovered + mass.future.recovered,
            of: mass.past.of + mass.future.of,
          },
        ];
  const all: Exposure[] = [
    { part: 'recall in scope', hits: askedForRecovered, of: askedFor },
    { part: 'over-exposure: disclosed besides', hits: opensOutside, of: opens },
    ...standing,
  ];
  return all.filter(({ of }) => of > 0);
}

function chartOf(run: SiteRun, priced: readonly Priced[], baseline: string): ChartPart {
  const ordered = priced.toSorted((a, b) => b.cost.value - a.cost.value);
  const costs = ordered.map(({ cost }) => cost.value);
  const height = Math.max(HEIGHT_MIN_PX, LINE_PX * ordered.length);
  const domain = [costs.at(-1)! / MARGIN, costs[0]! * MARGIN] as const;
  const labelsAt = spreadLabels(costs, domain, height);
  const rows = ordered.flatMap(({ one: { cell, facts }, label, cost, run: source }, at) => {
    const exposures = exposuresOf(facts);
    const shares = exposures.map(({ hits, of }) => hits / of);
    const factor = formatEstimate(cost, scaleFor('ratio', [cost.value]), 3);
    const common = { label, ...cellFacets(cell), cost: cost.value, source: source.name };
    const told = exposures.map(({ part, hits, of }) => `${part} ${percentText(hits / of)}`);
    const text = `${label}: ${factor} times ${baseline}; ${told.join(', ')}`;
    return [
      ...exposures.map(({ part }, index): ChartRow => ({
        ...common,
        part,
        share: shares[index]!,
        shown: percentText(shares[index]!),
        low: cost.low ?? cost.value,
        high: cost.high ?? cost.value,
        text,
      })),
      {
        ...common,
        part: 'label',
        share: 1,
        from: Math.min(...shares),
        labelAt: labelsAt[at]!,
        text,
      },
    ];
  });
  return {
    kind: 'chart',
    chart: 'cost-exposure',
    id: chartId('exposure', run, 'cost'),
    title: 'Cost against exposure: what a warrant gets and opens, by CPU per message',
    description: `A line for each pipeline at its cost, on a log scale of factors to ${baseline}. On it, from 0 to 100 %: a small circle for the recall in scope, a diamond for what is disclosed besides, a large square for what the standing secret could open, and a cross at 0 where a warrant gets nothing.`,
    rows,
    table: {
      columns: [
        { title: 'pipeline', key: 'label' },
        { title: `CPU (× ${baseline})`, key: 'cost' },
        { title: 'recall in scope', key: 'recall' },
        { title: 'disclosed besides', key: 'disclosed' },
        { title: 'standing', key: 'standing' },
        { title: 'run of costs', key: 'source' },
      ],
      rows: ordered.map(({ one: { facts }, label, cost, run: source }) => {
        const exposures = exposuresOf(facts);
        const textOf = (part: Part): string | null => {
          const found = exposures.find((other) => other.part === part);
          return found === undefined ? null : percentText(found.hits / found.of);
        };
        return {
          label,
          cost: formatNumber(cost.value),
          recall: textOf('recall in scope'),
          disclosed: textOf('over-exposure: disclosed besides'),
          standing: textOf('over-exposure: standing'),
          source: source.name,
        };
      }),
    },
    words: { axis: `CPU per message, times ${baseline}, log scale` },
    values: {
      parts: PARTS,
      domain: [...domain],
      height,
    },
  };
}

/**
 * Where labels stand, so that none covers another: each as near to its cost as those above let it.
 *
 * @param costs From large to small.
 */
function spreadLabels(
  costs: readonly number[],
  [low, high]: readonly [number, number],
  height: number,
): number[] {
  const span = Math.log(high / low);
  const pixels: number[] = [];
  for (const cost of costs) {
    const wanted = (Math.log(high / cost) / span) * height;
    pixels.push(Math.max(wanted, (pixels.at(-1) ?? -Infinity) + LABEL_GAP_PX));
  }
  // Those that were pushed below the chart push those above them up again.
  let floor = height;
  for (let at = pixels.length - 1; at >= 0; at--) {
    pixels[at] = Math.min(pixels[at]!, floor);
    floor = pixels[at]! - LABEL_GAP_PX;
  }
  return pixels.map((pixel) => high * Math.exp((-pixel / height) * span));
}
