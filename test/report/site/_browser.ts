/**
 * A real browser, where there is one.
 *
 * @module
 */

import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PLACES = [
  process.env['SEALBENCH_CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/** Undefined where no Chromium is installed. */
export const CHROMIUM: string | undefined = PLACES.find((path) => path !== '' && existsSync(path));

/** For `skip` of a test. */
export const WITHOUT_CHROMIUM: string | false =
  CHROMIUM === undefined &&
  'no Chromium is installed (apt-get install chromium, or set SEALBENCH_CHROMIUM)';

export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM!,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
}
