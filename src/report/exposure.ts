/**
 * What is printed of a run of attacks: what each adversary recovers from each pipeline, what a warrant
 * opens besides, who is caught, and what still shows when no text opens.
 *
 * @module
 */

import type { AttackFacts, ExposureFacts } from '../measure/exposure-facts.ts';
import type { RepeatRecord } from '../results/record.ts';
import { seriesOf, type CellResult, type SeriesName } from './cells.ts';
import { summarise } from './estimates.ts';
import { formatNumber } from './numbers.ts';
import { inRungOrder, plainName, rungLabel, type PipelineNote } from './pairing.ts';
import type { Summary } from './summary.ts';
import type { Column, Table, TableRow } from './table.ts';
import { countOf } from './wording.ts';

export interface ExposureSummaryInput {
  readonly suite: {
    readonly title: string;
    readonly question: string;
    readonly analysis: readonly string[];
  };
  readonly cells: readonly CellResult[];
  readonly records: readonly RepeatRecord[];
  readonly pipelines: readonly PipelineNote[];
}

/** A column of the matrix: the first of these attacks that was mounted on a pipeline. */
export interface AttackColumn {
  readonly title: string;
  readonly kinds: readonly string[];
}

/** `A5a:history=wiped`: as rows name an attack. */
export function kindOf({ id, label }: { readonly id: string; readonly label: string }): string {
  return label === '' ? id : `${id}:${label}`;
}

export const ATTACK_COLUMNS: readonly AttackColumn[] = [
  { title: 'A0 network', kinds: ['A0'] },
  { title: 'A1 relay live', kinds: ['A1'] },
  { title: 'A2 database', kinds: ['A2:keys=no'] },
  { title: 'A2 and its key', kinds: ['A2:keys=yes'] },
  {
    title: 'A3 key leaks',
    kinds: ['A3:rotation=never', 'A3:key=master', 'A3:key=kek'],
  },
  { title: 'A4 k-1', kinds: ['A4:trustees=k-1'] },
  { title: 'A4 k', kinds: ['A4:trustees=k'] },
  { title: 'A5a device', kinds: ['A5a:history=wiped'] },
  { title: 'A5a, history kept', kinds: ['A5a:history=kept'] },
  { title: 'A5b and its token', kinds: ['A5b'] },
  { title: 'A6 warrant', kinds: ['A6'] },
  { title: 'A7 mass use', kinds: ['A7'] },
  { title: 'A9 quantum, wire', kinds: ['A9:hop=x25519'] },
  { title: 'A9 quantum, database', kinds: ['A9:keys=yes'] },
];

interface Line {
  readonly cell: CellResult;
  readonly facts: ExposureFacts | undefined;
}

export function exposureSummary(input: ExposureSummaryInput): Summary {
  const { suite, cells, records, pipelines } = input;
  const facts = new Map(records.map((record) => [record.cell, record.exposure]));
  const lines = inRungOrder(cells, pipelines).map((cell) => ({
    cell,
    facts: facts.get(cell.cell),
  }));
  const tables = [warrantTable(lines), rateTable(lines), deviceTable(lines), metadataTable(lines)];
  const names = new Set(cells.map(({ pipeline }) => plainName(pipeline)));
  return {
    title: suite.title,
    question: suite.question,
    scope: scopeOf(lines),
    judgement: judge(lines),
    tables: [attackTable(lines), ...tables.filter(({ rows }) => rows.length > 0)],
    besides: tables.slice(0, 2),
    topics: [],
    precision: precisionOf(lines),
    pipelines: pipelines
      .filter(({ name }) => names.has(name))
      .map(({ name, title, caveats }) => [`${name}: ${title}.`, ...caveats].join(' ')),
    analysis: suite.analysis,
  };
}

function scopeOf(lines: readonly Line[]): string {
  const first = lines.find(({ facts }) => facts !== undefined)?.facts;
  if (first === undefined) return `${countOf(lines.length, 'cell')}.`;
  const { conversations, messages, towns } = first;
  return `${countOf(lines.length, 'cell')}: ${countOf(conversations, 'conversation')} of ${formatNumber(messages / conversations, 3)} messages each, in ${countOf(towns, 'town')} that are independent of each other.`;
}

/** @returns How many messages an attack and the expected table do not agree on. */
export function differencesOf(facts: ExposureFacts): string[] {
  const attacks = facts.attacks.flatMap((attack) => {
    if (!attack.isJudged) return [];
    const { past, future } = attack;
    const missing = past.missing + future.missing;
    const unexpected = past.unexpected + future.unexpected;
    if (missing + unexpected === 0) return [];
    return [`${kindOf(attack)}: ${missing} fewer and ${unexpected} more messages than expected`];
  });
  const played = facts.played.flatMap((one) => {
    const share = one.of === 0 ? 0 : one.hits / one.of;
    if (one.expected === undefined || share === one.expected) return [];
    return [
      `${kindOf(one)}, ${one.rate}: ${percentText(share)}, expected ${percentText(one.expected)}`,
    ];
  });
  return [...attacks, ...played];
}

function judge(lines: readonly Line[]): Summary['judgement'] {
  const judged = lines.filter(({ facts }) => facts !== undefined);
  const different = judged.filter(({ facts }) => differencesOf(facts!).length > 0);
  if (judged.length === 0) return { verdict: 'unjudged', because: 'No attack was mounted.' };
  if (different.length === 0) {
    const attacks = judged.reduce((sum, { facts }) => sum + facts!.attacks.length, 0);
    return {
      verdict: 'fine',
      because: `Each of ${attacks} attacks recovers what the expected table says, message by message, where it says anything.`,
    };
  }
  const named = different.map(
    ({ cell, facts }) => `${rungLabel(cell)}: ${differencesOf(facts!).join('; ')}`,
  );
  return { verdict: 'unjudged', because: `Not as expected: ${named.join('. ')}.` };
}

/** What each attack recovers, past / future. */
export function attackTable(lines: readonly Line[]): Table {
  const columns = ATTACK_COLUMNS.filter(({ kinds }) =>
    lines.some(({ facts }) => attackOf(facts, kinds) !== undefined),
  );
  const active = { title: 'A1+A8 active, new sessions' };
  return {
    title: 'Messages recovered, of those before / after the compromise',
    columns: [{ title: 'pipeline' }, ...columns.map(({ title }) => ({ title })), active],
    rows: lines.map(({ cell, facts }): TableRow => {
      if (facts === undefined) return remark(cell);
      const played = facts.played.find(({ id }) => id === 'A1+A8');
      return {
        cells: [
          rungLabel(cell),
          ...columns.map(({ kinds }) => pastAndFuture(facts, kinds)),
          played === undefined ? undefined : `0 / ${percentText(played.hits / played.of)}`,
        ],
      };
    }),
    notes: [
      '-: nobody has this power over the pipeline. n/m: the power exists and is not mounted here, which is no 0 %.',
      'A1 and A1+A8 keep nothing from before, so their past is 0. A2 is a copy at the compromise, so its future is 0. A5a counts what the keys of one device open of its user’s messages.',
    ],
  };
}

function remark(cell: CellResult): TableRow {
  return { cells: [rungLabel(cell)], remark: `${cell.status}: ${cell.reason ?? ''}` };
}

/** The first of these that was mounted. */
export function attackOf(
  facts: ExposureFacts | undefined,
  kinds: readonly string[],
): AttackFacts | undefined {
  return facts?.attacks.find((attack) => kinds.includes(kindOf(attack)));
}

function pastAndFuture(facts: ExposureFacts, kinds: readonly string[]): string | undefined {
  const attack = attackOf(facts, kinds);
  if (attack === undefined) return reasonOf(facts, kinds) === undefined ? undefined : 'n/m';
  const { past, future } = attack;
  return `${shareText(past.recovered, past.of)} / ${shareText(future.recovered, future.of)}`;
}

/** Why an attack could not be mounted here; undefined where nobody has the power. */
export function reasonOf(facts: ExposureFacts, kinds: readonly string[]): string | undefined {
  const id = kinds[0]!.split(':')[0]!;
  return facts.notMounted.find((one) => one.id === id && one.why === 'unsupported')?.reason;
}

function shareText(hits: number, of: number): string {
  return of === 0 ? '-' : percentText(hits / of);
}

/** Nothing and everything are exact; what lies between is never rounded to them. */
export function percentText(share: number): string {
  if (share === 0) return '0';
  if (share === 1) return '100 %';
  const shown = formatNumber(share * 100, 2);
  return `${shown === '100' ? '>99' : shown} %`;
}

/** Recall and over-exposure stand together. */
export function warrantTable(lines: readonly Line[]): Table {
  const rows = lines.flatMap(({ cell, facts }): TableRow[] => {
    const warrant = facts?.attacks.find(({ id }) => id === 'A6')?.warrant;
    if (facts === undefined || warrant === undefined || warrant.askedForRecovered === 0) return [];
    const { askedFor, askedForRecovered, opens, opensOutside, unit } = warrant;
    const standing = facts.attacks.find(({ id }) => id === 'A7');
    const all = standing === undefined ? 0 : standing.past.of + standing.future.of;
    const open = standing === undefined ? 0 : standing.past.recovered + standing.future.recovered;
    return [
      {
        cells: [
          rungLabel(cell),
          shareText(askedForRecovered, askedFor),
          unit,
          shareText(opensOutside, opens),
          shareText(open, all),
          figure(
            cell,
            { metric: 'hand-over-latency', statistic: 'p50', role: 'authority', kind: 'A6' },
            'ns',
          ),
          figure(cell, { metric: 'attack-cpu', kind: 'A7' }, 'ns'),
          figure(cell, { metric: 'cores-per-day', kind: 'node' }, ''),
          figure(cell, { metric: 'cores-per-day', kind: 'primitive-bound' }, ''),
        ],
      },
    ];
  });
  const columns: Column[] = [
    { title: 'pipeline' },
    { title: 'recall in scope' },
    { title: 'discloses' },
    { title: 'disclosed besides' },
    { title: 'standing' },
    { title: 'hand-over p50' },
    { title: 'CPU, mass use' },
    { title: 'cores for 100e9 a day' },
    { title: 'primitives alone' },
  ];
  return {
    title: 'Under a warrant for one user over 3.75 days',
    columns,
    rows,
    notes: [
      'Disclosed besides: of the messages that the disclosed material opens, those outside of the warrant. Standing: of all recorded messages, those that the secret behind it could open.',
      'CPU per message of decrypting everything. Cores: for 100 billion messages a day, as measured here in Node, and for the agreements alone.',
    ],
  };
}

function figure(cell: CellResult, name: SeriesName, unit: string): string | undefined {
  const estimate = summarise(seriesOf(cell, name));
  if (estimate === undefined) return undefined;
  if (unit !== 'ns') return formatNumber(estimate.value, 2);
  const { value } = estimate;
  if (value >= 1e6) return `${formatNumber(value / 1e6, 2)} ms`;
  return value >= 1e3 ? `${formatNumber(value / 1e3, 2)} us` : `${formatNumber(value, 2)} ns`;
}

const RATE_COLUMNS = [
  ['forged by the relay', 'A11:by=relay', 'forgery-rate'],
  ['forged by a key holder', 'A11:holder=escrow-key', 'forgery-rate'],
  ['dodged, one end', 'A10:ends=1', 'dodge-rate'],
  ['dodged, two ends', 'A10:ends=2', 'dodge-rate'],
  ['decoy, one end', 'A12:ends=1', 'decoy-rate'],
  ['decoy, two ends', 'A12:ends=2', 'decoy-rate'],
  ['A8 noticed', 'A8:clients=ordinary', 'detection-rate'],
  ['A8 noticed, numbers compared', 'A8:clients=compare-safety-numbers', 'detection-rate'],
] as const;

/** Rates of adversaries who take part. */
export function rateTable(lines: readonly Line[]): Table {
  return {
    title: 'Forging, dodging, showing decoys, being noticed',
    columns: [{ title: 'pipeline' }, ...RATE_COLUMNS.map(([title]) => ({ title }))],
    rows: lines.flatMap(({ cell, facts }): TableRow[] => {
      if (facts === undefined || facts.played.length === 0) return [];
      return [
        {
          cells: [
            rungLabel(cell),
            ...RATE_COLUMNS.map(([, kind, rate]) => {
              const one = facts.played.find(
                (other) => kindOf(other) === kind && other.rate === rate,
              );
              if (one !== undefined) return shareText(one.hits, one.of);
              const id = kind.split(':')[0]!;
              const missing = facts.notMounted.find((other) => other.id === id);
              return missing?.why === 'unsupported' ? 'n/m' : undefined;
            }),
          ],
        },
      ];
    }),
    notes: reasonsOf(lines),
  };
}

/** Why what is n/m was not mounted, each reason with its pipelines. */
function reasonsOf(lines: readonly Line[]): string[] {
  const unsupported = lines.flatMap(({ cell, facts }) =>
    (facts?.notMounted ?? [])
      .filter(({ why }) => why === 'unsupported')
      .map(({ id, reason }) => ({ label: rungLabel(cell), told: `${id} n/m: ${reason}` })),
  );
  return [...Map.groupBy(unsupported, ({ told }) => told)].map(
    ([told, cells]) => `${told} (${cells.map(({ label }) => label).join(', ')}).`,
  );
}

/** A5a in all its forms, and healing. */
export function deviceTable(lines: readonly Line[]): Table {
  const forms = [
    ['history kept', 'A5a:history=kept'],
    ['history 2 days', 'A5a:history=disappearing-2d'],
    ['wiped', 'A5a:history=wiped'],
    ['wiped, prekeys exhausted', 'A5a:history=wiped,opk=exhausted'],
    ['wiped, and a quantum computer', 'A5a:history=wiped,quantum=yes'],
  ] as const;
  return {
    title: 'A device is seized: messages recovered past / future, and messages until it heals',
    columns: [
      { title: 'pipeline' },
      ...forms.map(([title]) => ({ title })),
      { title: 'heals after, p50' },
      { title: 'at most' },
      { title: 'never healed' },
    ],
    rows: lines.flatMap(({ cell, facts }): TableRow[] => {
      const wiped = attackOf(facts, ['A5a:history=wiped']);
      if (facts === undefined || wiped === undefined) return [];
      const name = { metric: 'healing-messages', kind: 'A5a:history=wiped,direction=both' };
      const healing = wiped.healing!;
      return [
        {
          cells: [
            rungLabel(cell),
            ...forms.map(([, kind]) => pastAndFuture(facts, [kind])),
            figure(cell, { ...name, statistic: 'p50' }, ''),
            figure(cell, { ...name, statistic: 'max' }, ''),
            shareText(healing.neverHealed, healing.neverHealed + healing.both.length),
          ],
        },
      ];
    }),
    notes: [
      'Healing counts later messages of a conversation before the first that does not open, against a passive attacker, in both directions together.',
    ],
  };
}

export function metadataTable(lines: readonly Line[]): Table {
  const columns = [
    ['contact graph, F1', { metric: 'contact-graph-f1', kind: 'relay-log' }],
    ['by chance', { metric: 'contact-graph-f1', kind: 'chance' }],
    ['bits of lengths', { metric: 'length-bits', kind: 'of-messages' }],
    ['told by frames', { metric: 'length-bits', kind: 'told-by-frames' }],
    ['turns read', { metric: 'turns-read', kind: 'headers' }],
    ['records per message, targets', { metric: 'fan-out', kind: 'targets' }],
    ['others', { metric: 'fan-out', kind: 'others' }],
  ] as const;
  return {
    title: 'What relay and network still see',
    columns: [{ title: 'pipeline' }, ...columns.map(([title]) => ({ title }))],
    rows: lines.flatMap(({ cell, facts }): TableRow[] =>
      facts?.metadata === undefined
        ? []
        : [{ cells: [rungLabel(cell), ...columns.map(([, name]) => figure(cell, name, ''))] }],
    ),
    notes: [
      'Turns read: 1 when the relay reads every turn off headers, 0 as by chance; who sends to whom, and when, shows besides. Records per message tell a target from others where they differ.',
    ],
  };
}

function precisionOf(lines: readonly Line[]): string[] {
  const held = Math.max(0, ...lines.map(({ facts }) => facts?.heldBytes ?? 0));
  return [
    'All counts follow from the seed: a second run gives the same. CPU and hand-over times are of one run on this machine.',
    `No more than ${formatNumber(held / 2 ** 20, 2)} MiB of recordings were held at once: one town at a time, however many conversations.`,
  ];
}
