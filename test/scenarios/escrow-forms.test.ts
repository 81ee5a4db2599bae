/**
 * Which message form stops what: a sender that shows the authority a decoy, and a holder of an escrowed
 * key that forges on the path. And how an authority with the delivered plaintext beside it tells a
 * valid recovery, a decoy and a failure apart.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { equalBytes, fromHex, utf8 } from '../../src/core/bytes.ts';
import { RatchetAuthority, type KeyRecovery } from '../../src/pipelines/_escrow-authority.ts';
import { OUTCOME, type AuthorityOpening, type Options } from '../../src/pipelines/_pipeline.ts';
import escrowChainKey, { openChainKeyRecovery } from '../../src/pipelines/escrow-chain-key.ts';
import escrowMessageKey, {
  openMessageKeyRecovery,
} from '../../src/pipelines/escrow-message-key.ts';
import { loadProvider, loadWorkload, optionsOf, runHere } from '../conformance/_parts.ts';
import type { SmallWorld } from '../conformance/_small-world.ts';
import {
  findingOf,
  openTalk,
  partsOf,
  say,
  send,
  type Finding,
  type Sent,
} from '../pipelines/_escrow-talk.ts';
import {
  DECOY_AT,
  DECOY_MESSAGE_BYTES,
  type Modification,
} from '../../src/exposure/decoy-sealing.ts';
import { modifiedPipeline } from '../../src/exposure/modified-client.ts';
import { sealForTwoKeys } from '../../src/exposure/two-key-seal.ts';

const native = await loadProvider('native');
const DESIGNS = ['escrow-chain-key', 'escrow-message-key'] as const;
const HONEST = {
  'escrow-chain-key': escrowChainKey,
  'escrow-message-key': escrowMessageKey,
} as const;
const FORMS = ['one-key', 'etm', 'etm-commit'] as const;

const TEXT = utf8('meet me at noon.');
const DECOY = utf8('happy birthday!!');
const NONCE = new Uint8Array(12);

test('a ciphertext of ChaCha20-Poly1305 opens under two keys to two texts', () => {
  const aead = native.aead['chacha20-poly1305'];
  for (let i = 0; i < 20; i++) {
    const keys = [new Uint8Array(32), new Uint8Array(32)] as const;
    const aad = new Uint8Array(100 + i);
    for (const bytes of [...keys, aad]) native.randomBytes(bytes);
    const text = new Uint8Array(DECOY_MESSAGE_BYTES);
    text.set(TEXT);
    const sealed = sealForTwoKeys(native, keys, NONCE, aad, [text, DECOY]);
    const opened = keys.map((key) => {
      const out = new Uint8Array(text.length);
      assert.ok(aead.open(out, key, NONCE, aad, sealed), 'the tag verifies');
      return out;
    });
    assert.deepEqual(opened[0]!.subarray(0, 16), TEXT);
    assert.deepEqual(opened[1]!.subarray(DECOY_AT, DECOY_AT + 16), DECOY);
    aad[0]! ^= 1;
    assert.ok(!aead.open(new Uint8Array(text.length), keys[0], NONCE, aad, sealed));
  }
});

test('for keys under which neighbouring blocks have neighbouring solutions there is a block too', () => {
  const keys = [
    fromHex('dde83e3b577c4a417f46e12918e03b364eda847b977985ac088c9fc4891da3de'),
    fromHex('dbe87d00fa8faa3241f047c439ed7041e7f604a80298e9fd5b8be0621c058a27'),
  ] as const;
  for (let length = 0; length < 20; length++) {
    const aad = new Uint8Array(length);
    const text = new Uint8Array(DECOY_MESSAGE_BYTES);
    const sealed = sealForTwoKeys(native, keys, NONCE, aad, [text, DECOY]);
    for (const key of keys) {
      const out = new Uint8Array(text.length);
      assert.ok(native.aead['chacha20-poly1305'].open(out, key, NONCE, aad, sealed));
    }
  }
});

/** What became of one message of a modified client. */
interface Outcome {
  /** `delivered`, or why not. */
  readonly receiver: string;
  readonly authority: Finding;
  /** Whether the authority read the decoy. */
  readonly isDecoyRead: boolean;
}

/** The first messages of both ends; that of member 1 turns the ratchet. */
async function sendModified(
  name: (typeof DESIGNS)[number],
  options: Options,
  modification: Modification,
): Promise<Outcome> {
  const world = await openTalk(modifiedPipeline(HONEST[name], modification), native, options);
  const text = new Uint8Array(DECOY_MESSAGE_BYTES);
  text.set(TEXT);
  const frame = world.send(0, 0, text);
  const received = world.receive(0, 1, frame);
  // All but the first block is whatever the decoy needed: what was delivered is what counts.
  const delivered = typeof received === 'number' ? text : received;
  if (typeof received !== 'number') assert.deepEqual(received.subarray(0, 16), TEXT);
  const recovered = world.recover(0, 0, frame);
  const read = typeof recovered === 'number' ? undefined : recovered;
  return {
    receiver: typeof received === 'number' ? nameOf(received) : 'delivered',
    authority: findingOf(world, { member: 0, text: delivered, frame }),
    isDecoyRead:
      read !== undefined && equalBytes(read.subarray(DECOY_AT, DECOY_AT + DECOY.length), DECOY),
  };
}

function nameOf(outcome: number): string {
  return Object.entries(OUTCOME).find(([, code]) => code === outcome)![0];
}

const ONE = [0];
const TWO = [0, 1];

function sendDecoy(
  name: (typeof DESIGNS)[number],
  options: Options,
  members: readonly number[],
): Promise<Outcome> {
  return sendModified(name, options, { members, decoy: DECOY });
}

for (const name of DESIGNS) {
  describe(`a sender that shows the authority a decoy, on ${name}`, () => {
    test('succeeds with one-key: both keys open the ciphertext', async () => {
      assert.deepEqual(await sendDecoy(name, { msg: 'one-key' }, ONE), {
        receiver: 'delivered',
        authority: 'decoy',
        isDecoyRead: true,
      });
    });

    test('succeeds with etm: the authority has no tag that it could check', async () => {
      assert.deepEqual(await sendDecoy(name, { msg: 'etm' }, ONE), {
        receiver: 'delivered',
        authority: 'decoy',
        isDecoyRead: true,
      });
    });

    test('is seen as a failure with etm-commit', async () => {
      assert.deepEqual(await sendDecoy(name, { msg: 'etm-commit' }, ONE), {
        receiver: 'delivered',
        authority: 'failed',
        isDecoyRead: false,
      });
    });

    test('is refused by the receiver with etm-commit when it commits to the key of the decoy', async () => {
      const modification = { members: ONE, decoy: DECOY, falseCommitment: true };
      const outcome = await sendModified(name, { msg: 'etm-commit' }, modification);
      assert.equal(outcome.receiver, 'AUTH_FAILED');
    });

    for (const msg of FORMS) {
      test(`is refused by the receiver with verifiable=yes and ${msg}`, async () => {
        const { receiver } = await sendDecoy(name, { msg, verifiable: 'yes' }, ONE);
        assert.equal(receiver, 'ESCROW_INVALID');
      });
    }

    test('succeeds with every form and with verifiable=yes when both ends agree', async () => {
      for (const msg of FORMS) {
        for (const verifiable of ['no', 'yes']) {
          const falseCommitment = msg === 'etm-commit';
          const modification = { members: TWO, decoy: DECOY, falseCommitment };
          const outcome = await sendModified(name, { msg, verifiable }, modification);
          const expected = { receiver: 'delivered', authority: 'decoy', isDecoyRead: true };
          assert.deepEqual(outcome, expected, `${msg}, verifiable=${verifiable}`);
        }
      }
    });
  });

  test(`a sender of ${name} that merely seals another key is a failure, but under bare etm a decoy`, async () => {
    const findings = await Promise.all(
      FORMS.map(async (msg) => (await sendModified(name, { msg }, { members: ONE })).authority),
    );
    assert.deepEqual(findings, ['failed', 'decoy', 'failed']);
  });

  test(`an honest sender of ${name} is valid in every form`, async () => {
    for (const msg of FORMS) {
      for (const verifiable of ['no', 'yes']) {
        const outcome = await sendModified(name, { msg, verifiable }, { members: [] });
        assert.deepEqual([outcome.receiver, outcome.authority], ['delivered', 'valid']);
      }
    }
  });

  test(`a run of ${name} counts valid, decoy and failed apart`, async () => {
    const workload = await loadWorkload('chat', { sessions: 3, usersPerSession: 1, messages: 12 });
    for (const [msg, counted] of [
      ['one-key', 'failed'],
      ['etm', 'decoy'],
      ['etm-commit', 'failed'],
    ] as const) {
      // `every-frame`, so that no message of the modified client stays without a field of its own.
      const repeat = name === 'escrow-chain-key' ? 'every-frame' : 'none';
      const pipeline = modifiedPipeline(HONEST[name], { members: ONE });
      const options = optionsOf(pipeline, { hop: 'none', rest: 'none', msg, repeat });
      const { recovery, messages, faults } = await runHere(pipeline, native, workload, { options });
      assert.ok(recovery !== undefined);
      const { valid, decoy, failed } = recovery;
      assert.equal(messages.delivered, 36);
      assert.equal(valid + decoy + failed, 36);
      assert.ok(valid > 0 && valid < 36);
      assert.equal(recovery[counted], 36 - valid);
      assert.equal(faults.count, 36 - valid, 'none of these passes for a recovery');
    }
  });
}

/** Somebody on the path who has the authority's key, or else the message's own encryption key. */
class Forger {
  readonly #authority: RatchetAuthority;
  readonly #key = new Uint8Array(32);
  #associated = new Uint8Array(0);

  constructor({ world, provider, options, members, pipeline }: SmallWorld) {
    const opening: AuthorityOpening = {
      provider,
      options,
      members,
      directory: world.directory,
      secrets: world.authority!,
    };
    const recovery =
      pipeline.name === 'escrow-chain-key'
        ? openChainKeyRecovery(opening)
        : openMessageKeyRecovery(opening);
    const watched: KeyRecovery = {
      encryptionKey: (frame, out) => {
        const outcome = recovery.encryptionKey(frame, out);
        this.#key.set(out);
        this.#associated = frame.ofText().slice();
        return outcome;
      },
      opened: (frame) => recovery.opened?.(frame),
    };
    this.#authority = new RatchetAuthority(opening, watched);
  }

  /**
   * Puts another text, of the same length, into a frame that passes.
   *
   * @returns What the forger may try; with `one-key` the only one that it needs.
   */
  forge(world: SmallWorld, { member, frame }: Sent, text: Uint8Array): Uint8Array[] {
    assert.ok(this.#authority.recover(0, member, frame, new Uint8Array(4096)) >= 0);
    const { ciphertextAt } = partsOf(world, frame);
    if (world.options['msg'] === 'one-key') {
      const forged = frame.slice();
      const sealed = forged.subarray(ciphertextAt);
      const aead = world.provider.aead['chacha20-poly1305'];
      aead.seal(sealed, this.#key, NONCE, this.#associated, text);
      return [forged];
    }
    const ciphertext = new Uint8Array(text.length);
    world.provider.chacha20(ciphertext, this.#key, NONCE, text);
    const tagless = frame.slice();
    tagless.set(ciphertext, ciphertextAt);
    const tagAt = tagless.length - 32;
    const tag = new Uint8Array(32);
    const data = Uint8Array.from([...this.#associated, ...tagless.subarray(ciphertextAt, tagAt)]);
    world.provider.hmacSha256(tag, this.#key, data);
    const tagged = tagless.slice();
    tagged.set(tag, tagAt);
    return [tagless, tagged]; // With the tag of the genuine one, and with one under the wrong key.
  }
}

/** Forges one message in each direction and a third. */
async function forge(name: (typeof DESIGNS)[number], options: Options): Promise<void> {
  const world = await openTalk(modifiedPipeline(HONEST[name], { members: [] }), native, options);
  const forger = new Forger(world);
  const forgedText = utf8('bring the money');
  for (const member of [0, 1, 0]) {
    const sent = send(world, member, 'take the money.');
    const attempts = forger.forge(world, sent, forgedText);
    const outcomes = attempts.map((frame) => world.receive(0, 1 - member, frame));
    const genuine = world.receive(0, 1 - member, sent.frame);
    if (options['msg'] === 'one-key') {
      assert.deepEqual(outcomes, [forgedText], 'accepted');
      assert.equal(genuine, OUTCOME.DUPLICATE);
    } else {
      assert.deepEqual(outcomes, [OUTCOME.AUTH_FAILED, OUTCOME.AUTH_FAILED]);
      assert.deepEqual(genuine, sent.text);
    }
  }
  say(world, 1, 'the session goes on');
}

for (const name of DESIGNS) {
  describe(`a forger on the path who holds the escrowed keys of ${name}`, () => {
    test('is believed with one-key', async () => {
      await forge(name, { msg: 'one-key' });
      if (name === 'escrow-message-key') await forge(name, { msg: 'one-key', context: 'yes' });
    });

    test('is refused with etm and with etm-commit, though it reads all the same', async () => {
      for (const msg of ['etm', 'etm-commit']) {
        await forge(name, { msg });
        if (name === 'escrow-message-key') await forge(name, { msg, context: 'yes' });
      }
    });

    test('is believed or refused all the same with verifiable=yes, which is no matter of the message', async () => {
      for (const msg of FORMS) await forge(name, { msg, verifiable: 'yes' });
    });
  });
}
