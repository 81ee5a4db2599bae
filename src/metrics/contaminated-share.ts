import type { BlockFacts } from '../measure/facts.ts';
import { median } from '../stats/quantile.ts';
import { figure, type Metric } from './_metric.ts';

const RUN_DELAY_LIMIT = 0.01;
const KERNEL_DEVIATION_LIMIT = 0.05;

/**
 * Share of blocks that a neighbour disturbed.
 *
 * Waiting and steal show that the core was taken away; the reference kernel shows that it was
 * slowed, which no counter does. The kernel detects only: nothing is divided by it, because not
 * every operation slows alike.
 */
const contaminatedShare: Metric = {
  name: 'contaminated-share',
  unit: 'share',
  direction: 'neither',
  title: 'Share of blocks disturbed by other work on the machine',
  derive({ shards, operation }) {
    const windows = operation?.timed?.windows;
    const all: Columns[] = windows === undefined ? shards.map(({ blocks }) => blocks) : [windows];
    const kernels = all.flatMap(({ kernelCpuNs }) => kernelCpuNs.filter((ns) => ns > 0));
    const usualKernelNs = kernels.length === 0 ? undefined : median(kernels);
    let blocksSeen = 0;
    let contaminated = 0;
    for (const blocks of all) {
      for (const index of blocks.cpuNs.keys()) {
        blocksSeen += 1;
        if (isContaminated(blocks, index, usualKernelNs)) contaminated += 1;
      }
    }
    return blocksSeen === 0 ? [] : [figure(contaminated / blocksSeen)];
  },
};

/** Of blocks of messages, or of windows of one operation. */
type Columns = Pick<BlockFacts, 'cpuNs' | 'runDelayNs' | 'stealTicks' | 'kernelCpuNs'>;

function isContaminated(
  blocks: Columns,
  index: number,
  usualKernelNs: number | undefined,
): boolean {
  const cpuNs = blocks.cpuNs[index]!;
  const runDelayNs = blocks.runDelayNs[index]!;
  if (runDelayNs > 0 && runDelayNs / (cpuNs + runDelayNs) > RUN_DELAY_LIMIT) return true;
  if (blocks.stealTicks[index]! > 0) return true;
  const kernelNs = blocks.kernelCpuNs[index]!;
  if (usualKernelNs === undefined || kernelNs <= 0) return false;
  return Math.abs(kernelNs - usualKernelNs) > KERNEL_DEVIATION_LIMIT * usualKernelNs;
}

export default contaminatedShare;
