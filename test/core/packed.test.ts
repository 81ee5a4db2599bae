/** Packed records and the pool of them, against a Map that does the same. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { NONE, PackedPool, PackedRecords } from '../../src/core/packed.ts';

const RUNS = { numRuns: 200, seed: 65_536 };

/** Records per buffer. */
const CHUNK = 65_536;

describe('packed records', () => {
  test('are zero at first, and keep what is stored on both sides of a border between buffers', () => {
    const records = new PackedRecords(8, 2 * CHUNK + 1);
    const indices = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK];
    const loaded = new Uint32Array(2);
    for (const index of indices) {
      loaded.fill(9);
      records.load(index, loaded);
      assert.deepEqual([...loaded], [0, 0]);
    }
    for (const index of indices) records.store(index, Uint32Array.of(index, ~index));
    for (const index of indices) {
      records.load(index, loaded);
      assert.deepEqual([...loaded], [index, ~index >>> 0]);
      assert.deepEqual([...new Uint32Array(records.view(index).slice().buffer)], [...loaded]);
    }
    for (const index of [2, CHUNK - 2, CHUNK + 2, 2 * CHUNK - 2]) {
      records.load(index, loaded);
      assert.deepEqual([...loaded], [0, 0], `record ${index} is untouched`);
    }
  });

  test('give a view that writes through, while load and store copy', () => {
    const records = new PackedRecords(4, 2);
    const word = Uint32Array.of(7);
    records.store(1, word);
    word[0] = 8;
    const loaded = new Uint32Array(1);
    records.load(1, loaded);
    assert.equal(loaded[0], 7);
    loaded[0] = 9;
    records.view(1).fill(0xff);
    records.load(1, loaded);
    assert.equal(loaded[0], 0xffff_ffff);
    assert.deepEqual([...records.view(0)], [0, 0, 0, 0]);
  });

  test('copy no more words than a record has', () => {
    const records = new PackedRecords(4, 3);
    records.store(1, Uint32Array.of(1, 2));
    const loaded = Uint32Array.of(0, 5);
    records.load(1, loaded);
    assert.deepEqual([...loaded], [1, 5]);
    records.load(2, loaded);
    assert.deepEqual([...loaded], [0, 5]);
  });

  test('may be none, and refuse a size that is no multiple of 4', () => {
    assert.ok(new PackedRecords(4, 0) instanceof PackedRecords);
    assert.throws(
      () => new PackedRecords(6, 1),
      new RangeError('"bytes" expected a multiple of 4, got 6'),
    );
  });

  test('agree with a Map', () => {
    const count = CHUNK + 3;
    // Near the borders, where mistakes would be.
    const anyIndex = fc.constantFrom(0, 1, 2, CHUNK - 2, CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + 2);
    const anyStore = fc.tuple(anyIndex, fc.nat(0xffff_ffff));
    fc.assert(
      fc.property(fc.array(anyStore, { maxLength: 60 }), (stores) => {
        const records = new PackedRecords(4, count);
        const model = new Map<number, number>();
        const loaded = new Uint32Array(1);
        for (const [index, value] of stores) {
          records.store(index, Uint32Array.of(value));
          model.set(index, value);
        }
        for (const index of [0, 1, 2, CHUNK - 2, CHUNK - 1, CHUNK, CHUNK + 1, CHUNK + 2]) {
          records.load(index, loaded);
          assert.equal(loaded[0], model.get(index) ?? 0);
        }
      }),
      RUNS,
    );
  });
});

describe('a packed pool', () => {
  test('keeps its records as it grows', () => {
    const pool = new PackedPool(3, 1000);
    const ids = Array.from({ length: 500 }, (_, number) => {
      const id = pool.take();
      pool.view(id).set([number, number >>> 8, 0xaa]);
      return id;
    });
    assert.equal(new Set(ids).size, 500);
    assert.equal(pool.live, 500);
    ids.forEach((id, number) => {
      assert.deepEqual([...pool.view(id)], [number & 0xff, number >>> 8, 0xaa]);
    });
  });

  test('hands out again what was released last, wiped', () => {
    const pool = new PackedPool(4, 10);
    const ids = [pool.take(), pool.take(), pool.take()];
    for (const id of ids) pool.view(id).fill(0xff);
    pool.release(ids[0]!);
    pool.release(ids[2]!);
    assert.equal(pool.live, 1);
    assert.equal(pool.take(), ids[2]);
    assert.equal(pool.take(), ids[0]);
    for (const id of [ids[0]!, ids[2]!]) assert.deepEqual([...pool.view(id)], [0, 0, 0, 0]);
    assert.deepEqual([...pool.view(ids[1]!)], [255, 255, 255, 255]);
  });

  test('answers NONE at its limit and has room again after a release', () => {
    for (const limit of [0, 1, 63, 64, 65, 97]) {
      const pool = new PackedPool(4, limit);
      const ids = Array.from({ length: limit }, () => pool.take());
      assert.ok(!ids.includes(NONE), `limit ${limit}`);
      assert.equal(pool.take(), NONE);
      assert.equal(pool.live, limit);
      if (limit === 0) continue;
      pool.release(ids[0]!);
      if (limit > 1) assert.equal(pool.take(), ids[0]);
      else assert.notEqual(pool.take(), NONE);
      assert.equal(pool.take(), NONE);
    }
  });

  test('gives its memory up when the last record goes, and begins anew', () => {
    const pool = new PackedPool(4, 200);
    const ids = Array.from({ length: 200 }, () => pool.take());
    const before = pool.view(ids[0]!).buffer;
    for (const id of ids) pool.release(id);
    assert.equal(pool.live, 0);
    assert.equal(pool.view(0).length, 0, 'nothing is there');
    const id = pool.take();
    assert.equal(id, 0);
    assert.notEqual(pool.view(id).buffer, before);
    assert.ok(pool.view(id).buffer.byteLength < before.byteLength);
    assert.deepEqual([...pool.view(id)], [0, 0, 0, 0]);
  });

  test('takes records of no bytes', () => {
    const pool = new PackedPool(0, 100);
    const ids = Array.from({ length: 100 }, () => pool.take());
    assert.equal(new Set(ids).size, 100);
    assert.equal(pool.view(ids[99]!).length, 0);
    assert.equal(pool.take(), NONE);
  });

  test('agrees with a Map', () => {
    const anyStep = fc.record({
      does: fc.constantFrom('take' as const, 'take' as const, 'release' as const),
      pick: fc.nat(1000),
    });
    const steps = fc.array(anyStep, { maxLength: 400, size: 'max' });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 150 }), steps, (limit, all) => {
        const pool = new PackedPool(2, limit);
        const model = new Map<number, number>();
        for (const { does, pick } of all) {
          if (does === 'take') {
            const id = pool.take();
            assert.equal(id === NONE, model.size === limit);
            if (id === NONE) continue;
            assert.ok(id < limit && !model.has(id), 'an id is of one record at a time');
            pool.view(id).set([pick, pick >>> 8]);
            model.set(id, pick);
          } else {
            const [id] = [...model.keys()].slice(pick % Math.max(1, model.size));
            if (id === undefined) continue;
            pool.release(id);
            model.delete(id);
          }
          assert.equal(pool.live, model.size);
        }
        for (const [id, value] of model) {
          assert.deepEqual([...pool.view(id)], [value & 0xff, value >>> 8]);
        }
      }),
      RUNS,
    );
  });
});
