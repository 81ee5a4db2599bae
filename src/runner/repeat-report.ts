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

export interface RunRepeatOptions {
  /** Is told once a second how far it is. */
  readonly onLive?: ((report: LiveReport) => void) | undefined;
  /** The one core that its process may use. */
  readonly core?: number | undefined;
}

/** `src/runner/repeat.ts` implements it: one fresh child process per call. */
export type RunRepeat = (
  spec: RepeatSpec,
  signal: AbortSignal,
  options?: RunRepeatOptions,
) => Promise<RepeatReport>;
