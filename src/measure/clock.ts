/**
 * The wall clock of the hot loop.
 *
 * @module
 */

/**
 * Monotonic, in ns since the process started; on Node all threads of a process share that origin.
 *
 * `performance.now()` returns a double and allocates nothing, where `process.hrtime.bigint()` makes
 * a BigInt for the collector at every reading. A double of ms holds a nanosecond for 100 days.
 */
export function nowNs(): number {
  return performance.now() * 1e6;
}

export interface ClockCalibration {
  /** Smallest positive difference of two consecutive readings. */
  readonly clockStepNs: number;
  /** Cost of one reading: a latency sample holds one. */
  readonly clockReadNs: number;
}

const WINDOWS = 20;
const READINGS_PER_WINDOW = 2_000;

/**
 * Reads the clock back to back for some ms. The cost is that of the cheapest window, because the
 * others held an interruption or code that was not compiled yet.
 */
export function calibrateClock(): ClockCalibration {
  let clockStepNs = Infinity;
  let clockReadNs = Infinity;
  for (let window = 0; window < WINDOWS; window++) {
    const startNs = nowNs();
    let beforeNs = startNs;
    for (let reading = 0; reading < READINGS_PER_WINDOW; reading++) {
      const readNs = nowNs();
      const stepNs = readNs - beforeNs;
      if (stepNs > 0 && stepNs < clockStepNs) clockStepNs = stepNs;
      beforeNs = readNs;
    }
    clockReadNs = Math.min(clockReadNs, (beforeNs - startNs) / READINGS_PER_WINDOW);
  }
  // A clock too coarse to move in a window at all: one step is at least everything that was read.
  return { clockStepNs: Number.isFinite(clockStepNs) ? clockStepNs : 1e9, clockReadNs };
}
