/**
 * How soon each page of a site shows something, from disk, in a real browser:
 * `npx node test/report/site/first-paint.ts FOLDER`. Prints milliseconds, and asserts nothing.
 *
 * @module
 */

import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { median } from '../../../src/stats/quantile.ts';
import { startBrowser, WITHOUT_CHROMIUM } from './_browser.ts';

const VISITS = 5;
const PAINT =
  'new Promise((done) => new PerformanceObserver((list) => done(list.getEntries()[0].startTime))' +
  '.observe({ type: "paint", buffered: true }))';

const site = resolve(process.argv[2] ?? 'site');
if (WITHOUT_CHROMIUM !== false) {
  console.error(WITHOUT_CHROMIUM);
  process.exit(2);
}
const browser = await startBrowser();
try {
  for (const name of (await readdir(site)).filter((file) => file.endsWith('.html'))) {
    const paints: number[] = [];
    for (let visit = 0; visit < VISITS; visit++) {
      // A context of its own for each visit: nothing is cached.
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
      const page = await context.newPage();
      await page.goto(pathToFileURL(join(site, name)).href);
      paints.push(await page.evaluate<number>(PAINT));
      await context.close();
    }
    const worst = Math.max(...paints).toFixed(0);
    console.log(`${name.padEnd(24)} ${median(paints).toFixed(0).padStart(5)} ms, at most ${worst}`);
  }
} finally {
  await browser.close();
}
