/** Escrow designs beside each other: against which ratchet, per whose message, and how much of it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RecoveryFacts } from '../../src/measure/facts.ts';
import { deriveCells } from '../../src/report/cells.ts';
import { escrowTables } from '../../src/report/escrow.ts';
import type { Estimate } from '../../src/report/estimates.ts';
import type { PipelineNote } from '../../src/report/pairing.ts';
import { publishedBlock } from '../../src/report/published.ts';
import { summaryOf } from '../../src/report/summary.ts';
import { renderMarkdown, renderTable, type Table } from '../../src/report/table.ts';
import { displayWidth } from '../../src/report/text.ts';
import type { RepeatRecord } from '../../src/results/record.ts';
import { exampleManifest } from '../results/example.ts';
import { E3, L6, record, recordsOfCosts, shardOfCosts, type Costs } from './fixtures.ts';

const L7 = { pipeline: 'pqxdh-ratchet', family: 'ratchet', rung: 'L7' };
const E0 = { pipeline: 'escrow-root-only', family: 'escrow-wrapped', rung: 'E0' };
const E1 = { pipeline: 'escrow-ghost', family: 'escrow-wrapped', rung: 'E1' };
const E2 = { pipeline: 'escrow-chain-key', family: 'escrow-wrapped', rung: 'E2' };

const note = (
  name: string,
  changes: Partial<PipelineNote> & Pick<PipelineNote, 'removes'>,
): PipelineNote => ({
  name,
  title: name,
  family: 'escrow-wrapped',
  rung: '',
  caveats: [],
  ...changes,
});
const NOTES: readonly PipelineNote[] = [
  note('escrow-root-only', { removes: 'nothing', recovers: 'none' }),
  note('escrow-ghost', { removes: 'roster honesty', paidByTargets: true }),
  note('escrow-chain-key', { removes: 'custody: one key opens chains' }),
  note('escrow-message-key', { removes: 'custody: one key opens messages' }),
];

/** A machine that becomes slower and slower: within pairs nothing changes. */
const drifting = (costs: Costs): Costs[] => [1, 1.5, 2].map((factor) => scaled(costs, factor));

function scaled({ sender, relay, receiver, authority }: Costs, factor: number): Costs {
  const ends = { sender: sender * factor, relay: relay * factor, receiver: receiver * factor };
  return authority === undefined ? ends : { ...ends, authority: authority * factor };
}

const steady = (costs: Costs): Costs[] => [costs, costs, costs];

const RATCHET: Costs = { sender: 7_000, relay: 6_000, receiver: 40_000 };

async function tablesOf(
  ...records: readonly (readonly RepeatRecord[])[]
): Promise<readonly Table[]> {
  return escrowTables(await deriveCells(records.flat()), NOTES);
}

/** What stands in the line of a pipeline, by the heading of its column. */
function line(table: Table, label: string): Record<string, string | Estimate | undefined> {
  const row = table.rows.find(({ cells }) => cells[0] === label);
  assert.ok(row !== undefined, `${label} in ${table.title}`);
  return Object.fromEntries(
    table.columns.map(({ over = '', title }, index) => [
      `${over} ${title}`.trim(),
      row.cells[index],
    ]),
  );
}

function value(cell: string | Estimate | undefined): number {
  assert.ok(typeof cell === 'object');
  return cell.value;
}

const MORE = 'more than the ratchet beneath';

test('each role stands with what it pays in all and more than the ratchet, repeat by repeat', async () => {
  const [cpu] = await tablesOf(
    recordsOfCosts(L6, drifting(RATCHET)),
    recordsOfCosts(E2, drifting({ sender: 27_000, relay: 6_500, receiver: 40_000 })),
    recordsOfCosts(E3, drifting({ sender: 67_000, relay: 7_000, receiver: 40_000 })),
  );
  const e2 = line(cpu!, 'E2 escrow-chain-key');
  assert.equal(value(e2['in all sender']), 40_500, 'the median');
  assert.equal((e2['in all sender'] as Estimate).low, undefined);
  assert.deepEqual(
    ['sender', 'relay', 'receiver'].map((role) => value(e2[`${MORE} ${role}`])),
    [30_000, 750, 0],
    'means of the pairs',
  );
  // The last two machines cost 1.5 and 2 times as much; the interval is that of the differences.
  assert.equal((e2[`${MORE} receiver`] as Estimate).low, 0);
  assert.ok((e2[`${MORE} sender`] as Estimate).low! < 30_000);
  assert.ok(cpu!.notes[0]!.startsWith('The ratchet beneath is double-ratchet,'));
});

const on = (pipeline: string): typeof E3 => ({ ...E3, pipeline });
const costs = (sender: number): Costs[] => steady({ ...RATCHET, sender });

test('a design is compared with the ratchet that its options name, in the same surroundings', async () => {
  const [cpu] = await tablesOf(
    recordsOfCosts(L6, costs(1_000)),
    recordsOfCosts({ ...L6, pipeline: 'double-ratchet:hop=none,rest=none' }, costs(2_000)),
    recordsOfCosts({ ...L6, workload: 'all-day' }, costs(3_000)),
    recordsOfCosts({ ...L6, implementation: 'noble' }, costs(4_000)),
    recordsOfCosts({ ...L6, threads: 2 }, costs(5_000)),
    recordsOfCosts(L7, costs(6_000)),
    recordsOfCosts(E2, costs(10_000)),
    recordsOfCosts({ ...E2, threads: 2 }, costs(10_500)),
    recordsOfCosts(on('escrow-message-key:hop=none,msg=etm,rest=none'), costs(20_000)),
    recordsOfCosts(on('escrow-message-key:field=x-wing,ratchet=pqxdh-ratchet'), costs(30_000)),
    recordsOfCosts(on('escrow-message-key:hop=none'), costs(40_000)),
  );
  const more = (label: string): unknown => {
    const cell = line(cpu!, label)[`${MORE} sender`];
    return cell === undefined ? undefined : value(cell);
  };
  assert.equal(more('E2 escrow-chain-key'), 9_000);
  assert.equal(more('E3 escrow-message-key:hop=none,msg=etm,rest=none'), 18_000);
  assert.equal(more('E3 escrow-message-key:field=x-wing,ratchet=pqxdh-ratchet'), 24_000);
  assert.equal(more('E3 escrow-message-key:hop=none'), undefined);
  const onTwoThreads = cpu!.rows.at(-1)!.cells[4];
  assert.equal(value(onTwoThreads), 5_500);
  assert.ok(cpu!.notes.includes('Without it in this run: E3 escrow-message-key:hop=none.'));
});

test('a library of its own is compared with the only ratchet there is, and with none of several', async () => {
  const theirs = recordsOfCosts({ ...E3, implementation: 'libx' }, steady(RATCHET));
  const ours = recordsOfCosts(E2, steady(RATCHET));
  const ratchet = recordsOfCosts(L6, steady(RATCHET));
  const noble = recordsOfCosts({ ...L6, implementation: 'noble' }, steady(RATCHET));
  const [alone] = await tablesOf(ratchet, ours, theirs);
  assert.equal(value(line(alone!, 'E3 escrow-message-key / libx')[`${MORE} sender`]), 0);
  const [several] = await tablesOf(ratchet, noble, ours, theirs);
  assert.equal(line(several!, 'E3 escrow-message-key / libx')[`${MORE} sender`], undefined);
});

const targeted = (pipeline: string, cost: Costs): RepeatRecord[] =>
  [0, 1, 2].map((repeat) =>
    record({ ...E1, pipeline, repeat, shards: [shardOfCosts(cost, { sessions: 20 })] }),
  );

test('what targets alone pay is told per message of a target, and its share in the total', async () => {
  // One session in four is a target: the mean message costs a quarter of what a targeted one does.
  const quarter = { sender: 12_000, relay: 7_000, receiver: 40_000, authority: 9_000 };
  const all = { sender: 27_000, relay: 10_000, receiver: 40_000, authority: 9_000 };
  const [cpu, authority] = await tablesOf(
    recordsOfCosts(L6, steady(RATCHET)),
    targeted('escrow-ghost:targets=5', quarter),
    targeted('escrow-ghost', all),
    recordsOfCosts(
      E3,
      steady({ sender: 67_000, relay: 7_000, receiver: 40_000, authority: 9_000 }),
    ),
  );
  for (const label of ['E1 escrow-ghost:targets=5', 'E1 escrow-ghost']) {
    const paid = line(cpu!, label);
    assert.equal(value(paid[`${MORE} sender`]), 20_000, label);
    assert.equal(value(paid[`${MORE} relay`]), 4_000, label);
    const got = line(authority!, label);
    assert.equal(value(got['CPU of the authority per recovered']), 9_000);
    assert.ok(Math.abs(value(got['CPU of the authority per carried']) - 0.9) < 1e-9);
    // (20,000 + 4,000 + 9,000) times one in 10,000.
    assert.ok(Math.abs(value(got['added per carried all roles']) - 3.3) < 1e-6, label);
  }
  // Everybody pays for this one: 60,000 and 1,000, and the authority's 9,000 times the share.
  const everybody = line(authority!, 'E3 escrow-message-key');
  assert.ok(Math.abs(value(everybody['added per carried all roles']) - 61_000.9) < 1e-6);
  assert.match(cpu!.notes.at(-1)!, /^E1 escrow-ghost and E1 escrow-ghost:targets=5: targets alone/);
});

function recovering(facts: Partial<RecoveryFacts>): RecoveryFacts {
  return {
    sessions: 1,
    due: 10,
    evidence: 10,
    valid: 0,
    decoy: 0,
    failed: 0,
    delivered: 10,
    deliveredRecovered: 0,
    ...facts,
  };
}

test('recall and outcomes are told, and of what use it is that nothing was recovered', async () => {
  const withRecovery = (names: typeof E0, recovery: RecoveryFacts): RepeatRecord[] =>
    [0, 1].map((repeat) =>
      record({
        ...names,
        repeat,
        shards: [shardOfCosts({ ...RATCHET, authority: 1_000 }, { recovery })],
      }),
    );
  const tables = await tablesOf(
    withRecovery(E0, recovering({ failed: 10 })),
    withRecovery(E3, recovering({ valid: 1_200, decoy: 3, failed: 2, deliveredRecovered: 9 })),
  );
  const authority = tables.find(({ title }) => title.endsWith('the authority'))!;
  const nothing = line(authority, 'E0 escrow-root-only');
  assert.equal(value(nothing['recovered recall']), 0);
  assert.equal(nothing['recovered valid / decoy / failed'], '0 / 0 / 20');
  assert.equal(nothing['CPU of the authority per recovered'], undefined);
  const most = line(authority, 'E3 escrow-message-key');
  assert.equal(value(most['recovered recall']), 0.9);
  assert.equal(most['recovered valid / decoy / failed'], '2,400 / 6 / 4');
  assert.ok(
    authority.notes.includes('Recovers nothing, and is there to show it: E0 escrow-root-only.'),
  );
});

test('what each design removes is told once, whatever its options', async () => {
  const tables = await tablesOf(
    recordsOfCosts(E2, steady(RATCHET)),
    recordsOfCosts({ ...E2, pipeline: 'escrow-chain-key:repeat=every-frame' }, steady(RATCHET)),
    recordsOfCosts(E3, steady({ ...RATCHET, authority: 1 })),
  );
  const notes = tables.flatMap((table) => table.notes).filter((text) => text.includes('removes'));
  assert.deepEqual(notes, [
    'E2 escrow-chain-key removes custody: one key opens chains.',
    'E3 escrow-message-key removes custody: one key opens messages.',
  ]);
});

/** Ten messages in a session of them; `first` bytes in frames with the first, `later` in each other. */
function sized(names: typeof E0, first: number, later: number): RepeatRecord[] {
  return [0, 1, 2].map((repeat) =>
    record({
      ...names,
      repeat,
      messagesPerSession: 10,
      shards: [
        shardOfCosts(RATCHET, {
          messages: { sent: 10, delivered: 10, refused: {}, lost: 0, recovered: 0 },
          plaintextBytes: 500,
          wire: { message: { frames: 10, bytes: first + 9 * later } },
          handshake: { frames: 1, bytes: first },
        }),
      ],
    }),
  );
}

test('bytes are told with the first message and with later ones, and what carries them', async () => {
  const everyFrame = { ...E2, pipeline: 'escrow-chain-key:repeat=every-frame' };
  const context = { ...E3, pipeline: 'escrow-message-key:context=yes' };
  const tables = await tablesOf(
    sized(L6, 300, 100),
    sized(E0, 383, 103),
    sized(E2, 383, 130),
    sized(everyFrame, 383, 183),
    sized(E3, 383, 183),
    sized(context, 383, 160),
  );
  const table = tables.find(({ title }) => title.endsWith('bytes on the wire'))!;
  const told = (label: string): unknown[] => {
    const cells = line(table, label);
    const added = ['per message', 'first message', 'later ones'].map((title) =>
      Number(value(cells[`${MORE} ${title}`]).toFixed(6)),
    );
    return [cells['carried by'], ...added];
  };
  assert.deepEqual(told('E0 escrow-root-only'), ['handshake', 11, 83, 3]);
  assert.deepEqual(told('E2 escrow-chain-key'), ['chain', 35.3, 83, 30]);
  assert.deepEqual(told('E2 escrow-chain-key:repeat=every-frame'), ['message', 83, 83, 83]);
  assert.deepEqual(told('E3 escrow-message-key'), ['message', 83, 83, 83]);
  const [carriedBy] = told('E3 escrow-message-key:context=yes');
  assert.equal(carriedBy, 'chain and message');
});

test('there are no tables of one design, nor of designs that failed', async () => {
  const everyFrame = { ...E2, pipeline: 'escrow-chain-key:repeat=every-frame' };
  const ratchet = recordsOfCosts(L6, steady(RATCHET));
  const alone = recordsOfCosts(E2, steady(RATCHET));
  assert.deepEqual(await tablesOf(ratchet), []);
  assert.deepEqual(await tablesOf(ratchet, alone), []);
  assert.deepEqual(await tablesOf(alone, recordsOfCosts(everyFrame, steady(RATCHET))), []);
  const failed = [record({ ...E3, status: 'error', reason: 'wrong' })];
  assert.deepEqual(await tablesOf(ratchet, alone, failed), []);
});

test('without a ratchet in the run there are no differences, and a note says so', async () => {
  const tables = await tablesOf(
    recordsOfCosts(E2, steady(RATCHET)),
    recordsOfCosts(E3, steady(RATCHET)),
  );
  for (const table of tables) assert.ok(!table.columns.some(({ over }) => over === MORE));
  assert.match(tables[0]!.notes[0]!, /^No design has its ratchet in this run/);
  assert.ok(!tables.some(({ title }) => title.endsWith('bytes on the wire')));
});

test('workloads stand under headings of their own', async () => {
  const [cpu] = await tablesOf(
    ...['chat:lossAt=uplink', 'chat:lossAt=relay'].flatMap((workload) => [
      recordsOfCosts({ ...E2, workload }, steady(RATCHET)),
      recordsOfCosts({ ...E3, workload }, steady(RATCHET)),
    ]),
  );
  assert.deepEqual(
    cpu!.rows.flatMap(({ heading }) => heading ?? []),
    ['chat:lossAt=relay', 'chat:lossAt=uplink'].toSorted(),
  );
});

test('no line is wider than a terminal of 120 columns, and Markdown has all columns', async () => {
  const longest = 'escrow-threshold:field=x-wing,ratchet=pqxdh-ratchet,variant=shamir';
  const tables = await tablesOf(
    recordsOfCosts(L6, drifting(RATCHET)),
    recordsOfCosts(L7, drifting(RATCHET)),
    recordsOfCosts(E2, drifting({ sender: 27_123, relay: 6_543, receiver: 41_234 })),
    recordsOfCosts(
      { ...E3, rung: 'E4', pipeline: longest },
      drifting({ sender: 1_234_567, relay: 23_456, receiver: 987_654, authority: 3_456_789 }),
    ),
  );
  assert.ok(tables.length >= 2);
  for (const table of tables) {
    for (const text of renderTable(table, { width: 120 }).split('\n')) {
      assert.ok(displayWidth(text) <= 120, text);
    }
    const headings = renderMarkdown(table)
      .split('\n')
      .find((text) => text.startsWith('| pipeline'));
    assert.equal(headings!.split('|').length - 2, table.columns.length);
  }
});

test('a run prints the designs after its first table, and documents show them too', async () => {
  const records = [
    ...recordsOfCosts(L6, steady(RATCHET)),
    ...recordsOfCosts(E2, steady({ ...RATCHET, authority: 1_000 })),
    ...recordsOfCosts(
      { ...E3, pipeline: 'escrow-partial:bits=16', rung: 'E6' },
      steady({ ...RATCHET, authority: 1e8 }),
    ),
  ];
  const { suite } = exampleManifest();
  const cells = await deriveCells(records);
  const summary = summaryOf({ suite, cells, pipelines: NOTES });
  const titles = summary.tables.map(({ title }) => title);
  assert.deepEqual(titles.slice(1, 6), [
    'Escrow designs, side by side: CPU per message',
    'Escrow designs, side by side: the authority',
    'Escrow designs, side by side: bytes on the wire',
    'A guess at withheld bits, as it was measured',
    'What recovering one message would cost by guessing, on average',
  ]);
  const manifest = exampleManifest({
    cells: cells.map(({ cell }) => cell),
    endedAt: '2026-01-31T13:00:00.000Z',
  });
  const { content } = publishedBlock('a-run', manifest, new Set(manifest.cells), summary);
  const [shown, folded] = content.split('<details><summary>The other tables</summary>');
  for (const title of titles.slice(0, 6)) assert.ok(shown!.includes(`**${title}**`), title);
  for (const title of titles.slice(6)) assert.ok(!shown!.includes(`**${title}**`), title);
  for (const title of titles.slice(6)) assert.ok(folded!.includes(`**${title}**`), title);
});
