/** Evidence that opens once the other end has answered: shown to the authority again. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  loadAllPipelines,
  loadProvider,
  loadWorkload,
  optionsOf,
  runHere,
} from '../conformance/_parts.ts';

const pipelines = await loadAllPipelines();
const pipeline = pipelines.find(({ name }) => name === 'escrow-chain-key')!;
const provider = await loadProvider('native');

for (const name of ['chat', 'ping-pong']) {
  test(`one end that complies opens both directions of ${name}, but for what it has not answered`, async () => {
    const workload = await loadWorkload(name, { sessions: 6, messages: 30, usersPerSession: 1 });
    const options = optionsOf(pipeline, { both: 'yes' });
    const facts = await runHere(pipeline, provider, workload, { options });
    assert.deepEqual(facts.faults.first, []);
    const { evidence, valid, decoy, failed } = facts.recovery!;
    assert.equal(evidence, 6 * 30);
    assert.equal(valid + failed, evidence);
    assert.equal(decoy, 0);
    // Only the end of each session can be without an answer.
    assert.ok(failed <= 6 * 20 && valid > evidence * 0.8, `${failed} failed`);
    if (name === 'ping-pong') assert.equal(failed, 6, 'the last message of each session');
  });
}

test('without waiting, each such message would be a fault', async () => {
  const workload = await loadWorkload('ping-pong', {
    sessions: 2,
    messages: 8,
    usersPerSession: 1,
  });
  const options = optionsOf(pipeline, { both: 'yes' });
  const asked: typeof pipeline = {
    ...pipeline,
    async open(setup) {
      const { answersLate: _, ...world } = await pipeline.open(setup);
      return world;
    },
  };
  const facts = await runHere(asked, provider, workload, { options });
  assert.ok(facts.faults.count > 0);
  assert.match(facts.faults.first[0]!.reason, /could not recover the message: UNKNOWN_KEY/);
});
