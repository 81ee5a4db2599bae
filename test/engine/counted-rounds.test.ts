/** Conversations held for a counter of instructions: their rounds are marked, and what went wrong is told. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadByName } from '../../src/core/discover.ts';
import { PACKAGE_ROOT } from '../../src/core/paths.ts';
import { countRounds } from '../../src/engine/counted-rounds.ts';
import type { Fault } from '../../src/engine/expectations.ts';
import type { Pipeline } from '../../src/pipelines/_pipeline.ts';
import { loadBehaviour, loadProvider, loadWorkload, specOf } from '../conformance/_parts.ts';

const TOY = join(PACKAGE_ROOT, 'test', 'planted', 'toy-escrow.ts');
const ROUNDS = 12;
const WORKLOAD = await loadWorkload('one-way', {
  sessions: 4,
  usersPerSession: 1,
  messages: ROUNDS,
});

async function counted(fault: string): Promise<{ rounds: number[]; faults: readonly Fault[] }> {
  const rounds: number[] = [];
  const parts = {
    pipeline: await loadByName<Pipeline>(TOY, TOY, 'pipeline'),
    provider: await loadProvider('null'),
    behaviour: await loadBehaviour(WORKLOAD.behaviour),
  };
  const spec = specOf({ pipeline: TOY, provider: 'null', options: { fault }, workload: WORKLOAD });
  const faults = await countRounds(spec, parts, (round) => rounds.push(round));
  return { rounds, faults };
}

test('each round is marked once, in order', async () => {
  const { rounds, faults } = await counted('none');
  assert.deepEqual(
    rounds,
    Array.from({ length: ROUNDS }, (_, at) => at + 1),
  );
  assert.deepEqual(faults, []);
});

test('a wrong plaintext is told, and a message that never came is an error', async () => {
  const { faults } = await counted('flipped-bit');
  assert.match(faults[0]!.reason, /plaintext/);
  await assert.rejects(counted('lost-message'), /messages never came/);
});
