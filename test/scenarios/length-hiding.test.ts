/**
 * The predicate of L10: what the length of a frame tells of the length of its message.
 *
 * Lengths do not depend on who computes, so the frames are those of the provider `null`: one for each
 * length that the workload chat has, weighted with that length's probability. Nothing is sampled, and
 * the bits are exact.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paddedLength, PADDINGS, type PaddingName } from '../../src/pipelines/_padding.ts';
import lengthHiding from '../../src/pipelines/length-hiding.ts';
import { normalProbability } from '../../src/stats/normal.ts';
import { loadWorkload } from '../conformance/_parts.ts';
import { mount } from './_mounted-world.ts';

const BELOW = 'header-encryption';

/** The probability of each plaintext length; the index is the length. */
const sizes = await chatSizes();
const lengths = [...sizes.keys()].slice(1);

/** As the workload draws them: log-normal, rounded, and cut to the shortest and the longest. */
async function chatSizes(): Promise<number[]> {
  const { size } = await loadWorkload('chat');
  assert.ok(size.distribution === 'log-normal' && size.minBytes === 1);
  const probabilities = [0];
  let below = 0;
  for (let length = 1; length <= size.maxBytes; length++) {
    const z = Math.log((length + 0.5) / size.medianBytes) / size.sigma;
    const upTo = length === size.maxBytes ? 1 : normalProbability(z);
    probabilities.push(upTo - below);
    below = upTo;
  }
  return probabilities;
}

/** The length of the frame, from sender to relay, of a message of each length in an open session. */
async function frameLengths(
  pipeline: string,
  options: Readonly<Record<string, string>> = {},
): Promise<Map<number, number>> {
  const sessions = lengths.map(() => [0, 1] as const);
  const world = await mount(pipeline, { sessions, provider: 'null', options });
  const frames = new Map<number, number>();
  for (const [session, length] of lengths.entries()) {
    world.say(session, 0, 'hello');
    world.say(session, 1, 'hello yourself');
    frames.set(length, world.post(session, 0, 'x'.repeat(length)).uplink.length);
  }
  return frames;
}

/** I(message length; frame length) in bits, over all messages of chat. */
function leakedBits(frames: ReadonlyMap<number, number>): number {
  const joint = new Map<number, number>();
  for (const [length, frame] of frames) joint.set(frame, (joint.get(frame) ?? 0) + sizes[length]!);
  return entropy([...joint.values()]); // A frame's length is a function of its message's.
}

function entropy(probabilities: readonly number[]): number {
  return probabilities.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0);
}

/** An attacker who knows the sizes of chat and has seen frames of messages of its own. */
function likeliest(frames: ReadonlyMap<number, number>, frame: number): number {
  let best = 0;
  for (const [length, itsFrame] of frames) {
    if (itsFrame === frame && sizes[length]! > sizes[best]!) best = length;
  }
  return best;
}

/** The share of messages whose length that attacker guesses, of those with `isMeant` lengths. */
function shareGuessed(
  frames: ReadonlyMap<number, number>,
  isMeant: (length: number) => boolean = () => true,
): number {
  const guesses = new Map<number, number>();
  let guessed = 0;
  let all = 0;
  for (const [length, frame] of frames) {
    if (!isMeant(length)) continue;
    const guess = guesses.get(frame) ?? likeliest(frames, frame);
    guesses.set(frame, guess);
    all += sizes[length]!;
    if (guess === length) guessed += sizes[length]!;
  }
  return guessed / all;
}

function declaredBits(padding: PaddingName): number {
  return leakedBits(new Map(lengths.map((length) => [length, paddedLength(padding, length)])));
}

const below = await frameLengths(BELOW);

test('on L9 a frame tells all bits of the length of its message', () => {
  assert.ok(Math.abs(leakedBits(below) - entropy(sizes)) < 1e-9);
});

for (const padding of PADDINGS) {
  test(`with ${padding} a frame tells the bits of its bucket and no more`, async () => {
    const frames = await frameLengths('length-hiding', { padding });
    assert.ok(Math.abs(leakedBits(frames) - declaredBits(padding)) < 1e-9);
    assert.ok(declaredBits(padding) < entropy(sizes) - 1);
  });
}

test('the caveats state these bits', () => {
  const ofAll = entropy(sizes).toFixed(2);
  const bucketBits = declaredBits('bucket160').toFixed(2);
  const padmeBits = declaredBits('padme').toFixed(2);
  const stated = lengthHiding.caveats.join(' ');
  assert.ok(stated.includes(`${bucketBits} of ${ofAll} bits per message with bucket160`));
  assert.ok(stated.includes(`${padmeBits} with padme`));
});

test('an attacker guesses every length on L9, and on L10 as one who knows the bucket only', async () => {
  assert.ok(Math.abs(shareGuessed(below) - 1) < 1e-9);

  const frames = await frameLengths('length-hiding');
  assert.ok(shareGuessed(frames) < 0.05);
  for (let bucket = 0; bucket * 160 < sizes.length; bucket++) {
    const isInside = (length: number): boolean => Math.floor(length / 160) === bucket;
    const inside = lengths.filter(isInside).map((length) => sizes[length]!);
    const chance = Math.max(...inside) / inside.reduce((sum, p) => sum + p, 0);
    assert.ok(Math.abs(shareGuessed(frames, isInside) - chance) < 1e-9, `bucket ${bucket}`);
  }
});

test('which of two messages was sent shows on L9, and on L10 only across buckets', async () => {
  const frames = await frameLengths('length-hiding');
  const [yes, never, essay] = ['yes', 'never again, and do not ask me why', 'x'.repeat(200)].map(
    (text) => text.length,
  );
  assert.notEqual(below.get(yes!), below.get(never!));
  assert.equal(frames.get(yes!), frames.get(never!));
  assert.notEqual(frames.get(yes!), frames.get(essay!));
});
