/**
 * Calls that cannot have computed what they claim: because a compiler found that nobody needs the
 * result, or because what was to compute does not.
 *
 * @module
 */

import { cpuIsReadable, cpuPerCall, EVERY_BLOCK } from '../metrics/_batches.ts';
import { TIMED, type ShardFacts, type TimedId } from '../measure/facts.ts';
import type { RepeatRecord } from '../results/record.ts';
import { median } from '../stats/quantile.ts';
import { formatQuantity } from './numbers.ts';
import type { EmptyCalls } from './overhead.ts';

/** It computes nothing and says so. */
const NO_CRYPTOGRAPHY = 'null';

/** Of a call in and out of a function, where the run did not calibrate an empty stage. */
const EMPTY_CALL_NS = 20;

/**
 * Less than half of what the operations of Curve25519 take where they are fastest, in ns.
 *
 * Source: lib25519, "Speed", version 20230630 (lib25519.cr.yp.to/speed.html): on the fastest machine
 * of the table 64,627 cycles for a shared secret, 26,494 for a key, 31,373 for a signature and
 * 112,326 for verifying one; at 6 GHz that is 10.8, 4.4, 5.2 and 18.7 us.
 */
const CURVE_FLOOR_NS: Readonly<Record<string, number>> = {
  x25519: 5_000,
  'x25519-handle': 5_000,
  'x25519-base': 2_000,
  'ed25519-sign': 2_500,
  'ed25519-base': 2_000,
  'ed25519-verify': 9_000,
};

/**
 * What a call counts for: one of the counted run's sessions or messages. Of these, the stages of a
 * session do the same in every one, so that what was counted there must be paid in every one.
 */
const PER_SESSION: ReadonlySet<TimedId> = new Set(['publish', 'initiate', 'accept']);
const PER_MESSAGE: ReadonlySet<TimedId> = new Set([
  'send',
  'relay-store',
  'relay-fetch',
  'receive',
]);

/**
 * @param records Repeats that count, of one cell.
 * @returns What is wrong with the cheapest stage in question, in one sentence; undefined where every
 *   stage can have done its work.
 */
export function implausibleStage(
  records: readonly RepeatRecord[],
  empty: EmptyCalls,
): string | undefined {
  const [first] = records;
  if (first === undefined || first.implementation === NO_CRYPTOGRAPHY) return undefined;
  const readable = records.filter(({ shards }) => shards.length > 0 && cpuIsReadable(shards));
  for (const { id } of TIMED) {
    const claimed = claimOf(first.shards[0]?.counted, id);
    if (claimed === undefined) continue;
    const costs = readable.flatMap(({ shards }) => cpuPerCall(shards, id, EVERY_BLOCK) ?? []);
    if (costs.length === 0) continue;
    const costNs = median(costs);
    const emptyNs = empty[id] ?? Math.min(...Object.values(empty), EMPTY_CALL_NS);
    const claim =
      `${id} claims ${claimed.primitives.toFixed(1)} calls of primitives and costs ` +
      `${formatQuantity(costNs, 'ns')} of CPU`;
    if (costNs <= emptyNs) {
      return (
        `${claim}, no more than a call that does nothing ` +
        `(${formatQuantity(emptyNs, 'ns')}): they were optimised away or not made`
      );
    }
    if (costNs < claimed.floorNs) {
      return (
        `${claim}, less than half of what these take where they are fastest: they were optimised ` +
        'away or not made'
      );
    }
  }
  return undefined;
}

/** What one call of a stage is said to compute; undefined where that is not one primitive or more. */
function claimOf(
  counted: ShardFacts['counted'] | undefined,
  id: TimedId,
): { readonly primitives: number; readonly floorNs: number } | undefined {
  const perSession = PER_SESSION.has(id);
  if (counted === undefined || (!perSession && !PER_MESSAGE.has(id))) return undefined;
  const calls = perSession ? counted.sessions : counted.messages;
  if (calls === 0) return undefined;
  let primitives = 0;
  let floorNs = 0;
  for (const [name, count] of Object.entries(counted.calls[id] ?? {})) {
    primitives += count / calls;
    const floor = CURVE_FLOOR_NS[name.split(':', 1)[0]!] ?? 0;
    if (perSession) floorNs += (floor * count) / calls;
  }
  return primitives < 1 ? undefined : { primitives, floorNs };
}
