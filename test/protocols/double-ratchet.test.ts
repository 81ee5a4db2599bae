/**
 * The Double Ratchet with every provider against a plain second implementation: the same random
 * bytes must give the same frames, the same keys and the same refusals.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes, fromHex, putUint32, toHex, utf8 } from '../../src/core/bytes.ts';
import type { Provider } from '../../src/crypto/provider.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import { DoubleRatchet, HEADER_BYTES, RatchetState } from '../../src/protocols/double-ratchet.ts';
import { X25519_LOW_ORDER } from '../vectors/x25519.ts';
import { modelPublic, ModelRatchet } from './_model.ts';
import { loadProviders } from './_providers.ts';

const providers = await loadProviders();
const fast = providers.find(({ name }) => name === 'node')!;

const ASSOCIATED = utf8('both identities');
const NONCE = new Uint8Array(12);
const SECRET = new Uint8Array(32).fill(7);
const PREKEY_SECRET = new Uint8Array(32).fill(8);
const PREKEY = modelPublic(PREKEY_SECRET);

type Refusal = 'past' | 'too far' | 'low order' | 'not authentic';

/** One end over the implementation, as a pipeline uses it: a state is kept only when a tag fits. */
class End {
  readonly #provider: Provider;
  readonly #ratchet: DoubleRatchet;
  readonly #skipLimit: number;
  readonly skipped = new Map<string, Uint8Array>();
  kept = new RatchetState();

  constructor(provider: Provider, seed: number, skipLimit: number, isDeferred: boolean) {
    this.#provider = provider;
    this.#ratchet = new DoubleRatchet(provider, seededRandomness(seed), { isDeferred });
    this.#skipLimit = skipLimit;
  }

  initiate(): void {
    this.#ratchet.initInitiator(this.kept, SECRET, PREKEY);
  }

  respond(): void {
    this.#ratchet.initResponder(this.kept, SECRET, PREKEY_SECRET, PREKEY);
  }

  send(plaintext: Uint8Array): Uint8Array {
    const frame = new Uint8Array(HEADER_BYTES + plaintext.length + 16);
    const header = frame.subarray(0, HEADER_BYTES);
    this.#ratchet.prepareSending(this.kept);
    this.#ratchet.stepSending(this.kept, header);
    const aad = concatBytes(ASSOCIATED, header);
    const { messageKey } = this.#ratchet;
    const sealed = frame.subarray(HEADER_BYTES);
    this.#provider.aead['chacha20-poly1305'].seal(sealed, messageKey, NONCE, aad, plaintext);
    return frame;
  }

  receive(frame: Uint8Array): Uint8Array | Refusal {
    const header = frame.subarray(0, HEADER_BYTES);
    const name = nameOf(header, new DataView(frame.buffer, frame.byteOffset).getUint32(36));
    const skippedKey = this.skipped.get(name);
    if (skippedKey !== undefined) {
      const plaintext = this.#open(skippedKey, frame);
      if (plaintext === undefined) return 'not authentic';
      this.skipped.delete(name);
      return plaintext;
    }
    const state = new RatchetState();
    state.bytes.set(this.kept.bytes);
    const staged = new Map<string, Uint8Array>();
    const step = this.#ratchet.stepReceiving(state, header, this.#skipLimit, {
      add: (theirPublic, n, messageKey) => {
        staged.set(nameOf(theirPublic, n), messageKey.slice());
      },
    });
    if (step === -1) return 'past';
    if (step === -2) return 'too far';
    if (step === -3) return 'low order';
    const plaintext = this.#open(this.#ratchet.messageKey, frame);
    if (plaintext === undefined) return 'not authentic';
    this.kept = state;
    for (const [key, messageKey] of staged) this.skipped.set(key, messageKey);
    return plaintext;
  }

  #open(messageKey: Uint8Array, frame: Uint8Array): Uint8Array | undefined {
    const aad = concatBytes(ASSOCIATED, frame.subarray(0, HEADER_BYTES));
    const ciphertext = frame.subarray(HEADER_BYTES);
    const plaintext = new Uint8Array(ciphertext.length - 16);
    const aead = this.#provider.aead['chacha20-poly1305'];
    return aead.open(plaintext, messageKey, NONCE, aad, ciphertext) ? plaintext : undefined;
  }
}

function nameOf(theirPublic: Uint8Array, n: number): string {
  return `${toHex(theirPublic.subarray(0, 32))}/${n}`;
}

/** Both ends; the first opened the session. */
function pair(provider: Provider, skipLimit = 1000, isDeferred = false): [End, End] {
  const ends: [End, End] = [
    new End(provider, 1, skipLimit, isDeferred),
    new End(provider, 2, skipLimit, isDeferred),
  ];
  ends[0].initiate();
  ends[1].respond();
  return ends;
}

/** The bytes that `seededRandomness` gives for this seed. */
function source(seed: number): (bytes: number) => Uint8Array {
  const randomness = seededRandomness(seed);
  return (bytes) => {
    const drawn = new Uint8Array(bytes);
    // oxlint-disable-next-line unicorn/no-array-fill-with-reference-type -- It is no array that is filled.
    randomness.fill(drawn);
    return drawn;
  };
}

function modelPair(): [ModelRatchet, ModelRatchet] {
  const prekeys = { secret: PREKEY_SECRET, publicKey: PREKEY };
  return [
    ModelRatchet.initiator(source(1), SECRET, PREKEY),
    ModelRatchet.responder(source(2), SECRET, prekeys),
  ];
}

/** Every key and counter of an end is the model's. */
function assertSame(end: End, model: ModelRatchet): void {
  const { kept, skipped } = end;
  const { state } = model;
  assert.deepEqual(kept.rootKey, state.RK, 'RK');
  assert.equal(kept.canSend, state.CKs !== undefined);
  assert.equal(kept.canReceive, state.CKr !== undefined);
  if (state.CKs) assert.deepEqual(kept.sendChain, state.CKs, 'CKs');
  if (state.CKr) assert.deepEqual(kept.receiveChain, state.CKr, 'CKr');
  assert.deepEqual(kept.ourSecret, state.DHs.secret, 'DHs');
  assert.deepEqual(kept.ourPublic, state.DHs.publicKey, 'DHs, public');
  if (state.DHr) assert.deepEqual(kept.theirPublic, state.DHr, 'DHr');
  const counters = [kept.sent, kept.received, kept.sentBefore];
  assert.deepEqual(counters, [state.Ns, state.Nr, state.PN], 'Ns, Nr, PN');
  assert.deepEqual(new Map(skipped), new Map(state.MKSKIPPED), 'MKSKIPPED');
}

const text = (number: number): Uint8Array => utf8(`message ${number}`);

for (const provider of providers) {
  describe(`double ratchet with ${provider.name}`, () => {
    test('a conversation with messages out of order across turns gives the frames and keys of the model', () => {
      const ends = pair(provider);
      const models = modelPair();
      const send = (from: 0 | 1, number: number): Uint8Array => {
        const frame = ends[from].send(text(number));
        assert.deepEqual(frame, models[from].encrypt(text(number), ASSOCIATED));
        return frame;
      };
      const receive = (to: 0 | 1, frame: Uint8Array, number: number): void => {
        assert.deepEqual(ends[to].receive(frame), text(number));
        assert.deepEqual(models[to].decrypt(frame, ASSOCIATED), text(number));
        assertSame(ends[to], models[to]);
      };
      const first = [send(0, 0), send(0, 1), send(0, 2)];
      receive(1, first[1]!, 1);
      const reply = [send(1, 3), send(1, 4)];
      receive(0, reply[1]!, 4);
      const second = [send(0, 5), send(0, 6)];
      receive(1, second[1]!, 6); // Passes over message 2 of the first chain and 5 of this one.
      receive(1, first[2]!, 2);
      receive(1, second[0]!, 5);
      receive(1, first[0]!, 0);
      receive(0, reply[0]!, 3);
      assert.equal(ends[0].skipped.size + ends[1].skipped.size, 0);
    });

    test('a header with a low-order ratchet key is refused', () => {
      const [alice, bob] = pair(provider);
      const frame = alice.send(text(0));
      for (const { name, point } of X25519_LOW_ORDER) {
        const forged = frame.slice();
        forged.set(fromHex(point));
        assert.equal(bob.receive(forged), 'low order', name);
      }
      assert.deepEqual(bob.receive(frame), text(0));
    });
  });
}

test('a replayed message of the current chain is in the past', () => {
  const [alice, bob] = pair(fast);
  const frames = [alice.send(text(0)), alice.send(text(1)), alice.send(text(2))];
  assert.deepEqual(bob.receive(frames[0]!), text(0));
  assert.deepEqual(bob.receive(frames[2]!), text(2));
  assert.deepEqual(bob.receive(frames[1]!), text(1), 'from a skipped key');
  for (const frame of frames) assert.equal(bob.receive(frame), 'past');
});

test('a replayed message of an earlier chain does not open', () => {
  const [alice, bob] = pair(fast);
  const first = alice.send(text(0));
  bob.receive(first);
  alice.receive(bob.send(text(1)));
  bob.receive(alice.send(text(2)));
  assert.equal(bob.receive(first), 'not authentic');
  assert.deepEqual(bob.receive(alice.send(text(3))), text(3));
});

test('as many messages as the limit may be missing and not one more', () => {
  for (const missing of [4, 5]) {
    const [alice, bob] = pair(fast, 4);
    for (let i = 0; i < missing; i++) alice.send(text(i));
    const outcome = bob.receive(alice.send(text(missing)));
    assert.deepEqual(outcome, missing === 4 ? text(missing) : 'too far');
  }
});

test('what is missing of the chain before and of the new one counts together', () => {
  for (const missing of [2, 3]) {
    const [alice, bob] = pair(fast, 4);
    bob.receive(alice.send(text(0)));
    for (let i = 0; i < 2; i++) alice.send(text(i));
    alice.receive(bob.send(text(1)));
    for (let i = 0; i < missing; i++) alice.send(text(i));
    const outcome = bob.receive(alice.send(text(9)));
    assert.deepEqual(outcome, missing === 2 ? text(9) : 'too far');
  }
});

test('a message that claims to be 2^32 - 1 in its chain is refused at once', () => {
  const [alice, bob] = pair(fast);
  bob.receive(alice.send(text(0)));
  for (const at of [32, 36]) {
    const forged = alice.send(text(1));
    if (at === 32) forged.set(modelPublic(SECRET)); // PN matters only when the ratchet turns.
    putUint32(forged, at, 0xffff_ffff);
    assert.equal(bob.receive(forged), 'too far');
  }
});

test('a tag that does not verify leaves the end as it was, even when the ratchet would turn', () => {
  const [alice, bob] = pair(fast);
  bob.receive(alice.send(text(0)));
  alice.receive(bob.send(text(1)));
  alice.send(text(2));
  const frame = alice.send(text(3));
  const before = bob.kept.bytes.slice();
  for (let at = 0; at < frame.length; at++) {
    const forged = frame.slice();
    forged[at]! ^= 0x10;
    assert.equal(typeof bob.receive(forged), 'string', `byte ${at}`);
    assert.deepEqual(bob.kept.bytes, before);
    assert.equal(bob.skipped.size, 0);
  }
  assert.deepEqual(bob.receive(frame), text(3));
});

test('a deferred ratchet has no key of its own between a turn and the next message that it sends', () => {
  const [alice, bob] = pair(fast, 1000, true);
  bob.receive(alice.send(text(0)));
  assert.deepEqual([bob.kept.canSend, bob.kept.canReceive], [false, true]);
  const { ourSecret, sendChain } = bob.kept;
  assert.deepEqual(concatBytes(ourSecret, sendChain), new Uint8Array(64));
  const forged = alice.send(text(1));
  forged.set(modelPublic(SECRET));
  assert.equal(bob.receive(forged), 'low order', 'nobody can have answered a key that is not made');
  const reply = bob.send(text(2));
  assert.equal(bob.kept.canSend, true);
  assert.deepEqual(alice.receive(reply), text(2));
  assert.deepEqual(bob.receive(alice.send(text(3))), text(3));
});

/** What may happen; `pick` chooses among what is outstanding, newest or oldest. */
const command = fc.oneof(
  fc.record({ does: fc.constant('send' as const), by: fc.constantFrom(0 as const, 1 as const) }),
  fc.record({
    does: fc.constantFrom(
      'deliver' as const,
      'deliver' as const,
      'drop' as const,
      'duplicate' as const,
      'tamper' as const,
    ),
    pick: fc.nat(1000),
  }),
);

type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

for (const provider of providers) {
  const numRuns = provider === fast ? 150 : provider.name === 'noble' ? 4 : 25;
  test(`whatever is sent, lost, repeated, delayed or changed, ${provider.name} does what the model does`, () => {
    const property = fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const ends = pair(provider);
      const models = modelPair();
      play(commands, {
        canSend: (by) => ends[by].kept.canSend,
        send(by, plaintext) {
          const frame = ends[by].send(plaintext);
          assert.deepEqual(frame, models[by].encrypt(plaintext, ASSOCIATED));
          return frame;
        },
        receive(to, frame) {
          const outcome = ends[to].receive(frame);
          const expected = models[to].decrypt(frame, ASSOCIATED);
          assert.deepEqual(typeof outcome === 'string' ? undefined : outcome, expected);
          assertSame(ends[to], models[to]);
          return outcome;
        },
      });
    });
    fc.assert(property, { seed: 2, numRuns });
  });
}

test('whatever happens, deferred keys open what eager ones do and refuse what they refuse', () => {
  const property = fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
    const outcomes = [false, true].map((isDeferred) => {
      const ends = pair(fast, 1000, isDeferred);
      return play(commands, {
        canSend: (by) => ends[by].kept.canSend || ends[by].kept.canReceive,
        send: (by, plaintext) => ends[by].send(plaintext),
        receive: (to, frame) => ends[to].receive(frame),
      });
    });
    assert.deepEqual(outcomes[0], outcomes[1]);
  });
  fc.assert(property, { seed: 3, numRuns: 150 });
});

interface Conversation {
  canSend(by: 0 | 1): boolean;
  send(by: 0 | 1, plaintext: Uint8Array): Uint8Array;
  receive(to: 0 | 1, frame: Uint8Array): Uint8Array | Refusal;
}

/** @returns What came of each frame that was received: its text, or nothing. */
function play(commands: readonly Command[], talk: Conversation): (Uint8Array | undefined)[] {
  const outstanding: { readonly to: 0 | 1; readonly frame: Uint8Array }[] = [];
  const outcomes: (Uint8Array | undefined)[] = [];
  commands.forEach((given, number) => {
    if (given.does === 'send') {
      if (!talk.canSend(given.by)) return;
      outstanding.push({ to: given.by === 0 ? 1 : 0, frame: talk.send(given.by, text(number)) });
      return;
    }
    const at = given.pick % Math.max(1, outstanding.length);
    const chosen = outstanding[at];
    if (chosen === undefined) return;
    const { to } = chosen;
    const frame = chosen.frame.slice();
    if (given.does === 'deliver' || given.does === 'drop') outstanding.splice(at, 1);
    if (given.does === 'drop') return;
    // Not the high bytes of PN and N, which would have thousands of keys skipped.
    const changeable = [...Array(32).keys(), 35, 39, 40, frame.length - 1];
    if (given.does === 'tamper') frame[changeable[given.pick % changeable.length]!]! ^= 1;
    const outcome = talk.receive(to, frame);
    outcomes.push(typeof outcome === 'string' ? undefined : outcome);
  });
  return outcomes;
}
