/**
 * Plain sentences computed from the figures: what a message costs, what a protection adds, what its
 * removal saves.
 *
 * Every number comes from the run. A difference whose interval holds zero is not called one: the
 * sentence says that none could be shown.
 *
 * @module
 */

import { breakEvenOf, type BreakEven } from './break-even.ts';
import { rungNumber, seriesOf, type CellResult, type SeriesName } from './cells.ts';
import {
  differenceOf,
  isUndecided,
  ratioOf,
  summarise,
  weightedSum,
  type Estimate,
} from './estimates.ts';
import { messagesPerTarget } from './escrow.ts';
import { formatNumber, formatQuantity } from './numbers.ts';
import {
  comparableGroups,
  partnerAt,
  plainName,
  ratchetBeneath,
  rungBelow,
  rungLabel,
  whereText,
  type PipelineNote,
} from './pairing.ts';
import { responseSentences } from './response-times.ts';
import { saturationSentences } from './saturation.ts';
import {
  capitalised,
  confidence,
  countOf,
  intervalText,
  joined,
  magnitude,
  magnitudeConfidence,
  signedInterval,
} from './wording.ts';

export interface SentencesInput {
  /** In the order of the ladder. */
  readonly cells: readonly CellResult[];
  readonly pipelines: readonly PipelineNote[];
  /** The pipeline, with its options, that ratios refer to. */
  readonly baseline?: string | undefined;
}

/** Sentences that belong together; never empty. */
export interface Topic {
  readonly title: string;
  /** Of unknown origin as far as names go: whoever prints them escapes them. */
  readonly sentences: readonly string[];
}

/** The provider that computes nothing: the floor of harness and protocol, and no competitor. */
const NO_CRYPTOGRAPHY = 'null';

/** The highest rung of which the provider can read everything. */
const READABLE_RUNG = 'L3';
/** From where end-to-end encryption is removed, and by the order of the ladder what goes with it. */
const REMOVALS = [
  { from: 'L4', also: '' },
  {
    from: 'L6',
    also: ', which removes forward secrecy and post-compromise security as well,',
  },
] as const;

const NOT_SHOWN = 'no difference shown';

const ROLES = ['sender', 'relay', 'receiver'] as const;
type PayingRole = (typeof ROLES)[number];

const costOf = (role: PayingRole | 'all'): SeriesName => ({ metric: 'cpu-per-message', role });
const amortised = (role: PayingRole | 'all'): SeriesName => ({
  metric: 'cpu-per-message-amortised',
  role,
});

/** The topics of which there is something to say. */
export function topicsOf({ cells, pipelines, baseline }: SentencesInput): Topic[] {
  const measured = cells.filter(({ status }) => status === 'ok');
  const groups = comparableGroups(measured);
  const inEach = (say: (group: readonly CellResult[]) => readonly string[]): string[] =>
    groups.flatMap((group) => {
      const where = whereText(group, groups);
      return say(group).map((text) => (where === '' ? text : `${where}: ${text}`));
    });
  const topics: Topic[] = [
    {
      title: 'What each protection adds',
      sentences: inEach((group) => marginalSentences(group, pipelines)),
    },
    { title: 'What removing it saves', sentences: inEach(removalSentences) },
    {
      title: 'Access for an authority',
      sentences: inEach((group) => escrowSentences(group, pipelines)),
    },
    { title: 'How much one thread carries', sentences: saturationSentences(measured, baseline) },
    { title: 'When messages do not wait for the system', sentences: responseSentences(measured) },
    { title: 'From the fastest implementation to the slowest', sentences: bands(measured) },
    { title: 'When a dearer opening is paid back', sentences: inEach(breakEvenSentences) },
    {
      title: 'What a message costs',
      sentences: inEach((group) => [
        ...group.flatMap((cell) => (isExample(cell, baseline) ? (costSentence(cell) ?? []) : [])),
        ...group.flatMap((cell) => (isExample(cell, baseline) ? (daySentence(cell) ?? []) : [])),
      ]),
    },
  ];
  return topics.filter(({ sentences }) => sentences.length > 0);
}

/** Whether costs are told of this cell: of the baseline, or of every cell where there is none. */
function isExample({ pipeline }: CellResult, baseline: string | undefined): boolean {
  return baseline === undefined || pipeline === baseline;
}

/** What the tables say of one line, so that the words are explained by an example. */
function costSentence(cell: CellResult): string | undefined {
  const cost = summarise(seriesOf(cell, costOf('all')));
  if (cost === undefined) return undefined;
  return (
    `Sending, relaying and receiving a message costs ${formatQuantity(cost.value, 'ns')} of CPU ` +
    `in ${cell.pipeline}${amortisedClause(cell)}.`
  );
}

function amortisedClause(cell: CellResult): string {
  const cost = summarise(seriesOf(cell, amortised('all')));
  const { messagesPerSession, messagesPerConnection } = cell;
  if (cost === undefined || messagesPerSession === undefined) return '';
  return (
    `; ${formatQuantity(cost.value, 'ns')} with its share of opening a session of ` +
    `${countOf(messagesPerSession, 'message')} and connections of ${messagesPerConnection}`
  );
}

/** What the protection that a rung adds costs, over the next lower rung that was measured. */
function marginalSentences(
  group: readonly CellResult[],
  pipelines: readonly PipelineNote[],
): string[] {
  return group.flatMap((upper) => {
    const lower = rungBelow(group, upper);
    const difference = lower === undefined ? undefined : differenceIn(upper, lower, costOf('all'));
    if (lower === undefined || difference === undefined) return [];
    const step = `${rungLabel(upper)} over ${rungLabel(lower)}`;
    const subject = capitalised(protectionOf(upper, lower, pipelines));
    const roles = roleList(upper, lower, difference);
    if (isUndecided(difference, 0)) {
      return [
        `${subject} (${step}): no difference in CPU per message could be shown ` +
          `(${signedInterval(difference)})${roles}.`,
      ];
    }
    const verb = difference.value > 0 ? 'adds' : 'saves';
    return [
      `${subject} (${step}) ${verb} ${magnitude(difference)} of CPU per message ` +
        `(${magnitudeConfidence(difference)})${roles}.`,
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
  const missed = rungNumber(upper.rung) - rungNumber(lower.rung) - 1;
  if (missed === 0) return own;
  const first = `L${rungNumber(lower.rung) + 1}`;
  const between = missed === 1 ? first : `${first} to L${rungNumber(upper.rung) - 1}`;
  return `${own}, together with what ${between} add${missed === 1 ? 's' : ''},`;
}

function removalSentences(group: readonly CellResult[]): string[] {
  return REMOVALS.flatMap(({ from, also }) =>
    group
      .filter(({ rung }) => rung === from)
      .flatMap((encrypted) => {
        const readable = partnerAt(group, encrypted, READABLE_RUNG);
        if (readable === undefined) return [];
        const pipelines = `${encrypted.pipeline} to ${readable.pipeline}`;
        const step = `${from} to ${READABLE_RUNG}: ${pipelines}`;
        const clauses = ROLES.flatMap((role) => {
          const change = differenceIn(readable, encrypted, costOf(role));
          return change === undefined ? [] : [changeClause(`the ${role}`, change)];
        });
        if (clauses.length === 0) return [];
        return [
          `Removing end-to-end encryption (${step})${also} ${joined(clauses)}; CPU per message.` +
            removalPerDay(encrypted, readable),
        ];
      }),
  );
}

/** " Per user and day, at 55 messages ...": a sentence of its own, or ''. */
function removalPerDay(encrypted: CellResult, readable: CellResult): string {
  const { messagesPerUserDay } = encrypted;
  const device = differenceOf(deviceDay(readable), deviceDay(encrypted));
  const relay = differenceOf(relayDay(readable), relayDay(encrypted));
  if (messagesPerUserDay === undefined || device === undefined || relay === undefined) return '';
  return (
    ` Per user and day, at ${countOf(messagesPerUserDay, 'message')}, half of them sent, with ` +
    'their share of opening sessions and connecting, that ' +
    `${changeClause("the user's device", device)} and ${changeClause('the relay', relay)}.`
  );
}

/** `saves the sender 4.9 us (95 % interval 4.8 to 5.0)`. */
function changeClause(whom: string, difference: Estimate): string {
  if (isUndecided(difference, 0)) {
    return `makes no difference to ${whom} that could be shown (${signedInterval(difference)})`;
  }
  const verb = difference.value < 0 ? 'saves' : 'costs';
  return `${verb} ${whom} ${magnitude(difference)} (${magnitudeConfidence(difference)})`;
}

function escrowSentences(
  group: readonly CellResult[],
  pipelines: readonly PipelineNote[],
): string[] {
  return group.flatMap((cell) => {
    if (cell.family !== 'escrow-wrapped') return [];
    const wrapped = ratchetBeneath(group, cell);
    const difference =
      wrapped === undefined ? undefined : differenceIn(cell, wrapped, costOf('all'));
    if (wrapped === undefined || difference === undefined) return [];
    const name = rungLabel(cell);
    const roles = roleList(cell, wrapped, difference);
    const { message, others } = whoPays(cell, pipelines);
    const change = isUndecided(difference, 0)
      ? `The access that ${name} gives an authority makes no difference that could be shown to ` +
        `the CPU of a ${message}, over ${wrapped.pipeline} (${signedInterval(difference)})${roles}`
      : `The access that ${name} gives an authority ${difference.value > 0 ? 'adds' : 'saves'} ` +
        `${magnitude(difference)} of CPU per ${message}${others}, over ${wrapped.pipeline} ` +
        `(${magnitudeConfidence(difference)})${roles}`;
    const recovery = summarise(
      seriesOf(cell, { metric: 'cpu-per-message', role: 'authority', kind: 'per-recovered' }),
    );
    if (recovery === undefined) return [`${change}.`];
    const spent = formatQuantity(recovery.value, 'ns');
    return [`${change}; the authority spends ${spent} per recovered message.`];
  });
}

/** Of a design that targets alone pay for, a message is one of theirs where all sessions are targets. */
function whoPays(
  cell: CellResult,
  pipelines: readonly PipelineNote[],
): { readonly message: string; readonly others: string } {
  const note = pipelines.find(({ name }) => name === plainName(cell.pipeline));
  if (note?.paidByTargets !== true) return { message: 'message', others: '' };
  const perTarget = messagesPerTarget(cell);
  return perTarget === 1
    ? { message: 'message of a target', others: ' and nothing to those of others' }
    : { message: `message, of which a target has one in ${formatNumber(perTarget)}`, others: '' };
}

/** All that a cell's name says but its implementation. */
function besideImplementation({ pipeline, workload, threads }: CellResult): string {
  return [pipeline, workload, threads].join('\n');
}

/** A cell with what a message costs in it. */
interface Priced {
  readonly cell: CellResult;
  readonly costNs: number;
}

function priceText({ cell, costNs }: Priced): string {
  return `${formatQuantity(costNs, 'ns')} (${cell.implementation})`;
}

/** Implementations of one pipeline side by side, from the cheapest to the dearest. */
function bands(cells: readonly CellResult[]): string[] {
  const competing = cells.filter(({ implementation }) => implementation !== NO_CRYPTOGRAPHY);
  const groups = [...Map.groupBy(competing, besideImplementation).values()];
  return groups.flatMap((group) => {
    const ranked = group
      .flatMap((cell): Priced[] => {
        const cost = summarise(seriesOf(cell, costOf('all')));
        return cost === undefined ? [] : [{ cell, costNs: cost.value }];
      })
      .sort((a, b) => a.costNs - b.costNs);
    const fastest = ranked[0];
    const slowest = ranked.at(-1);
    if (fastest === undefined || slowest === undefined || ranked.length < 2) return [];
    const ratio = ratioOf(
      seriesOf(slowest.cell, costOf('all')),
      seriesOf(fastest.cell, costOf('all')),
    );
    if (ratio === undefined) return [];
    const where = groups.length === 1 ? '' : ` on ${fastest.cell.workload}`;
    const start =
      `Over ${countOf(ranked.length, 'implementation')} a message of ${fastest.cell.pipeline}` +
      `${where} costs from ${priceText(fastest)} to ${priceText(slowest)} of CPU`;
    const isFloor = (cell: CellResult): boolean =>
      cell.implementation === NO_CRYPTOGRAPHY &&
      besideImplementation(cell) === besideImplementation(fastest.cell);
    const floor = cells.some(isFloor)
      ? ` The implementation ${NO_CRYPTOGRAPHY}, which computes no cryptography, is left out.`
      : '';
    return [
      isUndecided(ratio, 1)
        ? `${start}; no difference between the two could be shown (${intervalText(ratio)} ` +
          `times).${floor}`
        : `${start}: the slowest takes ${formatNumber(ratio.value)} times the fastest ` +
          `(${confidence(ratio)}).${floor}`,
    ];
  });
}

/** Each step that is paid back, and the others in one sentence for each verdict. */
function breakEvenSentences(group: readonly CellResult[]): string[] {
  const steps = group.flatMap((upper) => {
    const lower = rungBelow(group, upper);
    const even = lower === undefined ? undefined : breakEvenOf(upper, lower);
    return even === undefined ? [] : [even];
  });
  const listed = (verdict: BreakEven['verdict']): readonly string[] =>
    steps
      .filter((even) => even.verdict === verdict)
      .map((even) => `${rungLabel(even.dearerToOpen)} over ${rungLabel(even.other)}`);
  const never = listed('never');
  const undecided = listed('undecided');
  return [
    ...steps.flatMap(({ dearerToOpen, other, messages }) =>
      messages === undefined
        ? []
        : [
            `Opening a session costs more in ${rungLabel(dearerToOpen)} than in ` +
              `${rungLabel(other)}, which its cheaper messages pay back after ` +
              `${formatNumber(messages.value)} messages (${confidence(messages)}).`,
          ],
    ),
    ...(never.length === 0
      ? []
      : [`Never paid back, because a message costs more as well: ${joined(never)}.`]),
    ...(undecided.length === 0
      ? []
      : [`Whether it is paid back could not be shown: ${joined(undecided)}.`]),
  ];
}

function daySentence(cell: CellResult): string | undefined {
  const { messagesPerUserDay } = cell;
  const device = summarise(deviceDay(cell));
  const relay = summarise(relayDay(cell));
  if (messagesPerUserDay === undefined || device === undefined || relay === undefined) {
    return undefined;
  }
  return (
    `At ${countOf(messagesPerUserDay, 'message')} a day, half of them sent, one user's day costs ` +
    `${formatQuantity(device.value, 'ns')} of CPU on the user's device and ` +
    `${formatQuantity(relay.value, 'ns')} at the relay in ${cell.pipeline}.`
  );
}

/**
 * A user's day with its share of openings and connections. Every message has one sender and one
 * receiver, so a user sends half of what it handles, and the relay's work is shared by two.
 */
export function deviceDay(cell: CellResult): ReturnType<typeof seriesOf> {
  const half = (cell.messagesPerUserDay ?? NaN) / 2;
  return weightedSum([
    [seriesOf(cell, amortised('sender')), half],
    [seriesOf(cell, amortised('receiver')), half],
  ]);
}

export function relayDay(cell: CellResult): ReturnType<typeof seriesOf> {
  return weightedSum([[seriesOf(cell, amortised('relay')), (cell.messagesPerUserDay ?? NaN) / 2]]);
}

/** `upper - lower`, of one figure. */
function differenceIn(
  upper: CellResult,
  lower: CellResult,
  name: SeriesName,
): Estimate | undefined {
  return differenceOf(seriesOf(upper, name), seriesOf(lower, name));
}

/** ": sender +4.9 us, relay no difference shown, receiver +0.1 us", or ", nor for any role". */
function roleList(upper: CellResult, lower: CellResult, total: Estimate): string {
  const parts = ROLES.flatMap((role) => {
    const difference = differenceIn(upper, lower, costOf(role));
    if (difference === undefined) return [];
    if (isUndecided(difference, 0)) return [`${role} ${NOT_SHOWN}`];
    return [`${role} ${difference.value < 0 ? '-' : '+'}${magnitude(difference)}`];
  });
  if (parts.length === 0) return '';
  const shown = parts.some((part) => !part.endsWith(NOT_SHOWN));
  if (!shown && isUndecided(total, 0)) return ', nor for any role';
  return `: ${parts.join(', ')}`;
}
