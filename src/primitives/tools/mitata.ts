import { HarnessError } from '../../core/errors.ts';
import type { Tool } from '../tool.ts';
import { installedVersion } from './_package-version.ts';

const ROUNDS = 24;
const ROUND_MS = 40;

const mitata: Tool = {
  name: 'mitata',
  title: 'mitata: calls in batches, a clock reading before and after each batch',
  rounds: ROUNDS,
  compared: 'batches',
  async open() {
    const { measure } = await load();
    return {
      version: installedVersion('mitata'),
      async measure(one, callsPerBatch) {
        // Its defaults are samples of 4,096 calls and 642 ms at least: in that time the machine
        // changes its speed, and ours would stand beside another machine. Without a collection
        // first, after which V8 compiles some code again.
        const options = {
          batch_samples: callsPerBatch,
          batch_threshold: Infinity,
          min_cpu_time: ROUND_MS * 1e6,
          gc: false,
        };
        const { p50, samples, ticks } = await measure(one, options);
        return {
          valueNs: p50,
          statistic: 'p50 of means of as many calls as our batches have, wall time',
          samples: samples.length,
          callsPerSample: Math.round(ticks / samples.length),
          onThisThread: true,
        };
      },
    };
  },
};
export default mitata;

async function load(): Promise<Pick<typeof import('mitata'), 'measure'>> {
  try {
    return await import('mitata');
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new HarnessError(
      'UNAVAILABLE',
      `mitata does not load: ${reason}; install it with: npm install --save-dev mitata@1.0.34`,
    );
  }
}
