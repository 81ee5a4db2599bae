/** The counted run: a stage is charged with its own calls of primitives and with no others. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadByName } from '../../src/core/discover.ts';
import { PIPELINES_DIR } from '../../src/core/paths.ts';
import type { ShardFacts } from '../../src/measure/facts.ts';
import type { Pipeline } from '../../src/pipelines/_pipeline.ts';
import { loadProvider, loadWorkload, optionsOf, runHere } from '../conformance/_parts.ts';

const escrow = await loadByName<Pipeline>(PIPELINES_DIR, 'escrow-chain-key', 'pipeline');
const provider = await loadProvider('null');
const MESSAGES = 12;

async function count(behaviour: string, rest: string): Promise<ShardFacts['counted']> {
  const changes = { sessions: 2, usersPerSession: 2, messages: MESSAGES };
  const workload = await loadWorkload(behaviour, changes);
  const options = optionsOf(escrow, { rest });
  const facts = await runHere(escrow, provider, workload, { options });
  assert.equal(facts.faults.count, 0);
  assert.equal(facts.messages.recovered, changes.sessions * MESSAGES);
  return facts.counted;
}

/** How many calls of `names` begin with `prefix`. */
function callsOf(names: Readonly<Record<string, number>>, prefix: string): number {
  return Object.entries(names)
    .filter(([name]) => name.startsWith(prefix))
    .reduce((sum, [, calls]) => sum + calls, 0);
}

/** Chains of a session: in ping-pong every message turns the ratchet, in one-way none does. */
for (const [behaviour, chains] of [
  ['ping-pong', MESSAGES],
  ['one-way', 1],
] as const) {
  test(`recovering ${behaviour} opens each message once and one field per chain`, async () => {
    const { calls, sessions, messages } = await count(behaviour, 'user-day');
    assert.equal(messages, sessions * MESSAGES);
    const recover = calls['recover']!;
    const opens = callsOf(recover, 'chacha20-poly1305-open');
    assert.equal(opens, messages + sessions * chains);
    // Each field is one HPKE open: one agreement with the authority's long-lived key.
    assert.equal(callsOf(recover, 'x25519-handle'), sessions * chains);
    assert.equal(callsOf(recover, 'chacha20-poly1305-seal'), 0);
  });

  test(`the relay's seal at rest is no part of what recovering ${behaviour} is charged with`, async () => {
    const sealed = await count(behaviour, 'user-day');
    const bare = await count(behaviour, 'none');
    assert.deepEqual(sealed.calls['recover'], bare.calls['recover']);
    // The relay itself does seal and open: there is something that could be charged wrongly.
    const opens = (counted: typeof bare): number =>
      callsOf(counted.calls['relay-fetch']!, 'chacha20-poly1305-open');
    assert.equal(opens(bare), 0);
    assert.ok(opens(sealed) >= sealed.messages);
  });
}
