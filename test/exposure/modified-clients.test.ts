/**
 * Clients that dodge their escrow, and clients that show the authority a decoy, on every design that
 * has an authority: the columns A10 and A12 of the expected table, as published.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { equalBytes, utf8 } from '../../src/core/bytes.ts';
import { isNotMounted } from '../../src/exposure/adversary.ts';
import { FalseCopies } from '../../src/exposure/false-copies.ts';
import { modifiedPipeline } from '../../src/exposure/modified-client.ts';
import { pairs, Stage, type Sent } from '../../src/exposure/stage.ts';
import type { Town } from '../../src/exposure/town.ts';
import type { Pipeline } from '../../src/pipelines/_pipeline.ts';
import { adversaries, openTown } from './_towns.ts';

const LEAST = { sessions: 1, messages: 4 };

/** Shares of what modified clients send: with one of them, and with two that agree. */
interface Rates {
  readonly dodged: readonly [one: number, two: number];
  readonly decoy: readonly [one: number, two: number];
}

const ALWAYS: Rates = { dodged: [1, 1], decoy: [1, 1] };
/** The receiver makes the field again: one end is caught. */
const VERIFIED: Rates = { dodged: [0, 1], decoy: [0, 1] };
/** The authority holds a commitment against the key: it sees that it failed, and not a decoy. */
const COMMITTED: Rates = { dodged: [1, 1], decoy: [0, 1] };

const TABLE: readonly (readonly [string, Record<string, string>, Rates])[] = [
  ['escrow-ghost', {}, ALWAYS],
  ['escrow-ghost', { ratchet: 'pqxdh-ratchet' }, ALWAYS],
  ['escrow-chain-key', {}, ALWAYS],
  ['escrow-chain-key', { verifiable: 'yes', repeat: 'every-frame' }, VERIFIED],
  ['escrow-message-key', {}, ALWAYS],
  ['escrow-message-key', { context: 'yes' }, ALWAYS],
  ['escrow-message-key', { verifiable: 'yes' }, VERIFIED],
  ['escrow-message-key', { msg: 'etm-commit' }, COMMITTED],
  ['escrow-threshold', {}, ALWAYS],
  ['escrow-threshold', { verifiable: 'yes' }, VERIFIED],
  ['escrow-threshold', { variant: 'shamir', msg: 'etm' }, ALWAYS],
  ['escrow-threshold', { variant: 'shamir-shared', verifiable: 'yes' }, VERIFIED],
  ['escrow-warrant', {}, ALWAYS],
  ['escrow-warrant', { msg: 'etm' }, ALWAYS],
  ['escrow-warrant', { msg: 'etm-commit' }, COMMITTED],
  ['escrow-partial', { bits: '6' }, ALWAYS],
  // Of one end the first of three messages: at the first honest answer the authority loses the thread.
  ['escrow-seed', {}, { dodged: [1, 1], decoy: [1 / 3, 1] }],
  ['escrow-seed', { ratchet: 'pqxdh-ratchet' }, { dodged: [1, 1], decoy: [1 / 3, 1] }],
  // Without a tag that the authority could check, the answer opens to noise, and the thread holds.
  ['escrow-seed', { msg: 'etm' }, ALWAYS],
  ['escrow-seed', { msg: 'etm-commit' }, COMMITTED],
  ['provider-backup', {}, ALWAYS],
];

/** By label: the share, once it is what the rules say too. */
async function ratesOf(town: Town, id: string): Promise<Map<string, number>> {
  const actor = adversaries.find((one) => one.id === id);
  assert.ok(actor?.kind === 'actor');
  const played = await actor.play(town);
  if (isNotMounted(played)) throw new RangeError(played.reason);
  for (const { label, hits, of, expected } of played) assert.equal(hits / of, expected, label);
  return new Map(played.map(({ label, hits, of }) => [label, hits / of]));
}

describe('clients that are modified', () => {
  for (const [name, options, { dodged, decoy }] of TABLE) {
    const chosen = Object.entries(options).map((option) => option.join('='));
    test([name, ...chosen].join(' '), async () => {
      const town = await openTown(name, { options, workload: LEAST });
      const [a10, a12] = [await ratesOf(town, 'A10'), await ratesOf(town, 'A12')];
      assert.deepEqual([a10.get('ends=1'), a10.get('ends=2')], dodged);
      assert.deepEqual([a12.get('ends=1'), a12.get('ends=2')], decoy);
    });
  }

  test('of E7 the end that opens a session dodges for both, and the one that answers for none', async () => {
    const rates = await ratesOf(await openTown('escrow-seed', { workload: LEAST }), 'A10');
    assert.deepEqual(rates.get('ends=1,counted=both'), 1);
    assert.deepEqual(rates.get('ends=1,end=answers'), 0);
  });

  test('where nobody holds a key, or it recovers nothing, nobody has anything to dodge', async () => {
    for (const name of ['double-ratchet', 'at-rest-scoped', 'escrow-root-only']) {
      const town = await openTown(name, { workload: LEAST });
      for (const adversary of adversaries.filter(({ id }) => id === 'A10' || id === 'A12')) {
        assert.ok(adversary.kind === 'actor');
        const played = await adversary.play(town);
        assert.ok(isNotMounted(played) && played.why === 'no-such-power', name);
      }
    }
  });
});

/** Texts that arrive, and of them those that the authority reads. */
async function honestTalk(
  town: Town,
  pipeline: Pipeline,
): Promise<[arrived: number, read: number]> {
  const stage = await Stage.open(town.plan, pairs(1), 2, pipeline);
  const sent: Sent[] = [];
  let arrived = 0;
  for (const [index, member] of [0, 0, 1, 0, 1, 1].entries()) {
    const one = stage.send(0, member, utf8(`message ${index}`));
    const received = stage.receive(0, 1 - member, one.frame);
    if (typeof received !== 'number' && equalBytes(received, one.text)) arrived += 1;
    sent.push(one);
  }
  const read = stage.readAll(sent);
  return [
    arrived,
    sent.filter(({ text }, at) => equalBytes(read.get(at) ?? utf8(''), text)).length,
  ];
}

test('in such a world a client that nobody modified does what the authority expects', async () => {
  for (const name of ['escrow-threshold', 'escrow-warrant', 'escrow-partial', 'escrow-seed']) {
    const town = await openTown(name, { workload: LEAST });
    const pipeline = modifiedPipeline(town.plan.pipeline, { members: [] });
    assert.deepEqual(await honestTalk(town, pipeline), [6, 6], name);
  }
  const ghosted = await openTown('escrow-ghost', { workload: LEAST });
  const { pipeline } = new FalseCopies(ghosted.plan.pipeline);
  assert.deepEqual(await honestTalk(ghosted, pipeline), [6, 6]);
});
