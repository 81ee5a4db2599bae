import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as check, constant, integer, oneof, property, tuple } from 'fast-check';
import { ReplayWindow, WINDOW_MESSAGES } from '../../src/pipelines/_replay-window.ts';

/** The simple twin: a set, and the latest number. */
class SeenNumbers {
  readonly #seen = new Set<number>();
  #latest = -1;

  wasSeen(n: number): boolean {
    return n <= this.#latest - WINDOW_MESSAGES || this.#seen.has(n);
  }

  add(n: number): void {
    this.#seen.add(n);
    this.#latest = Math.max(this.#latest, n);
  }
}

/** How far from the latest number the next lies, and how many follow it one by one. */
const run = tuple(
  oneof(
    { weight: 8, arbitrary: integer({ min: -40, max: 40 }) },
    { weight: 3, arbitrary: integer({ min: -WINDOW_MESSAGES - 40, max: 40 - WINDOW_MESSAGES }) },
    { weight: 2, arbitrary: integer({ min: 1, max: 3 * WINDOW_MESSAGES }) },
    { weight: 1, arbitrary: integer({ min: 1, max: 0x1000_0000 }) },
  ),
  oneof(constant(1), integer({ min: 1, max: 2 * WINDOW_MESSAGES })),
);

test('a window refuses exactly what a set of all numbers seen refuses', () => {
  check(
    property(array(run, { minLength: 1, maxLength: 20 }), (runs) => {
      const window = new ReplayWindow();
      const twin = new SeenNumbers();
      let latest = 0;
      for (const [by, count] of runs) {
        const first = Math.max(0, latest + by);
        for (let n = first; n < Math.min(first + count, 0xffff_ffff); n++) {
          assert.equal(window.wasSeen(n), twin.wasSeen(n), `message ${n} after ${latest}`);
          latest = Math.max(latest, n);
          if (window.wasSeen(n)) continue;
          window.add(n);
          twin.add(n);
        }
      }
    }),
  );
});

test('a window takes the last number that fits in 32 bits', () => {
  const window = new ReplayWindow();
  window.add(0xffff_fffe);
  assert.equal(window.next, 0xffff_ffff);
  assert.ok(window.wasSeen(0xffff_fffe));
  assert.ok(!window.wasSeen(0xffff_fffd));
});
