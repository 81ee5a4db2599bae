/** Charts without a browser: limits, texts, fonts, pictures. */

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { CHARTS_DIR } from '../../../src/core/paths.ts';
import { Histogram } from '../../../src/measure/histogram.ts';
import { CHART_ROWS_MAX, ChartMaker } from '../../../src/report/site/chart.ts';
import { encodeIndexedPng } from '../../../src/report/site/indexed-png.ts';
import type { ChartPart, ChartRow } from '../../../src/report/site/page.ts';
import { drawingOf, inlineSvg, Painter, standaloneSvg } from '../../../src/report/site/picture.ts';
import latency from '../../../src/report/pages/latency.ts';
import { record, shard } from '../fixtures.ts';
import { cellFixture, siteRunFixture } from './_site.ts';

function barsOf(rows: readonly ChartRow[], change: Partial<ChartPart> = {}): ChartPart {
  return {
    kind: 'chart',
    chart: 'stacked-bars',
    id: 'bars',
    title: 'A title',
    description: 'A description',
    rows,
    table: { columns: [] },
    words: { axis: 'CPU (µs)' },
    values: { parts: ['sender'] },
    ...change,
  };
}

function bar(label: string, change: Partial<ChartRow> = {}): ChartRow {
  const text = `${label}: 5 µs`;
  return { label, part: 'sender', role: 'sender', place: 0, value: 5, text, ...change };
}

function wordOf(text: string, weight: number): string {
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20" font-family="Inter">' +
    `<rect width="60" height="20" fill="#fff"/><text y="15" font-size="12" font-weight="${weight}">${text}</text></svg>`
  );
}

describe('a chart', () => {
  let maker: ChartMaker;
  before(async () => {
    maker = await ChartMaker.create();
  });

  test('every file in the folder of charts is a specification that reads the rows of a page', async () => {
    for (const name of await readdir(CHARTS_DIR)) {
      const text = await readFile(join(CHARTS_DIR, name), 'utf8');
      const spec = JSON.parse(text) as Record<string, unknown>;
      assert.match(String(spec['$schema']), /vega-lite\/v6\.json$/, name);
      assert.equal(spec['data'], undefined, `${name} has no data of its own`);
      assert.doesNotMatch(text, /"(?:url|href|loader)"/, name);
    }
  });

  test('is fed 5,000 rows and not one more', async () => {
    const rows = Array.from({ length: CHART_ROWS_MAX + 1 }, (_, index) => bar(`row ${index}`));
    await assert.rejects(maker.draw(barsOf(rows), 'light'), {
      code: 'BAD_INPUT',
      message: /chart bars: expected at most 5000 rows, got 5001/,
    });
    assert.ok(await maker.specOf(barsOf(rows.slice(1)), 'light'));
  });

  test('carries the text of each row and what it is filtered by, and nothing in it is markup', async () => {
    const evil = '</title><script>alert(1)</script>"onload="x';
    const rows = [bar(evil, { family: evil, text: evil }), bar('plain')];
    const svg = await maker.draw(barsOf(rows), 'light');
    assert.doesNotMatch(svg, /<script|<\/title>|<[^>]* onload=/);
    assert.match(svg, /aria-label="&lt;\/title&gt;&lt;script&gt;alert\(1\)/);
    assert.match(svg, /data-family="&lt;\/title&gt;/);
    assert.match(svg, /class="mark" data-role="sender"/);
  });

  test('does not compute what a name says', async () => {
    const rows = [bar("datum.value'); throw new Error('x"), bar('${axis}'), bar('constructor')];
    const svg = await maker.draw(barsOf(rows), 'light');
    assert.match(svg, /\$\{axis\}/);
  });

  test('has a title and a description, and prints figures as they were given', async () => {
    const rows = [bar('a', { part: 'all', shown: '8.97432 µs', low: 4, high: 6 }), bar('a')];
    const drawing = drawingOf(await maker.draw(barsOf(rows), 'light'));
    const caption = { id: 'x', title: 'A <title>', description: 'What & why', source: 'Run y' };
    for (const svg of [
      inlineSvg(drawing, caption),
      standaloneSvg(drawing, caption, 'dark', maker.fonts),
    ]) {
      assert.match(svg, /<title id="x-t">A &lt;title&gt;<\/title><desc id="x-d">What &amp; why</);
      assert.match(svg, /aria-labelledby="x-t/);
      assert.match(svg, /8\.97432 µs/);
    }
  });

  test('leaves room for its labels by the widths of its font', () => {
    const font = maker.fonts.get(400)!;
    assert.equal(font.width('', 12), 0);
    // Inter Regular: advance widths of 1,264 and 536 for n and i at 2,048 units, rounded here.
    assert.ok(font.width('n', 100) > font.width('i', 100) * 2);
    assert.ok(Math.abs(font.width('nnnn', 25) - font.width('n', 100)) < 1e-9);
    assert.equal(font.width('\u{1F600}', 10), font.width('n', 10));
    assert.ok(maker.fonts.get(600)!.width('double-ratchet', 12) > font.width('double-ratchet', 12));
  });

  test('of a million samples is an SVG of less than 300 KB', async () => {
    const histogram = new Histogram();
    for (let sample = 0; sample < 1_000_000; sample++) {
      histogram.record(1_000 + ((sample * 7_919) % 1_000_003));
    }
    const facts = shard([], {});
    const times = { calls: histogram.count, histogram: histogram.encode() };
    const stages = (['send', 'relay-store', 'relay-fetch', 'receive'] as const).map((id) => ({
      id,
      cpu: { block: [], calls: [], cpuNs: [] },
      latency: times,
    }));
    const cell = cellFixture({ cell: 'ladder/double-ratchet/native/chat/t1' }, []);
    const run = siteRunFixture('big', [cell]);
    const content = latency.build([
      { ...run, records: [record({ shards: [{ ...facts, stages }] })] },
    ]);
    const charts = content!.sections
      .flatMap(({ parts }) => parts)
      .filter((it) => it.kind === 'chart');
    assert.equal(charts.length, 2);
    for (const part of charts) {
      const svg = drawingOf(await maker.draw(part, 'light')).content;
      assert.ok(svg.length > 1_000 && svg.length < 300_000, `${part.id}: ${svg.length}`);
      assert.equal(part.table.rows?.[0]?.['calls'], '1,000,000');
    }
  });

  describe('as PNG', () => {
    let painter: Painter;
    before(async () => {
      painter = await Painter.create(maker.fonts);
    });
    after(() => painter.close());

    test('draws text with the fonts that are shipped alone', () => {
      const blank = painter.paint(wordOf('', 400));
      assert.ok(painter.paint(wordOf('text', 400)).length > blank.length);
      assert.notDeepEqual(painter.paint(wordOf('text', 600)), painter.paint(wordOf('text', 400)));
    });

    test('keeps every pixel where there are few colours', () => {
      const pixels = new Uint8Array(4 * 6);
      for (let pixel = 0; pixel < 6; pixel++)
        pixels.set([pixel * 40, 7, 255 - pixel, 255], 4 * pixel);
      const png = Buffer.from(encodeIndexedPng(3, 2, pixels));
      const chunkAt = (type: string): Buffer => {
        const at = png.indexOf(type, 'latin1');
        return png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4));
      };
      assert.deepEqual([...chunkAt('IHDR')], [0, 0, 0, 3, 0, 0, 0, 2, 8, 3, 0, 0, 0]);
      const palette = chunkAt('PLTE');
      const rows = inflateSync(chunkAt('IDAT'));
      const read: number[] = [];
      for (let y = 0; y < 2; y++) {
        assert.equal(rows[y * 4], 0, 'no filter');
        for (let x = 0; x < 3; x++) {
          const index = rows[y * 4 + 1 + x]!;
          read.push(...palette.subarray(3 * index, 3 * index + 3), 255);
        }
      }
      assert.deepEqual(read, [...pixels]);
    });
  });
});
