/** Which cells of two sides belong together. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CellToCompare } from '../../src/cli/comparing.ts';
import { planComparison } from '../../src/cli/comparison-plan.ts';
import { SUITES_DIR } from '../../src/core/paths.ts';
import type { Side } from '../../src/runner/side.ts';

function sideOf(provider: string): Side {
  return {
    given: provider,
    is: `implementation ${provider}`,
    folder: process.cwd(),
    suites: SUITES_DIR,
    provider,
    runRepeat: () => Promise.reject(new Error('nothing is run here')),
    counter: '',
    meets: false,
    [Symbol.dispose]() {},
  };
}

function plan(
  base: string,
  head: string,
  filter?: string,
  suite = 'curated/gate',
): Promise<CellToCompare[]> {
  const request = { suite, filter, seed: 1, provider: [], pipeline: [], workload: [] };
  return planComparison(request, sideOf(base), sideOf(head));
}

test('cells of two implementations are paired by name, whichever of them the filter names', async () => {
  const all = await plan('noble', 'native');
  assert.equal(all.length, 6);
  for (const { cell, base, head } of all) {
    assert.deepEqual([base.provider, head.provider], ['noble', 'native'], cell);
    assert.deepEqual([base.pipeline, base.workload], [head.pipeline, head.workload], cell);
    assert.equal(base.seed, head.seed);
  }
  const turning = all.filter(({ cell }) => cell.includes('ping-pong'));
  for (const filter of ['ping-pong', '/noble/ping-pong', '/native/ping-pong']) {
    assert.deepEqual(await plan('noble', 'native', filter), turning, filter);
  }
  const mixed = await plan('noble', 'native', 'pqxdh.*/native/|at-rest.*/noble/');
  assert.deepEqual(
    mixed.map(({ cell }) => cell.split(/[/:]/)[1]),
    ['at-rest-scoped', 'pqxdh-ratchet'],
  );
  await assert.rejects(plan('noble', 'native', '/node/'), /matches none of 6/);
});

test('a library that computes a whole pipeline is no cell of two implementations', async () => {
  const names = (await plan('native', 'noble', undefined, 'curated/rivals')).map(
    ({ cell }) => cell.split('/')[2],
  );
  assert.ok(names.length > 0);
  assert.deepEqual([...new Set(names)], ['native']);
});
