import type { ShardFacts } from '../measure/facts.ts';
import type { WindowColumns } from '../measure/operation-facts.ts';
import { steadyStateOf, type SteadyClass } from '../stats/steady-state.ts';
import { STEADY } from './_batches.ts';
import type { Figure, Metric } from './_metric.ts';

/** From best to worst: a repeat is as good as its worst thread. */
const CLASSES: readonly SteadyClass[] = ['flat', 'warm-up', 'slowdown', 'never-settled'];

/**
 * How each repeat came to a steady speed: 1 for its class and 0 for the others, so that the mean over
 * repeats is the share of each.
 *
 * Judged by the message traffic of blocks whose CPU was read, in the order of time. A block's CPU is
 * compared with what its calls cost on average in the repeat, stage by stage, so that a block with
 * more calls, as after an outage, is not taken for a slower one. What cannot be told apart is a
 * protocol whose own early messages are dearer: message n of all sessions goes before message n + 1.
 * So no figure leaves out what came before a repeat settled.
 */
const steadyState: Metric = {
  name: 'steady-state',
  unit: 'share',
  direction: 'neither',
  title: 'Share of repeats that were flat, warmed up, slowed down or never settled',
  derive({ shards, operation }) {
    const windows = operation?.timed?.windows;
    const found = windows === undefined ? shards.map(classOf) : [classOfWindows(windows)];
    if (found.length === 0 || found.includes(undefined)) return [];
    const worst = CLASSES.findLast((name) => found.includes(name));
    return CLASSES.map((kind): Figure => {
      const value = kind === worst ? 1 : 0;
      return { stage: '', role: '', kind, statistic: 'share', value };
    });
  },
};

function classOf(shard: ShardFacts): SteadyClass | undefined {
  const { blocks, stages } = shard;
  const spentNs = new Map<number, number>();
  const usualNs = new Map<number, number>();
  for (const { cpu } of stages) {
    const steady = [...cpu.block.keys()].filter((batch) => STEADY(blocks, cpu.block[batch]!));
    const calls = steady.reduce((sum, batch) => sum + cpu.calls[batch]!, 0);
    const meanNs = steady.reduce((sum, batch) => sum + cpu.cpuNs[batch]!, 0) / calls;
    for (const batch of steady) {
      const block = cpu.block[batch]!;
      const usual = meanNs * cpu.calls[batch]!;
      if (!(usual > 0)) continue;
      spentNs.set(block, (spentNs.get(block) ?? 0) + cpu.cpuNs[batch]!);
      usualNs.set(block, (usualNs.get(block) ?? 0) + usual);
    }
  }
  const inTime = [...spentNs.keys()].sort((a, b) => a - b);
  return steadyStateOf(
    inTime.map((block) => spentNs.get(block)! / usualNs.get(block)!),
    inTime.map((block) => blocks.kernelCpuNs[block]!),
  )?.class;
}

/** Of a repeat that calls one operation: what a call costs, window by window. */
function classOfWindows({ cpuNs, calls, kernelCpuNs }: WindowColumns): SteadyClass | undefined {
  return steadyStateOf(
    cpuNs.map((ns, window) => ns / calls[window]!),
    kernelCpuNs,
  )?.class;
}

export default steadyState;
