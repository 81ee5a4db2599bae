/**
 * What the child process of one repeat answers: one JSON line.
 *
 * @module
 */

import type { RepeatSpec } from '../engine/spec.ts';
import type { ExposureFacts } from '../measure/exposure-facts.ts';
import type { ProcessFacts, ShardFacts } from '../measure/facts.ts';
import type { CrossCheckFacts, OperationFacts } from '../measure/operation-facts.ts';
import type { RelayFacts } from '../measure/relay-facts.ts';
import type { Status } from '../results/record.ts';
import type { LiveReport } from '../measure/live.ts';

export interface RepeatReport {
  readonly status: Status;
  /** Why not `ok`: one clear sentence. */
  readonly reason?: string;
  readonly shards: readonly ShardFacts[];
  readonly process?: ProcessFacts;
  readonly operation?: OperationFacts;
  readonly crossCheck?: CrossCheckFacts;
  readonly relay?: RelayFacts;
  readonly exposure?: ExposureFacts;
}

/**
 * `src/runner/repeat.ts` implements it: one fresh child process per call.
 *
 * @param onLive Is told once a second how far it is.
 */
export type RunRepeat = (
  spec: RepeatSpec,
  signal: AbortSignal,
  onLive?: (report: LiveReport) => void,
) => Promise<RepeatReport>;
