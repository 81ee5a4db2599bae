/**
 * Plain sentences computed from the figures: what a message costs, what a protection adds, what its
 * removal saves.
 *
 * Every number comes from the run. A difference whose interval holds zero is not called one: the
 * sentence says that none could be shown. Sentences are safe to print on a terminal.
 *
 * @module
 */

import { seriesOf, type CellResult, type SeriesName } from './cells.ts';
import { differenceOf, isUndecided, ratioOf, summarise, type Estimate } from './estimates.ts';
import { formatNumber, formatQuantity, scaleFor } from './numbers.ts';
import {
  baselineFor,
  comparableGroups,
  optionsOf,
  plainName,
  rungLabel,
  sumOf,
  type PipelineNote,
} from './pairing.ts';
import { forTerminal } from './text.ts';

export interface SentencesInput {
  readonly cells: readonly CellResult[];
  readonly pipelines: readonly PipelineNote[];
  /** The pipeline, with its options, that ratios refer to. */
  readonly baseline?: string | undefined;
  /** How many messages one user sends or receives in a day, by workload as cells name it. */
  readonly messagesPerUserDay?: Readonly<Record<string, number>> | undefined;
}

/** What escrow designs wrap: the rung whose end-to-end protection they keep. */
const ESCROWED_RUNG = 'L6';

const ROLES = ['sender', 'relay', 'receiver'] as const;
type PayingRole = (typeof ROLES)[number];

const costOf = (role: PayingRole | 'all'): SeriesName => ({ metric: 'cpu-per-message', role });
const amortised = (role: PayingRole): SeriesName => ({ metric: 'cpu-per-message-amortised', role });

/** One sentence per statement, in the order of the ladder. */
export function sentences(input: SentencesInput): string[] {
  const measured = input.cells.filter(({ status }) => status === 'ok');
  const groups = comparableGroups(measured);
  return groups
    .flatMap((group) => {
      const where = groups.length === 1 ? '' : `${whereOf(group[0]!)}: `;
      return [
        ...group.map((cell) => costSentence(cell, measured, input.baseline)),
        ...marginalSentences(group, input.pipelines),
        removalSentence(group),
        ...escrowSentences(group, measured),
        ...group.map((cell) => daySentence(cell, input.messagesPerUserDay?.[cell.workload])),
      ]
        .filter((text) => text !== undefined)
        .map((text) => where + text);
    })
    .map(forTerminal);
}

/** "native, chat, 2 threads". */
function whereOf({ implementation, workload, threads, pipeline }: CellResult): string {
  const options = optionsOf(pipeline);
  return [
    implementation,
    workload,
    `${threads} thread${threads === 1 ? '' : 's'}`,
    ...(options === '' ? [] : [options.slice(1)]),
  ].join(', ');
}

function costSentence(
  cell: CellResult,
  cells: readonly CellResult[],
  baseline: string | undefined,
): string | undefined {
  const total = seriesOf(cell, costOf('all'));
  const cost = summarise(total);
  if (cost === undefined) return undefined;
  const start =
    `Sending, relaying and receiving a message costs ${formatQuantity(cost.value, 'ns')} of CPU ` +
    `in ${cell.pipeline}`;
  const base = baseline === undefined ? undefined : baselineFor(cells, cell, baseline);
  if (base === undefined || base === cell) return `${start}.`;
  const ratio = ratioOf(total, seriesOf(base, costOf('all')));
  if (ratio === undefined) return `${start}.`;
  const named =
    base.implementation === cell.implementation
      ? base.pipeline
      : `${base.pipeline} of ${base.implementation}`;
  if (isUndecided(ratio, 1)) {
    return `${start}; no difference from ${named} could be shown (${intervalText(ratio, 1)} times).`;
  }
  return `${start}: ${formatNumber(ratio.value)} times ${named} (${confidence(ratio, 1)}).`;
}

/** What the protection that a rung adds costs, over the next lower rung that was measured. */
function marginalSentences(
  group: readonly CellResult[],
  pipelines: readonly PipelineNote[],
): string[] {
  const rungs = group
    .filter(({ rung }) => /^L\d+$/.test(rung))
    .sort((a, b) => rungNumber(a) - rungNumber(b));
  return rungs.flatMap((upper, index) => {
    const lower = rungs[index - 1];
    if (lower === undefined || lower.rung === upper.rung) return [];
    const difference = differenceInAll(upper, lower);
    if (difference === undefined) return [];
    const step = `${rungLabel(upper)} over ${rungLabel(lower)}`;
    const subject = capitalised(protectionOf(upper, lower, pipelines));
    const roles = roleList(upper, lower);
    if (isUndecided(difference, 0)) {
      return [
        `${subject} (${step}): no difference in CPU per message could be shown ` +
          `(${signedInterval(difference)})${roles}.`,
      ];
    }
    const verb = difference.value > 0 ? 'adds' : 'saves';
    return [
      `${subject} (${step}) ${verb} ${magnitude(difference)} of CPU per message ` +
        `(${confidence(absolute(difference), scaleOf(difference).factor)})${roles}.`,
    ];
  });
}

/** Rungs between the two that were not measured are named, for their protections are in it too. */
function protectionOf(
  upper: CellResult,
  lower: CellResult,
  pipelines: readonly PipelineNote[],
): string {
  const adds = pipelines.find(({ name }) => name === plainName(upper.pipeline))?.adds;
  const own = adds ?? `what ${upper.pipeline} adds`;
  const missed = rungNumber(upper) - rungNumber(lower) - 1;
  if (missed === 0) return own;
  const first = `L${rungNumber(lower) + 1}`;
  const between = missed === 1 ? first : `${first} to L${rungNumber(upper) - 1}`;
  return `${own}, together with what ${between} add${missed === 1 ? 's' : ''},`;
}

function removalSentence(group: readonly CellResult[]): string | undefined {
  const encrypted = group.find(({ rung }) => rung === 'L4');
  const readable = group.find(({ rung }) => rung === 'L3');
  if (encrypted === undefined || readable === undefined) return undefined;
  const clauses = ROLES.flatMap((role) => {
    const difference = differenceOf(
      seriesOf(readable, costOf(role)),
      seriesOf(encrypted, costOf(role)),
    );
    return difference === undefined ? [] : [removalClause(role, difference)];
  });
  if (clauses.length === 0) return undefined;
  return (
    `Removing end-to-end encryption (L4 to L3: ${encrypted.pipeline} to ${readable.pipeline}) ` +
    `${clauses.slice(0, -1).join(', ')} and ${clauses.at(-1)!}; CPU per message.`
  );
}

function removalClause(role: PayingRole, difference: Estimate): string {
  if (isUndecided(difference, 0)) {
    return `makes no difference to the ${role} that could be shown (${signedInterval(difference)})`;
  }
  const verb = difference.value < 0 ? 'saves' : 'costs';
  const sure = confidence(absolute(difference), scaleOf(difference).factor);
  return `${verb} the ${role} ${magnitude(difference)} (${sure})`;
}

function escrowSentences(group: readonly CellResult[], cells: readonly CellResult[]): string[] {
  return group.flatMap((cell) => {
    if (cell.family !== 'escrow-wrapped') return [];
    const wrapped = wrappedBy(cell, cells);
    const difference = wrapped === undefined ? undefined : differenceInAll(cell, wrapped);
    if (wrapped === undefined || difference === undefined) return [];
    const name = rungLabel(cell);
    const roles = roleList(cell, wrapped);
    const change = isUndecided(difference, 0)
      ? `The access that ${name} gives an authority makes no difference that could be shown to ` +
        `the CPU of a message, over ${wrapped.pipeline} (${signedInterval(difference)})${roles}`
      : `The access that ${name} gives an authority ${difference.value > 0 ? 'adds' : 'saves'} ` +
        `${magnitude(difference)} of CPU per message, over ${wrapped.pipeline} ` +
        `(${confidence(absolute(difference), scaleOf(difference).factor)})${roles}`;
    const recovery = summarise(
      seriesOf(cell, { metric: 'cpu-per-message', role: 'authority', kind: 'per-recovered' }),
    );
    if (recovery === undefined) return [`${change}.`];
    const spent = formatQuantity(recovery.value, 'ns');
    return [`${change}; the authority spends ${spent} per recovered message.`];
  });
}

/** With the same options if there is such a cell, otherwise with the defaults. */
function wrappedBy(cell: CellResult, cells: readonly CellResult[]): CellResult | undefined {
  const candidates = cells.filter(
    ({ rung, implementation, workload, threads }) =>
      rung === ESCROWED_RUNG &&
      implementation === cell.implementation &&
      workload === cell.workload &&
      threads === cell.threads,
  );
  return (
    candidates.find(({ pipeline }) => optionsOf(pipeline) === optionsOf(cell.pipeline)) ??
    candidates.find(({ pipeline }) => optionsOf(pipeline) === '')
  );
}

/**
 * A user's day with its share of openings and connections. Every message has one sender and one
 * receiver, so a user sends half of what it handles, and the relay's work is shared by two.
 */
function daySentence(cell: CellResult, messages: number | undefined): string | undefined {
  if (messages === undefined) return undefined;
  const device = summarise(sumOf(cell, [amortised('sender'), amortised('receiver')], messages / 2));
  const relay = summarise(sumOf(cell, [amortised('relay')], messages / 2));
  if (device === undefined || relay === undefined) return undefined;
  return (
    `At ${formatNumber(messages)} messages a day, half of them sent, one user's day costs ` +
    `${formatQuantity(device.value, 'ns')} of CPU on the user's device and ` +
    `${formatQuantity(relay.value, 'ns')} at the relay in ${cell.pipeline}.`
  );
}

function differenceInAll(upper: CellResult, lower: CellResult): Estimate | undefined {
  return differenceOf(seriesOf(upper, costOf('all')), seriesOf(lower, costOf('all')));
}

/** ": sender +4.9 us, relay no difference shown, receiver +0.1 us". */
function roleList(upper: CellResult, lower: CellResult): string {
  const parts = ROLES.flatMap((role) => {
    const difference = differenceOf(seriesOf(upper, costOf(role)), seriesOf(lower, costOf(role)));
    if (difference === undefined) return [];
    if (isUndecided(difference, 0)) return [`${role} no difference shown`];
    return [`${role} ${difference.value < 0 ? '-' : '+'}${magnitude(difference)}`];
  });
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`;
}

function scaleOf({ value, low = value, high = value }: Estimate): {
  unit: string;
  factor: number;
} {
  return scaleFor('ns', [Math.max(Math.abs(value), Math.abs(low), Math.abs(high))]);
}

/** Without its sign: `4.9 us`. */
function magnitude(difference: Estimate): string {
  const { unit, factor } = scaleOf(difference);
  return `${formatNumber(Math.abs(difference.value) * factor)} ${unit}`;
}

function absolute({ value, low, high, repeats }: Estimate): Estimate {
  if (value >= 0 || low === undefined || high === undefined) {
    return { value: Math.abs(value), low, high, repeats };
  }
  return { value: -value, low: -high, high: -low, repeats };
}

/** "95 % interval 2.0 to 2.3", or why there is none. */
function confidence(estimate: Estimate, factor: number): string {
  if (estimate.low === undefined || estimate.high === undefined) {
    const { repeats } = estimate;
    return `${repeats} repeat${repeats === 1 ? '' : 's'}, too few for an interval`;
  }
  return `95 % interval ${intervalText(estimate, factor)}`;
}

function intervalText({ low = 0, high = 0 }: Estimate, factor: number): string {
  return `${formatNumber(low * factor)} to ${formatNumber(high * factor)}`;
}

/** "95 % interval -0.1 to 0.3 us". */
function signedInterval(difference: Estimate): string {
  const { unit, factor } = scaleOf(difference);
  return `95 % interval ${intervalText(difference, factor)} ${unit}`;
}

function rungNumber({ rung }: CellResult): number {
  return Number(rung.slice(1));
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
