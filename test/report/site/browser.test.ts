/** The site in a real browser: from disk and over HTTP, in light and in dark, narrow and wide. */

import assert from 'node:assert/strict';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { sealbench } from '../../cli/_command-line.ts';
import { startBrowser, WITHOUT_CHROMIUM } from './_browser.ts';
import { ladderRecords, writeRun } from './_site.ts';

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

  for (const [colorScheme, width] of [
    ['light', 1280],
    ['dark', 390],
  ] as const) {
    test(`axe finds nothing in ${colorScheme}, ${width} pixels wide`, async () => {
      const source = await readFile(new URL(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
      for (const name of ['index', 'ladder']) {
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
});
