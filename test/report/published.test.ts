/** Figures in documents are those of a run that is committed beside them. */

import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { tableOf } from '../../src/cli/bank-table.ts';
import { readFigures } from '../../src/cli/figures.ts';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import {
  BANK_BLOCK,
  blockNameOf,
  blocksIn,
  publishedBank,
  publishedBlock,
  runNamedIn,
  spliceBlock,
  type PublishedBlock,
} from '../../src/report/published.ts';
import { createRun } from '../../src/results/store.ts';
import { openBank } from '../../src/runner/bank-store.ts';
import { exampleManifest } from '../results/example.ts';
import { L3, L6, recordsOfCosts } from './fixtures.ts';

/** Where documents and their runs are looked for. */
const DOCUMENTS = join(PACKAGE_ROOT, 'docs');
const PUBLISHED = join(PACKAGE_ROOT, 'results', 'published');
const BANKS = join(PACKAGE_ROOT, 'results', 'banks');

async function bankFrom(folder: string): Promise<PublishedBlock> {
  const { manifest, blocks } = await openBank(join(BANKS, folder));
  return publishedBank(folder, manifest, tableOf(manifest, blocks));
}

async function renderedFrom(folder: string, parent: string): Promise<PublishedBlock> {
  const { manifest, records, summary } = await readFigures(join(parent, folder));
  return publishedBlock(folder, manifest, new Set(records.map(({ cell }) => cell)), summary);
}

/** What is wrong with the blocks of a document; empty ones wait for their first figures. */
async function faultsOf(file: string, published: string): Promise<string[]> {
  const faults: string[] = [];
  for (const block of blocksIn(await readFile(file, 'utf8'))) {
    if (block.content.trim() === '') continue;
    const folder = runNamedIn(block);
    if (folder === undefined) {
      faults.push(`${file}: the block ${block.name} names no run`);
      continue;
    }
    const rendered =
      block.name === BANK_BLOCK ? await bankFrom(folder) : await renderedFrom(folder, published);
    if (rendered.name !== block.name || rendered.content !== block.content) {
      faults.push(
        `${file}: the block ${block.name} is not what results/published/${folder} says; write it ` +
          `anew with: sealbench report results/published/${folder} --splice ${file}`,
      );
    }
  }
  return faults;
}

const documents = [
  join(PACKAGE_ROOT, 'README.md'),
  ...(await readdir(DOCUMENTS))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(DOCUMENTS, name)),
];
for (const file of documents) {
  test(`figures in ${file.slice(PACKAGE_ROOT.length + 1)} are those of a published run`, async () => {
    assert.deepEqual(await faultsOf(file, PUBLISHED), []);
  });
}

let root: string;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'sealbench-published-'));
});
after(() => rm(root, { recursive: true }));

const EMPTY_DOCUMENT =
  'Before.\n\n<!-- sealbench:ladder -->\n<!-- /sealbench:ladder -->\n\nAfter.\n';

/** A finished run and a document with its block. */
async function publish(name: string): Promise<{ published: string; file: string }> {
  const published = join(root, name);
  const records = [
    ...recordsOfCosts(L3, [{ sender: 1_234, relay: 4_321, receiver: 1_111 }]),
    ...recordsOfCosts(L6, [{ sender: 5_678, relay: 3_000, receiver: 9_000 }]),
  ];
  const { suite } = exampleManifest();
  const run = createRun(
    join(published, 'a-run'),
    exampleManifest({
      suite: { ...suite, name: 'curated/ladder', baseline: 'double-ratchet' },
      cells: [...new Set(records.map(({ cell }) => cell))],
      argv: ['run', 'curated/ladder', '--out', '/somewhere/else', '--filter', 'a|b'],
    }),
  );
  for (const record of records) run.append(record);
  run.finish({ endedAt: '2026-01-31T13:00:00.000Z' });
  const file = join(published, 'README.md');
  const block = await renderedFrom('a-run', published);
  await writeFile(file, spliceBlock(EMPTY_DOCUMENT, block, file));
  return { published, file };
}

test('a block says which run, where, and how to repeat it, and then the figures', async () => {
  const { published, file } = await publish('fine');
  assert.deepEqual(await faultsOf(file, published), []);
  const text = await readFile(file, 'utf8');
  assert.ok(text.startsWith('Before.\n\n<!-- sealbench:ladder -->\n\nRun `a-run` ('));
  assert.ok(text.endsWith('\n\n<!-- /sealbench:ladder -->\n\nAfter.\n'));
  assert.match(
    text,
    /of 2026-01-31, on A processor, 2 cores, whether it is a virtual machine is unknown, Node 26\.0\.0 on linux x64, revision 0123456\. To repeat it:/,
  );
  assert.ok(text.includes("```sh\nnpm run -s sealbench -- run curated/ladder --filter 'a|b'\n```"));
  assert.match(text, /^\| L6 double-ratchet \| 5\.68 \| 3 \| 9 \| 17\.7 \| 1 \|$/m);
  assert.match(text, /^- Removing end-to-end encryption \(L6 to L3/m);
  assert.match(text, /^<details><summary>What each line is<\/summary>$/m);
});

test('a figure that was changed by hand is found', async () => {
  const { published, file } = await publish('changed');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('| 5.68 |', '| 5.67 |'));
  const [fault, ...others] = await faultsOf(file, published);
  assert.match(
    fault!,
    /the block ladder is not what results\/published\/a-run says; write it anew/,
  );
  assert.deepEqual(others, []);
});

test('a block of another name, of no run and of a run that is not there are found', async () => {
  const { published, file } = await publish('other');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replaceAll('sealbench:ladder', 'sealbench:sizes'));
  assert.equal((await faultsOf(file, published)).length, 1);
  await writeFile(file, text.replace('Run `a-run`', 'Run a-run'));
  assert.match((await faultsOf(file, published))[0]!, /names no run/);
  await writeFile(file, text.replace('Run `a-run`', 'Run `no-run`'));
  await assert.rejects(faultsOf(file, published), /expected the folder of a run, found nothing/);
});

test('a compressed run says the same', async () => {
  const { published, file } = await publish('compressed');
  const cells = join(published, 'a-run', 'cells.ndjson');
  await writeFile(`${cells}.gz`, gzipSync(await readFile(cells)));
  await rm(cells);
  assert.deepEqual(await faultsOf(file, published), []);
});

test('splicing again changes nothing, whatever the line ends around the block', async () => {
  const { published, file } = await publish('again');
  const block = await renderedFrom('a-run', published);
  const text = await readFile(file, 'utf8');
  assert.equal(spliceBlock(text, block, file), text);
  await writeFile(file, text.replaceAll('\n', '\r\n'));
  assert.deepEqual(await faultsOf(file, published), []);
});

function blockOf(name: string): string {
  return `<!-- sealbench:${name} -->\nRun \`of-${name}\`\n<!-- /sealbench:${name} -->\n`;
}

test('a file may have several blocks, and each is told by its name', () => {
  const text = `${blockOf('ladder')}between\n${blockOf('sizes')}In \`<!-- sealbench:NAME -->\` none.\n`;
  assert.deepEqual(
    blocksIn(text).map((it) => [it.name, runNamedIn(it)]),
    [
      ['ladder', 'of-ladder'],
      ['sizes', 'of-sizes'],
    ],
  );
  const spliced = spliceBlock(text, { name: 'sizes', content: '\n\nnew\n\n' }, 'x');
  assert.deepEqual(
    blocksIn(spliced).map(({ content }) => content),
    ['\nRun `of-ladder`\n', '\n\nnew\n\n'],
  );
  assert.equal(blockNameOf('curated/ladder'), 'ladder');
});

test('markers that are missing, double or in the wrong order are refused', () => {
  const block = { name: 'ladder', content: '\n\nnew\n\n' };
  const opening = '<!-- sealbench:ladder -->';
  const closing = '<!-- /sealbench:ladder -->';
  for (const lines of [
    [],
    [opening],
    [closing],
    [closing, opening],
    [opening, closing, opening, closing],
    ['<!-- sealbench:sizes -->', '<!-- /sealbench:sizes -->'],
  ]) {
    assert.throws(() => spliceBlock(lines.join('\n'), block, 'README.md'), {
      code: 'BAD_INPUT',
      message: /^README\.md: expected the lines <!-- sealbench:ladder --> and .* once each/,
    });
  }
});

test('a run that is not finished, or in a folder of an odd name, is not published', async () => {
  const { published } = await publish('refused');
  const { manifest, records, summary } = await readFigures(join(published, 'a-run'));
  const recorded = new Set(records.map(({ cell }) => cell));
  const refused = (folder: string, changes: Partial<typeof manifest>, message: RegExp): void => {
    assert.throws(() => publishedBlock(folder, { ...manifest, ...changes }, recorded, summary), {
      code: 'BAD_INPUT',
      message,
    });
  };
  refused('a-run', { endedAt: null }, /expected a finished run, but it was interrupted or still/);
  refused('a-run', { interrupted: true }, /expected a finished run, but it was interrupted/);
  const cells = [...manifest.cells, 'ladder/transport/native/chat/t1'];
  refused('a-run', { cells }, /has no record of ladder\/transport\/native\/chat\/t1/);
  refused('a run', {}, /expected a folder named by letters/);
  // Copied elsewhere it says the same, under its new name.
  await mkdir(join(root, 'elsewhere'));
  await cp(join(published, 'a-run'), join(root, 'elsewhere', 'b-run'), { recursive: true });
  const moved = await renderedFrom('b-run', join(root, 'elsewhere'));
  assert.equal(runNamedIn(moved), 'b-run');
});
