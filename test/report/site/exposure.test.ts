/** The page of attacks, of facts made up for it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AttackFacts, ExposureFacts } from '../../../src/measure/exposure-facts.ts';
import { exposureSummary } from '../../../src/report/exposure.ts';
import exposure from '../../../src/report/pages/exposure.ts';
import { loadPages } from '../../../src/report/site/build.ts';
import { ChartMaker } from '../../../src/report/site/chart.ts';
import type { ChartPart, PageContent, SiteRun } from '../../../src/report/site/page.ts';
import { exampleManifest } from '../../results/example.ts';
import { record } from '../fixtures.ts';
import { cellFixture, seriesFixture, siteRunFixture } from './_site.ts';

type Share = readonly [recovered: number, of: number];

function attack(
  id: string,
  label: string,
  [past, future]: readonly [Share, Share],
  changes: Partial<AttackFacts> = {},
): AttackFacts {
  const side = ([recovered, of]: Share) => ({
    of,
    recovered,
    expected: recovered,
    missing: 0,
    unexpected: 0,
  });
  return {
    id,
    adversary: id,
    label,
    recorder: 'network',
    mounts: 1,
    past: side(past),
    future: side(future),
    wrong: 0,
    isJudged: true,
    usersTouched: 0,
    users: 2,
    cpuNs: 1,
    ...changes,
  };
}

function factsOf(attacks: readonly AttackFacts[], changes: Partial<ExposureFacts> = {}) {
  return {
    conversations: 1,
    messages: 20,
    towns: 1,
    attacks: [...attacks],
    played: [],
    notMounted: [],
    handOverNs: [],
    heldBytes: 1,
    ...changes,
  } satisfies ExposureFacts;
}

function warrant(askedForRecovered: number, opensOutside: number): Partial<AttackFacts> {
  const warranted = { unit: 'chain key', warrants: 1, askedFor: 4, opens: 8 };
  return { warrant: { ...warranted, askedForRecovered, opensOutside } };
}

const NETWORK = attack('A0', '', [
  [0, 10],
  [0, 10],
]);
const POWERLESS = {
  id: 'A6',
  adversary: 'warrant',
  why: 'no-such-power',
  reason: 'nobody',
} as const;

const FACTS: Readonly<Record<string, ExposureFacts>> = {
  'double-ratchet': factsOf(
    [
      NETWORK,
      attack(
        'A5a',
        'history=wiped',
        [
          [0, 10],
          [3, 10],
        ],
        {
          // Three messages before the last, and three after: the reach is 3.
          curve: { of: [0, 2, 2, 2, 2, 2, 2], recovered: [0, 0, 0, 0, 2, 1, 0] },
          healing: { sent: [], received: [], both: [2], neverHealed: 0 },
        },
      ),
    ],
    { notMounted: [POWERLESS] },
  ),
  'escrow-chain-key': factsOf(
    [
      NETWORK,
      attack(
        'A6',
        '',
        [
          [3, 4],
          [0, 0],
        ],
        warrant(3, 2),
      ),
      attack('A7', '', [
        [10, 10],
        [9, 10],
      ]),
    ],
    {
      notMounted: [
        { id: 'A5a', adversary: 'seized-device', why: 'unsupported', reason: 'no state is given' },
      ],
    },
  ),
};

function exposureRun(facts = FACTS): SiteRun {
  const { suite } = exampleManifest();
  const cells = Object.keys(facts).map((pipeline) =>
    cellFixture({ pipeline, rung: '', cell: `attacks/${pipeline}/native/seizure/t1` }, []),
  );
  const records = cells.map(({ cell, pipeline }) => record({ cell, exposure: facts[pipeline]! }));
  const run = siteRunFixture('attacks', cells, {
    suite: { ...suite, name: 'exposure/quick', kind: 'exposure' },
  });
  const summary = exposureSummary({ suite, cells, records, pipelines: [] });
  return { ...run, records, summary };
}

/** Each costs so many times the first. */
function costRun(name: string, costs: Readonly<Record<string, number>>): SiteRun {
  const { suite } = exampleManifest();
  const cells = Object.entries(costs).map(([pipeline, factor]) =>
    cellFixture({ pipeline }, [
      seriesFixture(
        { metric: 'cpu-per-message', role: 'all', unit: 'ns' },
        [10_000, 10_100, 10_200].map((ns) => ns * factor),
      ),
    ]),
  );
  return siteRunFixture(name, cells, { suite: { ...suite, baseline: 'double-ratchet' } });
}

function chartOf(content: PageContent | undefined, chart: string): ChartPart | undefined {
  const parts = content!.sections.flatMap((section) => section.parts);
  return parts.find((part) => part.kind === 'chart' && part.chart === chart) as
    | ChartPart
    | undefined;
}

async function assertDrawn(part: ChartPart): Promise<string> {
  const svg = await (await ChartMaker.create()).draw(part, 'light');
  assert.match(svg, /class="mark"/, part.id);
  assert.doesNotMatch(svg, /NaN|undefined/, part.id);
  return svg;
}

test('every page has a place of its own in the navigation', async () => {
  const places = (await loadPages()).map(({ place }) => place);
  assert.equal(new Set(places).size, places.length);
});

test('a run of attacks on whole rungs is no ladder, and no other page fails on it', async () => {
  const rungs = ['L3', 'L4', 'L5', 'L6', 'L7'];
  const run = exposureRun();
  const cells = rungs.map((rung) => cellFixture({ pipeline: `rung-${rung}`, rung }, []));
  for (const page of await loadPages()) {
    const content = page.build([{ ...run, cells: [...run.cells, ...cells] }]);
    if (page.name === 'ladder') assert.equal(content, undefined);
  }
});

test('what attacks are handed over is no load of a relay', async () => {
  const handedOver = seriesFixture(
    { metric: 'hand-over-latency', statistic: 'p50', kind: 'A6', unit: 'ns' },
    [9_000],
  );
  const run = exposureRun();
  const cells = [cellFixture({}, [handedOver])];
  const relay = (await loadPages()).find(({ name }) => name === 'relay')!;
  assert.equal(relay.build([{ ...run, cells }]), undefined);
  const { suite } = exampleManifest();
  assert.ok(relay.build([{ ...run, cells, manifest: { ...run.manifest, suite } }]));
});

test('the map says in numbers what was recovered, and what was not mounted is no 0', async () => {
  const part = chartOf(exposure.build([exposureRun()]), 'attacks')!;
  const shownOf = (label: string, title: string, side: RegExp) =>
    part.rows.find(
      (row) => row['label'] === label && row['attack'] === title && side.test(String(row['panel'])),
    )?.['shown'];
  assert.equal(shownOf('double-ratchet', 'A0 network', /before/), '0');
  assert.equal(shownOf('double-ratchet', 'A5a device', /after/), '30.0');
  assert.equal(shownOf('escrow-chain-key', 'A5a device', /after/), 'n/m');
  assert.equal(shownOf('double-ratchet', 'A6 warrant', /before/), '–');
  assert.equal(shownOf('escrow-chain-key', 'A6 warrant', /before/), '75.0');
  assert.equal(shownOf('escrow-chain-key', 'A7 mass use', /after/), '90.0');
  const svg = await assertDrawn(part);
  for (const shown of ['75.0', '90.0', 'n/m']) assert.match(svg, new RegExp(`>${shown}</text>`));
  assert.match(svg, /not mounted: no state is given/);
});

test('a table of rates says why what is n/m was not mounted', () => {
  const dodging = { id: 'A10', adversary: 'dodging-client', why: 'unsupported' } as const;
  const played = { id: 'A11', adversary: 'forger', label: 'by=relay', rate: 'forgery-rate' };
  const facts = factsOf([NETWORK], {
    played: [{ ...played, hits: 0, of: 1 }],
    notMounted: [{ ...dodging, reason: 'no such client is built' }],
  });
  const { tables } = exposureRun({ 'escrow-seed': facts, 'escrow-warrant': facts }).summary;
  const rates = tables.find(({ title }) => title.startsWith('Forging'))!;
  assert.deepEqual(rates.notes, [
    'A10 n/m: no such client is built (escrow-seed, escrow-warrant).',
  ]);
});

test('curves around a seizure have a row for each distance that conversations reach', async () => {
  const part = chartOf(exposure.build([exposureRun()]), 'seizure')!;
  assert.deepEqual(
    part.rows.map((row) => [row['offset'], row['share']]),
    [
      [-2, 0],
      [-1, 0],
      [0, 0],
      [1, 1],
      [2, 0.5],
      [3, 0],
    ],
  );
  assert.match(part.rows[0]!.text, /message 3 before it: 0 of 2/);
  assert.match(part.rows[3]!.text, /message 1 after it: 2 of 2/);
  await assertDrawn(part);
});

test('without a run of costs the page says what is missing, and draws no cost', () => {
  const unrelated = siteRunFixture('c', [cellFixture({}, [])]);
  const elsewhere = costRun('d', { 'double-ratchet': 1, 'static-e2e': 0.3 });
  for (const others of [[], [unrelated]]) {
    const content = exposure.build([exposureRun(), ...others]);
    assert.equal(chartOf(content, 'cost-exposure'), undefined);
    assert.match(content!.sections[0]!.lead!.join(' '), /No cost stands beside these attacks/);
  }
  const content = exposure.build([exposureRun(), elsewhere]);
  assert.match(content!.sections[0]!.notes!.join(' '), /Without a cost .*: escrow-chain-key\./);
});

test('cost against exposure joins runs by factors to their own baseline', async () => {
  const content = exposure.build([
    exposureRun(),
    costRun('ladder', { 'double-ratchet': 1, 'static-e2e': 0.3 }),
    costRun('escrow', { 'double-ratchet': 2, 'escrow-chain-key': 3 }),
  ]);
  const part = chartOf(content, 'cost-exposure')!;
  assert.equal(content!.sections[0]!.parts[0], part);
  const points = part.rows
    .filter((row) => row['part'] !== 'label')
    .map((row) => [row['label'], row['part'], row['shown'], Number(row['cost']).toFixed(2)]);
  assert.deepEqual(points, [
    ['escrow-chain-key', 'recall in scope', '75.0 %', '1.50'],
    ['escrow-chain-key', 'over-exposure: disclosed besides', '25.0 %', '1.50'],
    ['escrow-chain-key', 'over-exposure: standing', '95.0 %', '1.50'],
    ['double-ratchet', 'a warrant gets nothing', '0', '1.00'],
  ]);
  const svg = await assertDrawn(part);
  for (const label of ['escrow-chain-key', 'double-ratchet']) {
    assert.match(svg, new RegExp(`>${label}</text>`));
  }
  const [first] = part.table.rows!;
  assert.deepEqual(
    [first!['recall'], first!['disclosed'], first!['standing']],
    ['75.0 %', '25.0 %', '95.0 %'],
  );
});

test('labels of pipelines that cost the same do not cover each other', () => {
  const names = Array.from({ length: 20 }, (_, index) => `static-e2e:x=${index}`);
  const facts = Object.fromEntries(
    ['double-ratchet', ...names].map((name) => [name, FACTS['double-ratchet']!]),
  );
  const costs = Object.fromEntries(names.map((name, index) => [name, 1 + index / 1e6]));
  const content = exposure.build([
    exposureRun(facts),
    costRun('a', { 'double-ratchet': 1, ...costs }),
  ]);
  const part = chartOf(content, 'cost-exposure')!;
  const [low, high] = part.values!['domain'] as number[];
  const height = part.values!['height'] as number;
  const pixels = part.rows
    .filter((row) => row['part'] === 'label')
    .map((row) => (Math.log(high! / Number(row['labelAt'])) / Math.log(high! / low!)) * height);
  assert.equal(pixels.length, 21);
  for (const [at, pixel] of pixels.entries()) {
    assert.ok(pixel <= height + 1e-6);
    if (at > 0) assert.ok(pixel - pixels[at - 1]! >= 14 - 1e-6);
  }
});
