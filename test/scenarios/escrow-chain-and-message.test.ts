/**
 * E2 and E3 under attack: a device that is seized (A5a), and clients that dodge the escrow (A10), with
 * what catches them. Each attack is given what its vantage point has; only the score knows what was
 * sent.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concatBytes, equalBytes, toHex } from '../../src/core/bytes.ts';
import type { Provider } from '../../src/crypto/provider.ts';
import { OUTCOME, type Options, type Pipeline } from '../../src/pipelines/_pipeline.ts';
import escrowChainKey from '../../src/pipelines/escrow-chain-key.ts';
import escrowMessageKey from '../../src/pipelines/escrow-message-key.ts';
import { RATCHET_STATE_BYTES } from '../../src/protocols/double-ratchet.ts';
import { Hpke, HPKE_CONTEXT_KEY_BYTES } from '../../src/protocols/hpke.ts';
import { SymmetricChain } from '../../src/protocols/symmetric-chain.ts';
import { loadProvider } from '../conformance/_parts.ts';
import type { SmallWorld } from '../conformance/_small-world.ts';
import {
  deliver,
  fieldBytes,
  findingOf,
  openTalk,
  partsOf,
  readAll,
  say,
  send,
  type Sent,
} from '../pipelines/_escrow-talk.ts';
import { modifiedPipeline } from '../../src/exposure/modified-client.ts';
import { naiveContext } from '../planted/naive-context.ts';

const native = await loadProvider('native');
const NONCE = new Uint8Array(12);
/** In what a device gives: after the account's secrets and the ratchet's state. */
const FIELD_STATE_AT: number = 96 + RATCHET_STATE_BYTES;
const WRAPPED_BYTES = 48;

describe('a device that is seized in the middle of a chain, in context mode', () => {
  test('gives away no earlier field of the chain, and every later one', async () => {
    const { opened, count } = await seizeMidChain(escrowMessageKey);
    assert.deepEqual(opened, { earlier: 0, later: count });
  });

  test('gives away every earlier field when it keeps an HPKE context: the planted fault is found', async () => {
    const { opened, count } = await seizeMidChain(naiveContext);
    assert.deepEqual(opened, { earlier: count, later: count });
  });

  test('and the planted fault shows in nothing else: same bytes, and the authority reads all', async () => {
    const lengths: number[][] = [];
    for (const pipeline of [escrowMessageKey, naiveContext]) {
      const world = await openTalk(pipeline, native, { context: 'yes' });
      const sent = [0, 0, 1, 1, 0, 1].map((member, i) => say(world, member, `message ${i}`));
      for (const one of sent) assert.equal(findingOf(world, one), 'valid');
      lengths.push(sent.map((one) => fieldBytes(world, one)));
    }
    assert.deepEqual(lengths[0], lengths[1]);
  });
});

/** Ten messages on one chain; the sender's device is copied after five. */
async function seizeMidChain(
  pipeline: Pipeline,
): Promise<{ readonly opened: { earlier: number; later: number }; readonly count: number }> {
  const world = await openTalk(pipeline, native, { context: 'yes' });
  say(world, 0, 'settled');
  say(world, 1, 'settled');
  const count = 5;
  const earlier = Array.from({ length: count }, (_, i) => say(world, 0, `earlier ${i}`));
  const seized = world.clients.snapshot(0).slice();
  const later = Array.from({ length: count }, (_, i) => say(world, 0, `later ${i}`));
  const thief = new FieldThief(world, seized);
  return {
    opened: {
      earlier: earlier.filter((sent) => thief.opens(sent)).length,
      later: later.filter((sent) => thief.opens(sent)).length,
    },
    count,
  };
}

/** Tries what a device keeps for its fields in every way that the two forms of it could mean. */
class FieldThief {
  readonly #world: SmallWorld;
  readonly #provider: Provider;
  readonly #hpke: Hpke;
  readonly #kept: Uint8Array;
  readonly #directory: Uint8Array;

  constructor(world: SmallWorld, seized: Uint8Array) {
    this.#world = world;
    this.#provider = world.provider;
    this.#hpke = new Hpke(world.provider);
    this.#kept = new Uint8Array(HPKE_CONTEXT_KEY_BYTES);
    this.#kept.set(seized.subarray(FIELD_STATE_AT, FIELD_STATE_AT + HPKE_CONTEXT_KEY_BYTES));
    this.#directory = world.world.directory;
  }

  /** Whether the field of a recorded frame opens, and the text with what is in it. */
  opens({ frame, text }: Sent): boolean {
    const { headerAt, field, n, ciphertextAt } = partsOf(this.#world, frame);
    const bound = concatBytes(this.#directory, frame.subarray(headerAt, headerAt + 40));
    const wrapped = field.subarray(field.length - WRAPPED_BYTES);
    const messageKey = new Uint8Array(32);
    const isOpen =
      this.#hpke.openAt(this.#kept, n, messageKey, bound, wrapped) ||
      this.#stepsTo(messageKey, bound, wrapped);
    if (!isOpen) return false;
    const aad = concatBytes(this.#directory, frame.subarray(headerAt, ciphertextAt));
    const aead = this.#provider.aead['chacha20-poly1305'];
    const read = new Uint8Array(frame.length - ciphertextAt - 16);
    return (
      aead.open(read, messageKey, NONCE, aad, frame.subarray(ciphertextAt)) &&
      equalBytes(read, text)
    );
  }

  /** The first 32 bytes as wk_n, and stepped on farther than the chain is long. */
  #stepsTo(messageKey: Uint8Array, bound: Uint8Array, wrapped: Uint8Array): boolean {
    const aead = this.#provider.aead['chacha20-poly1305'];
    let wrapKey = this.#kept.slice(0, 32);
    for (let step = 0; step < 20; step++) {
      if (aead.open(messageKey, wrapKey, NONCE, bound, wrapped)) return true;
      const next = new Uint8Array(32);
      this.#provider.hmacSha256(next, wrapKey, Uint8Array.of(2));
      wrapKey = next;
    }
    return false;
  }
}

describe('a device of E2 that repeats its field', () => {
  for (const options of [{}, { verifiable: 'yes' }, { both: 'yes' }]) {
    test(`gives the sealed bytes away and never what they hold: ${JSON.stringify(options)}`, async () => {
      const given = { ...options, repeat: 'every-frame' };
      const world = await openTalk(escrowChainKey, native, given);
      say(world, 0, 'settled');
      // The chain that this begins is answered by member 0, who with `both` seals its first key too.
      const answered = send(world, 1, 'the other end begins a chain');
      deliver(world, answered);
      const waiting = toHex(world.clients.snapshot(0));
      const first = say(world, 0, 'a chain begins');
      say(world, 0, 'and goes on');
      const seized = toHex(world.clients.snapshot(0));
      const { field } = partsOf(world, first.frame);
      assert.ok(seized.includes(toHex(field)), 'what is repeated');

      // A chain key in what was seized would lead to the message keys of the past.
      for (const { device, sent } of [
        { device: seized, sent: [first] },
        { device: waiting, sent: [answered] },
      ]) {
        for (const one of sent) assert.ok(!leadsTo(device, world, one), 'the chain key');
      }
    });
  }

  test('would be found out if it kept the first key of the chain', async () => {
    // The same search, over a device that has that key: the peer's, one message before it is used.
    const world = await openTalk(escrowChainKey, native, {});
    say(world, 0, 'settled');
    const seized = toHex(world.clients.snapshot(1));
    const first = say(world, 1, 'the first of a chain, whose key was in the state');
    assert.ok(leadsTo(seized, world, first));
  });
});

/** Whether some 32 bytes of a device, taken for a chain key, yield the key of this message. */
function leadsTo(deviceHex: string, world: SmallWorld, { frame, text }: Sent): boolean {
  const device = Uint8Array.fromHex(deviceHex);
  const { headerAt, ciphertextAt, n } = partsOf(world, frame);
  const aad = concatBytes(world.world.directory, frame.subarray(headerAt, ciphertextAt));
  const aead = world.provider.aead['chacha20-poly1305'];
  const chain = new SymmetricChain(world.provider);
  const read = new Uint8Array(text.length);
  for (let at = 0; at + 32 <= device.length; at++) {
    const key = device.slice(at, at + 32);
    for (let i = 0; i <= n; i++) chain.step(key);
    if (aead.open(read, chain.messageKey, NONCE, aad, frame.subarray(ciphertextAt))) return true;
  }
  return false;
}

const DESIGNS = [
  [escrowChainKey, { repeat: 'every-frame' }],
  [escrowMessageKey, {}],
] as const;

/** What is delivered and what is recovered, by sender, of a conversation whose `members` dodge. */
async function dodge(
  design: Pipeline,
  options: Options,
  members: readonly number[],
): Promise<Record<number, { delivered: number; recovered: number }>> {
  const world = await openTalk(modifiedPipeline(design, { members }), native, options);
  const counted = [0, 1].map(() => ({ delivered: 0, recovered: 0 }));
  const arrived: Sent[] = [];
  // Whoever is refused is not answered: every message is sent as if the one before had arrived.
  for (const [i, member] of [0, 1, 0, 1, 0, 1, 0].entries()) {
    if (member === 1 && counted[0]!.delivered === 0) continue; // There is no session at that end.
    const sent = send(world, member, `message ${i}`);
    const received = world.receive(0, 1 - member, sent.frame);
    if (typeof received === 'number') assert.equal(received, OUTCOME.ESCROW_INVALID);
    else counted[member]!.delivered += 1;
    arrived.push(sent);
  }
  for (const [{ member }, finding] of readAll(world, arrived)) {
    if (finding === 'valid') counted[member]!.recovered += 1;
  }
  return { 0: counted[0]!, 1: counted[1]! };
}

for (const [design, options] of DESIGNS) {
  describe(`a client of ${design.name} that seals another key`, () => {
    test('dodges for what it sends, and for nothing that it receives', async () => {
      assert.deepEqual(await dodge(design, options, [0]), {
        0: { delivered: 4, recovered: 0 },
        1: { delivered: 3, recovered: 3 },
      });
      assert.deepEqual(await dodge(design, options, [1]), {
        0: { delivered: 4, recovered: 4 },
        1: { delivered: 3, recovered: 0 },
      });
    });

    test('is caught by verifiable=yes when the other end is honest', async () => {
      const verifiable = { ...options, verifiable: 'yes' };
      assert.deepEqual(await dodge(design, verifiable, [0]), {
        0: { delivered: 0, recovered: 0 },
        1: { delivered: 0, recovered: 0 },
      });
      const { 1: answers } = await dodge(design, verifiable, [1]);
      assert.deepEqual(answers, { delivered: 0, recovered: 0 });
    });

    test('is not caught by anything when both ends agree', async () => {
      for (const verifiable of ['no', 'yes']) {
        assert.deepEqual(await dodge(design, { ...options, verifiable }, [0, 1]), {
          0: { delivered: 4, recovered: 0 },
          1: { delivered: 3, recovered: 0 },
        });
      }
    });
  });
}

test('with both=yes the end that does not comply cannot dodge, and the other one dodges for both', async () => {
  const options = { both: 'yes', repeat: 'every-frame' };
  assert.deepEqual(await dodge(escrowChainKey, options, [1]), {
    0: { delivered: 4, recovered: 4 },
    1: { delivered: 3, recovered: 3 },
  });
  assert.deepEqual(await dodge(escrowChainKey, options, [0]), {
    0: { delivered: 4, recovered: 0 },
    1: { delivered: 3, recovered: 0 },
  });
});

function openDodger(repeat: string): Promise<SmallWorld> {
  const pipeline = modifiedPipeline(escrowChainKey, { members: [0] });
  return openTalk(pipeline, native, { verifiable: 'yes', repeat });
}

describe('a client of E2v that seals another key and counts on loss', () => {
  test('dodges with repeat=none when it withholds the first frame of each chain', async () => {
    const world = await openDodger('none');
    const sent: Sent[] = [];
    for (let turn = 0; turn < 3; turn++) {
      send(world, 0, 'withheld');
      sent.push(say(world, 0, `a real message of turn ${turn}`));
      say(world, 1, 'and an answer');
    }
    assert.deepEqual([...readAll(world, sent).values()], ['failed', 'failed', 'failed']);
  });

  test('is caught with repeat=every-frame, whichever frame of the chain comes first', async () => {
    const world = await openDodger('every-frame');
    const frames = [0, 1, 2].map((i) => send(world, 0, `message ${i}`));
    const before = devices(world);
    for (const { frame } of [frames[2]!, frames[0]!, frames[1]!]) {
      assert.equal(world.receive(0, 1, frame), OUTCOME.ESCROW_INVALID);
    }
    assert.deepEqual(devices(world), before, 'nothing of a refused frame is kept');
  });

  test('is caught when a withheld frame comes after all, on its chain or one chain later', async () => {
    const world = await openDodger('none');
    const withheld = [0, 1].map(() => {
      const sent = send(world, 0, 'withheld');
      say(world, 0, 'a real message');
      say(world, 1, 'an answer');
      return sent;
    });
    const newest = send(world, 0, 'withheld');
    say(world, 0, 'a real message');
    const before = devices(world);
    const [oldest, middle] = withheld as [Sent, Sent];
    for (let again = 0; again < 2; again++) {
      assert.equal(world.receive(0, 1, newest.frame), OUTCOME.ESCROW_INVALID);
      assert.equal(world.receive(0, 1, middle.frame), OUTCOME.ESCROW_INVALID);
    }
    assert.deepEqual(devices(world), before, 'nothing of a refused frame is kept, or lost');
    // Of a chain before those two no hash is kept: that it is read at all took another frame of it.
    assert.deepEqual(world.receive(0, 1, oldest.frame), oldest.text);
  });
});

function devices(world: SmallWorld): string[] {
  return [0, 1].map((user) => toHex(world.clients.snapshot(user)));
}
