import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram as ForeignHistogram,
} from 'hdr-histogram-js';
import { SeededRandom } from '../../src/core/random.ts';
import { HIGHEST_NS, Histogram } from '../../src/measure/histogram.ts';

const PERCENTILES = [0, 1, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 100];

function foreign(figures: 2 | 3 = 3, highest = HIGHEST_NS): ForeignHistogram {
  return build({
    bitBucketSize: 64,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: highest,
    numberOfSignificantValueDigits: figures,
  });
}

/** Log-uniform over the whole range, so that every bucket size takes part. */
function latencies(seed: number, count: number): number[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () =>
    Math.floor(Math.exp(random.fraction() * Math.log(HIGHEST_NS))),
  );
}

function recorded(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

test('percentiles and mean are those of hdr-histogram-js', () => {
  const values = latencies(1, 20_000);
  const ours = recorded(values);
  const theirs = foreign();
  for (const value of values) theirs.recordValue(value);
  assert.equal(ours.count, 20_000);
  for (const percentile of PERCENTILES) {
    const expected = theirs.getValueAtPercentile(percentile);
    assert.equal(ours.valueAtPercentile(percentile), expected, `p${percentile}`);
  }
  assert.ok(Math.abs(ours.mean! / theirs.mean - 1) < 1e-12);
});

test('every value lands in the bucket of hdr-histogram-js, at the borders too', () => {
  const borders = Array.from({ length: 36 }, (_, power) => [2 ** power - 1, 2 ** power]).flat();
  const value = fc.oneof(
    fc.constantFrom(...borders.filter((border) => border >= 1), HIGHEST_NS - 1, HIGHEST_NS),
    fc.integer({ min: 1, max: HIGHEST_NS }),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 12 }), (values) => {
      const ours = recorded(values);
      const theirs = foreign();
      for (const each of values) theirs.recordValue(each);
      for (const percentile of PERCENTILES) {
        const expected = theirs.getValueAtPercentile(percentile);
        assert.equal(ours.valueAtPercentile(percentile), expected);
      }
      assert.ok(ours.min! <= Math.min(...values) && ours.max! >= Math.max(...values));
      assert.ok(ours.max! - Math.max(...values) <= Math.max(...values) / 1_000);
    }),
  );
});

test('hdr-histogram-js reads what is encoded, and we read what it encodes', () => {
  const values = latencies(2, 5_000);
  const ours = recorded(values);
  const text = ours.encode();
  const theirs = decodeFromCompressedBase64(text, 64);
  assert.equal(theirs.totalCount, 5_000);
  const back = Histogram.decode(encodeIntoCompressedBase64(theirs));
  assert.equal(back.count, 5_000);
  for (const percentile of PERCENTILES) {
    const expected = ours.valueAtPercentile(percentile);
    assert.equal(theirs.getValueAtPercentile(percentile), expected);
    assert.equal(back.valueAtPercentile(percentile), expected);
  }
  assert.equal(back.mean, ours.mean);
  assert.equal(back.encode(), text);
});

test('merging is recording both', () => {
  const [a, b] = [latencies(3, 1_000), latencies(4, 500)];
  const merged = recorded(a);
  merged.merge(recorded(b));
  assert.equal(merged.count, 1_500);
  assert.equal(merged.encode(), recorded([...a, ...b]).encode());
});

test('a merge that would lose values by overflow is an error', () => {
  const theirs = foreign();
  theirs.recordValueWithCount(1_000, 3e9);
  const half = Histogram.decode(encodeIntoCompressedBase64(theirs));
  assert.throws(() => half.merge(half), /a merge lost values: expected 6000000000/);
});

test('another layout is refused, with both layouts named', () => {
  for (const other of [foreign(2), foreign(3, 3.6e12)]) {
    other.recordValue(1_000);
    const text = encodeIntoCompressedBase64(other);
    assert.throws(() => Histogram.decode(text), {
      code: 'BAD_INPUT',
      message: /expected 1 to 60000000000 with 3 significant figures, got 1 to \d+ with [23]/,
    });
  }
});

test('a damaged text is refused', () => {
  const text = recorded(latencies(5, 100)).encode();
  for (const damaged of ['*', 'AAAA', text.slice(0, 40), `A${text.slice(1)}`, text.slice(0, -8)]) {
    assert.throws(() => Histogram.decode(damaged), { code: 'BAD_INPUT' });
  }
});

test('an empty histogram has no figures and the empty text', () => {
  const empty = new Histogram();
  assert.equal(empty.encode(), '');
  assert.equal(Histogram.decode('').count, 0);
  assert.deepEqual(
    [empty.valueAtPercentile(50), empty.min, empty.max, empty.mean],
    [undefined, undefined, undefined, undefined],
  );
});

test('values are floored and held to the range, and NaN is refused', () => {
  const ours = recorded([0.2, -3, 1_500.9, 61e9, Infinity]);
  assert.equal(ours.min, 1);
  assert.equal(ours.valueAtPercentile(60), 1_500);
  assert.equal(ours.max, recorded([HIGHEST_NS]).max);
  assert.throws(() => ours.record(NaN), /"valueNs" expected a number, got NaN/);
  assert.equal(ours.count, 5);
  assert.throws(() => ours.valueAtPercentile(101), /"percentile" expected a number in \[0, 100\]/);
});
