/**
 * The figures of one process of the bank: CPU per message.
 *
 * @module
 */

import type { RepeatReport } from './repeat-report.ts';
import { mean } from '../stats/moments.ts';
import { quantile, sortSamples } from '../stats/quantile.ts';

/**
 * CPU per message over the steady blocks of a process, in ns; a comparison is judged by one of them.
 *
 * Beside processes that share its core the mean varies least, for each of its blocks ran next to
 * blocks of theirs; a quantile of one process may be of another moment than that of the next.
 */
export const FIGURES = ['mean', 'median', 'lower-quartile'] as const;
export type FigureName = (typeof FIGURES)[number];

export interface ProcessFigures {
  readonly cpuNs: Readonly<Record<FigureName, number>>;
}

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
      mean: mean(costs),
      median: quantile(sorted, 0.5),
      'lower-quartile': quantile(sorted, QUARTER),
    },
  };
}
