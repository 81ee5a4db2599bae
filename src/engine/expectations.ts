/**
 * What must come of every delivery, and the faults when something else did.
 *
 * Derived from the pipeline's contract (does it refuse replays, how far may messages be missing) and
 * from the script, never from what the pipeline did.
 *
 * @module
 */

import { OUTCOME } from '../pipelines/_pipeline.ts';
import { indexOf, type Script } from '../workload/script.ts';
import type { DeliveryContract } from './conversation.ts';

const FAULTS_KEPT = 5;

export interface Fault {
  readonly session: number;
  readonly message: number;
  readonly reason: string;
}

export class Expectations {
  readonly first: Fault[] = [];
  count = 0;
  readonly #contract: DeliveryContract;
  readonly #script: Script;
  /** Per session and sender: index after the latest message that arrived and was not refused. */
  readonly #arrived: Uint32Array;

  constructor(contract: DeliveryContract, script: Script) {
    this.#contract = contract;
    this.#script = script;
    this.#arrived = new Uint32Array(script.sessions * 2);
  }

  /**
   * The outcome that delivering `message` to `member` must have: 0 for the plaintext, or a negative
   * code. Call it once per delivery, in the order of deliveries.
   *
   * @param again Whether this message was delivered before, which it may have been refused.
   */
  expect(session: number, member: number, message: number, again: boolean): number {
    const sender = session * 2 + 1 - member;
    const next = this.#arrived[sender]!;
    if (message >= next) {
      if (this.#missing(session, 1 - member, next, message) > this.#contract.skipLimit) {
        return OUTCOME.TOO_FAR;
      }
      this.#arrived[sender] = message + 1;
      return 0;
    }
    return again && this.#contract.replayProtection ? OUTCOME.DUPLICATE : 0;
  }

  fault(session: number, message: number, reason: string): void {
    this.count += 1;
    if (this.first.length < FAULTS_KEPT) this.first.push({ session, message, reason });
  }

  /** How many messages of `sender` lie from `from` up to but not including `to`. */
  #missing(session: number, sender: number, from: number, to: number): number {
    if (to - from <= this.#contract.skipLimit) return 0; // They cannot be too many.
    const { speakers } = this.#script;
    const first = indexOf(this.#script, session, 0);
    let missing = 0;
    for (let at = from; at < to; at++) if (speakers[first + at] === sender) missing += 1;
    return missing;
  }
}
