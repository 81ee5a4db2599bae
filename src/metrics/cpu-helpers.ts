import { figure, type Metric } from './_metric.ts';

/** Share of the process's CPU that neither a worker nor the main thread spent. */
const cpuHelpers: Metric = {
  name: 'cpu-helpers',
  unit: 'share',
  direction: 'neither',
  title: 'Share of process CPU in helper threads: garbage collector, compiler, libraries',
  derive({ process }) {
    if (process === undefined || process.cpuNs <= 0) return [];
    return [figure(Math.max(0, process.helperCpuNs) / process.cpuNs)];
  },
};

export default cpuHelpers;
