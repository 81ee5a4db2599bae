/** `trend` through its real entry point, with baselines that are made up. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sealbench } from './_command-line.ts';

function baseline(day: number, ns: number, cpuModel = 'one'): string {
  return JSON.stringify({
    format: 1,
    at: `2026-01-${String(day).padStart(2, '0')}T12:00:00Z`,
    revision: String(day).padStart(40, '0'),
    suiteDigest: 'd1',
    machine: { cpuModel },
    cpuPerMessageNs: { 'gate/a/native/one-way/t1': ns },
  });
}

test('a change of level is named by its run, and other machines are left out', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sealbench-trend-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const none = await sealbench(['trend', '--folder', folder]);
  assert.equal(none.status, 2);
  assert.match(none.err, /expected baselines of "curated\/gate", found none/);

  const lines = Array.from({ length: 20 }, (_, index) =>
    baseline(index + 1, (index < 12 ? 10_000 : 11_000) + (index % 3) * 10),
  );
  const file = join(folder, 'curated-gate.ndjson');
  writeFileSync(file, [baseline(1, 90_000, 'other'), ...lines, ''].join('\n'));
  const { status, out, err } = await sealbench(['trend', '--folder', folder]);
  assert.equal(status, 0, err);
  assert.match(
    out,
    /gate\/a\/native\/one-way\/t1 +20 +▁+[▁▂]*[▇█]+ +11\.0 us +\+10\.0% at 0{10} \(2026-01-13\)/,
  );
  assert.match(err, /20 runs on this machine and suite, 1 of others left out/);

  writeFileSync(file, '{"format":1}\n');
  const damaged = await sealbench(['trend', '--folder', folder]);
  assert.equal(damaged.status, 2);
  assert.match(damaged.err, /curated-gate\.ndjson:1/);
  const other = await sealbench(['trend', '--folder', folder, '--add', folder]);
  assert.equal(other.status, 2);
});
