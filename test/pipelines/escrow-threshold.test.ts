/** E4: k of n trustees. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OUTCOME } from '../../src/pipelines/_pipeline.ts';
import type { SmallWorld } from '../conformance/_small-world.ts';
import { openEscrow, receiveAt, recover, sendAt, type Sent } from './_escrow-world.ts';

const VARIANTS: readonly {
  readonly options: Record<string, string>;
  readonly fieldBytes: number;
}[] = [
  { options: {}, fieldBytes: 80 },
  { options: { verifiable: 'yes' }, fieldBytes: 80 },
  { options: { threshold: '5', trustees: '9', msg: 'etm-commit' }, fieldBytes: 80 },
  { options: { variant: 'shamir' }, fieldBytes: 405 },
  { options: { variant: 'shamir', verifiable: 'yes', threshold: '1' }, fieldBytes: 405 },
  { options: { variant: 'shamir-shared' }, fieldBytes: 277 },
  { options: { variant: 'shamir-shared', verifiable: 'yes' }, fieldBytes: 277 },
  {
    options: { variant: 'shamir', field: 'x-wing', ratchet: 'pqxdh-ratchet' },
    fieldBytes: 5845,
  },
];

for (const { options, fieldBytes } of VARIANTS) {
  test(`trustees recover every message: ${JSON.stringify(options)}`, async () => {
    const world = await openEscrow('escrow-threshold', options);
    const plain = await openEscrow('escrow-root-only', { ...pick(options) });
    for (const [index, member] of [0, 0, 1, 0].entries()) {
      const sent = sendAt(world, 0, member, 0);
      assert.equal(receiveAt(world, sent, 0), 0);
      assert.equal(recover(world, sent), 0);
      const without = sendAt(plain, 0, member, 0);
      assert.equal(receiveAt(plain, without, 0), 0);
      // After the first reply the other design has no field, but its type and length.
      if (index === 3) assert.equal(sent.frame.length - without.frame.length, fieldBytes);
    }
  });
}

function pick({ msg, ratchet }: Record<string, string>): Record<string, string> {
  return { ...(msg === undefined ? {} : { msg }), ...(ratchet === undefined ? {} : { ratchet }) };
}

/** The same world with only some of its trustees, in this order. */
function authorityOf(world: SmallWorld, trustees: readonly number[]): (sent: Sent) => number {
  const { pipeline, provider, options, members } = world;
  const { authority: secrets, directory } = world.world;
  const authority = pipeline.openAuthority!({
    provider,
    secrets: trustees.map((trustee) => secrets![trustee - 1]!),
    directory,
    members,
    options,
  });
  return ({ session, member, evidence }) => {
    const out = new Uint8Array(evidence.length);
    return Math.min(0, authority.recover(session, member, evidence, out));
  };
}

test('any three of five trustees open, and two do not', async () => {
  const world = await openEscrow('escrow-threshold');
  const sent = sendAt(world, 0, 0, 0);
  for (const trustees of [
    [1, 2, 3],
    [5, 3, 1],
    [2, 4, 5],
  ]) {
    assert.equal(authorityOf(world, trustees)(sent), 0, String(trustees));
  }
  assert.equal(authorityOf(world, [4, 5])(sent), OUTCOME.UNKNOWN_KEY);
});

test('a trustee with a wrong share is passed over, and the next one asked', async () => {
  const world = await openEscrow('escrow-threshold');
  const sent = sendAt(world, 0, 0, 0);
  const secrets = world.world.authority!;
  secrets[1]!.set(secrets[0]!.subarray(4, 36), 4);
  assert.equal(authorityOf(world, [1, 2, 3])(sent), OUTCOME.UNKNOWN_KEY);
  assert.equal(authorityOf(world, [1, 2, 3, 4])(sent), 0);
});

test('a field that an honest sender would not have made is refused where it is verifiable', async () => {
  for (const variant of ['threshold', 'shamir', 'shamir-shared']) {
    const checked = await openEscrow('escrow-threshold', { variant, verifiable: 'yes' });
    // A client of the same users and keys whose fields have randomness of its own.
    const dodging = await openEscrow('escrow-threshold', { variant, verifiable: 'no' });
    assert.equal(receiveAt(checked, sendAt(dodging, 0, 0, 0), 0), OUTCOME.ESCROW_INVALID);
    const sent = sendAt(checked, 0, 0, 0);
    assert.equal(receiveAt(checked, sent, 0), 0, 'the session goes on');
    assert.equal(recover(checked, sent), 0);
  }
});

test('what makes no sense is refused by name', async () => {
  await assert.rejects(
    openEscrow('escrow-threshold', { threshold: '6' }),
    /at most the 5 trustees/,
  );
  await assert.rejects(openEscrow('escrow-threshold', { field: 'x-wing' }), /variant=shamir/);
});
