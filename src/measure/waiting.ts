/**
 * Waiting for a moment to some microseconds: asleep at first, awake at the end.
 *
 * @module
 */

import { nowNs } from './clock.ts';

/** A sleeper is woken up to about 0.2 ms late; so much before the moment it stays awake. */
const AWAKE_NS = 300_000;

const nothing = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Blocks this thread until `nowNs()` reaches the moment; returns at once when it has passed. */
export function waitUntil(momentNs: number): void {
  for (let leftNs = momentNs - nowNs(); leftNs > 0; leftNs = momentNs - nowNs()) {
    // Takes fractions of a millisecond, which timers do not.
    if (leftNs > AWAKE_NS) Atomics.wait(nothing, 0, 0, (leftNs - AWAKE_NS) / 1e6);
  }
}
