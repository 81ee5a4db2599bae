import { Bench } from 'tinybench';
import type { Tool } from '../tool.ts';
import { installedVersion } from './_package-version.ts';

/** Together tinybench's own default of a second. */
const ROUNDS = 25;
const TIME_MS = 40;
const WARMUP_MS = 2;

const tinybench: Tool = {
  name: 'tinybench',
  title: 'tinybench: a clock reading before and after every call',
  rounds: ROUNDS,
  compared: 'latency',
  async open() {
    return {
      version: installedVersion('tinybench'),
      async measure(one) {
        const bench = new Bench({ time: TIME_MS, warmupTime: WARMUP_MS, throws: true });
        bench.add('one', one, { async: false });
        const [task] = bench.runSync();
        const { result } = task!;
        if (result.state !== 'completed') throw new Error(`tinybench ended as ${result.state}`);
        const { p50, samplesCount } = result.latency;
        return {
          valueNs: p50 * 1e6,
          statistic: 'p50 of single calls, wall time, with one clock reading in each',
          samples: samplesCount,
          callsPerSample: 1,
          onThisThread: true,
        };
      },
    };
  },
};
export default tinybench;
