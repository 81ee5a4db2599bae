/** Padding: the lengths of both schemes, and what is refused when it is taken off. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { EMPTY } from '../../src/core/bytes.ts';
import type { EndToEnd } from '../../src/pipelines/_carrier.ts';
import { PaddedEnds, paddedLength, PADDINGS } from '../../src/pipelines/_padding.ts';
import { OUTCOME, type Outbox } from '../../src/pipelines/_pipeline.ts';

const RUNS = { numRuns: 200, seed: 160 };
const LONGEST = 1_048_576;

/** Ends that send plaintexts as they are. */
class BareEnds implements EndToEnd {
  publish(): void {
    // Nothing to publish.
  }
  initiate(): number {
    return 0;
  }
  send(_session: number, _member: number, plaintext: Uint8Array, _at: number, box: Outbox): void {
    box.reserve(plaintext.length).set(plaintext);
    box.emit(1, 'message', plaintext.length);
  }
  receive(
    _session: number,
    _member: number,
    frame: Uint8Array,
    _at: number,
    out: Uint8Array,
  ): number {
    out.set(frame);
    return frame[0] === 0xee ? OUTCOME.DUPLICATE : frame.length;
  }
  snapshot(): Uint8Array {
    return EMPTY;
  }
  keys(): Uint8Array {
    return EMPTY;
  }
}

function framed(ends: PaddedEnds, plaintext: Uint8Array): Uint8Array {
  let frame = new Uint8Array(0);
  ends.send(0, 0, plaintext, 0, {
    reserve: (bytes) => (frame = new Uint8Array(bytes)),
    emit: (_to, _kind, length) => assert.equal(length, frame.length),
  });
  return frame;
}

function received(ends: PaddedEnds, frame: Uint8Array): Uint8Array | number {
  const out = new Uint8Array(frame.length);
  const length = ends.receive(0, 1, frame, 0, out);
  return length < 0 ? length : out.subarray(0, length);
}

/** Padmé as its paper states it, over real logarithms. */
function padmeOfPaper(length: number): number {
  const exponent = Math.floor(Math.log2(length));
  const mantissaBits = Math.floor(Math.log2(exponent)) + 1;
  const step = 2 ** (exponent - mantissaBits);
  return Math.ceil(length / step) * step;
}

test('bucket160 takes the next multiple of 160 that has room for the marker', () => {
  const expected: readonly [number, number][] = [
    [0, 160],
    [1, 160],
    [159, 160],
    [160, 320],
    [319, 320],
    [320, 480],
  ];
  for (const [length, padded] of expected) assert.equal(paddedLength('bucket160', length), padded);
});

test('padme takes the length that its paper gives, of the plaintext with its marker', () => {
  assert.equal(paddedLength('padme', 0), 1);
  for (let length = 1; length < 5000; length++) {
    assert.equal(paddedLength('padme', length), padmeOfPaper(length + 1), String(length));
  }
});

test('padme adds less than 12 %', () => {
  const isBounded = fc.property(fc.integer({ min: 0, max: LONGEST }), (length) => {
    assert.ok(paddedLength('padme', length) <= (length + 1) * 1.12);
  });
  fc.assert(isBounded, { ...RUNS, numRuns: 2000 });
});

for (const padding of PADDINGS) {
  describe(padding, () => {
    test('what is padded is unpadded, of whatever bytes and length it is', () => {
      const ends = new PaddedEnds(new BareEnds(), { padding });
      // Endings that look like padding are the hard ones.
      const ending = fc.array(fc.constantFrom(0, 0x80, 1), { maxLength: 20 });
      const plaintexts = fc
        .tuple(fc.uint8Array({ maxLength: 700 }), ending)
        .map(([start, end]) => Uint8Array.of(0, ...start, ...end));
      const comesBack = fc.property(plaintexts, (plaintext) => {
        const frame = framed(ends, plaintext);
        assert.equal(frame.length, paddedLength(padding, plaintext.length));
        assert.deepEqual(received(ends, frame), plaintext);
      });
      fc.assert(comesBack, RUNS);
      assert.deepEqual(received(ends, framed(ends, EMPTY)), EMPTY);
    });

    test('the padding of a short message shows nothing of a longer one before it', () => {
      const ends = new PaddedEnds(new BareEnds(), { padding });
      framed(ends, new Uint8Array(159).fill(7));
      const frame = framed(ends, Uint8Array.of(1, 2, 3));
      assert.deepEqual(frame.subarray(0, 4), Uint8Array.of(1, 2, 3, 0x80));
      assert.ok(frame.subarray(4).every((byte) => byte === 0));
    });
  });
}

test('what has no marker, or something else after it, is refused', () => {
  const ends = new PaddedEnds(new BareEnds(), { padding: 'bucket160' });
  for (const bytes of [[], [0], [0, 0, 0], [5], [0x80, 0, 1], [1, 2, 0x81, 0, 0]]) {
    assert.equal(received(ends, Uint8Array.from(bytes)), OUTCOME.AUTH_FAILED, bytes.join(' '));
  }
  assert.deepEqual(received(ends, Uint8Array.of(1, 0x80)), Uint8Array.of(1));
});

test('an outcome of the ends below is passed on', () => {
  const ends = new PaddedEnds(new BareEnds(), { padding: 'bucket160' });
  assert.equal(received(ends, Uint8Array.of(0xee, 0x80)), OUTCOME.DUPLICATE);
});
