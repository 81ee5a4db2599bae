/**
 * The contract of a metric: raw facts of one repeat in, figures out.
 *
 * A repeat is the unit of statistics, so a metric gives one figure per repeat and no interval:
 * summarising over repeats, pairing and printing happen above. What cannot be known from the facts
 * gives no figure; it is never a zero.
 *
 * @module
 */

import type { ExposureFacts } from '../measure/exposure-facts.ts';
import type { ProcessFacts, Role, ShardFacts, Stage } from '../measure/facts.ts';
import type { CrossCheckFacts, OperationFacts } from '../measure/operation-facts.ts';
import type { RelayFacts } from '../measure/relay-facts.ts';

/** Better is lower, better is higher, or neither: a health figure or a count. */
export type Direction = 'lower' | 'higher' | 'neither';

/** What a metric may look at: the part of a repeat's record that is facts. */
export interface MetricInput {
  /** One per worker thread. */
  readonly shards: readonly ShardFacts[];
  readonly process?: ProcessFacts | undefined;
  /** Of a repeat that carries no messages. */
  readonly operation?: OperationFacts | undefined;
  readonly crossCheck?: CrossCheckFacts | undefined;
  /** Of a repeat that puts a relay server under load. */
  readonly relay?: RelayFacts | undefined;
  /** Of a repeat that mounts attacks. */
  readonly exposure?: ExposureFacts | undefined;
  /** Undefined where there are no messages. */
  readonly messagesPerSession?: number | undefined;
  readonly messagesPerConnection?: number | undefined;
}

/** One number of one repeat. Stage, role and kind are empty where they mean nothing. */
export interface Figure {
  readonly stage: Stage | '';
  readonly role: Role | 'all' | '';
  readonly kind: string;
  /** `median`: costs, summarised so over repeats; `p50` to `max`: of the calls of one repeat. */
  readonly statistic: string;
  /** In the metric's unit. */
  readonly value: number;
  /** How many samples were larger, for percentiles. */
  readonly samplesBeyond?: number;
}

/** What a file in `src/metrics/` exports as default. Files that begin with `_` are shared. */
export interface Metric {
  readonly name: string;
  /** `ns`, `B`, `share` (0 to 1), or a word for what is counted: `messages`, `sessions/s`. */
  readonly unit: string;
  readonly direction: Direction;
  /** One line, for tables and help. */
  readonly title: string;
  derive(input: MetricInput): Figure[];
}

/** A figure whose value over repeats is the median. */
export function figure(
  value: number,
  at: Partial<Pick<Figure, 'stage' | 'role' | 'kind'>> = {},
): Figure {
  return { stage: '', role: '', kind: '', statistic: 'median', ...at, value };
}
