/**
 * What a message costs each role, in nanoseconds of CPU, past the opening of its session.
 *
 * @module
 */

import type { TimedId } from '../measure/facts.ts';
import {
  cpuIsReadable,
  cpuPerCall,
  EVERY_BLOCK,
  STEADY,
  sumBatches,
  sumMessages,
} from './_batches.ts';
import { figure, type Figure, type MetricInput } from './_metric.ts';

/**
 * The share of all carried messages that an authority recovers, for totals: one in ten thousand.
 * An assumption that is stated wherever a total is; the cost per recovered message is exact.
 */
export const TARGET_SHARE = 1e-4;

export interface MessageCosts {
  readonly sender: number;
  readonly relay: number;
  readonly receiver: number;
  /** Of one recovered message; undefined where there is no authority. */
  readonly recovery: number | undefined;
}

/**
 * Per message, not per call: a message may need several frames.
 *
 * @returns undefined where no message past the first of a session had its CPU read.
 */
export function steadyCosts({ shards }: MetricInput): MessageCosts | undefined {
  const messages = sumMessages(shards, STEADY);
  if (messages === 0 || !cpuIsReadable(shards)) return undefined;
  const perMessage = (id: TimedId): number => sumBatches(shards, id, STEADY).cpuNs / messages;
  return {
    sender: perMessage('send'),
    relay: perMessage('relay-store') + perMessage('relay-fetch'),
    receiver: perMessage('receive'),
    // Over all recovered messages: what is opened once in a session serves all of them.
    recovery: cpuPerCall(shards, 'recover', EVERY_BLOCK),
  };
}

/** One figure per role, and `all`, in which recovery counts with the target share only. */
export function byRole(costs: MessageCosts): Figure[] {
  const { sender, relay, receiver, recovery } = costs;
  const carried = (recovery ?? 0) * TARGET_SHARE;
  const figures = [
    figure(sender, { role: 'sender' }),
    figure(relay, { role: 'relay' }),
    figure(receiver, { role: 'receiver' }),
  ];
  if (recovery !== undefined) {
    figures.push(
      figure(recovery, { role: 'authority', kind: 'per-recovered' }),
      figure(carried, { role: 'authority', kind: 'per-carried' }),
    );
  }
  figures.push(figure(sender + relay + receiver + carried, { role: 'all' }));
  return figures;
}
