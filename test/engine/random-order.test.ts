/** A workload of unequal sessions in random order, driven through pipelines. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadByName } from '../../src/core/discover.ts';
import { PIPELINES_DIR } from '../../src/core/paths.ts';
import { FactsDigest } from '../../src/engine/digest.ts';
import { Conversation } from '../../src/engine/conversation.ts';
import { Payload } from '../../src/engine/payload.ts';
import { Recorder } from '../../src/engine/recorder.ts';
import type { ShardFacts } from '../../src/measure/facts.ts';
import { PackedMembers } from '../../src/pipelines/_members.ts';
import type { Pipeline } from '../../src/pipelines/_pipeline.ts';
import { writeScript } from '../../src/workload/script.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import { loadBehaviour, loadProvider, loadWorkload } from '../conformance/_parts.ts';
import { optionsOf, runHere } from '../conformance/_parts.ts';

const SOCIAL = await loadWorkload('social', { sessions: 60 });
const node = await loadProvider('node');

function loadPipeline(name: string): Promise<Pipeline> {
  return loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline');
}

function settled({ faults, messages }: ShardFacts): void {
  assert.deepEqual(faults.first, []);
  assert.equal(messages.sent, messages.scripted);
}

for (const name of ['plaintext', 'at-rest-scoped', 'double-ratchet', 'escrow-message-key']) {
  test(`${name} delivers every message of every session`, async () => {
    const facts = await runHere(await loadPipeline(name), node, SOCIAL);
    settled(facts);
    assert.equal(facts.messages.delivered, facts.messages.sent);
    assert.ok(facts.messages.sent >= 60 * 3);
    assert.equal(facts.handshake.frames, 60);
    if (name === 'escrow-message-key') assert.equal(facts.recovery?.valid, facts.messages.sent);
  });
}

test('a bad network: what is lost, late or repeated is told apart, and nothing else is missing', async () => {
  const network = { loss: 0.1, reorder: 0.2, duplicate: 0.1, reorderDepth: 5 };
  const workload = await loadWorkload('social', { sessions: 60, messages: 8, network });
  const facts = await runHere(await loadPipeline('double-ratchet'), node, workload);
  settled(facts);
  assert.ok(facts.messages.lost > 0 && (facts.messages.refused['DUPLICATE'] ?? 0) > 0);
  assert.equal(facts.messages.delivered + facts.messages.lost, facts.messages.sent);
});

function lengthsAndOutcomes({ messages, wire, plaintextBytes, storedBytes }: ShardFacts): unknown {
  return { messages, wire, plaintextBytes, storedBytes };
}

test('the facts are the same for every provider, and other facts for another seed', async () => {
  const pipeline = await loadPipeline('double-ratchet');
  const ofNode = await runHere(pipeline, node, SOCIAL);
  const ofNative = await runHere(pipeline, await loadProvider('native'), SOCIAL);
  assert.deepEqual(lengthsAndOutcomes(ofNative), lengthsAndOutcomes(ofNode));
  assert.equal((await runHere(pipeline, node, SOCIAL)).digest, ofNode.digest);
  assert.notEqual((await runHere(pipeline, node, SOCIAL, { seed: 6 })).digest, ofNode.digest);
});

/** The digest of all that happened, with batches of a length. */
async function digestWith(pipeline: Pipeline, batch: number): Promise<string> {
  const workload = { ...SOCIAL, sessions: 200 };
  const script = writeScript(workload, await loadBehaviour('bursts'), 5, 0, 200);
  const members = new PackedMembers(script.members);
  const options = optionsOf(pipeline);
  const opening = { provider: node, randomness: seededRandomness(5, 0, 1), options };
  const world = await pipeline.open({ ...opening, users: script.users, members, seed: 5 });
  const digest = new FactsDigest();
  const talk = new Conversation(
    {
      clients: world.clients,
      relay: pipeline.openRelay({ ...opening, secret: world.relay }),
      authority: undefined,
      members,
    },
    script,
    new Payload(5, 4096),
    pipeline,
    new Recorder(0),
    digest,
    batch,
  );
  await talk.open();
  await talk.run();
  assert.deepEqual(talk.expectations.first, []);
  assert.equal(talk.tally.delivered, script.lengths.length);
  return digest.finish([]);
}

test('what happened does not depend on how messages fell into batches', async () => {
  const pipeline = await loadPipeline('pq-rekey');
  assert.equal(await digestWith(pipeline, 1), await digestWith(pipeline, 13));
});

test('blocks say which carry first messages and which carry mixed ones', async () => {
  const { blocks } = await runHere(await loadPipeline('plaintext'), node, SOCIAL);
  const traffic = blocks.phase.flatMap((phase, at) => (phase === 'traffic' ? [at] : []));
  const indices = new Set(traffic.map((at) => blocks.messageIndex[at]));
  assert.deepEqual([...indices], [0, 64]);
  const firsts = traffic.filter((at) => blocks.messageIndex[at] === 0);
  assert.equal(
    firsts.reduce((sum, at) => sum + blocks.messages[at]!, 0),
    60,
  );
});
