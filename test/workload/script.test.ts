/** A script's outage and its virtual time. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FATE, writeScript } from '../../src/workload/script.ts';
import { loadBehaviour, loadWorkload } from '../conformance/_parts.ts';

const DAY_MS = 86_400_000;
const BURSTS = await loadBehaviour('bursts');

test('an outage loses exactly the messages after the first of each session, and never the first', () => {
  const outages = fc.record({
    outage: fc.integer({ min: 0, max: 70 }),
    messages: fc.integer({ min: 1, max: 60 }),
    duplicate: fc.constantFrom(0, 0.5),
  });
  const property = fc.asyncProperty(outages, async ({ outage, messages, duplicate }) => {
    const network = { outage, duplicate };
    const workload = await loadWorkload('chat', { messages, network });
    const { fates } = writeScript(workload, BURSTS, 4, 0, 3);
    for (let at = 0; at < fates.length; at++) {
      const isOut = at % messages >= 1 && at % messages <= outage;
      assert.equal(fates[at] === FATE.lost, isOut, `message ${at % messages}`);
    }
  });
  return fc.assert(property, { seed: 9, numRuns: 100 });
});

test('an outage changes nothing but what it loses', async () => {
  const network = { duplicate: 0.2, reorder: 0.2 };
  const without = writeScript(await loadWorkload('chat', { network }), BURSTS, 4, 0, 20);
  const workload = await loadWorkload('chat', { network: { ...network, outage: 7 } });
  const script = writeScript(workload, BURSTS, 4, 0, 20);
  const untouched = without.fates.map((fate, at) => {
    const message = at % without.messages;
    return message >= 1 && message <= 7 ? FATE.lost : fate;
  });
  assert.deepEqual(script, { ...without, fates: untouched });
});

test('a user sends and receives messagesPerUserDay messages in a virtual day', async () => {
  for (const [sessions, usersPerSession, messagesPerUserDay] of [
    [200, 0.2, 55],
    [50, 2, 55],
    [30, 1, 0.5],
    [1000, 0.01, 4000],
  ] as const) {
    const workload = await loadWorkload('chat', { sessions, usersPerSession, messagesPerUserDay });
    const { users, messages, stepMs } = writeScript(workload, BURSTS, 1, 0, sessions);
    assert.equal(users, sessions * usersPerSession);
    // Each message is handled twice: by who sends it and by who receives it.
    const handledPerUser = (2 * sessions * messages) / users;
    const days = (messages * stepMs) / DAY_MS;
    const found = handledPerUser / days;
    assert.ok(Math.abs(found / messagesPerUserDay - 1) < 1e-9, `${found} a day`);
  }
});

test('virtual time passes alike in every shard of a workload', async () => {
  const workload = await loadWorkload('chat', { sessions: 400 });
  const whole = writeScript(workload, BURSTS, 1, 0, 400);
  assert.equal(writeScript(workload, BURSTS, 1, 200, 200).stepMs, whole.stepMs);
});
