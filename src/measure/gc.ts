/**
 * Pauses of this thread's garbage collector.
 *
 * @module
 */

import { PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

export interface GcFacts {
  readonly count: number;
  readonly pauseNs: number;
}

/**
 * Counts the collections between `start` and `stop`. A measured loop does not turn the event loop,
 * so the entries wait and arrive together when `stop` lets it turn; they cost the loop nothing.
 */
export class GcPauses {
  #observer: PerformanceObserver | undefined;
  #entries: PerformanceEntry[] = [];
  #startMs = 0;

  /** @throws Error when it was started and not stopped. */
  start(): void {
    if (this.#observer !== undefined) throw new Error('GcPauses is started already');
    this.#entries = [];
    this.#observer = new PerformanceObserver((list) => this.#entries.push(...list.getEntries()));
    this.#observer.observe({ entryTypes: ['gc'] });
    this.#startMs = performance.now();
  }

  /** @throws Error when it was not started. */
  async stop(): Promise<GcFacts> {
    const observer = this.#observer;
    if (observer === undefined) throw new Error('GcPauses is not started');
    const stopMs = performance.now();
    // One turn queues the entries, the next hands them over.
    await nextTurn();
    await nextTurn();
    this.#entries.push(...observer.takeRecords());
    observer.disconnect();
    this.#observer = undefined;

    let count = 0;
    let pauseMs = 0;
    for (const entry of this.#entries) {
      if (entry.startTime < this.#startMs || entry.startTime > stopMs) continue;
      count++;
      pauseMs += entry.duration;
    }
    this.#entries = [];
    return { count, pauseNs: pauseMs * 1e6 };
  }
}
