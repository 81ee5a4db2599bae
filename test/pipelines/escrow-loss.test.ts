/**
 * E2 and E3 over a network that loses, driven by the engine: where a message is lost decides what the
 * authority loses with it, and how often the field of a chain is repeated decides how much.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RecoveryFacts } from '../../src/measure/facts.ts';
import type { Options, Pipeline } from '../../src/pipelines/_pipeline.ts';
import escrowChainKey from '../../src/pipelines/escrow-chain-key.ts';
import escrowMessageKey from '../../src/pipelines/escrow-message-key.ts';
import { ISOLATED, loadProvider, loadWorkload, optionsOf, runHere } from '../conformance/_parts.ts';

const providers = await Promise.all(['native', 'null'].map(loadProvider));

const few = { sessions: 3, usersPerSession: 1, messages: 40 };
const CLEAN = { loss: 0.15, reorder: 0, reorderDepth: 1, duplicate: 0, outage: 0 };
const ROUGH = { loss: 0.05, reorder: 0.2, reorderDepth: 4, duplicate: 0.1, outage: 0 };

async function run(
  pipeline: Pipeline,
  changes: Options,
  network: typeof CLEAN,
  lossAt: 'uplink' | 'relay' | 'downlink',
): Promise<RecoveryFacts> {
  const workload = await loadWorkload('chat', { ...few, network: { ...network, lossAt } });
  const options = optionsOf(pipeline, { ...ISOLATED, ...changes });
  const found: RecoveryFacts[] = [];
  for (const provider of providers) {
    const { faults, messages, recovery } = await runHere(pipeline, provider, workload, { options });
    assert.deepEqual(faults.first, [], provider.name);
    assert.ok(messages.lost > 0);
    found.push(recovery!);
  }
  assert.deepEqual(found[0], found[1], 'whoever computes it');
  assert.equal(found[0]!.decoy, 0);
  return found[0]!;
}

const PER_CHAIN = [
  ['escrow-chain-key', escrowChainKey, {}],
  ['escrow-chain-key, verifiable', escrowChainKey, { verifiable: 'yes' }],
  ['escrow-message-key in context mode', escrowMessageKey, { context: 'yes' }],
] as const;

for (const [name, pipeline, mode] of PER_CHAIN) {
  describe(name, () => {
    test('loss before the relay closes the rest of a chain with none, and nothing with the others', async () => {
      const lost = await run(pipeline, { ...mode, repeat: 'none' }, CLEAN, 'uplink');
      assert.ok(lost.failed > 0 && lost.deliveredRecovered < lost.delivered);
      for (const repeat of ['every-frame', 'until-relay-ack']) {
        const { failed, delivered, deliveredRecovered } = await run(
          pipeline,
          { ...mode, repeat },
          CLEAN,
          'uplink',
        );
        assert.equal(failed, 0, repeat);
        assert.equal(deliveredRecovered, delivered, repeat);
      }
    });

    test('loss at the relay defeats until-relay-ack as it does none, and not every-frame', async () => {
      const findings = [];
      for (const repeat of ['none', 'until-relay-ack', 'every-frame']) {
        findings.push((await run(pipeline, { ...mode, repeat }, CLEAN, 'relay')).failed);
      }
      assert.ok(findings[0]! > 0);
      assert.equal(findings[1], findings[0]);
      assert.equal(findings[2], 0);
    });

    test('loss after evidence is taken, late frames and second deliveries cost the authority nothing', async () => {
      for (const repeat of ['none', 'until-relay-ack', 'every-frame']) {
        const { failed, valid, due } = await run(pipeline, { ...mode, repeat }, ROUGH, 'downlink');
        assert.equal(failed, 0, repeat);
        assert.equal(valid, due, repeat);
      }
    });
  });
}

test('escrow-message-key loses with a message nothing but that message, wherever it is lost', async () => {
  for (const verifiable of ['no', 'yes']) {
    for (const lossAt of ['uplink', 'relay', 'downlink'] as const) {
      const { failed, delivered, deliveredRecovered } = await run(
        escrowMessageKey,
        { verifiable },
        ROUGH,
        lossAt,
      );
      assert.equal(failed, 0, lossAt);
      assert.equal(deliveredRecovered, delivered, lossAt);
    }
  }
});
