import { figure, type Metric } from './_metric.ts';

/**
 * The highest rate that met the bound when it was measured again; none where the search gave up. The
 * kind names the bound: `p99<=5ms`.
 */
const kneeRate: Metric = {
  name: 'knee-rate',
  unit: 'messages/s',
  direction: 'higher',
  title: 'Highest rate whose response time stays within the bound',
  derive({ shards, relay }) {
    return [...shards.map(({ saturation }) => saturation), relay?.knee].flatMap((search) =>
      search?.end.kind === 'found'
        ? [figure(search.end.load, { kind: `p99<=${search.boundNs / 1e6}ms` })]
        : [],
    );
  },
};

export default kneeRate;
