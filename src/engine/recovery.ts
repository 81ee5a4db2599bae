/**
 * What the authority gets, and what must come of it: counts and faults of recoveries.
 *
 * Judged by the pipeline's promise and by what the script loses, never by what the pipeline did.
 *
 * @module
 */

import type { Expectations } from './expectations.ts';
import type { RecoveryFacts } from '../measure/facts.ts';
import { FATE, indexOf, messagesOf, type Script } from '../workload/script.ts';

/** What a world and its pipeline say of recoveries; all left out: of every message, from its frame. */
export interface RecoveryTerms {
  /** Sessions below this number are under a warrant. */
  readonly targets?: number | undefined;
  readonly evidence?: 'message' | 'escrow' | undefined;
  readonly recovers?: 'all' | 'none' | undefined;
  readonly evidenceFrom?: number | undefined;
  readonly standsAlone?: true | undefined;
}

const RECOVERED = 1;
const DELIVERED = 2;

export class Recovery {
  readonly tally: { -readonly [Name in keyof RecoveryFacts]: number };
  readonly #script: Script;
  readonly #expectations: Expectations;
  readonly #evidence: 'message' | 'escrow';
  readonly #recovers: 'all' | 'none';
  readonly #evidenceFrom: number;
  readonly #standsAlone: boolean;
  /** Per message: what became of it. */
  readonly #flags: Uint8Array;

  /** @param flags Zeros, one byte per message of the script. */
  constructor(terms: RecoveryTerms, script: Script, expectations: Expectations, flags: Uint8Array) {
    this.#script = script;
    this.#expectations = expectations;
    this.#evidence = terms.evidence ?? 'message';
    this.#recovers = terms.recovers ?? 'all';
    this.#evidenceFrom = terms.evidenceFrom ?? 0;
    this.#standsAlone = terms.standsAlone ?? false;
    this.#flags = flags;
    this.tally = {
      sessions: Math.min(script.sessions, terms.targets ?? script.sessions),
      due: 0,
      evidence: 0,
      valid: 0,
      decoy: 0,
      failed: 0,
      delivered: 0,
      deliveredRecovered: 0,
    };
  }

  /** Whether the relay has evidence to take of a message: it is under a warrant and was not lost. */
  isDue(session: number, message: number): boolean {
    if (session >= this.tally.sessions || message < this.#evidenceFrom) return false;
    const { fates, lossAt } = this.#script;
    return lossAt === 'downlink' || fates[indexOf(this.#script, session, message)] !== FATE.lost;
  }

  isEvidence(kind: string): boolean {
    return kind === this.#evidence;
  }

  /** The receiver got a message, for the first time. */
  delivered(session: number, message: number): void {
    if (session >= this.tally.sessions || message < this.#evidenceFrom) return;
    this.tally.delivered += 1;
    this.#flag(session, message, DELIVERED);
  }

  valid(session: number, message: number): void {
    this.tally.valid += 1;
    this.#flag(session, message, RECOVERED);
    if (this.#recovers === 'all') return;
    const reason = 'the authority recovered a message of which it must recover nothing';
    this.#expectations.fault(session, message, reason);
  }

  decoy(session: number, message: number): void {
    this.tally.decoy += 1;
    this.#expectations.fault(session, message, 'the authority recovered another plaintext');
  }

  /** @param why The outcome's name. */
  failed(session: number, message: number, why: string): void {
    this.tally.failed += 1;
    if (this.#recovers === 'none' || this.#mayMissField(session, message)) return;
    const reason = `the authority could not recover the message: ${why}`;
    this.#expectations.fault(session, message, reason);
  }

  /** No later frame of the other member told the key, although `member`'s message waited for one. */
  unanswered(session: number, message: number, member: number): void {
    this.tally.failed += 1;
    const { fates, delays, speakers } = this.#script;
    const from = indexOf(this.#script, session, 0);
    const to = from + messagesOf(this.#script, session);
    for (let at = from; at < to; at++) {
      // The network may have kept a message from being answered.
      if (fates[at] !== FATE.delivered || delays[at] !== 0) return;
    }
    if (!speakers.subarray(from + message, to).some((speaker) => speaker !== member)) return;
    this.#expectations.fault(
      session,
      message,
      'the authority could not recover an answered message',
    );
  }

  /** Whether evidence that this message rests on may have been lost: with any earlier message. */
  #mayMissField(session: number, message: number): boolean {
    const { fates, lossAt } = this.#script;
    if (lossAt === 'downlink') return false; // Lost after evidence was taken.
    if (this.#standsAlone) return false;
    const from = indexOf(this.#script, session, 0);
    return fates.subarray(from, from + message).includes(FATE.lost);
  }

  #flag(session: number, message: number, flag: number): void {
    const at = indexOf(this.#script, session, message);
    const before = this.#flags[at]!;
    this.#flags[at] = before | flag;
    if (before !== (RECOVERED | DELIVERED) && (before | flag) === (RECOVERED | DELIVERED)) {
      this.tally.deliveredRecovered += 1;
    }
  }
}
