/** Every workload in `suites/workloads/`: it parses, and its script is what it says. */

import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { listNames } from '../../src/core/discover.ts';
import { BEHAVIOURS_DIR, SUITES_DIR } from '../../src/core/paths.ts';
import { FATE, indexOf, writeScript, type Script } from '../../src/workload/script.ts';
import { loadBehaviour, loadWorkload } from '../conformance/_parts.ts';

const FOLDER = join(SUITES_DIR, 'workloads');
const names = (await readdir(FOLDER))
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

/** Lengths of the turns of all sessions, without the last of each, which the end cuts off. */
function burstsOf({ sessions, messages, speakers }: Script): number[] {
  const bursts: number[] = [];
  for (let session = 0; session < sessions; session++) {
    let length = 0;
    for (let i = 0; i < messages; i++) {
      const at = session * messages + i;
      if (i > 0 && speakers[at] !== speakers[at - 1]) {
        bursts.push(length);
        length = 0;
      }
      length += 1;
    }
  }
  return bursts;
}

test('there are the five workloads that suites name', () => {
  const named = ['chat', 'one-way', 'ping-pong', 'sizes', 'social'];
  for (const name of named) assert.ok(names.includes(name));
});

for (const name of names) {
  describe(name, () => {
    test('it parses under its own name, and its behaviour knows its parameters', async () => {
      const workload = await loadWorkload(name);
      assert.equal(workload.name, name);
      assert.ok((await listNames(BEHAVIOURS_DIR)).includes(workload.behaviour));
      const { parameters } = await loadBehaviour(workload.behaviour);
      assert.deepEqual(Object.keys(workload.parameters).sort(), Object.keys(parameters).sort());
      for (const [key, { min, max }] of Object.entries(parameters)) {
        const value = workload.parameters[key]!;
        assert.ok(value >= min && value <= max, key);
      }
      const { size } = workload;
      if (size.distribution === 'log-normal') assert.ok(size.minBytes <= size.maxBytes);
    });

    test('its script is determined by the seed, whatever shard a session falls into', async () => {
      const workload = await loadWorkload(name);
      const behaviour = await loadBehaviour(workload.behaviour);
      const whole = writeScript(workload, behaviour, 9, 0, 20);
      assert.deepEqual(writeScript(workload, behaviour, 9, 0, 20), whole);
      const other = writeScript(workload, behaviour, 10, 0, 20);
      assert.notDeepEqual([other.lengths, other.members], [whole.lengths, whole.members]);
      const part = writeScript(workload, behaviour, 9, 15, 5);
      const from = indexOf(whole, 15, 0);
      assert.deepEqual(part.speakers, whole.speakers.subarray(from));
      assert.deepEqual(part.lengths, whole.lengths.subarray(from));
    });

    test('member 0 begins, two different users talk, and sizes keep their bounds', async () => {
      const workload = await loadWorkload(name);
      const behaviour = await loadBehaviour(workload.behaviour);
      const script = writeScript(workload, behaviour, 1, 0, 500);
      const { members, speakers, users, lengths } = script;
      for (let session = 0; session < script.sessions; session++) {
        assert.equal(speakers[indexOf(script, session, 0)], 0);
        const [first, second] = [members[session * 2]!, members[session * 2 + 1]!];
        assert.ok(first !== second && first < users && second < users);
      }
      assert.ok(speakers.every((speaker) => speaker <= 1));
      const { size } = workload;
      const [min, max] =
        size.distribution === 'fixed' ? [size.bytes, size.bytes] : [size.minBytes, size.maxBytes];
      assert.ok(lengths.every((length) => length >= min && length <= max));
      assert.ok(script.stepMs > 0);
      // As written the network is a good one; suites make it worse by options.
      assert.ok(script.fates.every((fate) => fate === FATE.delivered));
      assert.ok(script.delays.every((delay) => delay === 0));
    });
  });
}

test('the bursts of chat have the mean that it declares, within 5 % over 20,000 messages', async () => {
  // Long sessions, because the end of a session cuts its last burst.
  const workload = await loadWorkload('chat', { messages: 20_000 });
  const script = writeScript(workload, await loadBehaviour(workload.behaviour), 1, 0, 1);
  const bursts = burstsOf(script);
  const mean = bursts.reduce((sum, length) => sum + length, 0) / bursts.length;
  const declared = workload.parameters['meanBurst']!;
  assert.ok(Math.abs(mean / declared - 1) < 0.05, `${mean} in place of ${declared}`);
  assert.ok(Math.max(...bursts) <= workload.parameters['maxBurst']!);
});

test('the sizes of chat have the median and the spread that it declares', async () => {
  const workload = await loadWorkload('chat', { messages: 20_000 });
  const { lengths } = writeScript(workload, await loadBehaviour(workload.behaviour), 1, 0, 1);
  const sorted = [...lengths].sort((a, b) => a - b);
  assert.ok(Math.abs(sorted[10_000]! - 28) <= 1, `median ${sorted[10_000]}`);
  // One standard deviation of a normal distribution up: 84.13 %. 28 B times e^0.9.
  assert.ok(Math.abs(sorted[16_827]! / 68.9 - 1) < 0.05, `84 % ${sorted[16_827]}`);
});

test('every message of ping-pong answers the one before, and nobody answers in one-way', async () => {
  const pingPong = await loadWorkload('ping-pong');
  const turns = writeScript(pingPong, await loadBehaviour(pingPong.behaviour), 1, 0, 5);
  assert.ok(turns.speakers.every((speaker, i) => speaker === (i % pingPong.messages) % 2));
  const oneWay = await loadWorkload('one-way');
  const script = writeScript(oneWay, await loadBehaviour(oneWay.behaviour), 1, 0, 5);
  assert.ok(script.speakers.every((speaker) => speaker === 0));
});

/** Within five standard deviations of a share of 0.2 among 20,000. */
function near(found: number, asked: number): void {
  assert.ok(Math.abs(found - asked) < 0.015, `${found} in place of ${asked}`);
}

test('loss, duplication and reordering have the shares asked for, and spare the first message', () => {
  const share = fc.double({ min: 0, max: 0.2, noNaN: true });
  const networks = fc.record({ loss: share, duplicate: share, reorder: share });
  const property = fc.asyncProperty(networks, async (given) => {
    const network = { ...given, reorderDepth: 4 };
    const workload = await loadWorkload('chat', { messages: 20_000, network });
    const script = writeScript(workload, await loadBehaviour(workload.behaviour), 2, 0, 1);
    const { fates, delays, messages } = script;
    assert.deepEqual([fates[0], delays[0]], [FATE.delivered, 0]);
    const shareOf = (count: number): number => count / messages;
    const lost = shareOf(fates.filter((fate) => fate === FATE.lost).length);
    const repeated = shareOf(fates.filter((fate) => fate === FATE.duplicated).length);
    const late = shareOf(delays.filter((delay) => delay > 0).length);
    near(lost, given.loss);
    near(repeated, given.duplicate);
    near(late, given.reorder);
    assert.ok(delays.every((delay) => delay <= 4));
  });
  return fc.assert(property, { seed: 6, numRuns: 10 });
});
