/**
 * The predicates of L7 and L8, mounted: somebody recorded the frames and later has a quantum computer,
 * without and with a device copied once. And that of L9: what the relay reads in headers.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../../src/core/bytes.ts';
import { loadByName } from '../../src/core/discover.ts';
import { PIPELINES_DIR } from '../../src/core/paths.ts';
import { SeededRandom } from '../../src/core/random.ts';
import type { Provider } from '../../src/crypto/provider.ts';
import type { Pipeline } from '../../src/pipelines/_pipeline.ts';
import { HEADER_SEAL_BYTES } from '../../src/protocols/header-seal.ts';
import { mount, type MountedWorld, type Recorded } from './_mounted-world.ts';
import {
  FRAMES_OF_L6,
  FRAMES_OF_L7,
  FRAMES_OF_L8,
  OPEN_EPOCH_AT,
  openFromDevice,
  openFromHandshake,
  readFrame,
  type FrameParts,
  type Recorder,
} from './_quantum-recorder.ts';

/** The ends alone: what the relay stores is what they made. */
const BARE = { hop: 'none', rest: 'none' };
const ALICE = 0;
const BOB = 1;
const REKEY = 8;

for (const name of ['pqxdh-ratchet', 'pq-rekey', 'header-encryption']) {
  test(`${name} says what its absence lets an attacker do`, async () => {
    const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, name, 'pipeline');
    assert.match(pipeline.predicate ?? '', /^[A-Z].+\.$/);
  });
}

async function open(name: string, options: Readonly<Record<string, string>> = {}) {
  return mount(name, {
    sessions: [[ALICE, BOB]],
    provider: 'native',
    options: { ...BARE, ...options },
  });
}

/** Turns of the lengths that a seed draws. */
function talk(world: MountedWorld, turns: number, seed: number): void {
  const random = new SeededRandom(seed);
  for (let turn = 0; turn < turns; turn++) world.chat(0, 1, 1 + random.below(4), turn % 2);
}

/** A quantum computer: knows every X25519 private key that was ever drawn, and nothing else. */
function oracleOf(
  provider: Provider,
  drawn: readonly Uint8Array[],
): (publicKey: Uint8Array) => Uint8Array {
  const secrets = new Map<string, Uint8Array>();
  const publicKey = new Uint8Array(32);
  for (const bytes of drawn) {
    for (let at = 0; at + 32 <= bytes.length; at += 32) {
      const secret = bytes.slice(at, at + 32);
      provider.x25519Public(publicKey, secret);
      secrets.set(toHex(publicKey), secret);
    }
  }
  return (of) => {
    const secret = secrets.get(toHex(of));
    assert.ok(secret !== undefined, 'a public key that nobody made');
    return secret;
  };
}

function recorderOf({ provider, directory, drawn }: MountedWorld, parts: FrameParts): Recorder {
  return { provider, parts, directory, x25519Secret: oracleOf(provider, drawn) };
}

/** How many texts are those that were sent. @throws AssertionError when one is anything else. */
function countOpened(
  opened: readonly (string | undefined)[],
  recorded: readonly Recorded[],
): number {
  opened.forEach((text, number) => {
    if (text !== undefined) assert.equal(text, recorded[number]!.text);
  });
  return opened.filter((text) => text !== undefined).length;
}

test('a recording and a quantum computer open all of L6 and nothing of L7', async () => {
  const below = await open('double-ratchet');
  talk(below, 24, 1);
  const { recording } = below;
  assert.ok(recording.length > 40);
  const openedBelow = openFromHandshake(
    recorderOf(below, FRAMES_OF_L6),
    below.bundles[0]!,
    recording,
  );
  assert.equal(countOpened(openedBelow, recording), recording.length);

  const world = await open('pqxdh-ratchet');
  talk(world, 24, 1);
  const recorder = recorderOf(world, FRAMES_OF_L7);
  const bundle = world.bundles[0]!;
  const opened = openFromHandshake(recorder, bundle, world.recording);
  assert.equal(countOpened(opened, world.recording), 0);

  // The control: it is the KEM's secret, and nothing else, that the attack lacks. Drawn with the
  // one-time prekey is the seed of the KEM's, and the first frame has the ciphertext.
  const oneTime = toHex(recorder.x25519Secret(bundle.subarray(232, 264)));
  const drawn = world.drawn.find(
    (bytes) => bytes.length === 96 && toHex(bytes).startsWith(oneTime),
  );
  const kemSecret = new Uint8Array(32);
  const ciphertext = world.recording[0]!.content.subarray(105, 105 + 1568);
  world.provider.kem['ml-kem-1024']!.decapsulate(kemSecret, drawn!.subarray(32), ciphertext);
  const control = openFromHandshake(recorder, bundle, world.recording, kemSecret);
  assert.equal(countOpened(control, world.recording), world.recording.length);
});

/** The devices of both users after each message. */
type Thefts = readonly (readonly [alice: Uint8Array, bob: Uint8Array])[];

function talkWatched(world: MountedWorld, turns: number): Thefts {
  const thefts: [Uint8Array, Uint8Array][] = [];
  const random = new SeededRandom(2);
  for (let turn = 0; turn < turns; turn++) {
    for (let left = 1 + random.below(3); left > 0; left--) {
      world.chat(0, 1, 1, turn % 2);
      thefts.push([world.clients.snapshot(ALICE).slice(), world.clients.snapshot(BOB).slice()]);
    }
  }
  return thefts;
}

/** By numbers of messages: the first that carried its key, and the first of its mixed chain. */
interface Epoch {
  readonly offered: number;
  readonly mixed: number;
}

function epochsOf(recording: readonly Recorded[]): Epoch[] {
  const epochs: Epoch[] = [];
  let offered = -1;
  let mixedKey = '';
  recording.forEach(({ content }, number) => {
    const frame = readFrame(FRAMES_OF_L8, content);
    const key = toHex(frame.ratchetKey);
    if (frame.mixed && key !== mixedKey) {
      epochs.push({ offered, mixed: number });
      mixedKey = key;
      offered = -1;
    }
    if (frame.key !== undefined && offered < 0) offered = number;
  });
  return epochs;
}

test('after one theft a quantum computer opens all that follows on L7, on L8 only until an epoch that began after it', async () => {
  const below = await open('pqxdh-ratchet');
  const theftsBelow = talkWatched(below, 60);
  const recorderBelow = recorderOf(below, FRAMES_OF_L7);
  // Every tenth theft: the state is that of any time.
  for (let at = 5; at < theftsBelow.length; at += 10) {
    const later = below.recording.slice(at + 1);
    for (const member of [ALICE, BOB]) {
      const opened = openFromDevice(recorderBelow, theftsBelow[at]![member]!, later);
      const count = countOpened(opened, later);
      const told = `L7, member ${member} after message ${at}: ${count} of ${later.length} open`;
      assert.equal(count, later.length, told);
    }
  }

  const world = await open('pq-rekey', { rekey: String(REKEY) });
  const thefts = talkWatched(world, 60);
  const recorder = recorderOf(world, FRAMES_OF_L8);
  const epochs = epochsOf(world.recording);
  assert.ok(epochs.length >= 6, `${epochs.length} epochs`);
  const openEpochs = { healed: 0, lost: 0 };
  // Both have spoken, and two epochs are still to come.
  for (let at = 5; at < epochs.at(-2)!.offered; at++) {
    const later = world.recording.slice(at + 1);
    const healing = epochs.find(({ offered }) => offered > at)!;
    const completed = epochs.filter(({ mixed }) => mixed > at && mixed <= healing.mixed).length;
    assert.ok(completed === 1 || completed === 2);
    openEpochs[completed === 1 ? 'healed' : 'lost'] += 1;
    for (const member of [ALICE, BOB]) {
      const opened = openFromDevice(recorder, thefts[at]![member]!, later);
      const count = countOpened(opened, later);
      const expected = healing.mixed - (at + 1);
      const told: string =
        `L8, member ${member} after message ${at}: ${count} later messages open and not ${expected}; ` +
        `the epoch whose key is in message ${healing.offered} heals at message ${healing.mixed}, ` +
        `as completed epoch ${completed}`;
      assert.equal(count, expected, told);
      // They come first: nothing opens again later.
      assert.ok(
        opened.slice(0, expected).every((text) => text !== undefined),
        told,
      );
    }
  }
  assert.ok(openEpochs.healed > 10 && openEpochs.lost > 5, 'thefts within and outside of epochs');
});

test('on L8 thieves in an open epoch need what the device keeps for it', async () => {
  // A control: the same thefts without the part of the state that belongs to the open epoch.
  const world = await open('pq-rekey', { rekey: String(REKEY) });
  const thefts = talkWatched(world, 40);
  const [epoch] = epochsOf(world.recording).slice(1);
  const { offered, mixed } = epoch!;
  const later = world.recording.slice(offered + 1);
  const recorder = recorderOf(world, FRAMES_OF_L8);
  for (const member of [ALICE, BOB]) {
    const seized = thefts[offered]![member]!;
    const whole = countOpened(openFromDevice(recorder, seized, later), later);
    assert.ok(whole > mixed - offered - 1);
    const partly = seized.slice();
    partly.fill(0, OPEN_EPOCH_AT);
    const part = countOpened(openFromDevice(recorder, partly, later), later);
    assert.equal(part, mixed - offered - 1);
  }
});

/** Who speaks, in two sessions of the same two users at once. */
interface Said {
  readonly recorded: Recorded;
  /** The sending chain that the frame is of, and its number in it. */
  readonly chain: string;
  readonly n: number;
  /** How long the sender's chain before that one was. */
  readonly sentBefore: number;
}

/** A conversation of two sessions, interleaved, with what is true of each of its frames. */
async function saidOn(name: string, messages: number): Promise<Said[]> {
  const world = await mount(name, {
    sessions: [
      [ALICE, BOB],
      [ALICE, BOB],
    ],
    provider: 'native',
    options: { ...BARE, rekey: '50' },
  });
  const random = new SeededRandom(3);
  const sessions = [0, 1].map(() => ({ speaker: 0, turn: 0, n: 0, lengths: [0, 0] }));
  const said: Said[] = [];
  for (let i = 0; i < messages; i++) {
    const session = random.below(2);
    const now = sessions[session]!;
    // The peer answers with probability 1/3, but to something.
    if (now.n > 0 && random.below(3) === 0) {
      now.lengths[now.speaker] = now.n;
      now.speaker = 1 - now.speaker;
      now.turn += 1;
      now.n = 0;
    }
    const recorded = world.say(session, now.speaker, 'x'.repeat(1 + random.below(60)));
    const sentBefore = now.lengths[now.speaker]!;
    said.push({ recorded, chain: `${session}/${now.turn}`, n: now.n, sentBefore });
    now.n += 1;
  }
  return said;
}

/** What a relay makes of the header of each frame: numbers for the chains, and the counters. */
function readByRelay(said: readonly Said[]): { chain: number; n: number; sentBefore: number }[] {
  const keys: string[] = [];
  return said.map(({ recorded }) => {
    const frame = readFrame(FRAMES_OF_L8, recorded.content);
    const key = toHex(frame.ratchetKey);
    if (!keys.includes(key)) keys.push(key);
    return { chain: keys.indexOf(key), n: frame.n, sentBefore: frame.sentBefore };
  });
}

const onL8 = await saidOn('pq-rekey', 800);
const onL9 = await saidOn('header-encryption', 800);

test('the relay reads bursts, turns and counters off L8 exactly, and none of them off L9', () => {
  const chains = [...new Set(onL8.map(({ chain }) => chain))];
  assert.ok(chains.length > 150);
  assert.deepEqual(
    readByRelay(onL8),
    onL8.map(({ chain, n, sentBefore }) => ({ chain: chains.indexOf(chain), n, sentBefore })),
  );

  assert.deepEqual(
    onL9.map(({ chain, n }) => ({ chain, n })),
    onL8.map(({ chain, n }) => ({ chain, n })),
  );
  const read = readByRelay(onL9);
  // It takes every frame for a chain of its own, with counters that no conversation has.
  assert.equal(new Set(read.map(({ chain }) => chain)).size, onL9.length);
  assert.equal(read.filter(({ n, sentBefore }) => n < 1000 && sentBefore < 1000).length, 0);
});

/** The header of a frame as sent. */
function headerOf({ recorded }: Said, sealBytes: number): Uint8Array {
  const { headerAt } = readFrame(FRAMES_OF_L8, recorded.content);
  return recorded.content.subarray(headerAt, headerAt + sealBytes + 41);
}

/** How many headers have 8 bytes in a row that an earlier one has. */
function countRepeating(said: readonly Said[], sealBytes: number): number {
  const seen = new Set<string>();
  let repeated = 0;
  for (const one of said) {
    const header = toHex(headerOf(one, sealBytes));
    const own = new Set<string>();
    for (let at = 0; at + 16 <= header.length; at += 2) own.add(header.slice(at, at + 16));
    if ([...own].some((run) => seen.has(run))) repeated += 1;
    for (const run of own) seen.add(run);
  }
  return repeated;
}

test('on L9 no 8 bytes of a header are those of another, on L8 they are in every chain', () => {
  const later = onL8.filter(({ n }) => n > 0).length;
  assert.ok(countRepeating(onL8, 0) >= later);
  assert.equal(countRepeating(onL9, HEADER_SEAL_BYTES), 0);
});

/** Two likenesses of headers, byte by byte and bit by bit: higher is more alike. */
const LIKENESSES: Readonly<Record<string, (a: Uint8Array, b: Uint8Array) => number>> = {
  'equal bytes': (a, b) => a.filter((byte, at) => byte === b[at]).length,
  'equal bits': (a, b) =>
    a.reduce((sum, byte, at) => {
      let equal = sum;
      for (let bit = 1; bit < 256; bit <<= 1) if (((byte ^ b[at]!) & bit) === 0) equal += 1;
      return equal;
    }, 0),
};

/**
 * How well a likeness tells frames of the chain of the frame before from others: the probability that
 * of one of each it picks the right one, a half being chance (Mann and Whitney 1947).
 */
function separation(
  said: readonly Said[],
  sealBytes: number,
  likeness: (a: Uint8Array, b: Uint8Array) => number,
): { readonly share: number; readonly deviation: number } {
  const [same, other]: [number[], number[]] = [[], []];
  for (let i = 1; i < said.length; i++) {
    const [before, now] = [said[i - 1]!, said[i]!];
    const alike = likeness(headerOf(before, sealBytes), headerOf(now, sealBytes));
    (before.chain === now.chain ? same : other).push(alike);
  }
  let won = 0;
  for (const a of same) for (const b of other) won += a > b ? 1 : a === b ? 0.5 : 0;
  const pairs = same.length * other.length;
  // Of the statistic without ties, which ties only make smaller.
  const deviation = Math.sqrt((same.length + other.length + 1) / (12 * pairs));
  return { share: won / pairs, deviation };
}

for (const [name, likeness] of Object.entries(LIKENESSES)) {
  test(`a guess from ${name} of headers finds the chain of the frame before on L8, and is at chance on L9`, () => {
    assert.equal(separation(onL8, 0, likeness).share, 1);
    const { share, deviation } = separation(onL9, HEADER_SEAL_BYTES, likeness);
    // Keys differ from run to run. A fair coin is further out once in 1.7 million runs.
    const away = Math.abs(share - 0.5) / deviation;
    assert.ok(away < 5, `${share.toFixed(3)} is ${away.toFixed(1)} deviations from a half`);
  });
}

/** What a frame carries, by its length alone: the longest text is shorter than any difference. */
function kindByLength({ recorded: { content } }: Said): string {
  if (content.length > 1568) return 'handshake';
  return content.length > 1088 ? 'key or ciphertext' : 'message';
}

/** The same off a frame in the clear. */
function kindOf({ recorded: { content } }: Said): string {
  const frame = readFrame(FRAMES_OF_L8, content);
  if ((content[0]! & 1) !== 0) return 'handshake';
  return (frame.key ?? frame.ciphertext) === undefined ? 'message' : 'key or ciphertext';
}

test('the lengths of frames still show handshakes and epochs on L9, as its caveats say', async () => {
  const truth = onL8.map(kindOf);
  for (const kind of ['handshake', 'key or ciphertext', 'message']) assert.ok(truth.includes(kind));
  assert.deepEqual(onL9.map(kindByLength), truth);
  const pipeline = await loadByName<Pipeline>(PIPELINES_DIR, 'header-encryption', 'pipeline');
  assert.ok(pipeline.caveats.some((caveat) => caveat.includes('still show by their length')));
});
