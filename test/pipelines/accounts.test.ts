/** Users' keys: what a prekey's id opens and to whom, and what a signature is good for. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EMPTY, getUint32, putUint32 } from '../../src/core/bytes.ts';
import { PackedPool } from '../../src/core/packed.ts';
import type { Kem, Provider } from '../../src/crypto/provider.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import { Accounts } from '../../src/pipelines/_accounts.ts';
import { PackedMembers } from '../../src/pipelines/_members.ts';
import { OUTCOME, type Outbox } from '../../src/pipelines/_pipeline.ts';
import { RatchetEnds } from '../../src/pipelines/_ratchet-ends.ts';
import { loadProvider } from '../conformance/_parts.ts';
import { mount } from '../scenarios/_mounted-world.ts';

const native = await loadProvider('native');

const BARE = { hop: 'none', rest: 'none' };

/** Where things stand in a bundle. */
const IDENTITY = [0, 32] as const;
const IDENTITY_SIGNATURE = [64, 128] as const;
const PREKEY = [132, 164] as const;
const PREKEY_SIGNATURE = [164, 228] as const;
const ONE_TIME_ID_AT = 228;
const KEM_PREKEY_AT = 264;
/** Where the id of the one-time prekey stands in a first frame: form 1, IKa 64, EKa 32, id 4. */
const ONE_TIME_ID_IN_FRAME_AT = 101;

function bundleOf(accounts: Pick<Accounts, 'publish'>, user: number): Uint8Array {
  let bundle: Uint8Array = EMPTY;
  const outbox: Outbox = {
    reserve: (bytes) => (bundle = new Uint8Array(bytes)),
    emit: (toUser, kind, length) =>
      assert.deepEqual([toUser, kind, length], [user, 'bundle', bundle.length]),
  };
  accounts.publish(user, 0, user, outbox);
  return bundle;
}

/** `bundle` with bytes of its own written over others of it. */
function overwrite(
  bundle: Uint8Array,
  [to, toEnd]: readonly [number, number],
  [from, fromEnd]: readonly [number, number],
): Uint8Array {
  assert.equal(toEnd - to, fromEnd - from);
  const changed = bundle.slice();
  changed.set(bundle.subarray(from, fromEnd), to);
  return changed;
}

describe('a one-time prekey', () => {
  test('opens with its own user only', () => {
    const accounts = new Accounts(native, seededRandomness(3), 3);
    const [ofFirst, ofSecond] = [0, 1].map((user) =>
      getUint32(bundleOf(accounts, user), ONE_TIME_ID_AT),
    );
    assert.notEqual(ofFirst, ofSecond);
    for (const [user, id] of [
      [0, ofSecond!],
      [1, ofFirst!],
      [2, ofFirst!],
    ] as const) {
      assert.equal(accounts.oneTimeSecrets(user, id), undefined);
    }
    assert.equal(accounts.oneTimeSecrets(0, ofFirst!)!.length, 32);
    assert.equal(accounts.oneTimeSecrets(1, ofSecond!)!.length, 32);
  });

  test('that was never published is not there, whatever its id', () => {
    const accounts = new Accounts(native, seededRandomness(3), 1);
    for (const id of [0, 1, 0x7fff_ffff, 0xffff_ffff]) {
      assert.equal(accounts.oneTimeSecrets(0, id), undefined);
      accounts.spendOneTime(0, id);
    }
    const id = getUint32(bundleOf(accounts, 0), ONE_TIME_ID_AT);
    for (const other of [id + 1, id + 63, id + 64, 0xffff_ffff]) {
      assert.equal(accounts.oneTimeSecrets(0, other), undefined);
    }
  });

  test('spent twice, or by another user, takes no other prekey with it', () => {
    const accounts = new Accounts(native, seededRandomness(3), 3);
    const ids = [0, 1, 2, 0, 1, 2].map((user) =>
      getUint32(bundleOf(accounts, user), ONE_TIME_ID_AT),
    );
    const live = (): (Uint8Array | undefined)[] =>
      ids.map((id, i) => accounts.oneTimeSecrets(i % 3, id)?.slice());
    const before = live();
    assert.ok(before.every((secrets) => secrets !== undefined));
    accounts.spendOneTime(1, ids[0]!);
    assert.deepEqual(live(), before, 'another user spent it in vain');
    for (let times = 0; times < 3; times++) {
      accounts.spendOneTime(0, ids[0]!);
      assert.deepEqual(live(), [undefined, ...before.slice(1)]);
    }
    // A free list that holds one place twice would give it to both.
    const later = [0, 1, 2].map((user) => getUint32(bundleOf(accounts, user), ONE_TIME_ID_AT));
    assert.equal(new Set([...ids.slice(1), ...later]).size, ids.length - 1 + later.length);
    assert.deepEqual(live().slice(1), before.slice(1));
  });

  for (const name of ['forward-secrecy', 'double-ratchet', 'pqxdh-ratchet', 'escrow-chain-key']) {
    test(`of ${name} opens one session: a replayed handshake gives UNKNOWN_KEY`, async () => {
      const sessions = [0, 1, 2].map(() => [0, 1] as const);
      const world = await mount(name, { sessions, provider: 'native', options: BARE });
      const { content } = world.say(0, 0, 'once');
      assert.equal(world.receive(1, 1, content), OUTCOME.UNKNOWN_KEY);
      world.say(1, 0, 'the handshake of that session itself');
      assert.equal(world.receive(2, 1, content), OUTCOME.UNKNOWN_KEY);
    });

    test(`of another user gives UNKNOWN_KEY with ${name}, and is not spent by it`, async () => {
      const sessions = [
        [0, 1],
        [0, 2],
      ] as const;
      const world = await mount(name, { sessions, provider: 'native', options: BARE });
      const { content } = world.post(0, 0, 'for user 1');
      const changed = content.slice();
      putUint32(changed, ONE_TIME_ID_IN_FRAME_AT, getUint32(world.bundles[1]!, ONE_TIME_ID_AT));
      assert.notDeepEqual(changed, content);
      assert.equal(world.receive(0, 1, changed), OUTCOME.UNKNOWN_KEY);
      assert.equal(world.receive(0, 1, content), 'for user 1');
      world.say(1, 0, 'for user 2');
    });
  }
});

const unused = (): never => assert.fail('only keys are made');

/** A KEM whose public keys are as long as a signed prekey, so that one could stand for the other. */
function shortKem(provider: Provider): Kem {
  return {
    publicKeyBytes: 32,
    secretKeyBytes: 64,
    randomnessBytes: 32,
    ciphertextBytes: 32,
    sharedSecretBytes: 32,
    derandomised: true,
    publicKey: (out, secretKey) => provider.x25519Public(out, secretKey.slice(0, 32)),
    handle: unused,
    encapsulate: unused,
    decapsulate: unused,
  };
}

describe('a signature', () => {
  test('of the identity key does not make it a signed prekey, nor the other way round', () => {
    const accounts = new Accounts(native, seededRandomness(3), 1);
    const bundle = bundleOf(accounts, 0);
    assert.ok(accounts.readBundle(bundle));
    const identityAsPrekey = overwrite(
      overwrite(bundle, PREKEY, IDENTITY),
      PREKEY_SIGNATURE,
      IDENTITY_SIGNATURE,
    );
    assert.equal(accounts.readBundle(identityAsPrekey), undefined);
    const prekeyAsIdentity = overwrite(
      overwrite(bundle, IDENTITY, PREKEY),
      IDENTITY_SIGNATURE,
      PREKEY_SIGNATURE,
    );
    assert.equal(accounts.readBundle(prekeyAsIdentity), undefined);
  });

  test('of a KEM prekey does not make it a signed prekey, nor the other way round', () => {
    const accounts = new Accounts(native, seededRandomness(3), 1, shortKem(native));
    const bundle = bundleOf(accounts, 0);
    assert.ok(accounts.readBundle(bundle));
    const kemPrekey = [KEM_PREKEY_AT, KEM_PREKEY_AT + 32] as const;
    const kemSignature = [KEM_PREKEY_AT + 32, KEM_PREKEY_AT + 96] as const;
    assert.equal(bundle.length, KEM_PREKEY_AT + 96);
    for (const [key, signature, otherKey, otherSignature] of [
      [PREKEY, PREKEY_SIGNATURE, kemPrekey, kemSignature],
      [kemPrekey, kemSignature, PREKEY, PREKEY_SIGNATURE],
      [kemPrekey, kemSignature, IDENTITY, IDENTITY_SIGNATURE],
    ] as const) {
      const changed = overwrite(overwrite(bundle, key, otherKey), signature, otherSignature);
      assert.equal(accounts.readBundle(changed), undefined);
    }
  });
});

/** What a bundle of user 1 may be that user 0 must refuse. */
function badBundles(ends: RatchetEnds): [string, Uint8Array][] {
  const bundle = bundleOf({ publish: (user, atMs, _, to) => ends.publish(user, atMs, to) }, 1);
  const flipped = (at: number): Uint8Array => {
    const changed = bundle.slice();
    changed[at]! ^= 1;
    return changed;
  };
  // Low-order points, one with a signature that verifies and one that nothing signs.
  const lowOrderPrekey = bundle.slice();
  lowOrderPrekey.fill(0, ...PREKEY);
  const seed = ends.accounts.secrets(1).slice(32, 64);
  const signed = new Uint8Array(33);
  signed[0] = 2;
  const signature = new Uint8Array(64);
  native.ed25519Sign(signature, native.ed25519Handle(seed), signed);
  lowOrderPrekey.set(signature, PREKEY_SIGNATURE[0]);
  assert.ok(ends.accounts.readBundle(lowOrderPrekey), 'its signatures are good');
  const lowOrderOneTime = bundle.slice();
  lowOrderOneTime.fill(0, 232, 264);
  return [
    ['nothing', EMPTY],
    ['a bundle cut short', bundle.slice(0, -1)],
    ['a changed prekey', flipped(PREKEY[0])],
    ['a changed KEM prekey', flipped(KEM_PREKEY_AT)],
    ['a changed signature', flipped(bundle.length - 1)],
    ["another user's", bundleOf({ publish: (u, at, _, to) => ends.publish(u, at, to) }, 2)],
    ['a signed prekey of low order', lowOrderPrekey],
    ['a one-time prekey of low order', lowOrderOneTime],
  ];
}

test('a refused bundle opens no session and keeps no record of a handshake', (context) => {
  const members = new PackedMembers(Uint32Array.of(0, 1));
  const options = { ...BARE, persist: 'packed' };
  const setup = { provider: native, randomness: seededRandomness(3), users: 3, members };
  const handshakeKem = native.kem['ml-kem-1024']!;
  const ends = new RatchetEnds({ ...setup, options, seed: 3 }, { handshakeKem });
  const bad = badBundles(ends);
  const good = bundleOf({ publish: (user, atMs, _, to) => ends.publish(user, atMs, to) }, 1);
  const empty = ends.snapshot(0);
  const take = context.mock.method(PackedPool.prototype, 'take');
  /** The pools that were asked for a record since the last time. */
  const asked = (): PackedPool[] => {
    const pools = take.mock.calls.map((call) => call.this as PackedPool);
    take.mock.resetCalls();
    return pools;
  };
  for (const [what, bundle] of bad) {
    assert.equal(ends.initiate(0, 0, bundle, 0), OUTCOME.AUTH_FAILED, what);
    for (const pool of asked()) assert.equal(pool.live, 0, what);
    assert.deepEqual(ends.snapshot(0), empty, what);
    const outbox: Outbox = { reserve: () => assert.fail(what), emit: () => assert.fail(what) };
    assert.throws(() => ends.send(0, 0, Uint8Array.of(1), 0, outbox), RangeError, what);
  }
  // A good one does keep a record, its ciphertext: the look at the pools sees it.
  assert.equal(ends.initiate(0, 0, good, 0), 0);
  assert.deepEqual(
    asked().map((pool) => pool.live),
    [1],
  );
});
