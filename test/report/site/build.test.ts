/** `report` through its real entry point: what it writes, and what it refuses. */

import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { sealbench } from '../../cli/_command-line.ts';
import { L6, recordsOfCosts } from '../fixtures.ts';
import { COSTS, EVIL, hostileRecords, ladderRecords, LINK, writeRun } from './_site.ts';

let folder: string;
let run: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sealbench-report-'));
  run = writeRun(folder, 'a-ladder', ladderRecords());
});
after(() => rm(folder, { recursive: true }));

test('a site has a page of each kind, its charts in every form, and says how large it is', async () => {
  const site = join(folder, 'site');
  const { status, out, err } = await sealbench(['report', run, '--out', site]);
  assert.equal(status, 0, err);
  assert.match(out, /site\/index\.html\n$/);
  assert.match(
    err,
    /pages and \d+ charts of 1 run: read in [\d.]+ s, built in [\d.]+ s; \d+ files, \d+ kB, \d+ kB compressed/,
  );
  const pages = (await readdir(site)).filter((name) => name.endsWith('.html'));
  for (const name of ['index', 'ladder', 'latency', 'trust'])
    assert.ok(pages.includes(`${name}.html`));
  const charts = await readdir(join(site, 'charts'));
  for (const extension of ['svg', 'dark.svg', 'png', 'csv', 'json', 'vl.json']) {
    assert.ok(charts.includes(`ladder-a-ladder-0-cost.${extension}`), extension);
  }
  const json = await readFile(join(site, 'charts', 'ladder-a-ladder-0-cost.json'), 'utf8');
  const rows = JSON.parse(json) as { label: string; part: string; value: number }[];
  const L6Sender = rows.find(
    ({ label, part }) => label === 'L6 double-ratchet' && part === 'sender',
  );
  // The median of 7,200 ns times 1, 1.01 and 1.02, in us.
  assert.equal(L6Sender!.value, 7.272);
  const ladder = await readFile(join(site, 'ladder.html'), 'utf8');
  for (const chart of charts.filter((name) => name.startsWith('ladder'))) {
    assert.ok(ladder.includes(`charts/${chart}`), `${chart} is linked`);
  }
  const relay = await readFile(join(site, 'relay.html'), 'utf8');
  assert.match(relay, /No data/);
  assert.match(relay, /sealbench run load\/knee/);
});

test('names of a result with markup in them stay text on every page and in every file', async () => {
  const records = [
    ...hostileRecords(),
    ...recordsOfCosts({ ...L6, implementation: 'x', status: 'error', reason: EVIL }, [
      COSTS[0]![1],
    ]),
  ];
  const evil = writeRun(folder, 'evil', records, {
    suite: {
      name: `x/${EVIL}`,
      digest: 'a'.repeat(64),
      title: `</title></script>${EVIL}`,
      question: LINK,
      analysis: [EVIL, LINK],
      baseline: `double-ratchet${EVIL}`,
    },
  });
  const site = join(folder, 'evil-site');
  const { status, err } = await sealbench(['report', evil, '--out', site]);
  assert.equal(status, 0, err);
  const files = await readdir(site, { recursive: true });
  let seen = 0;
  for (const name of files.filter((file) => /\.(?:html|svg)$/.test(file))) {
    const text = await readFile(join(site, name), 'utf8');
    if (text.includes('onerror=')) seen += 1;
    // Within tags nothing of it stands outside of quotes.
    for (const [tag] of text.matchAll(/<[a-z](?:[^>"]|"[^"]*")*>/gi)) {
      const bare = tag.replaceAll(/"[^"]*"/g, '""');
      assert.doesNotMatch(bare, /onerror|onload|alert/, `${name}: ${tag}`);
      assert.doesNotMatch(tag, /(?:href|src)="\s*javascript:/i, name);
      assert.doesNotMatch(tag, /^<img/i, name);
    }
    const scripts = [...text.matchAll(/<script(?<rest>[^>]*)>/g)].map(
      ({ groups }) => groups!['rest'],
    );
    const runnable = scripts.filter((rest) => !rest!.includes('application/json'));
    assert.equal(runnable.length, name.endsWith('.html') ? 1 : 0, name);
  }
  assert.ok(seen > 3, 'the names are there, as text');
});

test('what cannot be reported is refused by name', async () => {
  const newer = writeRun(folder, 'newer', ladderRecords(3));
  const manifest = await readFile(join(newer, 'manifest.json'), 'utf8');
  await writeFile(join(newer, 'manifest.json'), manifest.replace('"format": 1', '"format": 2'));
  const corrupt = writeRun(folder, 'corrupt', ladderRecords(3));
  await appendFile(join(corrupt, 'cells.ndjson'), '{"format":1,"cell":\n');
  const damaged = writeRun(folder, 'damaged', ladderRecords(3));
  const lines = await readFile(join(damaged, 'cells.ndjson'), 'utf8');
  await writeFile(join(damaged, 'cells.ndjson'), lines.replace('"repeat":0', '"repeat":-1'));
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  const out = join(folder, 'refused');
  const cases: [string[], number, RegExp][] = [
    [
      ['report', newer, '--out', out],
      2,
      /newer\/manifest\.json: format: expected 1, found 2; a newer version/,
    ],
    [['report', corrupt, '--out', out], 2, /corrupt\/cells\.ndjson:\d+: expected JSON/],
    [['report', damaged, '--out', out], 2, /damaged\/cells\.ndjson:1: repeat: expected at least 0/],
    [
      ['report', run, run, '--out', out],
      2,
      /expected runs in folders of different names, got a-ladder twice/,
    ],
    [
      ['report', join(folder, 'none'), '--out', out],
      2,
      /none: expected the folder of a run, found nothing/,
    ],
    [['report', run, '--out', file], 3, /a-file could not be written/],
    [['report'], 2, /expected DIR \(the folders of runs\), got nothing/],
    [['report', run, '--format', 'markdown', '--out', out], 2, /expected --out only for a site/],
    [['report', run, '--format', 'pdf'], 2, /expected one of site, markdown/],
  ];
  for (const [args, expected, message] of cases) {
    const { status, out: printed, err } = await sealbench(args);
    assert.equal(status, expected, err);
    assert.equal(printed, '');
    assert.match(err, message);
    assert.doesNotMatch(err, /\n\s+at |bug in sealbench/);
  }
  assert.deepEqual((await readdir(folder)).includes('refused'), false, 'nothing was begun');
});
