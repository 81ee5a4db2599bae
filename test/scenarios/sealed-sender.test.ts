/**
 * The predicate of L11: the relay's log of who sends to whom, and what it says on the rung below and
 * on this one; and every way of lying about the sender that a receiver must refuse.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, toHex, utf8 } from '../../src/core/bytes.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { Provider } from '../../src/crypto/provider.ts';
import { seededRandomness } from '../../src/crypto/randomness.ts';
import { PackedMembers } from '../../src/pipelines/_members.ts';
import {
  ANONYMOUS_CONNECTION,
  OUTCOME,
  type Options,
  type Pipeline,
  type Relay,
  type World,
} from '../../src/pipelines/_pipeline.ts';
import { RatchetEnds } from '../../src/pipelines/_ratchet-ends.ts';
import {
  CERTIFICATE_DAYS,
  SEALED_FRAME_BYTES,
  SealedSenderEnds,
} from '../../src/pipelines/_sealed-sender-ends.ts';
import lengthHiding from '../../src/pipelines/length-hiding.ts';
import sealedSender from '../../src/pipelines/sealed-sender.ts';
import { Hop } from '../../src/protocols/hop.ts';
import { CertificateAuthority } from '../../src/protocols/sealed-sender.ts';
import { writeScript } from '../../src/workload/script.ts';
import {
  ISOLATED,
  loadBehaviour,
  loadProvider,
  loadWorkload,
  optionsOf,
  runHere,
} from '../conformance/_parts.ts';

const SEED = 5;
const DAY_MS = 86_400_000;
const IDENTITY_BYTES = 64;
const KEY_BYTES = 32;

const provider = await loadProvider('node');

// The contact graph.

const TOWN = await loadWorkload('chat', { sessions: 40, usersPerSession: 0.5, messages: 6 });
const script = writeScript(TOWN, await loadBehaviour(TOWN.behaviour), SEED, 0, TOWN.sessions);

/** Two users who talk, in either order. */
function edge(one: number, other: number): string {
  return one < other ? `${one}-${other}` : `${other}-${one}`;
}

const CONTACTS = new Set(
  Array.from({ length: TOWN.sessions }, (_, session) =>
    edge(script.members[session * 2]!, script.members[session * 2 + 1]!),
  ),
);

/** What a relay that writes everything down has of one frame. */
interface LogEntry {
  readonly from: number;
  readonly to: number;
  /** As it came and as it is stored, and with the provider's own seals opened. */
  readonly bytes: readonly Uint8Array[];
}

interface Log {
  readonly entries: readonly LogEntry[];
  readonly world: World;
}

/** Has the engine run the town through `pipeline` with a relay that keeps a log. */
async function logOf(pipeline: Pipeline, changes: Options = {}): Promise<Log> {
  const logs: { entries: LogEntry[]; world: World }[] = [];
  const logged: Pipeline = {
    ...pipeline,
    async open(setup) {
      const world = await pipeline.open(setup);
      logs.push({ entries: [], world });
      return world;
    },
    openRelay(opening) {
      const relay = pipeline.openRelay(opening);
      const { entries } = logs.at(-1)!;
      const keepsLog: Relay = {
        connect: (...given) => relay.connect(...given),
        accept(from, to, frame, atMs, out) {
          const length = relay.accept(from, to, frame, atMs, out);
          const stored = out.slice(0, length);
          const content = new Uint8Array(stored.length);
          const bytes = relay.handOver(to, stored, content);
          entries.push({ from, to, bytes: [frame.slice(), stored, content.subarray(0, bytes)] });
          return length;
        },
        deliver: (...given) => relay.deliver(...given),
        handOver: (...given) => relay.handOver(...given),
      };
      return keepsLog;
    },
  };
  const options = optionsOf(pipeline, changes);
  const facts = await runHere(logged, provider, TOWN, { options, seed: SEED });
  assert.deepEqual(facts.faults.first, []);
  const [first] = logs; // The others are of the engine's count of primitives.
  assert.equal(first!.entries.length, TOWN.sessions * TOWN.messages);
  return first!;
}

/** The harmonic mean of precision and recall over the edges of the contact graph. */
function f1(guessed: ReadonlySet<string>): number {
  let right = 0;
  for (const one of guessed) if (CONTACTS.has(one)) right += 1;
  return (2 * right) / (guessed.size + CONTACTS.size);
}

/** Believes the sender field where it names a user. */
function graphByField({ entries }: Log): Set<string> {
  const named = entries.filter(({ from }) => from < script.users);
  return new Set(named.map(({ from, to }) => edge(from, to)));
}

/** Looks for the identity keys of the directory in all that the relay has of a frame. */
function graphByKeys({ entries, world }: Log): Set<string> {
  const keys = Array.from({ length: (world.directory.length / IDENTITY_BYTES) * 2 }, (_, i) =>
    toHex(world.directory.subarray(i * KEY_BYTES, (i + 1) * KEY_BYTES)),
  );
  const edges = new Set<string>();
  for (const { to, bytes } of entries) {
    const haystack = bytes.map(toHex).join(' ');
    for (const [i, key] of keys.entries()) {
      if (haystack.includes(key)) edges.add(edge(i >>> 1, to));
    }
  }
  return edges;
}

/** Takes connections for users in the order given. */
function graphByOrder({ entries }: Log, users: readonly number[]): Set<string> {
  const edges = new Set<string>();
  for (const { from, to } of entries) {
    const user = users[from % ANONYMOUS_CONNECTION]!;
    if (user !== to) edges.add(edge(user, to));
  }
  return edges;
}

const IN_ORDER = Array.from({ length: script.users }, (_, user) => user);
const VARIANTS: readonly [string, Options][] = [
  ['with hops and sealing at rest', {}],
  ['without hops and sealing at rest', ISOLATED],
];

for (const [words, changes] of VARIANTS) {
  test(`on L10 the relay's log is the contact graph, ${words}`, async () => {
    const log = await logOf(lengthHiding, changes);
    assert.equal(f1(graphByField(log)), 1);
    assert.equal(f1(graphByKeys(log)), 1, 'handshakes name who opens a session');
  });

  test(`on L11 neither the sender field nor the frames name a sender, ${words}`, async () => {
    const log = await logOf(sealedSender, changes);
    assert.ok(log.entries.every(({ from }) => from >= ANONYMOUS_CONNECTION));
    assert.deepEqual(graphByField(log), new Set());
    assert.deepEqual(graphByKeys(log), new Set());
  });
}

test('on L11 the order of the connections says no more of the contact graph than any order', async () => {
  const log = await logOf(sealedSender);
  const random = new SeededRandom(11);
  const chance = Array.from({ length: 400 }, () =>
    f1(graphByOrder(log, random.shuffle([...IN_ORDER]))),
  ).toSorted((a, b) => a - b);
  const guessed = f1(graphByOrder(log, IN_ORDER));
  assert.ok(guessed >= chance[4]! && guessed <= chance[395]!, `${guessed} of ${chance[395]}`);
  // Who knows the order has the graph: the numbers are all that hides it here.
  const order = IN_ORDER.toSorted((a, b) => log.world.senders![a]! - log.world.senders![b]!);
  assert.equal(f1(graphByOrder(log, order)), 1);
});

test('every user has an anonymous connection of its own', async () => {
  const { world } = await logOf(sealedSender);
  const numbers = [...world.senders!].map((connection) => connection - ANONYMOUS_CONNECTION);
  assert.deepEqual(
    numbers.toSorted((a, b) => a - b),
    IN_ORDER,
  );
  assert.equal((await logOf(lengthHiding)).world.senders, undefined);
});

test('the relay lets nobody without a token pass for a user, and anyone be anonymous', () => {
  const secret = new Uint8Array(96).fill(3);
  const options = optionsOf(sealedSender);
  const relay = sealedSender.openRelay({
    provider,
    randomness: seededRandomness(1),
    secret,
    options,
  });
  const relayPublic = new Uint8Array(32);
  provider.ed25519Public(relayPublic, secret.subarray(0, 32));
  const connectWithoutToken = (connection: number): number => {
    const hop = new Hop(provider, seededRandomness(2));
    const state = new Uint8Array(97);
    const [flight, answer] = [new Uint8Array(1024), new Uint8Array(1024)];
    const hello = flight.slice(0, hop.clientHello(state, flight));
    const reply = answer.slice(0, relay.connect(connection, hello, 0, answer));
    const length = hop.clientFinish(state, relayPublic, reply, new Uint8Array(32), flight);
    return relay.connect(connection, flight.slice(0, length), 0, answer);
  };
  assert.equal(connectWithoutToken(4), OUTCOME.AUTH_FAILED);
  assert.equal(connectWithoutToken(ANONYMOUS_CONNECTION + 4), 0);
});

// Lies about the sender.

const ALICE = 0;
const BOB = 1;
const MALLORY = 2;
const TEXT = utf8('it is me');

/** Issues what a test wants in place of what it should. */
class CorruptAuthority extends CertificateAuthority {
  lie:
    | ((out: Uint8Array, user: number, identity: Uint8Array, expiryDay: number) => void)
    | undefined;

  override issue(out: Uint8Array, user: number, identity: Uint8Array, expiryDay: number): void {
    if (this.lie === undefined) super.issue(out, user, identity, expiryDay);
    else this.lie(out, user, identity, expiryDay);
  }

  truth(out: Uint8Array, user: number, identity: Uint8Array, expiryDay: number): void {
    super.issue(out, user, identity, expiryDay);
  }
}

/** Alice and Bob, whose certificates a corrupt authority issues. */
class Couple {
  readonly authority: CorruptAuthority;
  readonly ratchet: RatchetEnds;
  readonly ends: SealedSenderEnds;

  constructor(certificates: 'each' | 'cached' = 'each', over: Provider = provider) {
    const setup = {
      provider: over,
      randomness: seededRandomness(7),
      users: 3,
      members: new PackedMembers(Uint32Array.of(ALICE, BOB)),
      options: optionsOf(sealedSender, { certificates }),
      seed: 7,
    };
    this.ratchet = new RatchetEnds(setup);
    this.authority = new CorruptAuthority(over, seededRandomness(8));
    this.ends = new SealedSenderEnds(setup, this.ratchet, this.ratchet.accounts, this.authority);
    const bundle = emitted((outbox) => this.ends.publish(BOB, 0, outbox));
    assert.equal(this.ends.initiate(0, 0, bundle, 0), 0);
  }

  /** A frame of Alice's. */
  send(atMs = 0): Uint8Array {
    return emitted((outbox) => this.ends.send(0, 0, TEXT, atMs, outbox));
  }

  /** What Bob makes of it. */
  receive(frame: Uint8Array, atMs = 0): number {
    const out = new Uint8Array(frame.length);
    const length = this.ends.receive(0, 1, frame, atMs, out);
    if (length >= 0) assert.deepEqual(out.subarray(0, length), TEXT);
    return length;
  }
}

function emitted(write: (outbox: Parameters<SealedSenderEnds['publish']>[2]) => void): Uint8Array {
  let reserved = EMPTY;
  let frame = EMPTY;
  write({
    reserve: (bytes) => (reserved = new Uint8Array(bytes)),
    emit: (_to, _kind, length) => (frame = reserved.slice(0, length)),
  });
  return frame;
}

test('a frame with a true certificate is opened', () => {
  const couple = new Couple();
  assert.equal(couple.receive(couple.send()), TEXT.length);
});

test('a frame is 333 bytes longer than the one in it', () => {
  const couple = new Couple();
  const sealed = couple.send().length;
  const bare = emitted((outbox) => couple.ratchet.send(0, 0, TEXT, 0, outbox)).length;
  assert.equal(sealed - bare, SEALED_FRAME_BYTES);
  assert.equal(SEALED_FRAME_BYTES, 333);
});

for (const certificates of ['each', 'cached'] as const) {
  test(`a certificate with any of its bytes changed is refused, certificates=${certificates}`, () => {
    for (let at = 0; at < 236; at += 3) {
      const couple = new Couple(certificates);
      // With a certificate of the day before in the cache.
      assert.equal(couple.receive(couple.send(), 0), TEXT.length);
      couple.authority.lie = (out, ...given) => {
        couple.authority.truth(out, ...given);
        out[at]! ^= 1;
      };
      const outcome = couple.receive(couple.send(DAY_MS), DAY_MS);
      assert.equal(outcome, OUTCOME.AUTH_FAILED, `byte ${at}`);
    }
  });
}

test('a certificate is good until its last day and refused after it', () => {
  const couple = new Couple();
  const [first, second] = [couple.send(), couple.send()];
  const expiresMs = (CERTIFICATE_DAYS + 1) * DAY_MS;
  assert.equal(couple.receive(first, expiresMs - 1), TEXT.length);
  assert.equal(couple.receive(second, expiresMs), OUTCOME.AUTH_FAILED);
});

test('a true certificate of another user is refused', () => {
  const couple = new Couple();
  const { authority, ratchet } = couple;
  authority.lie = (out, _user, _identity, expiryDay) =>
    authority.truth(out, MALLORY, ratchet.accounts.identity(MALLORY), expiryDay);
  assert.equal(couple.receive(couple.send()), OUTCOME.AUTH_FAILED);
});

test('a certificate that names the peer but the keys of another, or the reverse, is refused', () => {
  for (const [user, owner] of [
    [ALICE, MALLORY],
    [MALLORY, ALICE],
  ] as const) {
    const couple = new Couple();
    const { authority, ratchet } = couple;
    authority.lie = (out, _user, _identity, expiryDay) =>
      authority.truth(out, user, ratchet.accounts.identity(owner), expiryDay);
    assert.equal(couple.receive(couple.send()), OUTCOME.AUTH_FAILED);
  }
});

test('a certificate with the right X25519 key and another Ed25519 key is refused', () => {
  const couple = new Couple();
  const { authority } = couple;
  authority.lie = (out, user, identity, expiryDay) => {
    const mixed = identity.slice();
    mixed[IDENTITY_BYTES - 1]! ^= 1;
    authority.truth(out, user, mixed, expiryDay);
  };
  assert.equal(couple.receive(couple.send()), OUTCOME.AUTH_FAILED);
});

test('a certificate under another trust root is refused', () => {
  const couple = new Couple();
  const impostor = new CertificateAuthority(provider, seededRandomness(9));
  couple.authority.lie = (...given) => impostor.issue(...given);
  assert.equal(couple.receive(couple.send()), OUTCOME.AUTH_FAILED);
});

test('a frame with any byte changed or cut anywhere is refused, and then opens as it was', () => {
  const couple = new Couple();
  const frame = couple.send();
  for (let at = 0; at < frame.length; at++) {
    const changed = frame.slice();
    changed[at]! ^= 0x80;
    assert.equal(couple.receive(changed), OUTCOME.AUTH_FAILED, `byte ${at}`);
    assert.equal(couple.receive(frame.slice(0, at)), OUTCOME.AUTH_FAILED, `${at} bytes`);
  }
  assert.equal(couple.receive(frame), TEXT.length);
  assert.equal(couple.receive(frame), OUTCOME.DUPLICATE);
});

test('a frame that the sender seals to itself is not taken for the peer', () => {
  const couple = new Couple();
  const frame = couple.send();
  const out = new Uint8Array(frame.length);
  assert.equal(couple.ends.receive(0, 0, frame, 0, out), OUTCOME.AUTH_FAILED);
});

test('one certificate is issued per user and day', () => {
  const couple = new Couple();
  for (const atMs of [0, 1, DAY_MS - 1]) couple.send(atMs);
  assert.equal(couple.authority.issued, 1);
  couple.send(DAY_MS);
  assert.equal(couple.authority.issued, 2);
});

test('with certificates=cached a receiver verifies each certificate once', () => {
  let verifications = 0;
  const counting: Provider = {
    ...provider,
    ed25519Verify: (...given) => {
      verifications += 1;
      return provider.ed25519Verify(...given);
    },
  };
  const verificationsOf = (certificates: 'each' | 'cached'): number => {
    const couple = new Couple(certificates, counting);
    verifications = 0;
    for (const atMs of [0, 1, 2, DAY_MS]) couple.receive(couple.send(atMs), atMs);
    return verifications;
  };
  assert.equal(verificationsOf('each'), 8);
  assert.equal(verificationsOf('cached'), 4);
});
