/**
 * What a message costs each role, in nanoseconds of CPU, past the opening of its session.
 *
 * @module
 */

import type { ShardFacts, TimedId } from '../measure/facts.ts';
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
  /** Undefined where there is no authority. */
  readonly warrant: WarrantCosts | undefined;
}

/** What messages cost that are under a warrant. */
export interface WarrantCosts {
  /** The relay's, of one frame; undefined in results of the versions that did not time it. */
  readonly handOver: number | undefined;
  /** The authority's, of one frame, whether it opens or not. */
  readonly recover: number;
  /** Frames handed over for each message that was recovered; undefined where none was. */
  readonly framesPerRecovered: number | undefined;
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
    warrant: warrantCosts(shards),
  };
}

function warrantCosts(shards: readonly ShardFacts[]): WarrantCosts | undefined {
  // Over all messages: what is opened once in a session serves all of it.
  const recover = cpuPerCall(shards, 'recover', EVERY_BLOCK);
  if (recover === undefined) return undefined;
  const handOver = cpuPerCall(shards, 'hand-over', EVERY_BLOCK);
  return {
    handOver,
    recover: recover * callsPerFrame(shards),
    framesPerRecovered: framesPerRecovered(shards),
  };
}

/** Calls of `recover` for one frame of evidence: more than one where it is shown again. */
function callsPerFrame(shards: readonly ShardFacts[]): number {
  let calls = 0;
  let frames = 0;
  for (const { stages, recovery } of shards) {
    const stage = stages.find(({ id }) => id === 'recover');
    if (recovery === undefined || stage === undefined) return 1;
    calls += stage.latency.calls + stage.cpu.calls.reduce((sum, count) => sum + count, 0);
    frames += recovery.evidence;
  }
  return frames === 0 ? 1 : Math.max(1, calls / frames);
}

function framesPerRecovered(shards: readonly ShardFacts[]): number | undefined {
  let frames = 0;
  let valid = 0;
  for (const { recovery } of shards) {
    // Before outcomes were told apart, there was a result only where every frame was recovered.
    if (recovery === undefined) return 1;
    frames += recovery.evidence;
    valid += recovery.valid;
  }
  return valid === 0 ? undefined : frames / valid;
}

/**
 * One figure per role, and `all`. What a warrant makes the relay and the authority do is a kind apart
 * of theirs: of each recovered message, and times the target share of each carried message. Only the
 * latter is in `all`.
 */
export function byRole(costs: MessageCosts): Figure[] {
  const { sender, relay, receiver, warrant } = costs;
  const carried = ((warrant?.handOver ?? 0) + (warrant?.recover ?? 0)) * TARGET_SHARE;
  const figures = [
    figure(sender, { role: 'sender' }),
    figure(relay, { role: 'relay' }),
    figure(receiver, { role: 'receiver' }),
  ];
  for (const [role, perFrame] of [
    ['relay', warrant?.handOver],
    ['authority', warrant?.recover],
  ] as const) {
    if (perFrame === undefined) continue;
    const frames = warrant?.framesPerRecovered;
    if (frames !== undefined) {
      figures.push(figure(perFrame * frames, { role, kind: 'per-recovered' }));
    }
    figures.push(figure(perFrame * TARGET_SHARE, { role, kind: 'per-carried' }));
  }
  figures.push(figure(sender + relay + receiver + carried, { role: 'all' }));
  return figures;
}
