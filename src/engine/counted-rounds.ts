/**
 * Holds a conversation for a program that counts instructions: no clock is read and nothing recorded,
 * because both would be counted, and what they do depends on the time.
 *
 * @module
 */

import { Buffers } from './batch.ts';
import type { BlockRecorder } from './conversation.ts';
import { FactsDigest } from './digest.ts';
import { openLive, type ShardParts } from './live-world.ts';
import type { Fault } from './expectations.ts';
import { Payload } from './payload.ts';
import type { RepeatSpec } from './spec.ts';
import { HarnessError } from '../core/errors.ts';
import { longestMessage, writeScript } from '../workload/script.ts';

/** Called between two batches, when as many messages as there are sessions were carried since. */
export type OnRound = (round: number) => void;

/**
 * A round is one message of every session. Sessions are all of one length and take turns, whatever
 * the workload says, so that every round is there.
 *
 * @returns The first things that went wrong.
 * @throws HarnessError WRONG_RESULT where a message never came.
 */
export async function countRounds(
  spec: RepeatSpec,
  parts: ShardParts,
  onRound: OnRound,
): Promise<readonly Fault[]> {
  const { activity: _activity, trace: _trace, ...workload } = spec.workload;
  const { sessions } = workload;
  const script = writeScript(workload, parts.behaviour, spec.seed, 0, sessions);
  const payload = new Payload(spec.seed, longestMessage(script));
  const mayRecover = parts.pipeline.openAuthority !== undefined;
  const { conversation } = await openLive(
    spec,
    0,
    parts,
    script,
    payload,
    new RoundMarks(sessions, onRound),
    new FactsDigest(),
    sessions,
    new Buffers(sessions, mayRecover ? script.lengths.length : 0),
  );
  await conversation.open();
  await conversation.run();
  const { tally, expectations } = conversation;
  const refused = Object.values(tally.refused).reduce((sum, count) => sum + count, 0);
  const missing = tally.sent - tally.delivered - tally.lost - refused;
  // What went wrong says more than what is missing for it.
  if (expectations.count === 0 && missing > 0) {
    throw new HarnessError('WRONG_RESULT', `${missing} messages never came`);
  }
  return expectations.first;
}

class RoundMarks implements BlockRecorder {
  readonly mode = 'cpu';
  readonly #sessions: number;
  readonly #onRound: OnRound;
  #messages = 0;
  #rounds = 0;

  constructor(sessions: number, onRound: OnRound) {
    this.#sessions = sessions;
    this.#onRound = onRound;
  }

  readCpuNs(): number {
    return 0;
  }

  addCpu(): void {}

  addLatencies(): void {}

  skipUntimed(): void {}

  beginBlock(_phase: 'open' | 'traffic', _messageIndex: number, messages: number): void {
    this.#messages += messages;
  }

  endBlock(): void {
    while (this.#messages >= this.#sessions * (this.#rounds + 1)) {
      this.#rounds += 1;
      this.#onRound(this.#rounds);
    }
  }
}
