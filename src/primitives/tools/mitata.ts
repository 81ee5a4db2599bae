import { HarnessError } from '../../core/errors.ts';
import type { Tool } from '../tool.ts';
import { installedVersion } from './_package-version.ts';

/** Means stand beside means: ours are of batches that have no clock inside either. */
const BATCHED = {
  statistic: 'p50 of means of 4,096 calls, wall time',
  compared: 'batches',
} as const;
const SINGLE = {
  statistic: 'p50 of single calls, wall time, with one clock reading in each',
  compared: 'latency',
} as const;

/**
 * Each round is with mitata's defaults: where a first call takes up to 65,536 ns a sample is the mean
 * of 4,096 calls, else it is one call; 12 samples and 642 ms at least. Shorter rounds would not do: it
 * begins by a full collection, after which V8 compiles some code again, and only among 12 samples the
 * median leaves out those that paid for that.
 */
const ROUNDS = 2;

const mitata: Tool = {
  name: 'mitata',
  title: 'mitata: the mean of 4,096 calls where one takes up to 65,536 ns, else single calls',
  rounds: ROUNDS,
  async open() {
    const { measure } = await load();
    return {
      version: installedVersion('mitata'),
      async measure(one) {
        const { p50, samples, ticks } = await measure(one);
        const callsPerSample = Math.round(ticks / samples.length);
        return {
          valueNs: p50,
          ...(callsPerSample > 1 ? BATCHED : SINGLE),
          samples: samples.length,
          callsPerSample,
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
