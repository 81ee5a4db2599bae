/**
 * What is printed of loads of a relay: a table for each kind of load, sentences, and how far they can
 * be trusted.
 *
 * @module
 */

import type { RelayFacts } from '../measure/relay-facts.ts';
import type { RepeatRecord } from '../results/record.ts';
import { median } from '../stats/quantile.ts';
import { seriesOf, type CellResult, type SeriesName } from './cells.ts';
import { ratioOf, relativeHalfWidth, summarise, type Estimate } from './estimates.ts';
import { formatNumber, formatQuantity } from './numbers.ts';
import { plainName, type PipelineNote } from './pairing.ts';
import {
  baseSeries,
  CPU_PER_MESSAGE,
  kneeOf,
  optionsOf,
  placeText,
  STORE_WORDS,
  tableOf,
  TLS_WORDS,
  type Load,
} from './relay-tables.ts';
import type { Topic } from './sentences.ts';
import type { Summary } from './summary.ts';
import { WIDE, type Judgement } from './verdict.ts';
import { capitalised, confidence, countOf, percentRange } from './wording.ts';

export interface RelaySummaryInput {
  readonly suite: {
    readonly title: string;
    readonly question: string;
    readonly analysis: readonly string[];
    /** The pipeline, with its options, that ratios refer to. */
    readonly baseline?: string | undefined;
  };
  /** In the order of the suite. */
  readonly cells: readonly CellResult[];
  readonly records: readonly RepeatRecord[];
  readonly pipelines: readonly PipelineNote[];
}

/** Above it, a median over repeats says little. */
const USELESS = 0.5;

/** By what a load is judged. */
const PRIMARY: Readonly<Record<Load, SeriesName>> = {
  saturation: CPU_PER_MESSAGE,
  knee: { metric: 'knee-rate' },
  'hand-over': {
    metric: 'hand-over-latency',
    role: 'authority',
    kind: 'from-send',
    statistic: 'p50',
  },
  connections: { metric: 'connection-cpu', role: 'relay', kind: 'connection' },
};

export function relaySummary({ suite, cells, records, pipelines }: RelaySummaryInput): Summary {
  const { title, question, analysis, baseline } = suite;
  const load = records.find(({ relay }) => relay !== undefined)?.relay?.load ?? 'saturation';
  const named = new Set(cells.map(({ pipeline }) => plainName(pipeline)));
  return {
    title,
    question,
    scope: scopeOf(cells),
    judgement: judge(cells, PRIMARY[load]),
    tables: [tableOf(load, cells, baseline)],
    topics: load === 'saturation' ? saturationTopics(cells, baseline) : [],
    precision: precisionOf(load, cells, records),
    pipelines: pipelines
      .filter(({ name }) => named.has(name))
      .map(({ name, title: what, caveats }) => [`${name}: ${what}.`, ...caveats].join(' ')),
    analysis,
  };
}

/** What the relay's own work, TLS and the store add: always between cells that differ in that alone. */
function saturationTopics(cells: readonly CellResult[], baseline: string | undefined): Topic[] {
  const work = cells.flatMap((cell) => {
    if (baseline === undefined || cell.pipeline === baseline) return [];
    const ratio = ratioOf(seriesOf(cell, CPU_PER_MESSAGE), baseSeries(cells, cell, baseline));
    return ratio === undefined
      ? []
      : [
          `${capitalised(placeText(cell))}: a message of ${cell.pipeline} takes the relay ` +
            `${ratioText(ratio)} the CPU of one of ${baseline}.`,
        ];
  });
  const beside = (key: 'tls' | 'store', plain: string): string[] =>
    cells.flatMap((cell) => {
      const options = optionsOf(cell.workload);
      if (options[key] === plain) return [];
      const base = cells.find(
        (other) =>
          other.pipeline === cell.pipeline &&
          other.implementation === cell.implementation &&
          isSame({ ...optionsOf(other.workload), [key]: '' }, { ...options, [key]: '' }) &&
          optionsOf(other.workload)[key] === plain,
      );
      const ratio =
        base && ratioOf(seriesOf(cell, CPU_PER_MESSAGE), seriesOf(base, CPU_PER_MESSAGE));
      if (ratio === undefined) return [];
      const without = key === 'tls' ? TLS_WORDS[plain] : `what is ${STORE_WORDS[plain]}`;
      return [
        `${cell.pipeline}, ${placeText(cell)}: ${ratioText(ratio)} the CPU per message of ${without}.`,
      ];
    });
  return [
    { title: "What the relay's own work costs", sentences: work },
    { title: 'What TLS costs on a connection that is open', sentences: beside('tls', 'none') },
    { title: 'What the store costs', sentences: beside('store', 'memory') },
  ].filter(({ sentences }) => sentences.length > 0);
}

function ratioText(ratio: Estimate): string {
  return `${formatNumber(ratio.value)} times (${confidence(ratio)})`;
}

function isSame(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => a[key] === b[key]);
}

function scopeOf(cells: readonly CellResult[]): string {
  const pipelines = new Set(cells.map(({ pipeline }) => pipeline)).size;
  const places = new Set(cells.map(placeText)).size;
  const providers = [...new Set(cells.map(({ implementation }) => implementation))].join(', ');
  return (
    `${countOf(cells.length, 'cell')}: ${countOf(pipelines, 'pipeline')} by ${providers}, ` +
    `${countOf(places, 'place')}; one process serves, one drives, over loopback.`
  );
}

function judge(cells: readonly CellResult[], primary: SeriesName): Judgement {
  const measured = cells.filter(({ status }) => status === 'ok');
  if (measured.length === 0) return { verdict: 'unjudged', because: 'No cell has a figure.' };
  const widths = measured.flatMap((cell) => {
    const estimate =
      primary.metric === 'knee-rate' ? kneeOf(cell) : summarise(seriesOf(cell, primary));
    return (estimate && relativeHalfWidth(estimate)) ?? [];
  });
  if (widths.length === 0) {
    return {
      verdict: 'unjudged',
      because: 'Fewer than 3 repeats give no intervals: nothing says how far a figure is off.',
    };
  }
  return {
    verdict: Math.min(...widths) > USELESS ? 'too noisy' : median(widths) > WIDE ? 'noisy' : 'fine',
    because: `Figures are known to ${percentRange(widths)} either way.`,
  };
}

function precisionOf(
  load: Load,
  cells: readonly CellResult[],
  records: readonly RepeatRecord[],
): string[] {
  const facts = records.flatMap(({ relay, status }) =>
    relay === undefined || status !== 'ok' ? [] : [relay],
  );
  if (facts.length === 0) return [];
  const repeats = cells.filter(({ status }) => status === 'ok').map((cell) => cell.repeats);
  const [fewest, most] = [Math.min(...repeats), Math.max(...repeats)];
  const range = fewest === most ? countOf(most, 'repeat') : `${fewest} to ${most} repeats`;
  const delivered = facts.reduce((sum, { delivery }) => sum + delivery.delivered, 0);
  return [
    `Each value is the median over ${range}, each with fresh processes of the relay and the driver.`,
    `${countOf(delivered, 'message')} went through the relay, were opened by their receivers and ` +
      'found to be what was sent; none was lost, doubled or out of order.',
    ...new Set(facts.map(({ store, durability }) => `${store}: ${durability}.`)),
    ...generatorNotes(load, facts),
  ];
}

/** How far the driver itself was from being the bottleneck. */
function generatorNotes(load: Load, facts: readonly RelayFacts[]): string[] {
  const loops = facts.flatMap(({ openLoop }) => openLoop ?? []);
  if (loops.length > 0) {
    const busy = loops.map(({ generator }) => generator.busyShare);
    return [`The driver was busy for ${percentRange(busy)} of the time.`];
  }
  const closed = facts.flatMap(({ closedLoop }) => closedLoop ?? []);
  if (load !== 'saturation' || closed.length === 0) return [];
  const cpu = closed.map(({ server }) => server.cpuNs / server.wallNs);
  const [first] = closed;
  return [
    `${first!.generator}, ${countOf(first!.connections, 'connection')}, ` +
      `${countOf(first!.distinctFrames, 'frame')} made beforehand and cycled through; it corrects ` +
      'nothing and no latency is taken from it.',
    `The relay used ${percentRange(cpu)} of a core, and ${formatQuantity(closed[0]!.server.wallNs, 'ns')} were measured at a time.`,
  ];
}
