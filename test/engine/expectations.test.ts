/** What must come of a delivery, above all of a second one of a message that was refused. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadByName } from '../../src/core/discover.ts';
import { PIPELINES_DIR } from '../../src/core/paths.ts';
import type { DeliveryContract } from '../../src/engine/conversation.ts';
import { Expectations } from '../../src/engine/expectations.ts';
import { OUTCOME, type Pipeline } from '../../src/pipelines/_pipeline.ts';
import { writeScript } from '../../src/workload/script.ts';
import { ISOLATED, loadBehaviour, loadProvider } from '../conformance/_parts.ts';
import { loadWorkload, optionsOf, runHere } from '../conformance/_parts.ts';

const ONE_WAY = await loadWorkload('one-way', { sessions: 1, usersPerSession: 2, messages: 40 });
const SCRIPT = writeScript(ONE_WAY, await loadBehaviour('one-way'), 1, 0, 1);
const RECEIVER = 1;

/** Of the first session, where member 0 sends everything. */
function expecting(contract: DeliveryContract): (message: number, again: boolean) => number {
  const expectations = new Expectations(contract, SCRIPT);
  return (message, again) => expectations.expect(0, RECEIVER, message, again);
}

describe('what is expected of a delivery', () => {
  test('a message that comes again is a duplicate where replays are refused, and opens elsewhere', () => {
    const refusing = expecting({ replayProtection: true, skipLimit: 3 });
    assert.equal(refusing(0, false), 0);
    assert.equal(refusing(0, true), OUTCOME.DUPLICATE);
    const accepting = expecting({ replayProtection: false, skipLimit: 3 });
    assert.equal(accepting(0, false), 0);
    assert.equal(accepting(0, true), 0);
  });

  test('a message that was too far is too far when it comes again, and no duplicate', () => {
    for (const replayProtection of [true, false]) {
      const expect = expecting({ replayProtection, skipLimit: 3 });
      assert.equal(expect(0, false), 0);
      assert.equal(expect(5, false), OUTCOME.TOO_FAR);
      assert.equal(expect(5, true), OUTCOME.TOO_FAR);
      assert.equal(expect(4, false), 0, 'exactly as many are missing as may be');
    }
  });

  test('once the gap is closed, a message that was too far opens when it comes again', () => {
    const expect = expecting({ replayProtection: true, skipLimit: 3 });
    assert.equal(expect(0, false), 0);
    assert.equal(expect(5, false), OUTCOME.TOO_FAR);
    assert.equal(expect(3, false), 0);
    assert.equal(expect(5, true), 0);
    assert.equal(expect(5, true), OUTCOME.DUPLICATE);
  });
});

/** One over which each session opens, loses `outage` messages and then gets many of the rest twice. */
const afterOutage = (outage: number, messages: number): ReturnType<typeof loadWorkload> =>
  loadWorkload('one-way', {
    sessions: 2,
    usersPerSession: 2,
    messages,
    network: { outage, duplicate: 0.1 },
  });

describe('after an outage', () => {
  const MESSAGES = 1300;
  const OUTAGE = 1100;

  test('a ratchet refuses all that follows as too far, once each and without a fault', async () => {
    const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, 'double-ratchet', 'pipeline');
    assert.ok(pipeline.skipLimit < OUTAGE && pipeline.replayProtection);
    const workload = await afterOutage(OUTAGE, MESSAGES);
    const options = optionsOf(pipeline, ISOLATED);
    const facts = await runHere(pipeline, await loadProvider('null'), workload, { options });
    assert.deepEqual(facts.faults, { count: 0, first: [] });
    const { sent, delivered, lost, refused } = facts.messages;
    const sessions = workload.sessions;
    assert.deepEqual(
      [sent, delivered, lost],
      [MESSAGES, 1, OUTAGE].map((n) => n * sessions),
    );
    assert.deepEqual(refused, { TOO_FAR: (MESSAGES - OUTAGE - 1) * sessions });
  });

  test('within the limit all that follows opens, and what comes twice is a duplicate', async () => {
    const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, 'double-ratchet', 'pipeline');
    const workload = await afterOutage(30, 230);
    const options = optionsOf(pipeline, ISOLATED);
    const facts = await runHere(pipeline, await loadProvider('null'), workload, { options });
    assert.deepEqual(facts.faults, { count: 0, first: [] });
    const { delivered, lost, refused } = facts.messages;
    assert.deepEqual([delivered, lost], [400, 60]);
    assert.deepEqual(Object.keys(refused), ['DUPLICATE']);
    assert.ok(refused['DUPLICATE']! > 10, String(refused['DUPLICATE']));
  });
});
