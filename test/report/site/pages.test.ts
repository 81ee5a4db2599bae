/** Pages by runs made up for them: what they draw, what they say, and when they have nothing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPages } from '../../../src/report/site/build.ts';
import { ChartMaker } from '../../../src/report/site/chart.ts';
import type { ChartPart, PageContent, SiteRun } from '../../../src/report/site/page.ts';
import { cellFixture, seriesFixture, siteRunFixture } from './_site.ts';

const cpu = (role: string, values: readonly number[]) =>
  seriesFixture({ metric: 'cpu-per-message', role: role as 'all', unit: 'ns' }, values);

function time(metric: string, statistic: string, ns: number) {
  return seriesFixture({ metric, statistic, unit: 'ns' }, [ns, ns * 1.1, ns * 1.2]);
}

function contestant(implementation: string, values: readonly number[]) {
  return cellFixture({ implementation }, [cpu('all', values), cpu('sender', values)]);
}

async function contentOf(name: string, runs: readonly SiteRun[]): Promise<PageContent | undefined> {
  const page = (await loadPages()).find((one) => one.name === name);
  return page!.build(runs);
}

function chartsOf(content: PageContent | undefined): ChartPart[] {
  const parts = content?.sections.flatMap((section) => section.parts) ?? [];
  return parts.filter((part) => part.kind === 'chart');
}

async function assertDrawn(charts: readonly ChartPart[]): Promise<void> {
  const maker = await ChartMaker.create();
  for (const part of charts) {
    const svg = await maker.draw(part, 'light');
    assert.match(svg, /class="mark"/, `${part.id} has marks`);
    assert.doesNotMatch(svg, /NaN|undefined/, part.id);
  }
}

test('every page says what it asks and needs, and has nothing to show of no runs', async () => {
  const pages = await loadPages();
  const names = pages.map(({ name }) => name);
  for (const name of [
    'ladder',
    'implementations',
    'escrow',
    'latency',
    'scale',
    'relay',
    'history',
    'trust',
  ]) {
    assert.ok(names.includes(name), name);
  }
  for (const page of pages) {
    assert.match(page.question, /\?$/, page.name);
    assert.match(page.needs, /\.$/, page.name);
    assert.equal(page.build([]), undefined, page.name);
  }
  assert.deepEqual(
    pages.map(({ place }) => place),
    pages.map(({ place }) => place).sort((a, b) => a - b),
  );
});

test('scale: cost and memory against the number of sessions, and how much they grew', async () => {
  const cells = [1_000, 10_000, 100_000].map((sessions, index) =>
    cellFixture({ workload: `chat:sessions=${sessions}` }, [
      cpu(
        'all',
        [50_000, 50_500, 51_000].map((ns) => ns * (1 + index / 10)),
      ),
      seriesFixture({ metric: 'peak-rss', unit: 'B' }, [1e8 + sessions * 1_000]),
      ...['heap', 'external', 'arraybuffer', 'wasm', 'native'].map((kind) =>
        seriesFixture({ metric: 'retained-bytes', kind, unit: 'B' }, [200, 210, 220]),
      ),
    ]),
  );
  const content = await contentOf('scale', [siteRunFixture('a', cells)]);
  assert.match(content!.findings[0]!, /from 1,000 to 100,000 live sessions .* grows 1\.20 times/);
  const charts = chartsOf(content);
  assert.deepEqual(
    charts.map(({ id }) => id),
    ['scale-a-cpu', 'scale-a-retained', 'scale-a-rss'],
  );
  const [first] = charts[1]!.rows;
  // Five parts of 210 bytes each.
  assert.equal(first!['value'], 1_050);
  await assertDrawn(charts);
  assert.equal(await contentOf('scale', [siteRunFixture('a', cells.slice(1, 2))]), undefined);
});

test('scale: a run with one number of sessions is shown, and said to show no growth', async () => {
  const cell = cellFixture({ workload: 'chat:sessions=1000000', sessions: 1_000_000 }, [
    cpu('all', [50_000, 50_500, 51_000]),
    seriesFixture({ metric: 'peak-rss', unit: 'B' }, [8e9, 8e9, 8e9]),
    ...['heap', 'external', 'arraybuffer', 'wasm'].map((kind) =>
      seriesFixture({ metric: 'retained-bytes', kind, unit: 'B' }, [1_000, 1_010, 1_020]),
    ),
  ]);
  const content = await contentOf('scale', [siteRunFixture('a', [cell])]);
  assert.match(content!.findings[0]!, /^1,000,000 open sessions .* keep 4040 B each/);
  assert.match(content!.findings[1]!, /nothing of how cost grows/);
  assert.deepEqual(
    content!.sections[0]!.parts.map(({ kind }) => kind),
    ['matrix', 'table'],
  );
});

test('relay: response times against the offered rate, with the knee', async () => {
  const cells = [1_000, 2_000, 4_000].map((rate) =>
    cellFixture({ workload: `chat-poisson:rate=${rate},sessions=200` }, [
      seriesFixture({ metric: 'offered-rate', unit: 'messages/s' }, [rate, rate, rate]),
      time('response-time', 'p50', 100 * rate),
      time('response-time', 'p99', 900 * rate),
      time('service-time', 'p50', 80_000),
    ]),
  );
  const knee = cellFixture({ workload: 'chat-poisson:sessions=200' }, [
    seriesFixture(
      { metric: 'knee-rate', kind: 'p99<=5ms', unit: 'messages/s' },
      [3_000, 3_100, 3_200],
    ),
  ]);
  const content = await contentOf('relay', [siteRunFixture('a', [...cells, knee])]);
  assert.match(content!.findings[0]!, /within their bound up to 3100 messages\/s/);
  const charts = chartsOf(content);
  assert.equal(charts[0]!.rows.length, 10);
  assert.equal(charts[0]!.rows.at(-1)!['part'], 'knee');
  await assertDrawn(charts);
});

test('relay: a search that gave up is named with its reason', async () => {
  const reason = 'the generator was late';
  const gaveUp = cellFixture({ load: 'searched', status: 'invalid', reason }, []);
  const content = await contentOf('relay', [siteRunFixture('a', [gaveUp])]);
  const matrix = content!.sections[0]!.parts.find((part) => part.kind === 'matrix')!;
  assert.equal(matrix.lines[0]!.remark, 'invalid: the generator was late');
});

test('history: runs of one machine and suite in the order of time, whatever the code', async () => {
  // Twice as much from the third day on.
  const runs = [3, 1, 4, 2].map((day) => {
    const ns = (day < 3 ? 10_000 : 20_000) + day;
    return siteRunFixture(`run-${day}`, [cellFixture({}, [cpu('all', [ns, ns + 50, ns + 100])])], {
      startedAt: `2026-01-0${day}T00:00:00Z`,
      codeDigest: String(day).repeat(64),
    });
  });
  const content = await contentOf('history', runs);
  const [chart] = chartsOf(content);
  assert.deepEqual(
    chart!.rows.map(({ run }) => run),
    ['run-1', 'run-2', 'run-3', 'run-4'],
  );
  assert.deepEqual(
    chart!.rows.map(({ step }) => step),
    ['', '', '×2.00', ''],
  );
  assert.match(content!.findings[0]!, /lie apart in 1 of 1 cell/);
  await assertDrawn([chart!]);
  const elsewhere = siteRunFixture('other', runs[0]!.cells, {
    environment: { ...runs[0]!.manifest.environment, cpuModel: 'Another' },
  });
  assert.equal(await contentOf('history', [runs[0]!, elsewhere]), undefined);
});

test('implementations: the factor to the best, and what is undecided says so', async () => {
  const run = siteRunFixture('a', [
    contestant('noble', [300, 310, 320]),
    contestant('native', [100, 101, 102]),
    contestant('node', [90, 102, 115]),
    contestant('null', [1, 1, 1]),
  ]);
  const content = await contentOf('implementations', [run]);
  assert.match(
    content!.findings[0]!,
    /with native, the cheapest, .* with noble, the dearest: 3\.07 times/,
  );
  const matrix = content!.sections[0]!.parts.find((part) => part.kind === 'matrix')!;
  assert.deepEqual(
    matrix.lines.map(({ label }) => label),
    ['null', 'native', 'node', 'noble'],
  );
  assert.equal(matrix.reference, 1, 'the best that computes anything');
  const ratio = matrix.ratio({ line: 2, column: 0 }, { line: 1, column: 0 })!;
  assert.ok(ratio.low! < 1 && ratio.high! > 1);
});

test('trust: what failed is named, and is no figure anywhere', async () => {
  const failed = cellFixture(
    { pipeline: 'bad', status: 'error', reason: 'a plaintext differed' },
    [],
  );
  const run = siteRunFixture('a', [cellFixture({}, [cpu('all', [1, 2, 3])]), failed]);
  const content = await contentOf('trust', [run]);
  assert.match(content!.findings.at(-1)!, /1 of 2 cells have no figures/);
  const list = content!.sections.at(-1)!.parts[0]!;
  assert.ok(
    list.kind === 'list' && list.items.some((item) => item.includes('error, a plaintext differed')),
  );
});
