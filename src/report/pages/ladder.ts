/** What each protection adds to the cost of a message, and who pays. */

import { seriesOf, type CellResult, type SeriesName } from '../cells.ts';
import { differenceOf, isUndecided, summarise, type Estimate } from '../estimates.ts';
import { comparableGroups, plainName, rungBelow, rungLabel, whereText } from '../pairing.ts';
import { deviceDay, relayDay } from '../sentences.ts';
import type { ChartPart, ChartRow, PageSection, SitePage, SiteRun } from '../site/page.ts';
import { quantityText, siteScale } from '../site/quantities.ts';
import { capitalised, joined, magnitude, magnitudeConfidence } from '../wording.ts';
import { cellFacets, chartId, costMatrix, costOf, type CostColumn } from './_cells.ts';

/** Fewer rungs are no ladder. */
const RUNGS_MIN = 4;
/** More would be a page that nobody reads to its end. */
const LADDERS_MAX = 4;

const ROLES = ['sender', 'relay', 'receiver'] as const;
const perMessage = (role: string): SeriesName => ({
  metric: 'cpu-per-message',
  role: role as 'all',
});

interface Ladder {
  readonly run: SiteRun;
  readonly where: string;
  readonly cells: readonly CellResult[];
  readonly steps: readonly Step[];
}

interface Step {
  readonly upper: CellResult;
  readonly lower: CellResult;
  readonly difference: Estimate;
}

const ladder: SitePage = {
  name: 'ladder',
  title: 'Ladder',
  place: 10,
  question: 'What does each protection add to the CPU of a message, and who pays for it?',
  needs: 'There is no run with four rungs of the ladder or more: sealbench run curated/ladder.',
  build(runs) {
    const ladders = runs.flatMap(laddersOf);
    if (ladders.length === 0) return undefined;
    const shown = ladders.slice(0, LADDERS_MAX);
    return {
      findings: findingsOf(shown[0]!),
      sections: [
        ...shown.flatMap(sectionsOf),
        ...(ladders.length > shown.length ? [leftOut(ladders.slice(LADDERS_MAX))] : []),
      ],
    };
  },
};
export default ladder;

function laddersOf(run: SiteRun): Ladder[] {
  const groups = comparableGroups(run.cells);
  return groups.flatMap((cells) => {
    // Runs of attacks, or of open loops, have the same cells without a cost of a message.
    const measured = cells.filter(
      (cell) => cell.status === 'ok' && seriesOf(cell, perMessage('all')) !== undefined,
    );
    const rungs = new Set(measured.map(({ rung }) => rung).filter((rung) => /^L\d+$/.test(rung)));
    if (rungs.size < RUNGS_MIN) return [];
    const steps = measured.flatMap((upper): Step[] => {
      const lower = rungBelow(measured, upper);
      if (lower === undefined) return [];
      const name = perMessage('all');
      const difference = differenceOf(seriesOf(upper, name), seriesOf(lower, name));
      return difference === undefined ? [] : [{ upper, lower, difference }];
    });
    return [{ run, where: whereText(cells, groups), cells, steps }];
  });
}

function leftOut(ladders: readonly Ladder[]): PageSection {
  const names = [...new Set(ladders.map(({ run }) => run.name))];
  return {
    title: 'Not drawn',
    lead: [`Further ladders are in the rows of ${joined(names)}.`],
    parts: [],
  };
}

function findingsOf({ run, steps }: Ladder): string[] {
  const decided = steps
    .filter(({ difference }) => !isUndecided(difference, 0) && difference.value > 0)
    .sort((a, b) => b.difference.value - a.difference.value);
  const open = steps.filter(({ difference }) => isUndecided(difference, 0));
  const findings: string[] = [];
  const named = decided
    .slice(0, 3)
    .map(
      (step) =>
        `${protectionOf(step, run)} (${step.upper.rung}) ${magnitude(step.difference)} (${magnitudeConfidence(step.difference)})`,
    );
  if (named.length > 0) {
    findings.push(`Of all protections these add most to the CPU of a message: ${joined(named)}.`);
  }
  if (open.length > 0) {
    findings.push(
      `For ${joined(open.map((step) => `${protectionOf(step, run)} (${step.upper.rung})`))} no difference could be shown; that is no proof that there is none.`,
    );
  }
  return [
    ...findings,
    ...topic(run, 'What removing it saves').slice(0, 1),
    ...topic(run, 'What a message costs').slice(-1),
  ];
}

function topic(run: SiteRun, title: string): readonly string[] {
  return run.summary.topics.find((one) => one.title === title)?.sentences ?? [];
}

function protectionOf({ upper }: Step, { pipelines }: SiteRun): string {
  const adds = pipelines.find(({ name }) => name === plainName(upper.pipeline))?.adds;
  return adds === undefined ? upper.pipeline : adds.charAt(0).toLowerCase() + adds.slice(1);
}

function sectionsOf(it: Ladder, index: number): PageSection[] {
  const { run, where, cells } = it;
  const id = (name: string): string => chartId('ladder', run, index, name);
  const title = where === '' ? run.manifest.suite.title : `${run.manifest.suite.title}: ${where}`;
  const labels = cells.map(rungLabel);
  const reference = cells.findIndex(
    ({ pipeline, status }) => status === 'ok' && pipeline === run.manifest.suite.baseline,
  );
  const dayPart = dayChart(it, id('day'));
  return [
    {
      title,
      lead: [run.summary.scope],
      parts: [
        costChart(it, id('cost')),
        costMatrix(
          { id: id('costs'), title: 'Every pipeline, by role', reference },
          cells,
          labels,
          COLUMNS,
          run,
        ),
      ],
      notes: [
        'Medians over repeats with their 95 % intervals; factors are geometric means over pairs of repeats. The authority of an escrow design is counted for one message in 10,000.',
      ],
    },
    {
      title: 'What each protection adds',
      lead: [
        'Each rung keeps what is below it and adds one protection, so a step is the price of that protection.',
      ],
      parts: [
        waterfallChart(it, id('steps')),
        { kind: 'list', items: topic(run, 'What each protection adds') },
      ],
    },
    ...(dayPart === undefined
      ? []
      : [
          {
            title: 'Per user and day',
            lead: topic(run, 'What a message costs').slice(-1),
            parts: [
              dayPart,
              {
                kind: 'list' as const,
                title: 'What removing protection saves',
                items: topic(run, 'What removing it saves'),
              },
            ],
          },
        ]),
  ];
}

const COLUMNS: readonly CostColumn[] = [
  ...ROLES.map((role) => ({ title: role, unit: 'ns', name: perMessage(role) })),
  { title: 'all', unit: 'ns', name: perMessage('all') },
  {
    title: 'all, with opening',
    unit: 'ns',
    name: { metric: 'cpu-per-message-amortised', role: 'all' },
  },
  {
    title: 'bytes added',
    unit: 'bytes',
    name: { metric: 'overhead-bytes', kind: 'all' },
  },
];

function costChart({ cells, run }: Ladder, id: string): ChartPart {
  const totals = cells.map((cell) => costOf(cell, perMessage('all')));
  const scale = siteScale(
    'ns',
    totals.flatMap((total) => total?.value ?? []),
  );
  const rows = cells.flatMap((cell, line): ChartRow[] => {
    const total = totals[line];
    if (total === undefined) return [];
    const common = { label: rungLabel(cell), pipeline: cell.pipeline, ...cellFacets(cell) };
    return [
      ...ROLES.flatMap((role, place): ChartRow[] => {
        const cost = costOf(cell, perMessage(role));
        if (cost === undefined) return [];
        const text = `${common.label}, ${role}: ${quantityText(cost, 'ns', scale)}`;
        return [{ ...common, part: role, role, place, ...scaled(cost, scale.factor), text }];
      }),
      {
        ...common,
        part: 'all',
        place: ROLES.length,
        ...scaled(total, scale.factor),
        shown: quantityText({ ...total, low: undefined, high: undefined }, 'ns', scale),
        text: `${common.label}, all roles: ${quantityText(total, 'ns', scale)}`,
      },
    ];
  });
  return {
    kind: 'chart',
    chart: 'stacked-bars',
    id,
    title: 'CPU of a message in an open session, by who pays',
    description: `Stacked bars, one for each pipeline of ${run.manifest.suite.title}: sender, relay and receiver, with the 95 % interval of their sum.`,
    rows,
    table: { columns: COST_TABLE(scale.unit) },
    words: { axis: `CPU per message (${scale.unit})` },
    values: { parts: [...ROLES] },
  };
}

const COST_TABLE = (unit: string) => [
  { title: 'pipeline', key: 'label' },
  { title: 'role', key: 'part' },
  { title: `CPU (${unit})`, key: 'value' },
  { title: 'low', key: 'low' },
  { title: 'high', key: 'high' },
];

function scaled({ value, low, high }: Estimate, factor: number) {
  return {
    value: value * factor,
    low: low === undefined ? null : low * factor,
    high: high === undefined ? null : high * factor,
  };
}

function waterfallChart({ steps, run }: Ladder, id: string): ChartPart {
  const first = steps[0]!.lower;
  const start = summarise(seriesOf(first, perMessage('all')))!;
  const scale = siteScale('ns', [start.value, ...steps.map(({ difference }) => difference.value)]);
  const { factor, unit } = scale;
  let from = start.value;
  const rows: ChartRow[] = [
    {
      label: rungLabel(first),
      kind: 'start',
      from: 0,
      to: from * factor,
      low: null,
      high: null,
      shown: quantityText({ ...start, low: undefined, high: undefined }, 'ns', scale),
      ...cellFacets(first),
      text: `${rungLabel(first)}: ${quantityText(start, 'ns', scale)}`,
    },
  ];
  for (const { upper, difference } of steps) {
    const kind =
      isUndecided(difference, 0) || difference.low === undefined
        ? 'undecided'
        : difference.value > 0
          ? 'adds'
          : 'saves';
    const { low, high, value } = difference;
    rows.push({
      label: rungLabel(upper),
      kind,
      from: from * factor,
      to: (from + value) * factor,
      low: low === undefined ? null : (from + low) * factor,
      high: high === undefined ? null : (from + high) * factor,
      added: value * factor,
      addedLow: low === undefined ? null : low * factor,
      addedHigh: high === undefined ? null : high * factor,
      shown: `${kind === 'undecided' ? '≈ ' : value > 0 ? '+' : '−'}${magnitude(difference).replace(' us', ' µs')}`,
      ...cellFacets(upper),
      text: `${capitalised(protectionOf({ upper, lower: upper, difference }, run))} (${rungLabel(upper)}): ${kind === 'undecided' ? 'no difference shown, ' : ''}${quantityText(difference, 'ns', scale)}`,
    });
    from += value;
  }
  return {
    kind: 'chart',
    chart: 'waterfall',
    id,
    title: 'What each protection adds to the CPU of a message, all roles together',
    description:
      'A waterfall from the lowest rung to the highest: each bar begins where the one before ends. Thin lines are 95 % intervals of the step; hollow bars are steps whose interval holds zero.',
    rows,
    table: {
      columns: [
        { title: 'step to', key: 'label' },
        { title: 'verdict', key: 'kind' },
        { title: `adds (${unit})`, key: 'added' },
        { title: 'low', key: 'addedLow' },
        { title: 'high', key: 'addedHigh' },
      ],
    },
    words: { axis: `CPU per message (${unit}); steps are means over pairs of repeats` },
    values: { kinds: ['adds', 'undecided', 'saves', 'start'] },
  };
}

function dayChart({ cells }: Ladder, id: string): ChartPart | undefined {
  const days = cells.flatMap((cell) => {
    const device = summarise(deviceDay(cell));
    const relay = summarise(relayDay(cell));
    return device === undefined || relay === undefined ? [] : [{ cell, device, relay }];
  });
  const perDay = days[0]?.cell.messagesPerUserDay;
  if (perDay === undefined) return undefined;
  const scale = siteScale(
    'ns',
    days.map(({ device }) => device.value),
  );
  const rows = days.flatMap(({ cell, device, relay }): ChartRow[] => {
    const common = { label: rungLabel(cell), ...cellFacets(cell) };
    const total = device.value + relay.value;
    return [
      ...(
        [
          ['device', device],
          ['relay', relay],
        ] as const
      ).map(([part, cost], place) => ({
        ...common,
        part,
        place,
        ...scaled(cost, scale.factor),
        text: `${common.label}, ${part}: ${quantityText(cost, 'ns', scale)} a day`,
      })),
      {
        ...common,
        part: 'all',
        place: 2,
        value: total * scale.factor,
        low: null,
        high: null,
        shown: quantityText(
          { value: total, low: undefined, high: undefined, repeats: 0 },
          'ns',
          scale,
        ),
        text: `${common.label}, device and relay: ${quantityText({ value: total, low: undefined, high: undefined, repeats: 0 }, 'ns', scale)} a day`,
      },
    ];
  });
  return {
    kind: 'chart',
    chart: 'stacked-bars',
    id,
    title: `CPU of one user’s day: ${perDay} messages, half of them sent, with opening and connecting`,
    description:
      'Stacked bars, one for each pipeline: what a day costs on the user’s device and at the relay.',
    rows,
    table: { columns: COST_TABLE(scale.unit) },
    words: { axis: `CPU per user and day (${scale.unit})` },
    values: { parts: ['device', 'relay'] },
  };
}
