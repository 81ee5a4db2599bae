/** `selftest` through its real entry point, with processes that are made up. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { sealbench } from './_command-line.ts';

const PRELOAD = pathToFileURL(join(import.meta.dirname, '_fake-bank.ts')).href;

test('on a quiet machine every planted slowdown is caught, and nothing else', async (t) => {
  const TMPDIR = mkdtempSync(join(tmpdir(), 'sealbench-selftest-'));
  t.after(() => rmSync(TMPDIR, { recursive: true }));
  const { status, out, err } = await sealbench(
    ['selftest', '--comparisons', '2', '--blocks', '3'],
    {
      env: { NODE_OPTIONS: `--import=${PRELOAD}`, TMPDIR },
    },
  );
  assert.equal(status, 0, err);
  assert.match(out, /^none +0% +0 of 2/m);
  for (const planted of ['3.00%', '5.00%', '10.0%']) {
    assert.match(out, new RegExp(`^${planted} +${planted} +2 of 2`, 'm'));
  }
});
