/**
 * That evidence and leaks carry what they say and no more: taking away a secret that an attack should
 * not have changes nothing, giving it one changes the result, and so does taking away what it needs.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Leak, Mount } from '../../src/exposure/adversary.ts';
import { evidenceOf, RECORDERS } from '../../src/exposure/evidence.ts';
import { keyEncryptionKeyOf } from '../../src/exposure/layers.ts';
import { recoveredBy } from '../../src/exposure/score.ts';
import type { Town } from '../../src/exposure/town.ts';
import { claimsOf, openTown, readerOf } from './_towns.ts';

function mountsOf(town: Town, id: string, label = ''): Mount[] {
  const mounts = readerOf(id).mounts(town);
  if ('why' in mounts) throw new RangeError(mounts.reason);
  return mounts.filter((mount) => mount.label === label);
}

/** How many messages an attack recovers when it is given another leak. */
function recoveredWith(town: Town, id: string, mount: Mount, leak: Leak): number {
  return recoveredBy(town, claimsOf(town, readerOf(id), { ...mount, leak })).size;
}

describe('a secret decides, and nothing else does', () => {
  test('the database without its key, with it, and with the key of another', async () => {
    const town = await openTown('at-rest-scoped');
    const [mount] = mountsOf(town, 'A2', 'keys=no');
    assert.equal(recoveredWith(town, 'A2', mount!, {}), 0);
    const keyEncryptionKey = keyEncryptionKeyOf(town.world.relay);
    assert.equal(recoveredWith(town, 'A2', mount!, { keyEncryptionKey }), 160);
    const other = keyEncryptionKey.map((byte) => byte ^ 1);
    assert.equal(recoveredWith(town, 'A2', mount!, { keyEncryptionKey: other }), 0);
  });

  test('the authority’s key, with the relay’s and without either', async () => {
    const town = await openTown('escrow-message-key');
    const [mount] = mountsOf(town, 'A3', 'rotation=never');
    const { keyEncryptionKey, authority } = mount!.leak;
    const give = (leak: Leak): number => recoveredWith(town, 'A3', mount!, leak);
    assert.equal(give({ keyEncryptionKey: keyEncryptionKey!, authority: authority! }), 400);
    assert.equal(give({ keyEncryptionKey: keyEncryptionKey! }), 0);
    assert.equal(give({ authority: authority! }), 0, 'what lies sealed at rest stays shut');
    const other = authority!.map((secret) => secret.map((byte) => byte ^ 1));
    assert.equal(give({ keyEncryptionKey: keyEncryptionKey!, authority: other }), 0);
  });

  test('a device: with its states and prekeys, without one of them, and the device of another', async () => {
    const town = await openTown('double-ratchet');
    const mounts = mountsOf(town, 'A5a', 'history=wiped');
    // One who will be written to in a session that opens later: its prekeys are of use by themselves.
    const { members } = town.recording.facts;
    const answerer = members.user(4, 1);
    const own = mounts.find(({ seizedUser }) => seizedUser === answerer);
    const other = mounts.find(({ seizedUser }) => seizedUser !== answerer);
    const give = (leak: Leak): number => recoveredWith(town, 'A5a', own!, leak);
    const whole = give(own!.leak);
    assert.ok(whole > 0);
    const noStates = { ...own!.leak.device!, sessions: [] };
    const bare = give({ ...own!.leak, device: noStates });
    assert.ok(bare > 0 && bare < whole, 'sessions that open later, by prekeys alone');
    const { keyring: _keyring, ...noKeys } = own!.leak;
    assert.equal(give(noKeys), 0, 'without the keys of the device');
    // What it should lack changes nothing: the authority's key of a design that has none, say.
    assert.equal(give({ ...own!.leak, authority: [new Uint8Array(32)] }), whole);
    assert.ok(give(other!.leak) < whole);
  });

  test('a quantum computer: without the recording of handshakes it reads nothing of the wire', async () => {
    const town = await openTown('transport');
    const [mount] = mountsOf(town, 'A9', 'hop=x25519');
    assert.equal(recoveredBy(town, claimsOf(town, readerOf('A9'), mount!)).size, 400);
    const evidence = { ...mount!.evidence, connections: [] };
    const blind = { ...mount!, evidence };
    assert.equal(recoveredBy(town, claimsOf(town, readerOf('A9'), blind)).size, 0);
  });
});

describe('a recorder has what it says', () => {
  test('frames in the form and of the time that are its own', async () => {
    const town = await openTown('double-ratchet', {
      workload: { network: { reorder: 0.4, reorderDepth: 3, loss: 0.1 } },
    });
    const { recording, plan, seizedAtMs } = town;
    const step = plan.seizedAfter;
    const stored = new Set(recording.passages.map(({ stored: bytes }) => bytes));
    for (const recorder of RECORDERS) {
      const evidence = evidenceOf(recording, recorder, { step });
      for (const frame of evidence.frames) {
        assert.deepEqual(
          Object.keys(frame).sort(),
          ['atMs', 'bytes', 'from', 'kind', 'message', 'sender', 'session', 'to'],
          'a frame carries no other place',
        );
        if (recorder === 'relay-retention' || recorder === 'relay-queue') {
          assert.ok(stored.has(frame.bytes));
        }
        if (recorder === 'none') assert.ok(frame.atMs > seizedAtMs);
      }
      const isDatabase = recorder === 'relay-retention' || recorder === 'relay-queue';
      assert.equal(evidence.dataKeys.length > 0, isDatabase);
      assert.equal(evidence.connections.length > 0, recorder === 'network');
    }
  });

  test('the queue holds what was not fetched, and the days of retention bound the past', async () => {
    const town = await openTown('transport', {
      workload: { network: { reorder: 0.4, reorderDepth: 3, loss: 0 } },
      retentionDays: 1,
    });
    const { recording, plan } = town;
    const queue = evidenceOf(recording, 'relay-queue', { step: plan.seizedAfter });
    assert.ok(queue.frames.length > 0);
    for (const { message } of queue.frames) {
      const passage = recording.passages.find((one) => one.message === message)!;
      assert.ok(passage.step <= plan.seizedAfter && passage.fetchedAt > plan.seizedAfter);
    }
    const [queued] = mountsOf(town, 'A2', 'keys=yes,recorder=relay-queue');
    assert.equal(
      recoveredBy(town, claimsOf(town, readerOf('A2'), queued!)).size,
      queue.frames.length,
    );
    const [kept] = mountsOf(town, 'A2', 'keys=no');
    const recovered = recoveredBy(town, claimsOf(town, readerOf('A2'), kept!)).size;
    assert.ok(recovered > 0 && recovered < 160, `${recovered} of 160`);
  });
});

test('keys of messages passed over open them when the device is seized, and no others of the past', async () => {
  const town = await openTown('double-ratchet', {
    workload: { network: { reorder: 0.5, reorderDepth: 8, loss: 0 } },
  });
  let opened = 0;
  for (const mount of mountsOf(town, 'A5a', 'history=wiped')) {
    const recovered = recoveredBy(town, claimsOf(town, readerOf('A5a'), mount));
    for (const message of recovered) {
      const { step } = town.recording.messages[message]!;
      if (step > town.plan.seizedAfter) continue;
      const passage = town.recording.passages.find((one) => one.message === message)!;
      assert.ok(passage.fetchedAt > town.plan.seizedAfter, 'still to be fetched');
      opened += 1;
    }
  }
  assert.ok(opened > 0);
});

test('the same seed gives the same recording, to the byte, and another seed another one', async () => {
  const [first, again, other] = [
    await openTown('double-ratchet'),
    await openTown('double-ratchet'),
    await openTown('double-ratchet', { seed: 8 }),
  ];
  const wires = [first, again, other].map(({ recording }) =>
    recording.passages.map(({ uplink }) => Buffer.from(uplink).toString('base64')).join(),
  );
  assert.equal(wires[0], wires[1]);
  assert.notEqual(wires[0], wires[2]);
});
