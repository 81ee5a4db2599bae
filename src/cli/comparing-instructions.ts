/** Compares a cell by instructions: each side once, and the base twice to see whether that is exact. */

import { existsSync } from 'node:fs';
import { compareCell } from '../compare/cell.ts';
import type { ComparedFigure } from '../compare/figures.ts';
import type { CellFailure, ComparedCell } from '../compare/gate.ts';
import { countInstructions, type Counted } from '../runner/instructions.ts';
import type { Side } from '../runner/side.ts';
import type { CellToCompare } from './comparing.ts';

/** Of one of the three readings of a cell, as it ends. */
interface InstructionReading {
  readonly arm: 'base' | 'copy' | 'head';
  readonly perMessage: number;
}

const ARMS = [
  { arm: 'base', side: 'base' },
  { arm: 'copy', side: 'base' },
  { arm: 'head', side: 'head' },
] as const;

export async function measureInstructions(
  { cell, base, head }: CellToCompare,
  sides: { readonly base: Side; readonly head: Side },
  signal: AbortSignal,
  onCount: (reading: InstructionReading) => void,
): Promise<ComparedCell> {
  // A count is the same whatever else runs.
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const counts = await Promise.all(
    ARMS.map(async ({ arm, side }) => {
      const counted = await countIn(sides[side], side === 'base' ? base : head, either);
      if (!('failure' in counted)) onCount({ arm, ...counted });
      // The first failure is the one that is told; the others are of what it ended.
      else if (!stop.signal.aborted) stop.abort({ side, reason: counted.failure });
      return counted;
    }),
  );
  if (stop.signal.aborted) {
    const { side, reason } = stop.signal.reason as Pick<CellFailure, 'side' | 'reason'>;
    return { cell, failure: { side, status: 'error', reason } };
  }
  const [first, copy, other] = counts.map(figuresOf);
  return { cell, figures: compareCell([{ base: first!, copy: copy!, head: other! }]) };
}

function figuresOf(counted: Counted): ComparedFigure[] {
  if ('failure' in counted) throw new RangeError(`"counted" expected a count, got a failure`);
  return [
    {
      name: 'instructions per message',
      metric: 'instructions',
      unit: 'instructions',
      direction: 'lower',
      value: counted.perMessage,
    },
  ];
}

async function countIn(
  { counter, given }: Side,
  spec: CellToCompare['base'],
  signal: AbortSignal,
): Promise<Counted> {
  if (existsSync(counter)) return countInstructions(counter, spec, signal);
  return { failure: `${given} has no workers/instructions.ts: it is an older version` };
}
