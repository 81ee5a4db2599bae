/**
 * Re-keying with ML-KEM, whatever the network and a dishonest peer do: epochs begin, complete and
 * agree, and no message is lost to them.
 */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes, EMPTY, utf8 } from '../../src/core/bytes.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { Provider } from '../../src/crypto/provider.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import { PackedMembers } from '../../src/pipelines/_members.ts';
import { OUTCOME, type Outbox } from '../../src/pipelines/_pipeline.ts';
import { openPqRatchetEnds } from '../../src/pipelines/_pq-ratchet-ends.ts';
import { HANDSHAKE_BYTES } from '../../src/pipelines/_x3dh-sessions.ts';
import type { RatchetEnds } from '../../src/pipelines/_ratchet-ends.ts';
import { HEADER_BYTES, RatchetState } from '../../src/protocols/double-ratchet.ts';
import { loadProvider } from '../conformance/_parts.ts';

const native = await loadProvider('native');

const DAY_MS = 86_400_000;
const INITIATOR = 0;
const RESPONDER = 1;

/** FIPS 203, table 3: ML-KEM-768 and the ciphertext of ML-KEM-1024. */
const PUBLIC_KEY_BYTES = 1184;
const CIPHERTEXT_BYTES = 1088;
const HANDSHAKE_CIPHERTEXT_BYTES = 1568;
/** Form, header with its re-keying byte, tag. */
const BARE_FRAME_BYTES = 1 + HEADER_BYTES + 1 + 16;
const ACCOUNT_SECRET_BYTES = 96;

interface Frame {
  readonly session: number;
  readonly from: number;
  readonly text: string;
  readonly bytes: Uint8Array;
}

/** What the byte that re-keying adds to a header says. */
interface Announced {
  readonly mixed: boolean;
  readonly key: boolean;
  readonly ciphertext: boolean;
}

interface TalkOptions {
  readonly rekey: number;
  readonly headerEncryption?: boolean;
  readonly provider?: Provider;
  readonly sessions?: number;
}

/** Sessions between two users, whose frames a test moves by hand. */
class Talk {
  readonly ends: RatchetEnds;
  readonly #provider: Provider;
  atMs = 0;
  /** All that was sent, in order. */
  readonly sent: Frame[] = [];

  constructor({ rekey, headerEncryption = false, provider = native, sessions = 1 }: TalkOptions) {
    this.#provider = provider;
    const members = new PackedMembers(Uint32Array.from({ length: 2 * sessions }, (_, i) => i % 2));
    const options = { hop: 'none', rest: 'none', persist: 'packed', rekey: String(rekey) };
    const randomness = seededRandomness(8);
    const setup = { provider, randomness, users: 2, members, options, seed: 8 };
    this.ends = openPqRatchetEnds(setup, headerEncryption);
  }

  /** The initiator has spoken. */
  initiate(session = 0): this {
    const [bundle] = framesOf((outbox) => this.ends.publish(RESPONDER, this.atMs, outbox));
    assert.equal(this.ends.initiate(session, INITIATOR, bundle ?? EMPTY, this.atMs), 0);
    this.say(INITIATOR, 1, session);
    return this;
  }

  /** Both ends have spoken. */
  open(session = 0): this {
    this.initiate(session).say(RESPONDER, 1, session);
    return this;
  }

  send(from: number, session = 0): Frame {
    const text = `message ${this.sent.length} of member ${from}`;
    const [bytes] = framesOf((outbox) =>
      this.ends.send(session, from, utf8(text), this.atMs, outbox),
    );
    const frame = { session, from, text, bytes: bytes! };
    this.sent.push(frame);
    return frame;
  }

  /** @returns The text, or a negative outcome. */
  receive({ session, from }: Frame, bytes: Uint8Array): string | number {
    const out = new Uint8Array(8192);
    const length = this.ends.receive(session, 1 - from, bytes.slice(), this.atMs, out);
    return length < 0 ? length : new TextDecoder().decode(out.subarray(0, length));
  }

  deliver(frame: Frame): void {
    assert.equal(this.receive(frame, frame.bytes), frame.text);
  }

  /** A burst that arrives. */
  say(from: number, messages = 1, session = 0): Frame[] {
    return Array.from({ length: messages }, () => {
      const frame = this.send(from, session);
      this.deliver(frame);
      return frame;
    });
  }

  /** Both ends in turn, the initiator first. */
  chat(turns: number, burst: number): Frame[] {
    return Array.from({ length: turns }, (_, turn) => this.say(turn % 2, burst)).flat();
  }

  /** The ratchet state of the first session at one end, out of the seized device. */
  state(member: number): RatchetState {
    const state = new RatchetState();
    const at = ACCOUNT_SECRET_BYTES;
    state.bytes.set(this.ends.snapshot(member).subarray(at, at + state.bytes.length));
    return state;
  }

  /** The first frame of a chain of the responder that says, falsely, that the chain is mixed. */
  lieAboutMixing(): Frame {
    const text = 'all is well';
    const state = this.state(RESPONDER);
    const header = concatBytes(state.ourPublic, new Uint8Array(8), Uint8Array.of(1));
    const messageKey = new Uint8Array(32);
    this.#provider.hmacSha256(messageKey, state.sendChain, Uint8Array.of(1));
    const sealed = new Uint8Array(text.length + 16);
    const aad = concatBytes(this.ends.accounts.directory, header);
    const aead = this.#provider.aead['chacha20-poly1305'];
    aead.seal(sealed, messageKey, new Uint8Array(12), aad, utf8(text));
    const bytes = concatBytes(Uint8Array.of(0), header, sealed);
    return { session: 0, from: RESPONDER, text, bytes };
  }

  devices(): Uint8Array[] {
    return [INITIATOR, RESPONDER].map((member) => this.ends.snapshot(member).slice());
  }

  /**
   * Whether the root keys agree after the responder turned to a new chain of the initiator: the
   * responder is then one half turn ahead, which both keys together lead to.
   */
  rootKeysAgree(): boolean {
    const [initiator, responder] = [this.state(INITIATOR), this.state(RESPONDER)];
    const shared = new Uint8Array(32);
    this.#provider.x25519(shared, initiator.ourSecret, responder.ourPublic);
    const derived = new Uint8Array(64);
    const info = utf8('sealbench Double Ratchet root');
    this.#provider.hkdfSha256(derived, initiator.rootKey, shared, info);
    return Buffer.from(derived.subarray(0, 32)).equals(responder.rootKey);
  }
}

function framesOf(emitInto: (outbox: Outbox) => void): Uint8Array[] {
  const frames: Uint8Array[] = [];
  let reserved = EMPTY;
  emitInto({
    reserve: (bytes) => (reserved = new Uint8Array(bytes)),
    emit: (_to, _kind, length) => frames.push(reserved.subarray(0, length)),
  });
  return frames;
}

/** Reads the header of a frame without header encryption. */
function announced({ bytes }: Pick<Frame, 'bytes'>): Announced {
  const hasHandshake = (bytes[0]! & 1) !== 0;
  const headerAt = 1 + (hasHandshake ? HANDSHAKE_BYTES + HANDSHAKE_CIPHERTEXT_BYTES : 0);
  const bits = bytes[headerAt + HEADER_BYTES]!;
  return { mixed: (bits & 1) !== 0, key: (bits & 2) !== 0, ciphertext: (bits & 4) !== 0 };
}

/** The numbers of the messages at which a mixed chain begins: each completes an epoch. */
function completions(frames: readonly Frame[]): number[] {
  const at: number[] = [];
  frames.forEach((frame, number) => {
    const before = frames[number - 1];
    const begins = before === undefined || before.from !== frame.from;
    if (begins && announced(frame).mixed) at.push(number);
  });
  return at;
}

/**
 * What the epochs of a regular conversation must be: one begins with the first chain of the initiator
 * in whose first frame `rekey` messages are full, the next chain answers, and the one after is mixed.
 */
function expectedCompletions(turns: number, burst: number, rekey: number): number[] {
  const at: number[] = [];
  // The two messages that opened the session.
  let messages = 2;
  let offered = false;
  for (let turn = 0; turn < turns; turn += 2) {
    if (offered) {
      at.push(turn * burst);
      offered = false;
      // All of the answering chain but its first frame.
      messages = burst - 1;
    }
    if (messages + 1 >= rekey) offered = true;
    messages += 2 * burst;
  }
  return at;
}

describe('over a good network', () => {
  for (const burst of [1, 3, 10]) {
    for (const rekey of [1, 2, 7, 50]) {
      test(`with bursts of ${burst} an epoch completes for every ${rekey} messages, rounded up to turns`, () => {
        const turns = 60;
        const frames = new Talk({ rekey }).open().chat(turns, burst);
        const expected = expectedCompletions(turns, burst, rekey);
        assert.deepEqual(completions(frames), expected);
        assert.ok(expected.length >= 1);
      });
    }
  }

  test('an epoch is one key and one ciphertext, 2,272 bytes, and no other byte', () => {
    const rekey = 8;
    const frames = new Talk({ rekey }).open().chat(80, 2);
    const epochs = completions(frames).length;
    assert.ok(epochs > 5);
    // What begins after the last completion does not count.
    const upTo = completions(frames).at(-1)!;
    const carrying = frames.slice(0, upTo).map(({ bytes, text }) => bytes.length - text.length);
    const extra = carrying.map((bytes) => bytes - BARE_FRAME_BYTES).filter((bytes) => bytes !== 0);
    assert.deepEqual(
      extra,
      Array.from({ length: epochs }, () => [PUBLIC_KEY_BYTES, CIPHERTEXT_BYTES]).flat(),
    );
  });

  test('only the first frame of a chain carries a key or a ciphertext, and every frame says that it is mixed', () => {
    const burst = 4;
    const frames = new Talk({ rekey: 5 }).open().chat(40, burst);
    frames.forEach((frame, number) => {
      const { mixed, key, ciphertext } = announced(frame);
      const first = number - (number % burst);
      if (number !== first) assert.ok(!key && !ciphertext, `message ${number}`);
      assert.equal(mixed, announced(frames[first]!).mixed, `message ${number}`);
      assert.ok(!(key && frame.from === RESPONDER) && !(ciphertext && frame.from === INITIATOR));
    });
  });

  for (const headerEncryption of [false, true]) {
    test(`the root keys agree after each turn, with headers ${headerEncryption ? 'encrypted' : 'in the clear'}`, () => {
      const talk = new Talk({ rekey: 4, headerEncryption }).open();
      for (let turn = 0; turn < 60; turn++) {
        talk.say(turn % 2, 1 + (turn % 3));
        if (turn % 2 === INITIATOR) assert.ok(talk.rootKeysAgree(), `turn ${turn}`);
      }
    });
  }
});

describe('when only one end speaks', () => {
  test('no epoch completes, and every message opens', () => {
    for (const speaker of [INITIATOR, RESPONDER]) {
      const talk = new Talk({ rekey: 3 }).open();
      const frames = talk.say(speaker, 300);
      assert.deepEqual(completions(frames), []);
    }
  });

  test('no epoch begins before the first reply', () => {
    const talk = new Talk({ rekey: 1 }).initiate();
    talk.say(INITIATOR, 100);
    assert.ok(talk.sent.every((frame) => !announced(frame).key));
    talk.say(RESPONDER);
    const [reply] = talk.say(INITIATOR);
    assert.ok(announced(reply!).key);
  });

  test('an epoch that was due waits for both, and then completes', () => {
    const talk = new Talk({ rekey: 3 }).open();
    const frames = [...talk.say(INITIATOR, 50), ...talk.say(RESPONDER, 50), ...talk.chat(2, 1)];
    assert.ok(announced(frames[0]!).key);
    assert.deepEqual(completions(frames), [100]);
  });
});

describe('when few messages are sent', () => {
  test('an epoch begins seven days after the last one, and not before', () => {
    const talk = new Talk({ rekey: 1000 }).open();
    for (const week of [1, 2]) {
      talk.atMs = week * 7 * DAY_MS - 1;
      assert.ok(talk.chat(2, 1).every((frame) => !announced(frame).key));
      talk.atMs += 1;
      const [offer, answer, mixed] = talk.chat(4, 1);
      assert.ok(announced(offer!).key && announced(answer!).ciphertext && announced(mixed!).mixed);
    }
  });

  test('the seven days of a session count from its opening', () => {
    const talk = new Talk({ rekey: 1000 });
    talk.atMs = 30 * DAY_MS;
    talk.open();
    assert.ok(talk.chat(4, 1).every((frame) => !announced(frame).key));
    talk.atMs = 37 * DAY_MS;
    assert.ok(announced(talk.chat(1, 1)[0]!).key);
  });
});

describe('over a bad network', () => {
  test('a lost key and a lost ciphertext are repeated on the next chain, unchanged', () => {
    const talk = new Talk({ rekey: 3 }).open();
    const keys: Frame[] = [talk.send(INITIATOR)];
    talk.say(INITIATOR);
    talk.say(RESPONDER);
    keys.push(...talk.say(INITIATOR));
    assert.deepEqual(
      keys.map((frame) => announced(frame)),
      [1, 2].map(() => ({ mixed: false, key: true, ciphertext: false })),
    );
    assert.equal(new Set(keys.map(payloadOf)).size, 1);

    const ciphertexts = [talk.send(RESPONDER)];
    talk.say(RESPONDER);
    talk.say(INITIATOR);
    ciphertexts.push(...talk.say(RESPONDER));
    assert.ok(ciphertexts.every((frame) => announced(frame).ciphertext));
    assert.equal(new Set(ciphertexts.map(payloadOf)).size, 1);
    assert.ok(announced(talk.say(INITIATOR)[0]!).mixed);
    assert.ok(talk.rootKeysAgree());
  });

  test('a ciphertext that comes after the initiator spoke is mixed into its next chain', () => {
    const talk = new Talk({ rekey: 3 }).open();
    talk.say(INITIATOR);
    const late = talk.send(RESPONDER);
    talk.say(RESPONDER);
    assert.ok(announced(late).ciphertext);
    talk.say(INITIATOR);
    talk.deliver(late);
    assert.ok(!announced(talk.say(INITIATOR)[0]!).mixed);
    talk.say(RESPONDER);
    assert.ok(announced(talk.say(INITIATOR)[0]!).mixed);
    assert.ok(talk.rootKeysAgree());
  });

  test('a key of an epoch that is over is not answered when it comes at last', () => {
    const talk = new Talk({ rekey: 3 }).open();
    const late = talk.send(INITIATOR);
    assert.ok(announced(late).key);
    talk.say(INITIATOR);
    talk.say(RESPONDER);
    const [repeated, , mixed] = talk.chat(3, 1);
    assert.ok(announced(repeated!).key && announced(mixed!).mixed);
    assert.ok(!announced(mixed!).key);
    talk.deliver(late);
    assert.ok(!announced(talk.say(RESPONDER)[0]!).ciphertext);
    assert.ok(completions(talk.chat(20, 1)).length > 1);
  });

  test('a ciphertext of an epoch that is over is not taken for the answer to a new key', () => {
    const talk = new Talk({ rekey: 3 }).open();
    talk.say(INITIATOR);
    const late = talk.send(RESPONDER);
    talk.say(RESPONDER);
    talk.chat(2, 1);
    // The chain that completes the epoch; then the next epoch begins.
    assert.ok(announced(talk.say(INITIATOR)[0]!).mixed);
    talk.say(RESPONDER);
    assert.ok(announced(talk.say(INITIATOR)[0]!).key);
    assert.ok(announced(late).ciphertext);
    talk.deliver(late);
    assert.ok(completions([...talk.say(RESPONDER), ...talk.chat(20, 1)]).length > 1);
  });

  test('nor is one that comes on the newest chain of the responder', () => {
    const talk = new Talk({ rekey: 1 }).open();
    talk.say(INITIATOR);
    const early = talk.send(RESPONDER);
    talk.say(RESPONDER);
    talk.say(INITIATOR);
    talk.deliver(early);
    // This chain has the ciphertext once more; what turns the initiator comes without it.
    const late = talk.send(RESPONDER);
    talk.say(RESPONDER);
    assert.ok(announced(early).ciphertext && announced(late).ciphertext);
    const [mixed] = talk.say(INITIATOR);
    assert.deepEqual(announced(mixed!), { mixed: true, key: true, ciphertext: false });
    talk.deliver(late);
    assert.ok(completions([...talk.say(RESPONDER), ...talk.chat(20, 1)]).length > 1);
  });

  for (const headerEncryption of [false, true]) {
    const headers = headerEncryption ? 'encrypted' : 'clear';
    for (const rekey of [1, 4]) {
      test(`every message opens once and epochs go on, with ${headers} headers and ${rekey} messages per epoch`, () => {
        fc.assert(
          fc.property(
            fc.array(anyCommand, { minLength: 40, maxLength: 120, size: 'max' }),
            (commands) => {
              const talk = new Talk({ rekey, headerEncryption }).open();
              runNetwork(talk, commands);
              assertEpochsGoOn(talk, headerEncryption);
            },
          ),
          { numRuns: 50, seed: 50 },
        );
      });
    }
  }

  test('a long conversation under loss, reordering and duplication goes on re-keying', () => {
    for (const seed of [1, 2, 3]) {
      const random = new SeededRandom(seed);
      const talk = new Talk({ rekey: 6 }).open();
      const commands = Array.from({ length: 1500 }, (): Command => {
        const pick = random.below(1000);
        if (random.fraction() < 0.45) return { does: 'send', by: random.below(2), messages: 1 };
        const draw = random.fraction();
        return { does: draw < 0.8 ? 'deliver' : draw < 0.9 ? 'drop' : 'repeat', pick };
      });
      const sent = runNetwork(talk, commands);
      const mixedChains = new Set(
        sent.filter((frame) => announced(frame).mixed).map(({ bytes }) => keyOf(bytes)),
      );
      assert.ok(mixedChains.size > 10, `seed ${seed}: ${mixedChains.size} epochs`);
      assertEpochsGoOn(talk, false);
    }
  });
});

type Command =
  | { readonly does: 'send'; readonly by: number; readonly messages: number }
  | { readonly does: 'deliver' | 'drop' | 'repeat'; readonly pick: number };

/** Mostly the newest frame in flight, so that turns go on while older ones wait. */
const anyPick = fc.oneof({ weight: 3, arbitrary: fc.constant(-1) }, fc.nat(1000));

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('send' as const),
      by: fc.nat(1),
      messages: fc.integer({ min: 1, max: 2 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('deliver' as const), pick: anyPick }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constantFrom('drop' as const, 'repeat' as const),
      pick: anyPick,
    }),
  },
);

/** Moves frames in any order; each must open the first time and be refused after that. */
function runNetwork(talk: Talk, commands: readonly Command[]): Frame[] {
  const sent: Frame[] = [];
  const flying: Frame[] = [];
  const delivered: Frame[] = [];
  for (const command of commands) {
    if (command.does === 'send') {
      for (let i = 0; i < command.messages; i++) flying.push(talk.send(command.by));
      sent.push(...flying.slice(-command.messages));
    } else if (command.does === 'repeat') {
      const again = delivered.at(pickOf(command, delivered));
      if (again === undefined) continue;
      const outcome = talk.receive(again, again.bytes);
      assert.ok(typeof outcome === 'number' && outcome < 0, 'a repeated frame is refused');
    } else {
      const [frame] = flying.splice(pickOf(command, flying), 1);
      if (frame === undefined || command.does === 'drop') continue;
      talk.deliver(frame);
      delivered.push(frame);
    }
  }
  return sent;
}

function pickOf({ pick }: { readonly pick: number }, frames: readonly Frame[]): number {
  return pick < 0 ? -1 : pick % Math.max(1, frames.length);
}

/** Over a good network from now on, epochs complete and root keys agree. */
function assertEpochsGoOn(talk: Talk, headerEncryption: boolean): void {
  talk.say(INITIATOR);
  talk.say(RESPONDER);
  const frames = talk.chat(17, 1);
  assert.ok(talk.rootKeysAgree());
  const offers = frames.filter(({ bytes, text }) => bytes.length - text.length > PUBLIC_KEY_BYTES);
  assert.ok(offers.length > 1, 'keys are sent');
  if (!headerEncryption) assert.ok(completions(frames).length > 1, 'epochs complete');
}

/** The ratchet key of a frame without handshake. */
function keyOf(bytes: Uint8Array): string {
  return bytes.subarray(1, 33).toHex();
}

/** The key or ciphertext in a frame without handshake. */
function payloadOf({ bytes }: Frame): string {
  const at = 1 + HEADER_BYTES + 1;
  return bytes.subarray(at, at + CIPHERTEXT_BYTES).toHex();
}

/** One bit of every so many bytes. */
function* damaged(frame: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < frame.length; at += 7) {
    const changed = frame.slice();
    changed[at]! ^= 1 << (at & 7);
    yield changed;
  }
}

describe('what is refused', () => {
  for (const headerEncryption of [false, true]) {
    const headers = headerEncryption ? 'encrypted' : 'clear';
    test(`a damaged key or ciphertext changes neither device, with ${headers} headers`, () => {
      const talk = new Talk({ rekey: 3, headerEncryption }).open();
      for (const from of [INITIATOR, RESPONDER, INITIATOR]) {
        const frame = talk.send(from);
        const before = talk.devices();
        for (const changed of damaged(frame.bytes)) {
          const outcome = talk.receive(frame, changed);
          assert.ok(typeof outcome === 'number' && outcome < 0);
        }
        assert.deepEqual(talk.devices(), before);
        talk.deliver(frame);
      }
      assertEpochsGoOn(talk, headerEncryption);
    });
  }

  test('a key that ML-KEM refuses is refused with its message, and all other messages open', () => {
    const { provider, lie } = lyingProvider();
    const talk = new Talk({ rekey: 3, provider }).open();
    lie.about = 'one session';
    const offer = talk.send(INITIATOR);
    lie.about = 'nothing';
    const before = talk.devices();
    for (let i = 0; i < 3; i++) assert.equal(talk.receive(offer, offer.bytes), OUTCOME.AUTH_FAILED);
    assert.deepEqual(talk.devices(), before);
    talk.say(INITIATOR, 3);
    assert.equal(talk.receive(offer, offer.bytes), OUTCOME.AUTH_FAILED);
    talk.say(RESPONDER, 3);
    talk.send(INITIATOR);
    talk.say(INITIATOR, 3);
  });

  test('a refused key on the chain that ends an epoch leaves that epoch, and other sessions, as they were', () => {
    const { provider, lie } = lyingProvider();
    const talk = new Talk({ rekey: 1, provider, sessions: 3 });
    for (const session of [0, 1, 2]) talk.open(session);
    talk.say(INITIATOR, 1, 0);
    talk.say(RESPONDER, 1, 0);
    lie.about = 'one session';
    const offer = talk.send(INITIATOR, 0);
    lie.about = 'nothing';
    assert.deepEqual(announced(offer), { mixed: true, key: true, ciphertext: false });
    const before = talk.devices();
    assert.equal(talk.receive(offer, offer.bytes), OUTCOME.AUTH_FAILED);
    assert.deepEqual(talk.devices(), before);
    // These would be given the memory that session 0 still needs.
    for (const session of [1, 2]) talk.say(INITIATOR, 1, session);
    assert.equal(talk.receive(offer, offer.bytes), OUTCOME.AUTH_FAILED);
    talk.say(INITIATOR, 1, 0);
    for (let turn = 1; turn < 20; turn++) {
      for (const session of [1, 2]) talk.say(turn % 2, 1, session);
    }
  });

  test('a peer that says it mixed a secret when there is none ends no epoch of another session', () => {
    const talk = new Talk({ rekey: 3, sessions: 2 }).initiate(0).open(1);
    const [offer] = talk.say(INITIATOR, 1, 1);
    assert.ok(announced(offer!).key);
    talk.deliver(talk.lieAboutMixing());
    for (let turn = 1; turn < 20; turn++) talk.say(turn % 2, 1, 1);
  });
});

/** Its ML-KEM-768 makes keys that FIPS 203 section 7.2 refuses while it lies. */
function lyingProvider(): { provider: Provider; lie: { about: 'one session' | 'nothing' } } {
  const lie: { about: 'one session' | 'nothing' } = { about: 'nothing' };
  const kem = native.kem['ml-kem-768']!;
  const provider: Provider = {
    ...native,
    kem: {
      ...native.kem,
      'ml-kem-768': {
        ...kem,
        publicKey(out, secretKey) {
          if (lie.about === 'nothing') kem.publicKey(out, secretKey);
          else out.fill(0xff);
        },
      },
    },
  };
  return { provider, lie };
}
