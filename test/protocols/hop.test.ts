/** The hop: RFC 8448's key schedule, handshakes and records on every provider, and bad input. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes, EMPTY, fromHex, toHex, utf8 } from '../../src/core/bytes.ts';
import { HarnessError } from '../../src/core/errors.ts';
import type { Aead, AeadName, Provider } from '../../src/crypto/provider.ts';
import { hkdfExpand, hkdfExtract } from '../../src/crypto/hkdf.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import type { Randomness } from '../../src/crypto/randomness.ts';
import {
  ExpandLabel,
  Hop,
  HOP_ANSWER_BYTES,
  HOP_CONTENT_BYTES_MAX,
  HOP_FINISH_BYTES,
  HOP_HELLO_BYTES,
  HOP_OVERHEAD_BYTES,
  HOP_REFUSED,
  HOP_STATE_BYTES,
} from '../../src/protocols/hop.ts';
import type { RelayKeys } from '../../src/protocols/hop.ts';
import trace from '../vectors/rfc8448-3.json' with { type: 'json' };
import { aeadsOf, loadProviders } from './_providers.ts';

const RUNS = { numRuns: 40, seed: 8446 };

const TOKEN = new Uint8Array(32).fill(0xa5);
const RELAY_SEED = new Uint8Array(32).fill(0x42);

const providers = await loadProviders();
const combinations = providers.flatMap((provider) =>
  aeadsOf(provider).map((aead) => ({ provider, aead })),
);

function relayKeys(provider: Provider, seed: Uint8Array = RELAY_SEED): RelayKeys {
  const publicKey = new Uint8Array(32);
  provider.ed25519Public(publicKey, seed);
  return { signingKey: provider.ed25519Handle(seed), publicKey };
}

/** Both ends of one hop with all that passed between them. */
interface Ends {
  readonly hop: Hop;
  readonly keys: RelayKeys;
  readonly client: Uint8Array;
  readonly relay: Uint8Array;
  readonly hello: Uint8Array;
  readonly answer: Uint8Array;
  readonly finish: Uint8Array;
  /** The states before the flight of the same place in the list came in. */
  readonly clientWaiting: Uint8Array;
  readonly relayWaiting: Uint8Array;
}

function shakeHands(
  provider: Provider,
  aead: AeadName,
  seed = 1,
  hop: Hop = new Hop(provider, seededRandomness(seed), aead),
): Ends {
  const keys = relayKeys(provider);
  const client = new Uint8Array(HOP_STATE_BYTES);
  const relay = new Uint8Array(HOP_STATE_BYTES);
  const hello = new Uint8Array(HOP_HELLO_BYTES);
  const answer = new Uint8Array(HOP_ANSWER_BYTES);
  const finish = new Uint8Array(HOP_FINISH_BYTES);
  assert.equal(hop.clientHello(client, hello), HOP_HELLO_BYTES);
  const clientWaiting = Uint8Array.from(client);
  assert.equal(hop.relayAnswer(relay, keys, hello, answer), HOP_ANSWER_BYTES);
  const relayWaiting = Uint8Array.from(relay);
  const { publicKey } = keys;
  assert.equal(hop.clientFinish(client, publicKey, answer, TOKEN, finish), HOP_FINISH_BYTES);
  assert.equal(hop.relayFinish(relay, TOKEN, finish), true);
  return { hop, keys, client, relay, hello, answer, finish, clientWaiting, relayWaiting };
}

function seal(hop: Hop, state: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const record = new Uint8Array(plaintext.length + HOP_OVERHEAD_BYTES);
  assert.equal(hop.sealRecord(state, record, plaintext), record.length);
  return record;
}

function expectOpens(hop: Hop, state: Uint8Array, record: Uint8Array, plaintext: Uint8Array): void {
  const out = new Uint8Array(plaintext.length + 3).fill(0xee);
  assert.equal(hop.openRecord(state, out, record), plaintext.length);
  assert.deepEqual(out.subarray(0, plaintext.length), plaintext);
  assert.deepEqual(out.subarray(plaintext.length), Uint8Array.of(0xee, 0xee, 0xee));
}

/** Refused, with the state and `out` as they were. */
function expectRefuses(hop: Hop, state: Uint8Array, record: Uint8Array): void {
  const before = Uint8Array.from(state);
  const out = new Uint8Array(record.length).fill(0xee);
  assert.equal(hop.openRecord(state, out, record), HOP_REFUSED);
  assert.deepEqual(state, before);
  assert.deepEqual(out, new Uint8Array(record.length).fill(0xee));
}

function flip(bytes: Uint8Array, at: number, mask = 1): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  flipped[at]! ^= mask;
  return flipped;
}

function cutOrExtended(flight: Uint8Array): Uint8Array[] {
  return [
    EMPTY,
    flight.subarray(0, 5),
    flight.subarray(0, flight.length - 1),
    concatBytes(flight, Uint8Array.of(0)),
    concatBytes(flight, flight),
  ];
}

/** A provider whose AEAD changes the byte at `at` before it seals; -1 for none. */
class Tamper {
  at = -1;
  readonly provider: Provider;
  readonly #aead: Aead;
  #key: Uint8Array = EMPTY;
  #nonce: Uint8Array = EMPTY;

  constructor(provider: Provider, aeadName: AeadName) {
    const aead = provider.aead[aeadName]!;
    this.#aead = aead;
    const tampering: Aead = {
      seal: (out, key, nonce, aad, plaintext) => {
        this.#key = Uint8Array.from(key);
        this.#nonce = Uint8Array.from(nonce);
        const sent = this.at < 0 ? plaintext : flip(plaintext, this.at);
        aead.seal(out, key, nonce, aad, sent);
      },
      open: (out, key, nonce, aad, ciphertext) => aead.open(out, key, nonce, aad, ciphertext),
    };
    this.provider = { ...provider, aead: { ...provider.aead, [aeadName]: tampering } };
  }

  /** A record under the key and nonce of the last one: 1, 23, 23, ... of `length` bytes. */
  sealAgain(length: number): Uint8Array {
    const inner = new Uint8Array(length).fill(23);
    inner[0] = 1;
    const sealed = new Uint8Array(length + 16);
    const bytes = sealed.length;
    const header = Uint8Array.of(23, 3, bytes >>> 16, bytes >>> 8, bytes);
    this.#aead.seal(sealed, this.#key, this.#nonce, header, inner);
    return concatBytes(header, sealed);
  }
}

/** Any bytes, and good bytes with some of them changed, so that every check is reached. */
function garbageLike(good: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(
      fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constant(good)),
      fc.nat({ max: good.length }),
      fc.uint8Array({ minLength: 1, maxLength: 40 }),
    )
    .map(([bytes, at, mask]) => {
      const garbage = Uint8Array.from(bytes);
      for (let i = 0; i < mask.length && at + i < garbage.length; i++) garbage[at + i]! ^= mask[i]!;
      return garbage;
    })
    .filter((garbage) => toHex(garbage) !== toHex(good));
}

test('there are providers to test, and sizes are what the documentation says', () => {
  assert.ok(providers.length > 0);
  assert.deepEqual(
    [HOP_STATE_BYTES, HOP_HELLO_BYTES, HOP_ANSWER_BYTES, HOP_FINISH_BYTES, HOP_OVERHEAD_BYTES],
    [97, 70, 196, 94, 22],
  );
});

for (const provider of providers) {
  test(`the key schedule over ${provider.name} gives the values of RFC 8448 section 3`, () => {
    for (const { name, salt, ikm, secret } of trace.extracts) {
      const out = new Uint8Array(32);
      hkdfExtract(provider, out, fromHex(salt), fromHex(ikm));
      assert.equal(toHex(out), secret, name);
    }
    for (const { label, secret, context, output } of trace.expansions) {
      const out = new Uint8Array(output.length / 2);
      const expansion = new ExpandLabel(provider, label, out.length, context.length / 2);
      for (let round = 0; round < 2; round++) {
        expansion.derive(out, fromHex(secret), fromHex(context));
        assert.equal(toHex(out), output, label);
      }
    }
    const clientFinishedKey = trace.expansions.findLast(({ label }) => label === 'finished')!;
    const verifyData = new Uint8Array(32);
    const hash = fromHex(trace.transcriptHashes.serverFinished);
    provider.hmacSha256(verifyData, fromHex(clientFinishedKey.output), hash);
    assert.equal(toHex(verifyData), trace.clientFinished);
  });
}

for (const { provider, aead } of combinations) {
  describe(`the hop over ${provider.name} with ${aead}`, () => {
    test('opens, and carries records of all sizes both ways', () => {
      const { hop, client, relay } = shakeHands(provider, aead);
      const lengths = [0, 1, 16, 115, 4095, 4096, 4097, 65_536, 4096, 3, HOP_CONTENT_BYTES_MAX];
      for (const [index, length] of lengths.entries()) {
        const plaintext = Uint8Array.from({ length }, (_, at) => index ^ at ^ (at >>> 8));
        expectOpens(hop, relay, seal(hop, client, plaintext), plaintext);
        expectOpens(hop, client, seal(hop, relay, plaintext), plaintext);
      }
    });

    test('one object serves many hops at once, and a state survives being copied', () => {
      const { hop, keys } = shakeHands(provider, aead);
      const states = Array.from({ length: 3 }, () => ({
        client: new Uint8Array(HOP_STATE_BYTES),
        relay: new Uint8Array(HOP_STATE_BYTES),
        flight: new Uint8Array(HOP_ANSWER_BYTES),
        finish: new Uint8Array(HOP_FINISH_BYTES),
      }));
      for (const { client, flight } of states) hop.clientHello(client, flight);
      for (const { relay, flight } of states) {
        const hello = flight.slice(0, HOP_HELLO_BYTES);
        assert.equal(hop.relayAnswer(relay, keys, hello, flight), HOP_ANSWER_BYTES);
      }
      for (const { client, flight, finish } of states) {
        const written = hop.clientFinish(client, keys.publicKey, flight, TOKEN, finish);
        assert.equal(written, HOP_FINISH_BYTES);
      }
      for (const { relay, finish } of states) assert.ok(hop.relayFinish(relay, TOKEN, finish));
      for (const [index, { client, relay }] of states.entries()) {
        const record = seal(hop, client, Uint8Array.of(index));
        expectRefuses(hop, states[(index + 1) % 3]!.relay, record);
        const elsewhere = new Hop(provider, seededRandomness(99), aead);
        expectOpens(elsewhere, Uint8Array.from(relay), record, Uint8Array.of(index));
      }
    });

    test('ends the handshake when the relay is not the pinned one', () => {
      const { hop, keys, clientWaiting, answer } = shakeHands(provider, aead);
      const other = relayKeys(provider, new Uint8Array(32).fill(0x43));
      const finish = new Uint8Array(HOP_FINISH_BYTES);
      const client = Uint8Array.from(clientWaiting);
      assert.equal(hop.clientFinish(client, other.publicKey, answer, TOKEN, finish), HOP_REFUSED);
      assert.deepEqual(client, new Uint8Array(HOP_STATE_BYTES));
      assert.deepEqual(finish, new Uint8Array(HOP_FINISH_BYTES));

      // An impostor that claims the pinned key but signs with its own.
      const impostor = { signingKey: other.signingKey, publicKey: keys.publicKey };
      const [fresh, relay] = [new Uint8Array(HOP_STATE_BYTES), new Uint8Array(HOP_STATE_BYTES)];
      const [hello, forged] = [new Uint8Array(HOP_HELLO_BYTES), new Uint8Array(HOP_ANSWER_BYTES)];
      hop.clientHello(fresh, hello);
      assert.equal(hop.relayAnswer(relay, impostor, hello, forged), HOP_ANSWER_BYTES);
      assert.equal(hop.clientFinish(fresh, keys.publicKey, forged, TOKEN, finish), HOP_REFUSED);
    });

    test('ends the handshake when the token is not the expected one', () => {
      const { hop, relayWaiting, finish } = shakeHands(provider, aead);
      for (const at of [0, 31]) {
        const relay = Uint8Array.from(relayWaiting);
        assert.equal(hop.relayFinish(relay, flip(TOKEN, at), finish), false);
        assert.deepEqual(relay, new Uint8Array(HOP_STATE_BYTES));
      }
    });

    test('the token does not appear in any flight', () => {
      const { hello, answer, finish } = shakeHands(provider, aead);
      assert.ok(!toHex(concatBytes(hello, answer, finish)).includes(toHex(TOKEN.subarray(0, 4))));
    });

    test('a byte changed anywhere in the first flight is refused by one end or the other', () => {
      const { hop, keys, hello, clientWaiting } = shakeHands(provider, aead);
      const answer = new Uint8Array(HOP_ANSWER_BYTES);
      const finish = new Uint8Array(HOP_FINISH_BYTES);
      for (let at = 0; at < hello.length; at++) {
        const client = Uint8Array.from(clientWaiting);
        const relay = new Uint8Array(HOP_STATE_BYTES);
        const written = hop.relayAnswer(relay, keys, flip(hello, at, 0x80), answer);
        if (written === HOP_REFUSED) {
          assert.deepEqual(relay, new Uint8Array(HOP_STATE_BYTES), `byte ${at}`);
          continue;
        }
        const answered = hop.clientFinish(client, keys.publicKey, answer, TOKEN, finish);
        assert.equal(answered, HOP_REFUSED, `byte ${at}`);
      }
    });

    test('a byte changed anywhere in the second or third flight is refused', () => {
      const ends = shakeHands(provider, aead);
      const { hop, keys, answer, finish } = ends;
      const out = new Uint8Array(HOP_FINISH_BYTES);
      for (let at = 0; at < answer.length; at++) {
        const client = Uint8Array.from(ends.clientWaiting);
        const damaged = flip(answer, at, 0x80);
        const written = hop.clientFinish(client, keys.publicKey, damaged, TOKEN, out);
        assert.equal(written, HOP_REFUSED, `byte ${at}`);
        assert.deepEqual(client, new Uint8Array(HOP_STATE_BYTES));
      }
      for (let at = 0; at < finish.length; at++) {
        const relay = Uint8Array.from(ends.relayWaiting);
        assert.equal(hop.relayFinish(relay, TOKEN, flip(finish, at, 0x80)), false, `byte ${at}`);
        assert.deepEqual(relay, new Uint8Array(HOP_STATE_BYTES));
      }
    });

    test('a damaged flight leaves nothing behind for the next handshake', () => {
      const ends = shakeHands(provider, aead);
      const { hop, keys, hello, answer, finish } = ends;
      for (const at of [0, 1, 2, 3, 4, 5, 69, 75, 195]) {
        const damagedHello = flip(hello, at % hello.length);
        const room = new Uint8Array(HOP_ANSWER_BYTES);
        hop.relayAnswer(new Uint8Array(HOP_STATE_BYTES), keys, damagedHello, room);
        const client = Uint8Array.from(ends.clientWaiting);
        hop.clientFinish(client, keys.publicKey, flip(answer, at), TOKEN, room);
        const relay = Uint8Array.from(ends.relayWaiting);
        hop.relayFinish(relay, TOKEN, flip(finish, at % finish.length));
        const next = shakeHands(provider, aead, at, hop);
        assert.deepEqual(next.hello.subarray(0, 6), hello.subarray(0, 6));
        assert.deepEqual(next.answer.subarray(0, 6), answer.subarray(0, 6));
      }
    });

    test('a flight cut or extended is refused', () => {
      const ends = shakeHands(provider, aead);
      const { hop, keys } = ends;
      const out = new Uint8Array(HOP_ANSWER_BYTES);
      for (const flight of cutOrExtended(ends.hello)) {
        const relay = new Uint8Array(HOP_STATE_BYTES);
        assert.equal(hop.relayAnswer(relay, keys, flight, out), HOP_REFUSED);
      }
      for (const flight of cutOrExtended(ends.answer)) {
        const client = Uint8Array.from(ends.clientWaiting);
        assert.equal(hop.clientFinish(client, keys.publicKey, flight, TOKEN, out), HOP_REFUSED);
      }
      for (const flight of cutOrExtended(ends.finish)) {
        const relay = Uint8Array.from(ends.relayWaiting);
        assert.equal(hop.relayFinish(relay, TOKEN, flight), false);
      }
    });

    test('a byte changed anywhere in a record is refused', () => {
      const { hop, client, relay } = shakeHands(provider, aead);
      const record = seal(hop, client, Uint8Array.of(1, 2, 3));
      for (let at = 0; at < record.length; at++) expectRefuses(hop, relay, flip(record, at));
      expectOpens(hop, relay, record, Uint8Array.of(1, 2, 3));
    });

    test('a record replayed, out of order, cut, extended or sent back is refused', () => {
      const { hop, client, relay } = shakeHands(provider, aead);
      const first = seal(hop, client, Uint8Array.of(1));
      const second = seal(hop, client, Uint8Array.of(2));
      expectRefuses(hop, relay, second);
      expectRefuses(hop, client, first);
      for (let length = 0; length < first.length; length++) {
        expectRefuses(hop, relay, first.subarray(0, length));
      }
      expectRefuses(hop, relay, concatBytes(first, Uint8Array.of(0)));
      expectOpens(hop, relay, first, Uint8Array.of(1));
      expectRefuses(hop, relay, first);
      expectOpens(hop, relay, second, Uint8Array.of(2));
    });

    test('a flight of an earlier handshake is refused', () => {
      const earlier = shakeHands(provider, aead, 1);
      const { hop, keys, clientWaiting, relayWaiting } = shakeHands(provider, aead, 2);
      const out = new Uint8Array(HOP_FINISH_BYTES);
      assert.equal(
        hop.clientFinish(clientWaiting, keys.publicKey, earlier.answer, TOKEN, out),
        HOP_REFUSED,
      );
      assert.equal(hop.relayFinish(relayWaiting, TOKEN, earlier.finish), false);
    });

    test('a key share of low order is refused by both ends', () => {
      const { hop, keys, hello, answer, clientWaiting } = shakeHands(provider, aead);
      const relay = new Uint8Array(HOP_STATE_BYTES);
      const lowHello = Uint8Array.from(hello).fill(0, 38);
      const out = new Uint8Array(HOP_ANSWER_BYTES);
      assert.equal(hop.relayAnswer(relay, keys, lowHello, out), HOP_REFUSED);
      const lowAnswer = Uint8Array.from(answer).fill(0, 38, 70);
      const finish = new Uint8Array(HOP_FINISH_BYTES);
      assert.equal(
        hop.clientFinish(clientWaiting, keys.publicKey, lowAnswer, TOKEN, finish),
        HOP_REFUSED,
      );
    });

    test('what comes out of turn is refused and changes nothing', () => {
      const ends = shakeHands(provider, aead);
      const { hop, keys, answer, finish } = ends;
      const record = seal(hop, ends.client, Uint8Array.of(1));
      const out = new Uint8Array(HOP_ANSWER_BYTES);
      const unstarted = new Uint8Array(HOP_STATE_BYTES);
      for (const state of [unstarted, ends.clientWaiting, ends.relayWaiting]) {
        const before = Uint8Array.from(state);
        assert.equal(hop.sealRecord(state, out, Uint8Array.of(1)), HOP_REFUSED);
        assert.equal(hop.openRecord(state, out, record), HOP_REFUSED);
        assert.deepEqual(state, before);
      }
      for (const state of [unstarted, ends.relayWaiting, ends.client, ends.relay]) {
        const before = Uint8Array.from(state);
        assert.equal(hop.clientFinish(state, keys.publicKey, answer, TOKEN, out), HOP_REFUSED);
        assert.deepEqual(state, before);
      }
      for (const state of [unstarted, ends.clientWaiting, ends.client, ends.relay]) {
        const before = Uint8Array.from(state);
        assert.equal(hop.relayFinish(state, TOKEN, finish), false);
        assert.deepEqual(state, before);
      }
    });

    test('garbage is refused without an exception, as a flight and as a record', () => {
      const ends = shakeHands(provider, aead);
      const { hop, keys } = ends;
      const out = new Uint8Array(HOP_ANSWER_BYTES);
      fc.assert(
        fc.property(garbageLike(ends.hello), (garbage) => {
          const relay = new Uint8Array(HOP_STATE_BYTES);
          const written = hop.relayAnswer(relay, keys, garbage, out);
          // A hello may be changed to another valid one; it is then not the client's.
          if (written === HOP_REFUSED) return;
          const client = Uint8Array.from(ends.clientWaiting);
          const finish = new Uint8Array(HOP_FINISH_BYTES);
          assert.equal(hop.clientFinish(client, keys.publicKey, out, TOKEN, finish), HOP_REFUSED);
        }),
        RUNS,
      );
      fc.assert(
        fc.property(garbageLike(ends.answer), (garbage) => {
          const client = Uint8Array.from(ends.clientWaiting);
          assert.equal(hop.clientFinish(client, keys.publicKey, garbage, TOKEN, out), HOP_REFUSED);
        }),
        RUNS,
      );
      fc.assert(
        fc.property(garbageLike(ends.finish), (garbage) => {
          const relay = Uint8Array.from(ends.relayWaiting);
          assert.equal(hop.relayFinish(relay, TOKEN, garbage), false);
        }),
        RUNS,
      );
      const record = seal(hop, Uint8Array.from(ends.client), new Uint8Array(60));
      fc.assert(
        fc.property(garbageLike(record), (garbage) => expectRefuses(hop, ends.relay, garbage)),
        RUNS,
      );
    });

    test('the last sequence number is never used, so that no nonce comes twice', () => {
      const { hop, client, relay } = shakeHands(provider, aead);
      client.set([0xff, 0xff, 0xff, 0xfe], 88);
      relay.set([0xff, 0xff, 0xff, 0xfe], 92);
      const record = seal(hop, client, EMPTY);
      const out = new Uint8Array(HOP_OVERHEAD_BYTES);
      assert.equal(hop.sealRecord(client, out, EMPTY), HOP_REFUSED);
      expectOpens(hop, relay, record, EMPTY);
      expectRefuses(hop, relay, record);
    });
  });
}

// One provider is enough: what is refused here, no AEAD refuses.
for (const { provider, aead } of combinations.filter((each) => each.provider.name === 'node')) {
  test(`an end that seals well what is wrong is refused, wherever it is, with ${aead}`, () => {
    const tamper = new Tamper(provider, aead);
    const hop = new Hop(tamper.provider, seededRandomness(1), aead);
    const keys = relayKeys(provider);
    const hello = new Uint8Array(HOP_HELLO_BYTES);
    const answer = new Uint8Array(HOP_ANSWER_BYTES);
    const finish = new Uint8Array(HOP_FINISH_BYTES);
    const states = [new Uint8Array(HOP_STATE_BYTES), new Uint8Array(HOP_STATE_BYTES)] as const;
    const [client, relay] = states;
    const refusesAnswer = (): boolean => {
      hop.clientHello(client, hello);
      assert.equal(hop.relayAnswer(relay, keys, hello, answer), HOP_ANSWER_BYTES);
      tamper.at = -1;
      return hop.clientFinish(client, keys.publicKey, answer, TOKEN, finish) === HOP_REFUSED;
    };
    const refusesFinish = (at: number): boolean => {
      hop.clientHello(client, hello);
      hop.relayAnswer(relay, keys, hello, answer);
      tamper.at = at;
      hop.clientFinish(client, keys.publicKey, answer, TOKEN, finish);
      tamper.at = -1;
      return !hop.relayFinish(relay, TOKEN, finish);
    };
    assert.ok(!refusesAnswer());
    for (let at = 0; at < HOP_ANSWER_BYTES - HOP_HELLO_BYTES - HOP_OVERHEAD_BYTES + 1; at++) {
      tamper.at = at;
      assert.ok(refusesAnswer(), `byte ${at} of the relay's proof`);
    }
    assert.ok(!refusesFinish(-1));
    for (let at = 0; at < HOP_FINISH_BYTES - HOP_OVERHEAD_BYTES + 1; at++) {
      assert.ok(refusesFinish(at), `byte ${at} of the client's proof`);
    }

    // Nothing of what was wrong is in what this object sends next.
    const elsewhere = new Hop(provider, seededRandomness(2), aead);
    elsewhere.clientHello(client, hello);
    hop.relayAnswer(relay, keys, hello, answer);
    const written = elsewhere.clientFinish(client, keys.publicKey, answer, TOKEN, finish);
    assert.equal(written, HOP_FINISH_BYTES);
    assert.ok(hop.relayFinish(relay, TOKEN, finish));

    // A proof of another length, and records of another content type or too long.
    const cut = (sealed: Uint8Array, by: number): Uint8Array =>
      tamper.sealAgain(sealed.length - HOP_OVERHEAD_BYTES + 1 - by);
    hop.clientHello(client, hello);
    hop.relayAnswer(relay, keys, hello, answer);
    const shortAnswer = concatBytes(answer.subarray(0, 70), cut(answer.subarray(70), 1));
    const waiting = Uint8Array.from(client);
    assert.equal(
      hop.clientFinish(waiting, keys.publicKey, shortAnswer, TOKEN, finish),
      HOP_REFUSED,
    );
    hop.clientFinish(client, keys.publicKey, answer, TOKEN, finish);
    for (const by of [1, -1]) {
      assert.equal(hop.relayFinish(Uint8Array.from(relay), TOKEN, cut(finish, by)), false);
    }
    assert.ok(hop.relayFinish(relay, TOKEN, finish));
    tamper.at = 2;
    const handshakeType = seal(hop, client, Uint8Array.of(1, 2));
    tamper.at = -1;
    expectRefuses(hop, relay, handshakeType);
    expectRefuses(hop, relay, cut(handshakeType, -HOP_CONTENT_BYTES_MAX));
    expectOpens(hop, relay, cut(handshakeType, 1), Uint8Array.of(1));
  });
}

test('the same seed gives the same transcript and the same states with every provider', () => {
  for (const aead of ['chacha20-poly1305', 'aes-256-gcm'] as const) {
    const transcripts = new Map<string, string>();
    for (const provider of providers) {
      if (provider.aead[aead] === undefined) continue;
      const ends = shakeHands(provider, aead, 7);
      const there = seal(ends.hop, ends.client, Uint8Array.of(1, 2, 3));
      const back = seal(ends.hop, ends.relay, Uint8Array.of(4));
      const { hello, answer, finish, client, relay } = ends;
      const all = concatBytes(hello, answer, finish, there, back, client, relay);
      transcripts.set(provider.name, toHex(all));
    }
    assert.equal(new Set(transcripts.values()).size, transcripts.size === 0 ? 0 : 1, aead);
  }
});

test('the flights are those of a twin that follows RFC 8446 line by line', () => {
  const provider = providers[0]!;
  const { hello, answer, finish, client, relay } = shakeHands(provider, 'chacha20-poly1305', 11);
  const twin = twinFlights(provider, 11);
  assert.equal(toHex(hello), toHex(twin.hello));
  assert.equal(toHex(answer), toHex(twin.answer));
  assert.equal(toHex(finish), toHex(twin.finish));
  const tail = new Uint8Array(8);
  assert.equal(
    toHex(client),
    toHex(concatBytes(twin.clientKeys, twin.relayKeys, tail, Uint8Array.of(3))),
  );
  assert.equal(
    toHex(relay),
    toHex(concatBytes(twin.relayKeys, twin.clientKeys, tail, Uint8Array.of(3))),
  );
});

test('no secret of a handshake stays in the scratch memory', () => {
  const provider = providers[0]!;
  const seen = new Set<Uint8Array>();
  const spy: Provider = {
    ...provider,
    hmacSha256(out, key, data) {
      seen.add(key);
      provider.hmacSha256(out, key, data);
    },
    x25519(out, secret, point) {
      seen.add(out);
      if (secret instanceof Uint8Array) seen.add(secret);
      provider.x25519(out, secret, point);
    },
    x25519Public(out, secret) {
      seen.add(secret);
      provider.x25519Public(out, secret);
    },
  };
  const hop = new Hop(spy, seededRandomness(1));
  const early = new Set(seen); // Constants: the keys of the early secret.
  const keys = relayKeys(provider);
  const [client, relay] = [new Uint8Array(HOP_STATE_BYTES), new Uint8Array(HOP_STATE_BYTES)];
  const flight = new Uint8Array(HOP_ANSWER_BYTES);
  const answer = new Uint8Array(HOP_ANSWER_BYTES);
  const hello = flight.subarray(0, HOP_HELLO_BYTES);
  const finish = flight.subarray(0, HOP_FINISH_BYTES);
  const steps: readonly (() => unknown)[] = [
    () => hop.clientHello(client, flight),
    () => hop.relayAnswer(relay, keys, hello, answer),
    () => hop.clientFinish(client, keys.publicKey, answer, TOKEN, flight),
    () => hop.relayFinish(relay, TOKEN, finish),
  ];
  const derivedEarly = '6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba';
  for (const step of steps) {
    seen.clear();
    step();
    assert.ok(seen.size > 0);
    for (const scratch of seen) {
      if (early.has(scratch) || toHex(scratch) === derivedEarly) continue;
      assert.deepEqual(scratch, new Uint8Array(scratch.length), step.toString());
    }
  }
  assert.ok(hop.sealRecord(client, flight, EMPTY) > 0);
});

test('the state is the whole truth: each step may be computed by another object or provider', () => {
  for (const atClient of providers) {
    for (const atRelay of providers) {
      const clientHop = (): Hop => new Hop(atClient, seededRandomness(3));
      const relayHop = (): Hop => new Hop(atRelay, seededRandomness(4));
      const keys = relayKeys(atRelay);
      const client = new Uint8Array(HOP_STATE_BYTES);
      const relay = new Uint8Array(HOP_STATE_BYTES);
      const hello = new Uint8Array(HOP_HELLO_BYTES);
      const answer = new Uint8Array(HOP_ANSWER_BYTES);
      const finish = new Uint8Array(HOP_FINISH_BYTES);
      clientHop().clientHello(client, hello);
      relayHop().relayAnswer(relay, keys, hello, answer);
      clientHop().clientFinish(client, keys.publicKey, answer, TOKEN, finish);
      assert.ok(relayHop().relayFinish(relay, TOKEN, finish), `${atClient.name}, ${atRelay.name}`);
      for (const plaintext of [EMPTY, Uint8Array.of(5, 6)]) {
        expectOpens(clientHop(), client, seal(relayHop(), relay, plaintext), plaintext);
        expectOpens(relayHop(), relay, seal(clientHop(), client, plaintext), plaintext);
      }
    }
  }
});

test('ends with different AEADs do not come together', () => {
  const able = providers.find((provider) => provider.aead['aes-256-gcm'] !== undefined);
  if (able === undefined) return;
  const state = new Uint8Array(HOP_STATE_BYTES);
  const hello = new Uint8Array(HOP_HELLO_BYTES);
  new Hop(able, seededRandomness(1), 'aes-256-gcm').clientHello(state, hello);
  const other = new Hop(able, seededRandomness(1), 'chacha20-poly1305');
  const answer = new Uint8Array(HOP_ANSWER_BYTES);
  assert.equal(other.relayAnswer(state, relayKeys(able), hello, answer), HOP_REFUSED);
});

test('a wrong length of a buffer of the caller is a RangeError', () => {
  const { hop, client, keys } = shakeHands(providers[0]!, 'chacha20-poly1305');
  const out = new Uint8Array(21);
  assert.throws(
    () => hop.sealRecord(client, out, EMPTY),
    /"out" expected at least 22 bytes, got 21/,
  );
  assert.throws(() => hop.openRecord(client, EMPTY, new Uint8Array(23)), RangeError);
  assert.throws(
    () => hop.clientHello(client.subarray(1), out),
    /"state" expected 97 bytes, got 96/,
  );
  assert.throws(() => hop.clientHello(client, out), RangeError);
  assert.throws(() => hop.relayFinish(client, TOKEN.subarray(1), out), /"expectedToken"/);
  const tooLong = new Uint8Array(HOP_CONTENT_BYTES_MAX + 1);
  assert.throws(() => hop.sealRecord(client, new Uint8Array(2 << 20), tooLong), RangeError);
  const shortKey = { ...keys, publicKey: keys.publicKey.subarray(1) };
  const room = new Uint8Array(HOP_ANSWER_BYTES);
  assert.throws(() => hop.relayAnswer(client, shortKey, room, room), RangeError);
});

test('a provider without the AEAD is unsupported', () => {
  const provider: Provider = {
    ...providers[0]!,
    aead: { 'chacha20-poly1305': providers[0]!.aead['chacha20-poly1305'] },
  };
  assert.throws(
    () => new Hop(provider, seededRandomness(1), 'aes-256-gcm'),
    (error) => error instanceof HarnessError && error.code === 'UNSUPPORTED',
  );
});

interface TwinFlights {
  readonly hello: Uint8Array;
  readonly answer: Uint8Array;
  readonly finish: Uint8Array;
  readonly clientKeys: Uint8Array;
  readonly relayKeys: Uint8Array;
}

/** One handshake with ChaCha20-Poly1305, with a fresh array for each line. */
function twinFlights(provider: Provider, seed: number): TwinFlights {
  const random = seededRandomness(seed);
  const draw = (): Uint8Array => filled(random, new Uint8Array(32));
  const hash = (...messages: readonly Uint8Array[]): Uint8Array => {
    const out = new Uint8Array(32);
    provider.sha256(out, concatBytes(...messages));
    return out;
  };
  const extract = (salt: Uint8Array, ikm: Uint8Array): Uint8Array => {
    const out = new Uint8Array(32);
    hkdfExtract(provider, out, salt, ikm);
    return out;
  };
  const expand = (prk: Uint8Array, label: string, context: Uint8Array, length = 32): Uint8Array => {
    const out = new Uint8Array(length);
    const full = utf8(`tls13 ${label}`);
    const lengths = [Uint8Array.of(0, length, full.length), Uint8Array.of(context.length)] as const;
    hkdfExpand(provider, out, prk, concatBytes(lengths[0], full, lengths[1], context));
    return out;
  };
  const mac = (trafficSecret: Uint8Array, transcriptHash: Uint8Array): Uint8Array =>
    extract(expand(trafficSecret, 'finished', EMPTY), transcriptHash);
  const trafficKeys = (secret: Uint8Array): Uint8Array =>
    concatBytes(expand(secret, 'key', EMPTY), expand(secret, 'iv', EMPTY, 12));
  const protect = (secret: Uint8Array, content: Uint8Array): Uint8Array => {
    const sealed = new Uint8Array(content.length + 17);
    const header = Uint8Array.of(23, 3, 0, 0, sealed.length);
    const inner = concatBytes(content, Uint8Array.of(22));
    const keys = trafficKeys(secret); // The nonce of record 0 is the iv itself.
    const aead = provider.aead['chacha20-poly1305'];
    aead.seal(sealed, keys.subarray(0, 32), keys.subarray(32), header, inner);
    return concatBytes(header, sealed);
  };
  const share = (secret: Uint8Array): Uint8Array => {
    const out = new Uint8Array(32);
    provider.x25519Public(out, secret);
    return out;
  };

  const suite = Uint8Array.of(0xff, 0x03);
  const clientSecret = draw();
  const clientHello = message(1, suite, draw(), share(clientSecret));
  const relaySecret = draw();
  const relayHello = message(2, suite, draw(), share(relaySecret));
  const agreed = new Uint8Array(32);
  provider.x25519(agreed, clientSecret, share(relaySecret));

  const zeroes = new Uint8Array(32);
  const handshake = extract(expand(extract(zeroes, zeroes), 'derived', hash()), agreed);
  const hellos = concatBytes(clientHello, relayHello);
  const clientTraffic = expand(handshake, 'c hs traffic', hash(hellos));
  const relayTraffic = expand(handshake, 's hs traffic', hash(hellos));
  const master = extract(expand(handshake, 'derived', hash()), zeroes);

  const { signingKey, publicKey } = relayKeys(provider);
  const toCertificate = concatBytes(hellos, message(11, publicKey));
  const signature = new Uint8Array(64);
  const context = `${' '.repeat(64)}sealbench hop, relay CertificateVerify\0`;
  const signed = concatBytes(utf8(context), hash(toCertificate));
  provider.ed25519Sign(signature, signingKey, signed);
  const verify = message(15, signature);
  const relayFinished = message(20, mac(relayTraffic, hash(toCertificate, verify)));

  const transcriptHash = hash(toCertificate, verify, relayFinished);
  const token = message(224, TOKEN);
  const continued = hash(message(254, transcriptHash), token);
  const clientFinished = message(20, mac(clientTraffic, continued));
  return {
    hello: clientHello,
    answer: concatBytes(relayHello, protect(relayTraffic, concatBytes(verify, relayFinished))),
    finish: protect(clientTraffic, concatBytes(token, clientFinished)),
    clientKeys: trafficKeys(expand(master, 'c ap traffic', transcriptHash)),
    relayKeys: trafficKeys(expand(master, 's ap traffic', transcriptHash)),
  };
}

function message(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(...parts);
  return concatBytes(Uint8Array.of(type, 0, 0, content.length), content);
}

function filled(random: Randomness, bytes: Uint8Array): Uint8Array {
  random.fill(bytes);
  return bytes;
}
