/**
 * Escrow fields that a library makes: the same bytes as ours but for what is drawn at random, opened by
 * our authority, and the library opens what we made.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes, utf8 } from '../../../src/core/bytes.ts';
import { HarnessError } from '../../../src/core/errors.ts';
import { EvidenceReader, type EvidenceFrame } from '../../../src/pipelines/_escrow-authority.ts';
import { FieldInfo } from '../../../src/pipelines/_escrow-field.ts';
import { openField } from '../../../src/pipelines/_escrow-ratchet.ts';
import type { AuthorityOpening, Options, Pipeline } from '../../../src/pipelines/_pipeline.ts';
import { ShamirRecovery, trusteeInfo } from '../../../src/pipelines/_shamir-sharing.ts';
import escrowMessageKey, {
  FIELD_TYPE,
  openMessageKeyRecovery,
} from '../../../src/pipelines/escrow-message-key.ts';
import escrowThreshold from '../../../src/pipelines/escrow-threshold.ts';
import {
  importKeyPair,
  loadHpkeCore,
  openSuite,
} from '../../../src/pipelines/foreign/_hpke-core.ts';
import { AwaitedFieldClients } from '../../../src/pipelines/foreign/_awaited-field.ts';
import { ISOLATED, loadProvider, optionsOf } from '../../conformance/_parts.ts';
import { SmallWorld } from '../../conformance/_small-world.ts';
import { ForeignWorld, loadForeign } from './_foreign-world.ts';

const node = await loadProvider('node');
const hpkeCore = await loadHpkeCore().catch(() => undefined);
const shamir = await import('shamir-secret-sharing').catch(() => undefined);
const TAG_BYTES = 16;
const E4_TYPE = 4;
const E3_OPTIONS: Options = { ...ISOLATED, aead: 'aes-256-gcm' };
const E4_OPTIONS: Options = { ...ISOLATED, variant: 'shamir' };

const cases: readonly {
  readonly ours: Pipeline;
  readonly name: string;
  readonly options: Options;
  readonly skip: string | false;
}[] = [
  {
    ours: escrowMessageKey,
    name: 'escrow-message-key.hpke-core',
    options: E3_OPTIONS,
    skip: hpkeCore === undefined ? '@hpke/core is not installed' : false,
  },
  {
    ours: escrowThreshold,
    name: 'escrow-threshold.shamir-secret-sharing',
    options: E4_OPTIONS,
    skip: shamir === undefined ? 'shamir-secret-sharing is not installed' : false,
  },
];

function openingOf(world: SmallWorld): AuthorityOpening {
  const { provider, options, members } = world;
  const { authority, directory } = world.world;
  return { provider, secrets: authority!, directory, members, options };
}

/** What the authority reads in a frame of session 0 by member 0. */
function evidenceOf(opening: AuthorityOpening, frame: Uint8Array): EvidenceFrame {
  const evidence = new EvidenceReader(opening, TAG_BYTES).read(0, 0, frame);
  assert.ok(evidence !== undefined);
  return evidence;
}

for (const { ours, name, options, skip } of cases) {
  test(
    `${name}: ends and authority read the frames of ours, and ours those of it`,
    { skip },
    async () => {
      const pipeline = await loadForeign(name);
      // Both draw the same keys from the same seed, until the first field is sealed.
      const own = await SmallWorld.open(ours, node, optionsOf(ours, options));
      const theirs = (await ForeignWorld.open(pipeline, 1, options))!;
      await theirs.begin();
      assert.deepEqual(theirs.world.directory, own.world.directory);
      assert.deepEqual(theirs.world.authority, own.world.authority);
      const text = utf8('to whom it may concern');
      const fromOurs = own.send(0, 0, text);
      const fromTheirs = await theirs.send(0, 0, text);

      const opening = openingOf(own);
      const { fieldBytes } = evidenceOf(opening, fromOurs);
      const fieldAt = fromOurs.length - text.length - TAG_BYTES - fieldBytes;
      const withoutField = (frame: Uint8Array): Uint8Array =>
        concatBytes(frame.subarray(0, fieldAt), frame.subarray(fieldAt + fieldBytes, -TAG_BYTES));
      assert.deepEqual(withoutField(fromTheirs), withoutField(fromOurs));
      assert.notDeepEqual(
        fromTheirs.subarray(fieldAt, fieldAt + fieldBytes),
        fromOurs.subarray(fieldAt, fieldAt + fieldBytes),
      );

      assert.deepEqual(own.recover(0, 0, fromTheirs), text);
      const authority = pipeline.openAuthority!({
        ...opening,
        options: optionsOf(pipeline, options),
      });
      const out = new Uint8Array(fromOurs.length);
      const length = authority.recover(0, 0, fromOurs, out);
      assert.deepEqual(out.slice(0, Math.max(0, length)), text);

      assert.deepEqual(own.receive(0, 1, fromTheirs), text);
      assert.deepEqual(await theirs.receive(0, 1, fromOurs), text);
      await theirs.exchange(0, 1, text);
    },
  );
}

test('@hpke/core opens the field of escrow-message-key', { skip: cases[0]!.skip }, async () => {
  const world = await SmallWorld.open(
    escrowMessageKey,
    node,
    optionsOf(escrowMessageKey, E3_OPTIONS),
  );
  const opening = openingOf(world);
  const sent = world.send(0, 0, Uint8Array.of(1, 2, 3));
  const key = new Uint8Array(32);
  assert.equal(openMessageKeyRecovery(opening).encryptionKey(evidenceOf(opening, sent), key), 0);

  const suite = openSuite(hpkeCore!);
  const [secret] = opening.secrets;
  const publicKey = new Uint8Array(32);
  node.x25519Public(publicKey, secret!);
  const frame = evidenceOf(opening, sent);
  const opened = await suite.open(
    {
      recipientKey: await importKeyPair(suite, secret!, publicKey),
      enc: frame.field.slice(0, 32),
      info: new FieldInfo(FIELD_TYPE).of(0, 0, frame.n),
    },
    frame.field.slice(32),
    frame.ofMessage(),
  );
  assert.deepEqual(new Uint8Array(opened), key);
});

test(
  'shamir-secret-sharing joins the shares of escrow-threshold',
  { skip: cases[1]!.skip },
  async () => {
    const world = await SmallWorld.open(
      escrowThreshold,
      node,
      optionsOf(escrowThreshold, E4_OPTIONS),
    );
    const opening = openingOf(world);
    const frame = evidenceOf(opening, world.send(0, 0, Uint8Array.of(1, 2, 3)));
    const key = new Uint8Array(32);
    assert.equal(new ShamirRecovery(opening).encryptionKey(frame, key), 0);

    const seal = openField(node, undefined, world.options);
    const info = new FieldInfo(E4_TYPE).of(0, 0, frame.n);
    const bound = frame.ofMessage().slice();
    const sealedBytes = frame.fieldBytes / opening.secrets.length;
    const shares = opening.secrets.map((secret, index) => {
      const sealed = frame.field.subarray(index * sealedBytes, (index + 1) * sealedBytes);
      const share = new Uint8Array(33);
      const own = trusteeInfo(info, index + 1);
      assert.ok(seal.open(share, seal.prepareSecret(secret), own, bound, sealed));
      return Uint8Array.of(...share.subarray(1), share[0]!);
    });
    for (const [a, b, c] of [
      [0, 1, 2],
      [4, 2, 0],
      [1, 3, 4],
    ] as const) {
      assert.deepEqual(await shamir!.combine([shares[a]!, shares[b]!, shares[c]!]), key);
    }
    assert.notDeepEqual(await shamir!.combine(shares.slice(0, 2)), key);
  },
);

test(
  'trustees join what shamir-secret-sharing split, however many they are',
  { skip: cases[1]!.skip },
  async () => {
    const pipeline = await loadForeign('escrow-threshold.shamir-secret-sharing');
    const options = optionsOf(pipeline);
    for (const [threshold, trustees] of [
      [2, 2],
      [3, 5],
      [4, 4],
    ] as const) {
      const changes = { threshold: String(threshold), trustees: String(trustees) };
      const world = (await ForeignWorld.open(pipeline, 1, changes))!;
      await world.begin();
      const text = Uint8Array.of(9, 8, 7);
      const { authority: secrets, directory } = world.world;
      const authority = pipeline.openAuthority!({
        provider: node,
        secrets: secrets!,
        directory,
        members: world.members,
        options: { ...options, ...changes },
      });
      for (let i = 0; i < 8; i++) {
        const frame = await world.send(0, 0, text);
        const out = new Uint8Array(frame.length);
        assert.equal(authority.recover(0, 0, frame, out), text.length);
        assert.deepEqual(out.slice(0, text.length), text);
      }
    }
  },
);

test('a library that fails while it makes a field is named, and what it threw', async () => {
  const { members } = await SmallWorld.open(escrowMessageKey, node, optionsOf(escrowMessageKey));
  const options = optionsOf(escrowMessageKey, E3_OPTIONS);
  const randomness = { seeded: false, fill: (out: Uint8Array) => node.randomBytes(out) };
  const setup = { provider: node, randomness, users: 2, members, options, seed: 1 };
  const clients = new AwaitedFieldClients(setup, 'some-library', {
    type: 3,
    fieldBytes: 4,
    write: () => Promise.reject(new Error('out of order')),
  });
  let bundle = new Uint8Array(0);
  const outbox = {
    reserve: (bytes: number) => (bundle = new Uint8Array(bytes)),
    emit: () => {},
  };
  await clients.publish(1, 0, outbox);
  assert.equal(await clients.initiate(0, 0, bundle, 0), 0);
  await assert.rejects(clients.send(0, 0, Uint8Array.of(1), 0, outbox), (error) => {
    assert.ok(error instanceof HarnessError);
    assert.equal(error.message, 'some-library failed: out of order');
    return true;
  });
});
