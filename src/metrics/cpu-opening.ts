import { figure, type Metric } from './_metric.ts';
import { openingCosts } from './_opening-costs.ts';

/** CPU of opening one session: publish, initiate and accept. */
const cpuOpening: Metric = {
  name: 'cpu-opening',
  unit: 'ns',
  direction: 'lower',
  title: 'CPU of opening a session: publish, initiate and accept',
  derive({ shards }) {
    const costs = openingCosts(shards);
    if (costs === undefined) return [];
    const { publish, initiate, accept } = costs;
    return [
      figure(initiate, { role: 'sender' }),
      figure(publish + accept, { role: 'receiver' }),
      figure(publish + initiate + accept, { role: 'all' }),
    ];
  },
};

export default cpuOpening;
