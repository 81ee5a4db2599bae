/**
 * What every pipeline in `src/pipelines/` must do with every provider, found by listing the folders:
 * describe itself, deliver what was sent over a good and over a bad network, and do the same thing
 * byte for byte whoever computes it.
 *
 * Every run goes through the engine with poisoned buffers and seeded randomness.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HarnessError } from '../../src/core/errors.ts';
import type { Provider } from '../../src/crypto/provider.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import { Conversation } from '../../src/engine/conversation.ts';
import { FactsDigest } from '../../src/engine/digest.ts';
import { Payload } from '../../src/engine/payload.ts';
import { Recorder } from '../../src/engine/recorder.ts';
import type { ShardFacts } from '../../src/measure/facts.ts';
import { PackedMembers } from '../../src/pipelines/_members.ts';
import {
  FAMILIES,
  synchronousClients,
  type Options,
  type Pipeline,
} from '../../src/pipelines/_pipeline.ts';
import { writeScript } from '../../src/workload/script.ts';
import type { Workload } from '../../src/workload/workload.ts';
import {
  ISOLATED,
  loadAllPipelines,
  loadAllProviders,
  loadBehaviour,
  loadWorkload,
  optionsOf,
  providerOf,
  runHere,
} from './_parts.ts';
import { transcribe } from './_transcript.ts';

const pipelines = await loadAllPipelines();
const providers = await loadAllProviders();

const few = { sessions: 3, usersPerSession: 1 };
const CHAT = await loadWorkload('chat', { ...few, messages: 12 });
const PING_PONG = await loadWorkload('ping-pong', { ...few, messages: 7 });
const ONE_WAY = await loadWorkload('one-way', { ...few, messages: 7 });
/** Enough messages that each of loss, reordering and duplication occurs with this seed. */
const BAD_NETWORK = await loadWorkload('chat', {
  ...few,
  messages: 24,
  network: { loss: 0.05, reorder: 0.1, reorderDepth: 3, duplicate: 0.05, outage: 0 },
});

const QUICK_PROVIDERS = providers.filter(({ name }) => name !== 'noble');

/** Nothing went wrong and every message is accounted for. */
function assertDelivered(facts: ShardFacts, pipeline: Pipeline, workload: Workload): void {
  assert.deepEqual(facts.faults.first, []);
  assert.equal(facts.faults.count, 0);
  const { sent, delivered, lost, recovered, refused } = facts.messages;
  assert.equal(sent, workload.sessions * workload.messages);
  assert.equal(delivered + lost, sent);
  const isRecovered = pipeline.family === 'escrow-wrapped' && pipeline.recovers !== 'none';
  assert.equal(recovered, isRecovered ? sent : 0);
  for (const name of Object.keys(refused)) assert.equal(name, 'DUPLICATE');
}

/** Runs one cell with each provider and compares what all parts of the pipeline put out. */
async function deliver(
  pipeline: Pipeline,
  workload: Workload,
  changes: Options = {},
  each: readonly Provider[] = providers,
): Promise<{ readonly all: ShardFacts[]; readonly lines: readonly string[] }> {
  const options = optionsOf(pipeline, changes);
  const all: ShardFacts[] = [];
  let lines: readonly string[] | undefined;
  for (const provider of each) {
    const transcript = transcribe(pipeline);
    const run = runHere(transcript.pipeline, provider, workload, { options });
    const facts = await unlessUnsupported(provider, run);
    if (facts === undefined) continue;
    assertDelivered(facts, pipeline, workload);
    all.push(facts);
    if (provider.name === 'null' || drawsItsOwnRandomness(provider, facts)) continue;
    lines ??= transcript.lines;
    assert.deepEqual(transcript.lines, lines, `transcript with ${provider.name}`);
  }
  return { all, lines: lines ?? [] };
}

/** @returns Undefined where the library lacks the primitive that the refusal names. */
async function unlessUnsupported<T>(provider: Provider, run: Promise<T>): Promise<T | undefined> {
  try {
    return await run;
  } catch (error) {
    if (!(error instanceof HarnessError && error.code === 'UNSUPPORTED')) throw error;
    const [, primitive] =
      /has no (aes-256-gcm|ml-kem-\d+|x-wing|ristretto255)$/.exec(error.message) ?? [];
    assert.ok(primitive !== undefined, error.message);
    const available = [...Object.keys(provider.aead), ...Object.keys(provider.kem)];
    assert.ok(!available.includes(primitive), error.message);
    return undefined;
  }
}

/** Where a library's KEM takes no randomness no other provider can repeat what it did. */
function drawsItsOwnRandomness(provider: Provider, { counted }: ShardFacts): boolean {
  const calls = Object.values(counted.calls).flatMap((ofStage) => Object.keys(ofStage));
  return (['ml-kem-768', 'ml-kem-1024', 'x-wing'] as const).some(
    (name) => calls.includes(`${name}-encapsulate`) && provider.kem[name]?.derandomised === false,
  );
}

for (const pipeline of pipelines) {
  describe(pipeline.name, () => {
    test('it describes itself completely', () => {
      assert.match(pipeline.name, /^[a-z][a-z0-9-]*$/);
      assert.notEqual(pipeline.title.trim(), '');
      assert.ok(FAMILIES.includes(pipeline.family));
      assert.match(pipeline.rung, /^(?:L\d+|E[0-7]|C7|side)$/);
      assert.ok(pipeline.skipLimit > 0);
      // The floor protects nothing, so it has nothing to add and no specification to follow.
      if (pipeline.rung !== 'L0') {
        assert.ok(pipeline.specs.length > 0, 'specs');
        const change = pipeline.family === 'escrow-wrapped' ? pipeline.removes : pipeline.adds;
        assert.ok(change !== undefined && change !== '', 'adds, or for escrow removes');
      }
      assert.ok(pipeline.caveats.length > 0, 'caveats');
      for (const text of [...pipeline.specs, ...pipeline.caveats]) assert.notEqual(text.trim(), '');
      const hasAuthority = pipeline.openAuthority !== undefined;
      assert.equal(hasAuthority, pipeline.family === 'escrow-wrapped', 'openAuthority');
    });

    test('every option has a title, and its default is among its values', () => {
      for (const [name, option] of Object.entries(pipeline.options)) {
        assert.match(name, /^[a-z][A-Za-z0-9-]*$/);
        assert.notEqual(option.title, '', name);
        const { values } = option;
        if ('min' in values) {
          const value = Number(option.default);
          assert.ok(Number.isInteger(value) && value >= values.min && value <= values.max, name);
        } else {
          assert.ok(values.includes(option.default), name);
          assert.equal(new Set(values).size, values.length, name);
        }
      }
    });

    test('it delivers chat, with the same bytes from every provider', async () => {
      const { lines } = await deliver(pipeline, CHAT);
      const again = await deliver(pipeline, CHAT, {}, [providerOf(pipeline)]);
      if (again.lines.length === 0) return; // Of a KEM that draws its own randomness.
      assert.deepEqual(again.lines, lines, 'the same seed gives the same bytes again');
    });

    test('without hops and sealing at rest it delivers ping-pong, with the same bytes from every provider', async () => {
      await deliver(pipeline, PING_PONG, ISOLATED);
    });

    test('it delivers every workload with and without hops and sealing at rest', async () => {
      await deliver(pipeline, CHAT, ISOLATED, [providerOf(pipeline)]);
      await deliver(pipeline, PING_PONG, {}, [providerOf(pipeline)]);
      await deliver(pipeline, ONE_WAY, {}, [providerOf(pipeline)]);
      await deliver(pipeline, ONE_WAY, ISOLATED, [providerOf(pipeline)]);
    });

    test('over a bad network it delivers what arrives and refuses what it must', async () => {
      const { all } = await deliver(pipeline, BAD_NETWORK, {}, QUICK_PROVIDERS);
      for (const facts of all) {
        assert.ok(facts.messages.lost > 0);
        const duplicates = facts.messages.refused['DUPLICATE'] ?? 0;
        assert.equal(duplicates > 0, pipeline.replayProtection);
      }
    });

    test('AES-256-GCM works where the library has it and is unsupported elsewhere', async () => {
      if (pipeline.options['aead'] === undefined) return;
      const options = optionsOf(pipeline, { aead: 'aes-256-gcm' });
      for (const provider of QUICK_PROVIDERS) {
        const run = runHere(pipeline, provider, ONE_WAY, { options });
        const facts = await unlessUnsupported(provider, run);
        if (facts !== undefined) assertDelivered(facts, pipeline, ONE_WAY);
        const isMissing = provider.aead['aes-256-gcm'] === undefined;
        assert.ok(!isMissing || facts === undefined, `${provider.name} has no AES-256-GCM`);
      }
    });

    test('the facts do not depend on cryptography, nor on how messages fall into batches', async () => {
      const expected = await digestOf(pipeline, providerOf(pipeline), 16);
      const none = providers.find(({ name }) => name === 'null')!;
      for (const batch of [1, 3, 16]) {
        assert.equal(await digestOf(pipeline, none, batch), expected, `batches of ${batch}`);
      }
    });
  });
}

for (const pipeline of pipelines.filter(({ options }) => options['turn'] !== undefined)) {
  test(`${pipeline.name} with deferred keys does what it does with eager ones`, async () => {
    const turn = 'deferred';
    await deliver(pipeline, CHAT, { turn });
    const { all } = await deliver(pipeline, BAD_NETWORK, { turn }, QUICK_PROVIDERS);
    const eager = await deliver(pipeline, BAD_NETWORK, {}, [providerOf(pipeline)]);
    for (const { messages } of all) assert.deepEqual(messages, eager.all[0]!.messages);
    await deliver(pipeline, BAD_NETWORK, { turn, persist: 'record' }, [providerOf(pipeline)]);
  });
}

/** The facts of a conversation but for the calls of primitives, which differ between libraries. */
async function digestOf(pipeline: Pipeline, provider: Provider, batch: number): Promise<string> {
  const behaviour = await loadBehaviour(BAD_NETWORK.behaviour);
  const script = writeScript(BAD_NETWORK, behaviour, 3, 0, BAD_NETWORK.sessions);
  const members = new PackedMembers(script.members);
  const options = optionsOf(pipeline);
  const world = await pipeline.open({
    provider,
    randomness: seededRandomness(1),
    users: script.users,
    members,
    options,
    seed: 1,
  });
  const secret = world.relay;
  const relay = pipeline.openRelay({ provider, randomness: seededRandomness(2), secret, options });
  const { directory } = world;
  const secrets = world.authority ?? [];
  const authority = pipeline.openAuthority?.({ provider, secrets, directory, members, options });
  const digest = new FactsDigest();
  const recorder = new Recorder(0);
  const talk = new Conversation(
    {
      clients: synchronousClients(world.clients),
      relay,
      authority,
      members,
      senders: world.senders,
      targets: world.targets,
      evidence: world.evidence,
    },
    script,
    new Payload(3, Math.max(...script.lengths)),
    pipeline,
    recorder,
    digest,
    batch,
  );
  await talk.open();
  await talk.run();
  recorder.finish();
  assert.deepEqual(talk.expectations.first, []);
  return digest.finish([talk.tally.wire, talk.tally.storedBytes]);
}
