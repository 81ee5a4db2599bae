/**
 * What is printed of a run of cross-checks: our figure of an operation beside that of another tool,
 * and whether they agree.
 *
 * @module
 */

import type { RepeatRecord } from '../results/record.ts';
import { seriesOf, type CellResult } from './cells.ts';
import { ratioOf, summarise, type Estimate } from './estimates.ts';
import { formatNumber, formatQuantity } from './numbers.ts';
import type { OperationSummaryInput } from './primitives.ts';
import type { Summary } from './summary.ts';
import type { Table, TableRow } from './table.ts';
import type { Judgement } from './verdict.ts';
import { countOf, joined, percent } from './wording.ts';

/** Two harnesses on one machine: this far apart they may be. */
const BOUND = 0.03;
/** Another process, another OpenSSL, and no JavaScript around it. */
const BOUNDS: Readonly<Record<string, number>> = { openssl: 0.15 };
/** Below it, what each harness adds to a call is more than the bound. */
const JUDGED_FROM_NS = 5_000;
/** With fewer that are left there is no verdict. */
const FEWEST_REPEATS = 3;

const OURS = { metric: 'cross-check', kind: 'ours' } as const;
const THEIRS = { metric: 'cross-check', kind: 'theirs' } as const;

export type Agreement = 'agrees' | 'differs' | 'undecided' | 'not judged';

export interface Comparison {
  readonly agreement: Agreement;
  /** For people: `differs by 4.1 % [3.2, 5.0]`. */
  readonly text: string;
  /** Ours over theirs; undefined without a repeat. */
  readonly ratio: Estimate | undefined;
  readonly repeats: number;
}

export function crossChecksSummary(input: OperationSummaryInput): Summary {
  const { suite, cells, records, implementations } = input;
  const named = new Set(cells.map(({ implementation }) => implementation));
  const explained = partsOf(cells);
  return {
    title: suite.title,
    question: suite.question,
    scope: `${countOf(cells.length, 'pair')} of our figure and that of another tool.`,
    judgement: judgeCells(cells),
    tables: [crossCheckTable(cells, records)],
    topics:
      explained.length === 0 ? [] : [{ title: 'Where the difference is', sentences: explained }],
    precision: precisionOf(cells, records),
    pipelines: implementations
      .filter(({ name }) => named.has(name))
      .map(({ name, title, caveats }) => [`${name}: ${title}.`, ...caveats].join(' ')),
    analysis: suite.analysis,
  };
}

/** Every pair in its own line, those that could not run too. */
export function crossCheckTable(
  cells: readonly CellResult[],
  records: readonly RepeatRecord[] = [],
): Table {
  const rows: TableRow[] = [];
  for (const [operation, pairs] of Map.groupBy(cells, operationOf)) {
    rows.push({ cells: [], heading: operation });
    for (const cell of pairs) {
      const label = `  ${toolOf(cell)}`;
      if (cell.status !== 'ok') {
        const remark = cell.reason === undefined ? cell.status : `${cell.status}: ${cell.reason}`;
        rows.push({ cells: [label], remark });
        continue;
      }
      const { ratio, text, repeats } = compare(cell);
      rows.push({
        cells: [
          label,
          summarise(seriesOf(cell, OURS)),
          summarise(seriesOf(cell, THEIRS)),
          ratio && inPercent(ratio),
          `${repeats}`,
          text,
        ],
      });
    }
  }
  return {
    title: 'One call: our figure, and that of another tool',
    columns: [
      { title: 'against' },
      { title: 'ours', unit: 'ns', decimals: 2 },
      { title: 'theirs', unit: 'ns', decimals: 2 },
      { title: 'ours above', unit: '%', decimals: 1 },
      { title: 'repeats' },
      { title: 'verdict' },
    ],
    rows,
    notes: [
      `agrees: the whole interval lies within ${percent(BOUND)} either way, ` +
        `${percent(BOUNDS['openssl']!)} for openssl. differs: the whole of it lies beyond. ` +
        `undecided: neither, or fewer than ${FEWEST_REPEATS} repeats.`,
      ...statisticsOf(records),
    ],
  };
}

export function compare(cell: CellResult): Comparison {
  const ours = seriesOf(cell, OURS);
  const ratio = ratioOf(ours, seriesOf(cell, THEIRS));
  const repeats = ratio?.repeats ?? 0;
  const common = { ratio, repeats };
  if (ratio?.low === undefined || ratio.high === undefined || repeats < FEWEST_REPEATS) {
    return { ...common, agreement: 'undecided', text: 'undecided: too few repeats' };
  }
  if ((summarise(ours)?.value ?? 0) < JUDGED_FROM_NS) {
    const text = `not judged: under ${formatQuantity(JUDGED_FROM_NS, 'ns')}`;
    return { ...common, agreement: 'not judged', text };
  }
  const [agreement, text] = agreementOf(ratio, boundOf(cell));
  return { ...common, agreement, text };
}

function boundOf(cell: CellResult): number {
  return 1 + (BOUNDS[toolOf(cell)] ?? BOUND);
}

/** By where the whole interval lies, and in words. */
function agreementOf(ratio: Estimate | undefined, bound: number): [Agreement, string] {
  if (ratio?.low === undefined || ratio.high === undefined) {
    return ['undecided', 'undecided: too few repeats'];
  }
  if (ratio.low >= 1 / bound && ratio.high <= bound) return ['agrees', 'agrees'];
  if (ratio.low <= bound && ratio.high >= 1 / bound) return ['undecided', 'undecided'];
  const { value, low, high } = inPercent(ratio);
  return ['differs', `differs by ${decimal(value)} % [${decimal(low!)}, ${decimal(high!)}]`];
}

/** `x25519-handle 32 B by node`. */
function operationOf({ pipeline, implementation, workload }: CellResult): string {
  const [length = ''] = workload.split(':');
  return `${pipeline} ${length.replace(/^(\d+)B$/, '$1 B')} by ${implementation}`;
}

/** `4096B:against=mitata` to `mitata`. */
function toolOf({ workload }: CellResult): string {
  return /(?:^|[:,])against=([^,]+)/.exec(workload)?.[1] ?? '';
}

function inPercent({ value, low, high, repeats }: Estimate): Estimate {
  return { value: above(value), low: low && above(low), high: high && above(high), repeats };
}

/** 1.05 to 5. */
function above(ratio: number): number {
  return (ratio - 1) * 100;
}

function decimal(value: number): string {
  return formatNumber(value, 1);
}

/** What the tools' figures are, each once, with their versions. */
function statisticsOf(records: readonly RepeatRecord[]): string[] {
  const texts = new Map<string, Set<string>>();
  for (const { crossCheck } of records) {
    for (const { theirs } of crossCheck?.rounds ?? []) {
      const tool = `${crossCheck!.tool} (${crossCheck!.toolVersion})`;
      const text = `${theirs.statistic}; beside it stands ${STANDS_BESIDE[theirs.compared]}`;
      texts.set(tool, (texts.get(tool) ?? new Set()).add(text));
    }
  }
  return [...texts].map(([tool, statistics]) => `${tool}: ${[...statistics].join('. Or ')}.`);
}

const STANDS_BESIDE = {
  batches: 'the p50 of our batches, wall time, without a clock inside',
  latency: 'the p50 of our latency batches, with one clock reading in each call',
  cpu: 'the mean CPU of our batches',
} as const;

/** What an operation is made of, where that was measured too. */
function partsOf(cells: readonly CellResult[]): string[] {
  return cells.flatMap((cell) => {
    const theirs = summarise(seriesOf(cell, THEIRS))?.value;
    const ours = summarise(seriesOf(cell, OURS))?.value;
    if (theirs === undefined || ours === undefined) return [];
    const parts = [...cell.series.values()].flatMap((series) => {
      const name = /^part: (.*)$/.exec(series.metric === 'cross-check' ? series.kind : '')?.[1];
      const ns = summarise(series)?.value;
      return name === undefined || ns === undefined ? [] : [{ name, ns, series }];
    });
    const [first] = parts;
    if (first === undefined) return [];
    const restNs = ours - parts.reduce((sum, { ns }) => sum + ns, 0);
    const bound = boundOf(cell);
    const ratio = ratioOf(first.series, seriesOf(cell, THEIRS));
    return [
      `${operationOf(cell)}, ${formatQuantity(ours, 'ns')}, is made of ` +
        `${joined(parts.map(({ name, ns }) => `${name}, ${formatQuantity(ns, 'ns')}`))}; the rest, ` +
        'which is calls, a copy and collecting their garbage together, is ' +
        `${formatQuantity(Math.round(restNs), 'ns')}. Of these, ${first.name} is what ` +
        `${toolOf(cell)} does too, in ${formatQuantity(theirs, 'ns')}: ${agreementOf(ratio, bound)[1]}.`,
    ];
  });
}

function judgeCells(cells: readonly CellResult[]): Judgement {
  const ok = cells.filter(({ status }) => status === 'ok');
  const counts = { agrees: 0, differs: 0, undecided: 0, 'not judged': 0 };
  for (const cell of ok) counts[compare(cell).agreement] += 1;
  const because =
    `${counts.agrees} of ${countOf(ok.length, 'pair')} agree, ${counts.differs} differ, ` +
    `${counts.undecided + counts['not judged']} are undecided.`;
  if (counts.agrees + counts.differs === 0) return { verdict: 'unjudged', because };
  return { verdict: counts.undecided === 0 ? 'fine' : 'noisy', because };
}

function precisionOf(cells: readonly CellResult[], records: readonly RepeatRecord[]): string[] {
  const measured = cells.filter(({ status }) => status === 'ok');
  if (measured.length === 0) return [];
  const versions = new Set(
    records.flatMap(({ implementation, crossCheck }) =>
      crossCheck === undefined ? [] : [`${implementation}: ${crossCheck.version}`],
    ),
  );
  return [
    'Each repeat is a fresh process in which both take turns on the very same calls, in short rounds: ' +
      'ours, theirs, theirs, ours, or the other way round, as its seed says; openssl speed runs as a ' +
      'process of its own in its turn. Ratios are taken within repeats, over the middle half of their ' +
      'rounds: a machine that changes its speed between two turns puts a round at either end.',
    `Versions: ${[...versions].sort().join('; ')}.`,
  ];
}
