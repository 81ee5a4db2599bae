/** What the target of attacks is measured by, checked and not timed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadByName } from '../../src/core/discover.ts';
import { PIPELINES_DIR } from '../../src/core/paths.ts';
import { attackSides, type AttackParts } from '../../src/exposure/attack-sides.ts';
import type { Pipeline } from '../../src/pipelines/_pipeline.ts';
import { loadBehaviour, loadWorkload } from '../conformance/_parts.ts';
import { native, readerOf } from './_towns.ts';

async function partsOf(pipeline: string): Promise<AttackParts> {
  const workload = await loadWorkload('seizure', { sessions: 10, messages: 6 });
  return {
    pipeline: await loadByName<Pipeline>(PIPELINES_DIR, pipeline, 'pipeline'),
    adversary: readerOf('A3'),
    provider: native,
    behaviour: await loadBehaviour(workload.behaviour),
    workload,
  };
}

test('each round of the attack recovers every message, and another text is no success', async () => {
  const { attack, opens, messages, calls, check } = await attackSides(
    await partsOf('escrow-message-key'),
  );
  assert.equal(messages, 60);
  for (let round = 0; round < 2; round++) check(attack());
  opens();
  assert.equal(calls['x25519-handle'], 1);
  const claims = new Map(attack());
  const changed = claims.get(7)!.slice();
  changed[0]! ^= 1;
  assert.throws(() => check(new Map(claims).set(7, changed)), /recovered 59 of 60 messages/);
  claims.delete(7);
  assert.throws(() => check(claims), /recovered 59 of 60 messages/);
});

test('an attack that has no power over a pipeline cannot be measured', async () => {
  await assert.rejects(attackSides(await partsOf('double-ratchet')), {
    code: 'WRONG_RESULT',
    message: /authority-key does not mount rotation=never/,
  });
});
