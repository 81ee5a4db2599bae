/**
 * Measures the cells of a comparison: blocks of a process of the base, another of the base, and one
 * of the head; then the accused once more.
 *
 * @module
 */

import { compareCell, type ComparedBlock } from '../compare/cell.ts';
import type { ComparedFigure, figureReader } from '../compare/figures.ts';
import { DECIDING } from '../compare/figures.ts';
import { isAccused, type CellFailure, type ComparedCell } from '../compare/gate.ts';
import type { RepeatSpec } from '../engine/spec.ts';
import { figuresOf, kernelsOf, type KernelFigures } from '../runner/bank-figures.ts';
import { FailedProcess, fillBlocks, latest, type Block } from '../runner/blocks.ts';
import type { RepeatReport } from '../runner/repeat-report.ts';
import type { Side } from '../runner/side.ts';

export interface ProcessReading extends KernelFigures {
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
  readonly percentiles: boolean;
  /** Figures of metrics that are left out. */
  readonly ignored: readonly string[];
  readonly signal: AbortSignal;
  readonly readFigures: Awaited<ReturnType<typeof figureReader>>;
  /** Called as an attempt at a block ends. */
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
  if ('failure' in first) return { cell: work.cell, again: 0, disturbed: 0, ...first };
  const figures = compareCell(first.blocks.map(alignedIn), comparing.percentiles);
  const { again, disturbed } = first;
  if (!isAccused(figures)) return { cell: work.cell, figures, again, disturbed };
  const second = await measurePass(work, comparing, 2);
  if (second === undefined) return undefined;
  if ('failure' in second) return { cell: work.cell, again, disturbed, ...second };
  return {
    cell: work.cell,
    figures,
    confirmation: compareCell(second.blocks.map(alignedIn), comparing.percentiles),
    again: again + second.again,
    disturbed: disturbed + second.disturbed,
  };
}

type Pass =
  | { readonly failure: CellFailure }
  | {
      readonly blocks: readonly Block<ProcessReading>[];
      readonly again: number;
      readonly disturbed: number;
    };

async function measurePass(
  { cell, base, head }: CellToCompare,
  { sides, blocks: count, seed, signal, ignored, readFigures, onBlock }: Comparing,
  pass: 1 | 2,
): Promise<Pass | undefined> {
  const isEqual = hasEqualBlocks(base);
  const kept: Block<ProcessReading>[] = [];
  let again = 0;
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
      mirrored: true,
      done: [],
      signal,
      runRepeat: sides.base.runRepeat,
      read: (report) => ({
        kernelNs: kernelsOf(report),
        figures: figuresIn(report, isEqual, readFigures).filter(
          ({ metric }) => !ignored.includes(metric),
        ),
      }),
      now: () => performance.now(),
      onBlock(block) {
        onBlock(cell, pass, block);
        if (block.kept) kept.push(block);
        else again += 1;
      },
    });
  } catch (error) {
    if (!(error instanceof FailedProcess)) throw error;
    const side = error.arm === 'head' ? 'head' : 'base';
    return { failure: { side, status: error.status, reason: error.reason } };
  }
  if (signal.aborted) return undefined;
  return { blocks: kept, again, disturbed: kept.filter(({ disturbed }) => disturbed).length };
}

/** No more than the engine's smallest batch, so that every batch is one of all sessions. */
const SESSIONS_OF_ONE_BATCH = 16;

/** Whether a block is the same work on both sides, so that the fastest quarter of them is a figure. */
function hasEqualBlocks({ workload: { sessions, network } }: RepeatSpec): boolean {
  const { loss, reorder, duplicate, outage } = network;
  return sessions <= SESSIONS_OF_ONE_BATCH && loss + reorder + duplicate + outage === 0;
}

/** With equal blocks, CPU per message is the lower quartile over them, which neighbours move least. */
function figuresIn(
  report: RepeatReport,
  isEqual: boolean,
  readFigures: Comparing['readFigures'],
): ComparedFigure[] {
  const quartile = isEqual ? figuresOf(report)?.cpuNs['lower-quartile'] : undefined;
  const figures = readFigures(report);
  if (quartile === undefined) return figures;
  return figures.map((figure) =>
    figure.name === DECIDING ? Object.assign({}, figure, { value: quartile }) : figure,
  );
}

function alignedIn({ processes }: Block<ProcessReading>): ComparedBlock {
  const counting = latest(processes);
  const of = (name: ArmName): readonly ComparedFigure[] =>
    counting.find(({ arm }) => arm === name)!.figures;
  return { base: of('base'), copy: of('copy'), head: of('head') };
}
