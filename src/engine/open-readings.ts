/**
 * What is read of messages that arrive by a schedule: three times of each, and nothing is corrected
 * afterwards.
 *
 * - service: from the start of `send` to the end of `receive`;
 * - response: from the scheduled moment to the same end. What it has beyond the service is the wait
 *   behind earlier messages, and lag;
 * - lag: from the moment at which the message was due and the one before it was done, whichever is
 *   later, to the start. In that time the system under test had nothing to do and the message had
 *   come: the generator overslept or was switched out.
 *
 * A late generator makes later messages late too. Whether that matters is seen by a queue beside the
 * real one: the same moments and the same service times, served without lag. Its response times say
 * whether the run is valid and are no figure.
 *
 * @module
 */

import type { OpenFacts } from '../measure/facts.ts';
import { Histogram } from '../measure/histogram.ts';

export class OpenReadings {
  readonly service = new Histogram();
  readonly response = new Histogram();
  readonly lag = new Histogram();
  /** Response times of the queue without lag. */
  readonly unlagged = new Histogram();
  /** Messages that were due before the one before them was done. */
  queued = 0;
  /** From the start to the last scheduled moment, and to the end of the last message. */
  scheduledNs = 0;
  elapsedNs = 0;
  /** How long the clock stood still while the harness did its own work. */
  stoodStillNs = 0;
  /** When the queue without lag is done with all that was added. */
  #unlaggedFreeNs = 0;

  /** Adds one message; all times of one clock. */
  add(dueNs: number, freeNs: number, beganNs: number, endedNs: number): void {
    const isQueued = freeNs > dueNs;
    if (isQueued) this.queued += 1;
    const serviceNs = endedNs - beganNs;
    this.#unlaggedFreeNs = Math.max(dueNs, this.#unlaggedFreeNs) + serviceNs;
    this.unlagged.record(this.#unlaggedFreeNs - dueNs);
    this.service.record(serviceNs);
    this.response.record(endedNs - dueNs);
    this.lag.record(beganNs - (isQueued ? freeNs : dueNs));
  }

  facts(): OpenFacts {
    return {
      messages: this.response.count,
      queued: this.queued,
      scheduledNs: this.scheduledNs,
      elapsedNs: this.elapsedNs,
      service: this.service.encode(),
      response: this.response.encode(),
      lag: this.lag.encode(),
      unlagged: this.unlagged.encode(),
      stoodStillNs: this.stoodStillNs,
    };
  }

  /** Rates are those of the added messages in one time. */
  merge(other: OpenReadings): void {
    this.service.merge(other.service);
    this.response.merge(other.response);
    this.lag.merge(other.lag);
    this.unlagged.merge(other.unlagged);
    this.stoodStillNs += other.stoodStillNs;
    this.queued += other.queued;
    this.scheduledNs += other.scheduledNs;
    this.elapsedNs += other.elapsedNs;
  }
}
