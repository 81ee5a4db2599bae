/**
 * Measures the cells of a comparison: blocks of a process of the base, another of the base, and one
 * of the head; then the accused once more.
 *
 * @module
 */

import { compareCell, type ComparedBlock } from '../compare/cell.ts';
import type { ComparedFigure, figureReader } from '../compare/figures.ts';
import { isAccused, type CellFailure, type ComparedCell } from '../compare/gate.ts';
import { memoryLimitBytes } from '../core/system-memory.ts';
import { isOpenLoop } from '../engine/open-loop.ts';
import type { RepeatSpec } from '../engine/spec.ts';
import { FailedProcess, fillBlocks, LANES_MAX, type Block } from '../runner/blocks.ts';
import { beyondMemory } from '../runner/memory-estimate.ts';
import { loadPipelines } from '../runner/pipelines-info.ts';
import type { Side } from '../runner/side.ts';

export interface ProcessReading {
  readonly figures: readonly ComparedFigure[];
}

/** One cell as each side is asked for it. */
export interface CellToCompare {
  readonly cell: string;
  readonly base: RepeatSpec;
  readonly head: RepeatSpec;
}

export interface Comparing {
  readonly sides: { readonly base: Side; readonly head: Side };
  readonly blocks: number;
  readonly seed: number;
  /** Whether percentiles of latency decide, too: then processes run one after the other. */
  readonly percentiles: boolean;
  /** Figures of metrics that are left out. */
  readonly ignored: readonly string[];
  readonly signal: AbortSignal;
  readonly readFigures: Awaited<ReturnType<typeof figureReader>>;
  /** Called as a block ends. */
  readonly onBlock: (cell: string, pass: 1 | 2, block: Block<ProcessReading>) => void;
}

const ARMS = ['base', 'copy', 'head'] as const;
type ArmName = (typeof ARMS)[number];

/** @returns undefined when interrupted: half a cell says nothing. */
export async function measureCell(
  work: CellToCompare,
  comparing: Comparing,
): Promise<ComparedCell | undefined> {
  const first = await measurePass(work, comparing, 1);
  if (first === undefined) return undefined;
  if ('failure' in first) return { cell: work.cell, ...first };
  const figures = compareCell(first.blocks.map(alignedIn), comparing.percentiles);
  if (!isAccused(figures)) return { cell: work.cell, figures };
  const second = await measurePass(work, comparing, 2);
  if (second === undefined) return undefined;
  if ('failure' in second) return { cell: work.cell, ...second };
  return {
    cell: work.cell,
    figures,
    confirmation: compareCell(second.blocks.map(alignedIn), comparing.percentiles),
  };
}

type Pass =
  | { readonly failure: CellFailure }
  | { readonly blocks: readonly Block<ProcessReading>[] };

async function measurePass(
  { cell, base, head }: CellToCompare,
  { sides, blocks: count, seed, percentiles, signal, ignored, readFigures, onBlock }: Comparing,
  pass: 1 | 2,
): Promise<Pass | undefined> {
  const blocks: Block<ProcessReading>[] = [];
  try {
    await fillBlocks<ProcessReading>({
      arms: [
        { name: 'base', spec: base, runRepeat: sides.base.runRepeat },
        { name: 'copy', spec: base, runRepeat: sides.base.runRepeat },
        { name: 'head', spec: head, runRepeat: sides.head.runRepeat },
      ],
      blocks: count,
      // Fresh inputs for the accused.
      seed: seed * 4096 + (pass - 1) * 2048,
      alone: percentiles || isOpenLoop(base) || (await isTight([base, head])),
      meets: sides.base.meets && sides.head.meets,
      signal,
      runRepeat: sides.base.runRepeat,
      read: (report) => ({
        figures: readFigures(report).filter(({ metric }) => !ignored.includes(metric)),
      }),
      onBlock(block) {
        onBlock(cell, pass, block);
        blocks.push(block);
      },
    });
  } catch (error) {
    if (!(error instanceof FailedProcess)) throw error;
    const side = error.arm === 'head' ? 'head' : 'base';
    return { failure: { side, status: error.status, reason: error.reason } };
  }
  if (signal.aborted) return undefined;
  return { blocks };
}

/** Whether as many processes as run at once would not fit in memory. */
async function isTight(specs: readonly RepeatSpec[]): Promise<boolean> {
  const pipelines = await loadPipelines(specs.map(({ pipeline }) => pipeline));
  const share = memoryLimitBytes() / (ARMS.length * LANES_MAX);
  return specs.some((spec) => beyondMemory(spec, pipelines, share) !== undefined);
}

function alignedIn({ processes }: Block<ProcessReading>): ComparedBlock {
  const of = (name: ArmName): readonly ComparedFigure[] =>
    processes.find(({ arm }) => arm === name)!.figures;
  return { base: of('base'), copy: of('copy'), head: of('head') };
}
