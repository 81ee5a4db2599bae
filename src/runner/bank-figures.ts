/**
 * The figures of one process of the bank: CPU per message, and how fast the machine was meanwhile.
 *
 * @module
 */

import type { RepeatReport } from './repeat-report.ts';
import { mean } from '../stats/moments.ts';
import { quantile, sortSamples } from '../stats/quantile.ts';

/**
 * CPU per message over the steady blocks of a process, in ns; a comparison is judged by one of them.
 *
 * A neighbour adds to a block and takes nothing away, so the lower quartile is the figure that it
 * moves least. It needs blocks of equal work: a workload in which every message is like another.
 */
export const FIGURES = ['lower-quartile', 'median', 'mean'] as const;
export type FigureName = (typeof FIGURES)[number];

export interface KernelFigures {
  /** CPU of the reference kernel: the ends of its fastest tenth and of its fastest quarter. */
  readonly kernelNs: { readonly tenth: number; readonly quarter: number };
}

export interface ProcessFigures extends KernelFigures {
  readonly cpuNs: Readonly<Record<FigureName, number>>;
}

const TENTH = 0.1;
const QUARTER = 0.25;
/** With fewer blocks a quartile is no more than one of them. */
const BLOCKS_MIN = 20;

/** @returns undefined for a process with too few blocks to have figures. */
export function figuresOf({ shards }: RepeatReport): ProcessFigures | undefined {
  const costs = shards.flatMap((shard) => {
    const { phase, mode, messageIndex, messages } = shard.blocks;
    const costNs = new Float64Array(messages.length);
    for (const { cpu } of shard.stages) {
      for (const [entry, block] of cpu.block.entries()) costNs[block]! += cpu.cpuNs[entry]!;
    }
    const isSteady = (block: number): boolean =>
      phase[block] === 'traffic' && mode[block] === 'cpu' && messageIndex[block]! >= 1;
    return messages.flatMap((count, block) =>
      isSteady(block) && count > 0 ? [costNs[block]! / count] : [],
    );
  });
  if (costs.length < BLOCKS_MIN) return undefined;
  const sorted = sortSamples(costs);
  return {
    cpuNs: {
      'lower-quartile': quantile(sorted, QUARTER),
      median: quantile(sorted, 0.5),
      mean: mean(costs),
    },
    kernelNs: kernelsOf({ shards }),
  };
}

/** How fast the machine was while a process ran. */
export function kernelsOf({ shards }: Pick<RepeatReport, 'shards'>): KernelFigures['kernelNs'] {
  const kernels = sortSamples(shards.flatMap(({ blocks }) => blocks.kernelCpuNs));
  return { tenth: quantile(kernels, TENTH), quarter: quantile(kernels, QUARTER) };
}
