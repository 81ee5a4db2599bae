import { figure, type Metric } from './_metric.ts';

/** Share of the time in which a worker wanted a core and had none. Linux only. */
const runDelayShare: Metric = {
  name: 'run-delay-share',
  unit: 'share',
  direction: 'neither',
  title: 'Share of time spent ready to run but waiting for a core',
  derive({ shards, operation }) {
    const windows = operation?.timed?.windows;
    let cpuNs = 0;
    let delayNs = 0;
    for (const blocks of windows === undefined ? shards.map((one) => one.blocks) : [windows]) {
      for (const [index, runDelayNs] of blocks.runDelayNs.entries()) {
        if (runDelayNs < 0) continue; // Not readable on this machine.
        cpuNs += blocks.cpuNs[index]!;
        delayNs += runDelayNs;
      }
    }
    return cpuNs + delayNs > 0 ? [figure(delayNs / (cpuNs + delayNs))] : [];
  },
};

export default runDelayShare;
