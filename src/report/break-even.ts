/**
 * After how many messages of a session the pipeline with the dearer opening has paid it back.
 *
 * n messages of a session cost its opening, which holds the receiving of the first message, and n
 * times a message of an open session less that one receiving.
 *
 * @module
 */

import { seriesOf, type CellResult, type Series } from './cells.ts';
import {
  differenceOf,
  isUndecided,
  notBelowZero,
  summarise,
  weightedSum,
  type Estimate,
} from './estimates.ts';

export interface BreakEven {
  /** Undecided: the higher rung. */
  readonly dearerToOpen: CellResult;
  readonly other: CellResult;
  /** Messages; only with the verdict `after`. */
  readonly messages?: Estimate;
  readonly verdict: 'after' | 'never' | 'undecided';
}

/** @returns undefined where a cell does not tell what its opening or its messages cost. */
export function breakEvenOf(upper: CellResult, lower: CellResult): BreakEven | undefined {
  const opening = differenceOf(openingOf(upper), openingOf(lower));
  if (opening === undefined) return undefined;
  const upperIsDearer = opening.value >= 0;
  const dearerToOpen = upperIsDearer ? upper : lower;
  const other = upperIsDearer ? lower : upper;
  const extra = differenceOf(messageOf(dearerToOpen), messageOf(other));
  if (extra === undefined) return undefined;
  const verdict = judge(opening, extra);
  const undecided: BreakEven = { dearerToOpen: upper, other: lower, verdict: 'undecided' };
  if (verdict === 'undecided') return undecided;
  if (verdict === 'never') return { dearerToOpen, other, verdict };
  const messages = notBelowZero(summarise(messagesOf(dearerToOpen, other)));
  if (messages === undefined) return undecided;
  return { dearerToOpen, other, messages, verdict };
}

/** @param extra What a message costs more in the one whose opening costs more. */
function judge(opening: Estimate, extra: Estimate): BreakEven['verdict'] {
  // A quotient of two differences says nothing where one of them has no interval.
  if (opening.low === undefined || extra.low === undefined) return 'undecided';
  if (opening.value === 0 || isUndecided(opening, 0) || isUndecided(extra, 0)) return 'undecided';
  return extra.value < 0 ? 'after' : 'never';
}

/** Per repeat; undefined when one repeat alone would have another verdict. */
function messagesOf(dearer: CellResult, cheaper: CellResult): Series | undefined {
  const opening = weightedSum([
    [openingOf(dearer), 1],
    [openingOf(cheaper), -1],
  ]);
  const saved = weightedSum([
    [messageOf(cheaper), 1],
    [messageOf(dearer), -1],
  ]);
  if (opening === undefined || saved === undefined) return undefined;
  const values = new Map<number, number>();
  for (const [repeat, openingNs] of opening.values) {
    const savedNs = saved.values.get(repeat);
    if (savedNs === undefined) continue;
    if (openingNs <= 0 || savedNs <= 0) return undefined;
    values.set(repeat, openingNs / savedNs);
  }
  return { ...opening, metric: 'break-even', unit: 'messages', values };
}

const messageOf = (cell: CellResult): Series | undefined =>
  seriesOf(cell, { metric: 'cpu-per-message', role: 'all' });

/** Without the receiving that the accepting call stands in for, where there is such a call. */
function openingOf(cell: CellResult): Series | undefined {
  const opening = seriesOf(cell, { metric: 'cpu-opening', role: 'all' });
  const accept = seriesOf(cell, { metric: 'cpu', stage: 'accept', role: 'receiver' });
  if (accept === undefined) return opening;
  return weightedSum([
    [opening, 1],
    [seriesOf(cell, { metric: 'cpu-per-message', role: 'receiver' }), -1],
  ]);
}
