/** Where a message is lost decides what the relay stores, acknowledges and hands over. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { loadByName } from '../../src/core/discover.ts';
import { PACKAGE_ROOT, PIPELINES_DIR } from '../../src/core/paths.ts';
import type { RecoveryFacts, ShardFacts } from '../../src/measure/facts.ts';
import recall from '../../src/metrics/recall.ts';
import { hostRepeat } from '../../src/runner/host.ts';
import type { RepeatReport } from '../../src/runner/repeat-report.ts';
import type { LossPlace, Workload } from '../../src/workload/workload.ts';
import { loadProvider, loadWorkload, optionsOf, runHere, specOf } from '../conformance/_parts.ts';
import { OUTCOME, type Pipeline } from '../../src/pipelines/_pipeline.ts';
import toyChain from '../planted/toy-chain.ts';

const TOY = join(PACKAGE_ROOT, 'test', 'planted', 'toy-chain.ts');
const GOOD = await loadWorkload('chat', { sessions: 20, usersPerSession: 1 });
const provider = await loadProvider('null');
const MESSAGES = GOOD.sessions * GOOD.messages;

function losing(lossAt: LossPlace, changes: Partial<Workload['network']> = {}): Workload {
  return { ...GOOD, network: { ...GOOD.network, loss: 0.1, lossAt, ...changes } };
}

type Repeat = 'none' | 'every-frame' | 'until-relay-ack';

async function report(
  repeat: Repeat,
  workload: Workload,
  unknown: 'fails' | 'guesses' = 'fails',
): Promise<RepeatReport> {
  const options = { repeat, unknown };
  return hostRepeat(specOf({ pipeline: TOY, provider: 'null', options, workload }));
}

async function factsOf(repeat: Repeat, workload: Workload): Promise<ShardFacts> {
  const options = { repeat, unknown: 'fails' };
  const facts = await runHere(toyChain, provider, workload, { options });
  assert.deepEqual(facts.faults, { count: 0, first: [] });
  return facts;
}

function recallOf(facts: ShardFacts): number {
  const [figure] = recall.derive({
    shards: [facts],
    messagesPerSession: 40,
    messagesPerConnection: 20,
  });
  return figure!.value;
}

/** How many calls the relay had. */
function stored({ stages }: ShardFacts): number {
  const { cpu, latency } = stages.find(({ id }) => id === 'relay-store')!;
  return cpu.calls.reduce((sum, calls) => sum + calls, 0) + latency.calls;
}

describe('what is lost', () => {
  test('on the uplink never reaches the relay, though it was sent', async () => {
    const facts = await factsOf('every-frame', losing('uplink'));
    const { sent, delivered, lost } = facts.messages;
    assert.ok(lost > 0);
    assert.deepEqual([sent, delivered + lost], [MESSAGES, MESSAGES]);
    assert.equal(facts.wire['message']!.frames, MESSAGES);
    assert.equal(stored(facts), delivered);
    assert.equal(facts.recovery!.evidence, delivered);
  });

  test('at the relay was stored, and is neither evidence nor delivered', async () => {
    const facts = await factsOf('every-frame', losing('relay'));
    const { delivered, lost } = facts.messages;
    assert.ok(lost > 0);
    assert.equal(stored(facts), MESSAGES);
    assert.equal(facts.recovery!.due, delivered);
    assert.equal(facts.recovery!.evidence, delivered);
  });

  test('on the downlink is evidence, and that is where it is lost if nothing is said', async () => {
    const facts = await factsOf('every-frame', losing('downlink'));
    assert.ok(facts.messages.lost > 0);
    assert.equal(facts.recovery!.evidence, MESSAGES);
    const { lossAt: _, ...unsaid } = losing('downlink').network;
    assert.equal((await factsOf('every-frame', { ...GOOD, network: unsaid })).digest, facts.digest);
  });
});

describe('what is lost of pipelines over connections', () => {
  // Null computes no tags, and would not notice a gap.
  const carried = loadProvider('node');
  for (const hop of ['on', 'none']) {
    test(`hop=${hop}: the connection stays whole, wherever it is lost`, async () => {
      for (const lossAt of ['uplink', 'relay', 'downlink'] as const) {
        const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, 'double-ratchet', 'pipeline');
        const options = optionsOf(pipeline, { hop, rest: 'user-day' });
        const workload = { ...losing(lossAt), messages: 12 };
        const facts = await runHere(pipeline, await carried, workload, { options });
        assert.deepEqual(facts.faults, { count: 0, first: [] });
        const { sent, delivered, lost } = facts.messages;
        assert.ok(lost > 0 && delivered + lost === sent);
        // Over a connection the relay reads what it does not get to store.
        assert.equal(stored(facts), hop === 'none' && lossAt === 'uplink' ? delivered : sent);
        const whole = await runHere(
          pipeline,
          await carried,
          { ...GOOD, messages: 12 },
          { options },
        );
        assert.equal(facts.storedBytes < whole.storedBytes, lossAt === 'uplink');
      }
    });
  }
});

describe('a field that is lost', () => {
  test('on the uplink costs the rest of its chain: counted, and no fault', async () => {
    const facts = await factsOf('none', losing('uplink'));
    const { evidence, valid, decoy, failed, delivered, deliveredRecovered } = facts.recovery!;
    assert.ok(failed > 0);
    assert.equal(decoy, 0);
    assert.equal(valid + failed, evidence);
    assert.equal(delivered, facts.messages.delivered);
    assert.equal(deliveredRecovered, valid);
    assert.equal(recallOf(facts), valid / delivered);
  });

  test('on the uplink costs nothing where it is repeated until the relay acknowledges it', async () => {
    const facts = await factsOf('until-relay-ack', losing('uplink'));
    assert.equal(facts.recovery!.failed, 0);
    assert.equal(recallOf(facts), 1);
  });

  test('at the relay is lost in spite of the acknowledgement', async () => {
    const acknowledged = await factsOf('until-relay-ack', losing('relay'));
    assert.ok(acknowledged.recovery!.failed > 0);
    assert.ok(recallOf(acknowledged) < 1);
    assert.equal(recallOf(await factsOf('every-frame', losing('relay'))), 1);
  });

  test('on the downlink was taken before', async () => {
    for (const repeat of ['none', 'until-relay-ack'] as const) {
      const facts = await factsOf(repeat, losing('downlink'));
      assert.equal(facts.recovery!.valid, MESSAGES);
      assert.equal(recallOf(facts), 1);
    }
  });

  test('is no error of the repeat, wherever it was lost', async () => {
    for (const lossAt of ['uplink', 'relay', 'downlink'] as const) {
      const { status, reason } = await report('none', losing(lossAt));
      assert.deepEqual([status, reason], ['ok', undefined]);
    }
  });

  test('excuses no decoy', async () => {
    const { status, reason, shards } = await report('none', losing('uplink'), 'guesses');
    assert.equal(status, 'error');
    assert.match(reason ?? '', /: the authority recovered another plaintext/);
    assert.ok(shards[0]!.recovery!.decoy > 0);
  });
});

test('what is held back counts when it is delivered, and is evidence when it is sent', async () => {
  for (const lossAt of ['uplink', 'relay', 'downlink'] as const) {
    const network = { loss: 0.1, reorder: 0.4, reorderDepth: 8, duplicate: 0.2 };
    const facts = await factsOf('none', losing(lossAt, network));
    assert.equal(facts.recovery!.delivered, facts.messages.delivered);
    const { valid, deliveredRecovered } = facts.recovery!;
    // All that is recovered is delivered in the end, but for what was lost after it was evidence.
    const lost = lossAt === 'downlink' ? facts.messages.lost : 0;
    assert.equal(deliveredRecovered, valid - lost);
  }
});

test('an authority that recovers nothing has an excuse only after evidence was lost', async () => {
  const silent: Pipeline = {
    ...toyChain,
    openAuthority: () => ({ recover: () => OUTCOME.UNKNOWN_KEY }),
  };
  const options = { repeat: 'none', unknown: 'fails' };
  const faultsOf = async (lossAt: LossPlace): Promise<number> => {
    const { faults } = await runHere(silent, provider, losing(lossAt), { options });
    assert.equal(faults.first[0]!.message, 0, 'the first message of a session is never lost');
    return faults.count;
  };
  for (const lossAt of ['uplink', 'relay'] as const) {
    const faults = await faultsOf(lossAt);
    assert.ok(faults >= GOOD.sessions && faults < MESSAGES / 2, `${faults} faults`);
  }
  assert.equal(await faultsOf('downlink'), MESSAGES);
});

test('what came of evidence adds up, and nothing is recovered more often than it was sent', () => {
  const cases = fc.record({
    repeat: fc.constantFrom<Repeat>('none', 'every-frame', 'until-relay-ack'),
    network: fc.record({
      loss: fc.double({ min: 0, max: 0.5, noNaN: true }),
      lossAt: fc.constantFrom<LossPlace>('uplink', 'relay', 'downlink'),
      reorder: fc.double({ min: 0, max: 0.5, noNaN: true }),
      reorderDepth: fc.integer({ min: 1, max: 6 }),
      duplicate: fc.double({ min: 0, max: 0.3, noNaN: true }),
      outage: fc.integer({ min: 0, max: 12 }),
    }),
    seed: fc.integer({ min: 0, max: 1000 }),
  });
  const property = fc.asyncProperty(cases, async ({ repeat, network, seed }) => {
    const workload = { ...GOOD, sessions: 4, messages: 20, network };
    const options = { repeat, unknown: 'fails' };
    const facts = await runHere(toyChain, provider, workload, { options, seed });
    assert.deepEqual(facts.faults.first, []);
    const of: RecoveryFacts = facts.recovery!;
    assert.equal(of.valid + of.decoy + of.failed, of.evidence);
    assert.equal(of.evidence, of.due);
    assert.ok(of.deliveredRecovered <= Math.min(of.valid, of.delivered));
    assert.equal(of.delivered, facts.messages.delivered);
    if (network.lossAt === 'downlink' || repeat === 'every-frame') assert.equal(of.failed, 0);
  });
  return fc.assert(property, { seed: 11, numRuns: 60 });
});
