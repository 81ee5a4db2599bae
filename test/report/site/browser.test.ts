/** The site in a real browser: from disk and over HTTP, in light and in dark, narrow and wide. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize, parse } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { sealbench } from '../../cli/_command-line.ts';
import { startBrowser, WITHOUT_CHROMIUM } from './_browser.ts';
import { hostileRecords, ladderRecords, writeRun } from './_site.ts';

const MEDIA: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

describe('the site in a browser', { skip: WITHOUT_CHROMIUM }, () => {
  let folder: string;
  let site: string;
  let server: Server;
  let browser: Browser;
  let origins: Readonly<Record<string, string>>;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sealbench-site-'));
    site = join(folder, 'site');
    const run = writeRun(folder, 'a-ladder', ladderRecords());
    const { status, err } = await sealbench(['report', run, '--out', site]);
    assert.equal(status, 0, err);
    server = createServer((request, response) => {
      const path = join(site, normalize(new URL(request.url!, 'http://x').pathname));
      readFile(path).then(
        (bytes) => response.writeHead(200, { 'content-type': MEDIA[extname(path)]! }).end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const { port } = server.address() as AddressInfo;
    origins = { disk: pathToFileURL(site).href, HTTP: `http://127.0.0.1:${port}` };
    browser = await startBrowser();
  });
  after(async () => {
    await browser?.close();
    server?.close();
    await rm(folder, { recursive: true });
  });

  /** Opens a page and notes all that it must not do. */
  async function open(
    address: string,
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<{ page: Page; faults: string[] }> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('console', (message) => faults.push(`console: ${message.text()}`));
    page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
    page.on('request', (request) => {
      const own = Object.values(origins).some((origin) => request.url().startsWith(origin));
      if (!own) faults.push(`request: ${request.url()}`);
    });
    page.on('requestfailed', (request) => faults.push(`failed: ${request.url()}`));
    await page.goto(address);
    return { page, faults };
  }

  for (const origin of ['disk', 'HTTP']) {
    test(`from ${origin} nothing is asked of others and nothing goes wrong`, async () => {
      const { page, faults } = await open(`${origins[origin]}/ladder.html`);
      assert.equal(await page.locator('.plot.light svg').first().isVisible(), true);
      assert.equal(
        await page.evaluate("document.fonts.check('16px Inter')"),
        true,
        'the font that is shipped is used',
      );
      assert.deepEqual(faults, []);
      await page.context().close();
    });
  }

  const pageNames = async () =>
    (await readdir(site)).filter((name) => name.endsWith('.html')).map((name) => parse(name).name);

  for (const [colorScheme, width, namesOf] of [
    ['light', 1280, pageNames],
    ['dark', 390, () => ['index', 'ladder', 'trust']],
  ] as const) {
    test(`axe finds nothing in ${colorScheme}, ${width} pixels wide`, async () => {
      const source = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
      for (const name of await namesOf()) {
        const { page, faults } = await open(`${origins['disk']}/${name}.html`, {
          colorScheme,
          viewport: { width, height: 900 },
        });
        await page.evaluate(source);
        const results = await page.evaluate<AxeResults>('axe.run({ preload: false })');
        assert.deepEqual(
          results.violations.map(({ id, nodes }) => [id, nodes[0]?.html]),
          [],
          name,
        );
        assert.ok(
          await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
          `${name} is not wider than the screen`,
        );
        assert.deepEqual(faults, []);
        await page.context().close();
      }
    });
  }

  test('filters hide rows, dim marks, and are in the address', async () => {
    const { page, faults } = await open(`${origins['disk']}/ladder.html`);
    const rows = page.locator('.matrix tbody tr:visible');
    assert.equal(await rows.count(), 5);
    await page.getByRole('button', { name: 'escrow-wrapped', exact: true }).click();
    assert.equal(await rows.count(), 1);
    assert.match((await page.locator('#shown').textContent())!, /^\d+ of \d+ rows are shown$/);
    const marks = page.locator('.plot.light .mark[data-family="ratchet"]');
    assert.ok((await marks.count()) > 0);
    assert.match((await marks.first().getAttribute('class'))!, /\bout\b/);
    assert.match(page.url(), /#family=escrow-wrapped$/);
    await page.getByRole('button', { name: 'ratchet', exact: true }).press('Enter');
    assert.equal(await rows.count(), 4);
    await page.reload();
    assert.equal(await rows.count(), 4, 'the address says it all');
    await page.getByRole('button', { name: 'Show all' }).click();
    assert.equal(await rows.count(), 5);
    assert.doesNotMatch(page.url(), /#/);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test('a line can be compared with any other, and with the best of each column', async () => {
    const { page, faults } = await open(`${origins['HTTP']}/ladder.html`);
    const factor = (line: string, column: number) =>
      page.locator('.matrix tbody tr', { hasText: line }).locator('td').nth(column);
    const all = 3;
    const usual = await factor('L4 static-e2e', all).textContent();
    assert.equal(await factor('L6 double-ratchet', all).getAttribute('class'), 'n same');
    const choice = page.locator('.matrix select').first();
    await choice.selectOption({ label: 'L3 at-rest-scoped' });
    // 15.0 over 9.1 us, with repeats that differ by a hundredth.
    assert.match((await factor('L4 static-e2e', all).textContent())!, /×1\.6\d/);
    assert.equal(await factor('L4 static-e2e', all).getAttribute('class'), 'n up3');
    assert.match(page.url(), /#base-/);
    await page.reload();
    assert.match((await factor('L4 static-e2e', all).textContent())!, /×1\.6\d/);
    await choice.selectOption({ value: '' });
    assert.match((await factor('L3 at-rest-scoped', all).textContent())!, /\s1\s/);
    await choice.selectOption({ label: 'L6 double-ratchet' });
    assert.equal(await factor('L4 static-e2e', all).textContent(), usual);
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test('marks tell their figures to pointers and to keys, and the theme can be chosen', async () => {
    const { page, faults } = await open(`${origins['HTTP']}/ladder.html`);
    const tip = page.locator('#tip');
    const mark = page.locator('.plot.light .mark[data-role="receiver"]').last();
    await mark.hover();
    assert.match((await tip.textContent())!, /receiver: [\d.]+ µs \[/);
    await page.mouse.move(0, 0);
    await page.locator('.plot.light').first().focus();
    await page.keyboard.press('ArrowRight');
    assert.match((await tip.textContent())!, /^L3 at-rest-scoped, sender: /);
    await page.keyboard.press('Escape');
    assert.equal(await tip.isVisible(), false);
    await page.getByRole('button', { name: 'Dark' }).click();
    assert.equal(await page.locator('.plot.dark').first().isVisible(), true);
    assert.equal(await page.locator('.plot.light').first().isVisible(), false);
    await page.reload();
    assert.equal(await page.locator('.plot.dark').first().isVisible(), true, 'the choice is kept');
    assert.deepEqual(faults, []);
    await page.context().close();
  });

  test('with scripts off all figures can be read, and nothing that needs them is shown', async () => {
    const { page } = await open(`${origins['disk']}/ladder.html`, { javaScriptEnabled: false });
    assert.equal(await page.locator('.plot.light svg').first().isVisible(), true);
    assert.equal(await page.locator('.matrix tbody tr').count(), 5);
    assert.equal(await page.locator('.filters').isVisible(), false);
    await page.getByText('Data table').first().click();
    assert.equal(await page.locator('.chart-foot tbody tr').first().isVisible(), true);
    await page.context().close();
  });

  test('markup in a result runs nothing', async () => {
    const evil = writeRun(folder, 'evil', hostileRecords(), {
      suite: {
        name: 'x/evil',
        digest: 'a'.repeat(64),
        title: '</title><script>document.title = "hacked"</script>',
        question: '<img src=x onerror=alert(1)>',
        analysis: [],
      },
    });
    const { status, err } = await sealbench(['report', evil, '--out', join(site, 'evil')]);
    assert.equal(status, 0, err);
    for (const name of ['index', 'ladder', 'trust']) {
      const { page, faults } = await open(`${origins['disk']}/evil/${name}.html`);
      page.on('dialog', () => faults.push('a dialog'));
      for (const chip of await page.locator('.chip').all()) await chip.click();
      assert.doesNotMatch(await page.title(), /^hacked/);
      assert.equal(await page.locator('img').count(), 0);
      assert.deepEqual(faults, []);
      await page.context().close();
    }
  });
});
