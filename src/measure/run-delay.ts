/**
 * What the machine took from this thread: time ready but not running, and steal.
 *
 * Formats: Linux `Documentation/scheduler/sched-stats.rst` (/proc/<pid>/schedstat) and
 * `Documentation/filesystems/proc.rst` section 1.7 (/proc/stat).
 *
 * @module
 */

import { closeSync, openSync, readSync } from 'node:fs';

/** Reads as -1 where the kernel does not tell. */
export const UNKNOWN = -1;

export interface RunDelayReading {
  /** Time that the thread was ready to run and waited for a core; grows for ever. */
  readonly runDelayNs: number;
  /** How often the thread was put on a core. */
  readonly slices: number;
}

/** Longer than three 64-bit numbers, and than the first line of /proc/stat. */
const LINE_BYTES = 256;

const DIGIT_ZERO = 0x30;
const DIGIT_NINE = 0x39;
const NEWLINE = 0x0a;

/**
 * Open one per thread, on that thread: `/proc/thread-self` is resolved when it is opened. The
 * descriptors stay open, so a reading is one system call: about 2 us, and 7 us for steal.
 */
export class RunDelay {
  readonly #schedstat: number | undefined;
  readonly #stat: number | undefined;
  readonly #line = new Uint8Array(LINE_BYTES);

  /** The paths are arguments for tests only. */
  constructor(schedstatPath = '/proc/thread-self/schedstat', statPath = '/proc/stat') {
    this.#schedstat = openIfThere(schedstatPath);
    this.#stat = openIfThere(statPath);
  }

  read(): RunDelayReading {
    const length = this.#readLine(this.#schedstat);
    // "time on core, time waiting on a run queue, slices".
    return {
      runDelayNs: parseNumber(this.#line, length, 1),
      slices: parseNumber(this.#line, length, 2),
    };
  }

  /** Ticks that the hypervisor gave to others, over all cores of this machine; grows for ever. */
  stealTicks(): number {
    const length = this.#readLine(this.#stat);
    // "cpu user nice system idle iowait irq softirq steal ...": the eighth number.
    return parseNumber(this.#line, length, 7);
  }

  close(): void {
    if (this.#schedstat !== undefined) closeSync(this.#schedstat);
    if (this.#stat !== undefined) closeSync(this.#stat);
  }

  #readLine(file: number | undefined): number {
    if (file === undefined) return 0;
    try {
      return readSync(file, this.#line, 0, LINE_BYTES, 0);
    } catch {
      return 0; // Opened but not readable, as in some sandboxes: unknown.
    }
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch {
    return undefined;
  }
}

/** The number at `index` of the first line, words skipped; {@link UNKNOWN} when it has fewer. */
function parseNumber(line: Uint8Array, length: number, index: number): number {
  let numbersBefore = 0;
  let value = UNKNOWN;
  for (let at = 0; at < length; at++) {
    const byte = line[at]!;
    if (byte >= DIGIT_ZERO && byte <= DIGIT_NINE) {
      value = (value === UNKNOWN ? 0 : value * 10) + (byte - DIGIT_ZERO);
    } else {
      if (value !== UNKNOWN && numbersBefore++ === index) return value;
      if (byte === NEWLINE) return UNKNOWN;
      value = UNKNOWN;
    }
  }
  return numbersBefore === index ? value : UNKNOWN;
}
