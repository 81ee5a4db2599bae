/** Compares a cell by instructions: each side once, and the base twice to see whether that is exact. */

import { existsSync } from 'node:fs';
import { compareCell } from '../compare/cell.ts';
import type { ComparedFigure } from '../compare/figures.ts';
import type { ComparedCell } from '../compare/gate.ts';
import { countInstructions, type Counted } from '../runner/instructions.ts';
import type { Side } from '../runner/side.ts';
import type { CellToCompare } from './comparing.ts';

/** Of one of the three readings of a cell, as it ends. */
interface InstructionReading {
  readonly arm: 'base' | 'copy' | 'head';
  readonly perMessage: number;
}

export async function measureInstructions(
  { cell, base, head }: CellToCompare,
  sides: { readonly base: Side; readonly head: Side },
  signal: AbortSignal,
  onCount: (reading: InstructionReading) => void,
): Promise<ComparedCell> {
  const readings: ComparedFigure[][] = [];
  for (const [arm, side, spec] of [
    ['base', 'base', base],
    ['copy', 'base', base],
    ['head', 'head', head],
  ] as const) {
    const counted = await countIn(sides[side], spec, signal);
    if ('failure' in counted) {
      return { cell, failure: { side, status: 'error', reason: counted.failure } };
    }
    onCount({ arm, ...counted });
    readings.push([
      {
        name: 'instructions per message',
        metric: 'instructions',
        unit: 'instructions',
        direction: 'lower',
        value: counted.perMessage,
      },
    ]);
  }
  const [first, copy, other] = readings as [ComparedFigure[], ComparedFigure[], ComparedFigure[]];
  return { cell, figures: compareCell([{ base: first, copy, head: other }]) };
}

async function countIn(
  { counter, given }: Side,
  spec: CellToCompare['base'],
  signal: AbortSignal,
): Promise<Counted> {
  if (existsSync(counter)) return countInstructions(counter, spec, signal);
  return { failure: `${given} has no workers/instructions.ts: it is an older version` };
}
